resource "folder_server" "web" {
  name  = "web"
  image = "debian-12"
  cpus  = 4
}
