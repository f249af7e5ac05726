resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = 2
}

resource "folder_server" "each" {
  for_each = toset([folder_server.web.address])
  name     = "each"
  image    = "debian-12"
  cpus     = 2
}

resource "folder_server" "known" {
  count = length(folder_server.web.address) > 0 ? length(folder_server.web.id) : 2
  name  = "known-${count.index}"
  image = "debian-12"
  cpus  = 4
}

resource "folder_secret" "follows" {
  name  = "follows"
  value = "of-${join("-", [for each in folder_server.each : each.id])}"
}

data "terraform_remote_state" "network" {
  backend = "local"
  config  = { path = length(folder_secret.follows.id) > 0 ? "other.tfstate" : "none" }
}

output "follows" {
  value = folder_secret.follows.id
}
