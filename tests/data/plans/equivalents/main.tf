resource "lab_thing" "web" {
  name = "web"

  lifecycle {
    ignore_changes = all
  }
}

resource "folder_server" "web" {
  name       = "web"
  image      = "debian-12"
  cpus       = 2
  open_ports = []

  lifecycle {
    ignore_changes = [open_ports, tags]
  }
}
