variable "password" {
  default   = "CANARY-planned"
  sensitive = true
}

resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform", password = var.password }
}

resource "folder_bucket" "logs" {
  name = "logs"
}

resource "folder_secret" "database" {
  name  = "database"
  value = var.password
}
