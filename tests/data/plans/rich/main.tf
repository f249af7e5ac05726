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

output "address" {
  value = folder_server.web.address
}
