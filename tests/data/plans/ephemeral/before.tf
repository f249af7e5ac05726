variable "password" {
  default   = "CANARY-ephemeral"
  ephemeral = true
}

resource "lab_thing" "web" {
  name             = "web"
  password         = var.password
  password_version = 1
}
