variable "password" {
  default   = "CANARY-planned"
  sensitive = true
}

resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 60
  tags        = { team = "platform", password = var.password }
}

resource "folder_bucket" "logs" {
  name = folder_server.web.address
}

resource "folder_secret" "database" {
  name  = "database"
  value = var.password
}

resource "folder_server" "web" {
  name       = "web"
  image      = "debian-13"
  cpus       = 2
  open_ports = [22, 443]
}

output "address" {
  value = { web = folder_server.web.address, port = 443 }
}

output "password" {
  value     = var.password
  sensitive = true
}
