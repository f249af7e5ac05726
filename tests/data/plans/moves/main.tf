moved {
  from = folder_bucket.assets
  to   = folder_bucket.files
}

resource "folder_bucket" "files" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

moved {
  from = folder_server.changed
  to   = folder_server.resized
}

resource "folder_server" "resized" {
  name  = "changed"
  image = "debian-12"
  cpus  = 4
}

moved {
  from = folder_server.remade
  to   = folder_server.upgraded
}

resource "folder_server" "upgraded" {
  name  = "remade"
  image = "debian-13"
  cpus  = 2
}

resource "folder_server" "many" {
  count = 2
  name  = count.index == 0 ? "many" : "many-${count.index}"
  image = "debian-12"
  cpus  = 2
}

moved {
  from = folder_server.inside
  to   = module.web.folder_server.this
}

module "web" {
  source = "./modules/server"
  name   = "inside"
}

moved {
  from = folder_server.keyed["a"]
  to   = folder_server.keyed["first"]
}

resource "folder_server" "keyed" {
  for_each = { first = "a", b = "b" }
  name     = "keyed-${each.value}"
  image    = "debian-12"
  cpus     = 2
}
