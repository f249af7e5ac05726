resource "folder_server" "counted" {
  count = 3
  name  = "counted-${count.index}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "keyed" {
  for_each = toset(["a", "b"])
  name  = "keyed-${each.key}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "repeated" {
  count = 2
  name  = "repeated-${count.index}"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "gone" {
  name  = "gone"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "target" {
  name  = "target"
  image = "debian-12"
  cpus  = 2
}

module "web" {
  source = "./modules/server"
  name   = "in-module"
}

module "many" {
  source = "./modules/server"
  count  = 2
  name   = "many-${count.index}"
}
