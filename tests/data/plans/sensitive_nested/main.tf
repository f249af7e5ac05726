variable "secret" {
  default   = "CANARY-after"
  sensitive = true
}

resource "terraform_data" "nested" {
  input = {
    list  = ["visible", var.secret, "last"]
    map   = { open = "visible", shut = var.secret }
    deep  = [{ name = "a", keys = [{ value = var.secret }] }, { name = "b", keys = [] }]
    set   = toset(["visible", var.secret])
    text  = "before ${var.secret} after"
    json  = jsonencode({ user = "ada", password = var.secret })
    tuple = [1, var.secret, { two = 2 }]
  }
}

resource "lab_thing" "web" {
  name   = "web"
  labels = ["blue", var.secret]
  notes  = { open = "visible", shut = var.secret }
  sizes  = [8080, 443]
  token  = "CANARY-token-after"

  rule {
    port   = 22
    source = "10.0.0.0/8"
    key    = "CANARY-rule-after"
  }
  rule {
    port   = 8080
    source = var.secret
  }
}

resource "terraform_data" "copies" {
  input = { token = lab_thing.web.token, labels = lab_thing.web.labels }
}
