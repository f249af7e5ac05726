resource "folder_server" "web" {
  name  = "web"
  image = "debian-12"
  cpus  = 2
}

resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}
