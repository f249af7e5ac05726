# A small web estate: servers, the buckets they use, and the key that signs their sessions.

terraform {
  required_providers {
    folder = {
      source  = "demo.driftctl.example/driftctl/folder"
      version = "~> 1.0"
    }
  }
}

locals {
  tags = {
    environment = var.environment
    team        = var.team
  }
}

resource "folder_server" "web" {
  for_each = var.servers

  name       = each.key
  image      = each.value.image
  cpus       = each.value.cpus
  open_ports = [443]
  tags       = local.tags
}

resource "folder_bucket" "assets" {
  name      = "assets"
  versioned = true
  tags      = local.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOurServersRead"
      Effect    = "Allow"
      Action    = ["GetObject"]
      Principal = [for server in folder_server.web : server.arn]
    }]
  })
}

resource "folder_bucket" "reports" {
  name        = "reports"
  versioned   = false
  expire_days = var.reports_expire_days
  tags        = local.tags
}

resource "folder_secret" "session" {
  name = "session-key"
  # Made up from the name, for a demo whose cloud anybody may read. Never do this with a real one.
  value = sha256("a session key of ${var.environment}")
  tags  = local.tags
}
