resource "folder_server" "web" {
  name  = "web"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "known" {
  count = 2
  name  = "known-${count.index}"
  image = "debian-12"
  cpus  = 2
}
