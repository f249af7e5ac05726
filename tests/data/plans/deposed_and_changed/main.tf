resource "folder_server" "web" {
  name  = "new"
  image = "debian-12"
  cpus  = 4

  lifecycle {
    create_before_destroy = true
  }
}

resource "folder_server" "app" {
  name  = "app-newest"
  image = "debian-12"
  cpus  = 2

  lifecycle {
    create_before_destroy = true
  }
}
