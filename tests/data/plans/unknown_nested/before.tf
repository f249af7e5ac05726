resource "folder_server" "web" {
  name  = "web"
  image = "debian-12"
  cpus  = 2
}

resource "terraform_data" "shapes" {
  input = {
    list = ["a", folder_server.web.address, "c"]
    map  = { known = "k", unknown = folder_server.web.address }
    deep = [{ name = "one", at = folder_server.web.address }, { name = "two", at = "fixed" }]
    whole = { a = 1 }
    text  = "at ${folder_server.web.address}"
  }
}

resource "lab_thing" "web" {
  name   = "web"
  labels = ["fixed", folder_server.web.address]
  notes  = { at = folder_server.web.address, fixed = "x" }
}
