resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

resource "folder_server" "web" {
  name  = "web"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "gone" {
  name  = "gone"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "old" {
  name  = "old"
  image = "debian-12"
  cpus  = 2
}

output "days" {
  value = folder_bucket.assets.expire_days
}
