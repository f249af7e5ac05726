resource "folder_server" "web" {
  name  = "old"
  image = "debian-12"
  cpus  = 2

  lifecycle {
    create_before_destroy = true
  }
}

resource "folder_server" "app" {
  name  = "app-old"
  image = "debian-12"
  cpus  = 2

  lifecycle {
    create_before_destroy = true
  }
}

resource "folder_server" "db" {
  name  = "db-old"
  image = "debian-12"
  cpus  = 2

  lifecycle {
    create_before_destroy = true
  }
}
