resource "folder_server" "web" {
  name       = "web"
  image      = "debian-13"
  cpus       = 2
  open_ports = [22, 443]

  lifecycle {
    create_before_destroy = true
  }
}
