resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

resource "folder_server" "many" {
  count = 2
  name  = "many-${count.index}"
  image = "debian-12"
  cpus  = 2
}

module "web" {
  source = "./modules/server"
  name   = "in-module"
}

resource "folder_secret" "database" {
  name  = "database"
  value = "CANARY-forgotten"
}

resource "folder_server" "destroyed" {
  name  = "destroyed"
  image = "debian-12"
  cpus  = 2
}
