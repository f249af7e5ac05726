variable "password" {
  default   = "CANARY-recorded"
  sensitive = true
}

resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

resource "folder_secret" "database" {
  name  = "database"
  value = var.password
}

resource "folder_server" "web" {
  name       = "web"
  image      = "debian-12"
  cpus       = 2
  open_ports = [22, 443]
}

resource "folder_server" "batch" {
  name       = "batch"
  image      = "debian-12"
  cpus       = 2
  open_ports = [22]
}

output "address" {
  value = folder_server.web.address
}

output "gone" {
  value = "was here"
}
