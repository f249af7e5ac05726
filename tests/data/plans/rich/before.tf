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
