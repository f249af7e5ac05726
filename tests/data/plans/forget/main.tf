resource "folder_server" "web" {
  name       = "web"
  image      = "debian-12"
  cpus       = 2
  open_ports = [22, 443]
}

removed {
  from = folder_bucket.assets

  lifecycle {
    destroy = false
  }
}
