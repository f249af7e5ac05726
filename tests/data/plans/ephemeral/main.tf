variable "password" {
  default   = "CANARY-ephemeral"
  ephemeral = true
}

resource "lab_thing" "web" {
  name             = "web"
  password         = var.password
  password_version = 2
}

resource "lab_thing" "new" {
  name             = "new"
  password         = "CANARY-write-only"
  password_version = 1
}
