resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

resource "folder_server" "changed" {
  name  = "changed"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "remade" {
  name  = "remade"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "many" {
  name  = "many"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "inside" {
  name  = "inside"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "keyed" {
  for_each = toset(["a", "b"])
  name     = "keyed-${each.key}"
  image    = "debian-12"
  cpus     = 2
}
