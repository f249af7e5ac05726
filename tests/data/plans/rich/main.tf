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
  expire_days = 60
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }]
  })
}

resource "folder_bucket" "exports" {
  name = "exports"
}

moved {
  from = folder_bucket.archive
  to   = folder_bucket.attic
}

resource "folder_bucket" "attic" {
  name = "archive"
}

import {
  to = folder_bucket.legacy
  id = "bucket-legacy"
}

resource "folder_bucket" "legacy" {
  name        = "legacy"
  expire_days = 30
}

resource "folder_secret" "database" {
  name  = "database"
  value = var.database_password
}

resource "folder_server" "web" {
  name       = "web"
  image      = "debian-13"
  cpus       = 2
  open_ports = [443, 8443]
}

removed {
  from = folder_bucket.retired

  lifecycle {
    destroy = false
  }
}

resource "folder_bucket" "backups" {
  name = "backups"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:PutObject"], Resource = "*" }]
  })
}

resource "folder_server" "pool" {
  count = 1
  name  = "pool-${count.index}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "api" {
  name  = "api-13"
  image = "debian-13"
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
      apt-get install --yes curl jq
      systemctl start web
    EOT
    config = <<-EOT
      listen: 0.0.0.0:8080
      retries: 5
      hosts: [ada, grace]
    EOT
  }
}

moved {
  from = folder_server.queue
  to   = folder_server.worker
}

resource "folder_server" "worker" {
  name  = "queue"
  image = "debian-12"
  cpus  = 4
}

resource "folder_bucket" "uploads" {
  name        = "uploads"
  expire_days = 90
  tags        = { team = "platform" }
}

check "capacity" {
  assert {
    condition     = length(folder_server.pool) >= 2
    error_message = "Two servers are needed, and there is ${length(folder_server.pool)}."
  }
}

output "address" {
  value = folder_server.web.address
}

output "password" {
  value     = "hunter2-of-the-output"
  sensitive = true
}
