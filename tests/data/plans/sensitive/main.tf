variable "password" {
  default   = "CANARY-planned"
  sensitive = true
}

resource "folder_secret" "database" {
  name  = "database"
  value = var.password
}

resource "folder_bucket" "assets" {
  name = "assets"
  tags = { password = var.password, team = "platform" }
}

resource "terraform_data" "settings" {
  input = { url = "https://ada:${var.password}@db.example.com", ports = [1, 3] }
}
