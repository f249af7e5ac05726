variable "name" {
  type = string
}

variable "image" {
  type    = string
  default = "debian-12"
}

resource "folder_server" "this" {
  name  = var.name
  image = var.image
  cpus  = 2
}

output "address" {
  value = folder_server.this.address
}
