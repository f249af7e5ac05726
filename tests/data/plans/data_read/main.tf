resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 60
  tags        = { team = "platform" }
}

data "terraform_remote_state" "network" {
  backend    = "local"
  config     = { path = "other.tfstate" }
  depends_on = [folder_bucket.assets]
}
