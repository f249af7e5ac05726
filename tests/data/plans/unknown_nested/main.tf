resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = 2
}

resource "terraform_data" "shapes" {
  input = {
    list  = ["a", folder_server.web.address, "c"]
    map   = { known = "k", unknown = folder_server.web.address }
    deep  = [{ name = "one", at = folder_server.web.address }, { name = "three", at = "fixed" }]
    whole = { for part in split(".", folder_server.web.address) : part => 1 }
    text  = "at ${folder_server.web.address}"
  }
}

resource "lab_thing" "web" {
  name   = "web"
  labels = ["fixed", folder_server.web.address]
  notes  = { at = folder_server.web.address, fixed = "y" }

  dynamic "rule" {
    for_each = toset([folder_server.web.cpus])

    content {
      port   = 22
      source = folder_server.web.address
    }
  }
}
