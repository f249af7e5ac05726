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

resource "folder_secret" "database" {
  name  = "database"
  value = "CANARY-destroyed"
}

module "app" {
  source = "./modules/server"
  name   = "app"
}

data "terraform_remote_state" "network" {
  backend = "local"
  config  = { path = "other.tfstate" }
}

output "address" {
  value = folder_server.web.address
}

output "secret" {
  value     = folder_secret.database.value
  sensitive = true
}
