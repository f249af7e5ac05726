resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = 2
}

data "terraform_remote_state" "network" {
  backend = "local"
  config  = { path = "${replace(folder_server.web.address, "/.*/", "other")}.tfstate" }
}

output "region" {
  value = data.terraform_remote_state.network.outputs.region
}
