variable "database_password" {
  default   = "hunter2"
  sensitive = true
}

resource "folder_bucket" "assets" {
  name = "assets"
  tags = { team = "platform", env = "prod" }
}

resource "folder_bucket" "logs" {
  name        = "logs"
  expire_days = 30
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }]
  })
}

resource "folder_bucket" "exports" {
  name = "exports"
}

resource "folder_bucket" "archive" {
  name = "archive"
}

resource "folder_secret" "database" {
  name  = "database"
  value = var.database_password
}

resource "folder_server" "web" {
  name       = "web"
  image      = "debian-12"
  cpus       = 2
  open_ports = [22, 443]
}

resource "folder_server" "batch" {
  name  = "batch"
  image = "debian-12"
  cpus  = 4
}

resource "folder_bucket" "retired" {
  name = "retired"
}

resource "folder_bucket" "backups" {
  name = "backups"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }]
  })
}

resource "folder_server" "pool" {
  count = 2
  name  = "pool-${count.index}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "api" {
  name  = "api-12"
  image = "debian-12"
  cpus  = 2

  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "boot" {
  input = {
    server = folder_server.web.address
    script = <<-EOT
      #!/bin/sh
      set -e
      apt-get install --yes curl
      systemctl start web
    EOT
    config = <<-EOT
      listen: 0.0.0.0:8080
      retries: 3
      hosts: [ada, grace]
    EOT
  }
}

resource "folder_server" "queue" {
  name  = "queue"
  image = "debian-12"
  cpus  = 2
}

output "password" {
  value     = folder_secret.database.value
  sensitive = true
}
