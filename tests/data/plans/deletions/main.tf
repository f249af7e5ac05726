resource "folder_server" "counted" {
  count = 1
  name  = "counted-${count.index}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "keyed" {
  for_each = toset(["b"])
  name  = "keyed-${each.key}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "repeated" {
  for_each = toset(["x"])
  name  = "repeated-${each.key}"
  image = "debian-12"
  cpus  = 2
}

moved {
  from = folder_server.target
  to   = folder_server.nowhere
}

module "many" {
  source = "./modules/server"
  count  = 1
  name   = "many-${count.index}"
}
