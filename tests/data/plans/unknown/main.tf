resource "folder_server" "web" {
  name       = "web"
  image      = "debian-13"
  cpus       = 2
  open_ports = [22, 443]
}

resource "terraform_data" "note" {
  input = { server = folder_server.web.id, list = ["a", folder_server.web.address], fixed = 1 }
}
