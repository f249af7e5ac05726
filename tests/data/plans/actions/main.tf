variable "token" {
  default   = "CANARY-action"
  sensitive = true
}

action "lab_notify" "ada" {
  config {
    to      = "ada@example.com"
    text    = "web is at ${lab_thing.web.endpoint}"
    headers = { "X-Team" = "engines", Authorization = "Bearer ${var.token}" }
  }
}

action "lab_notify" "each" {
  for_each = toset(["grace", "linus"])

  config {
    to = "${each.key}@example.com"
  }
}

resource "lab_thing" "web" {
  name   = "web"
  notes  = { size = "large" }
  labels = ["new"]

  lifecycle {
    action_trigger {
      events  = [before_update, after_update]
      actions = [action.lab_notify.ada]
    }
  }
}

resource "lab_thing" "new" {
  name = "new"

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.lab_notify.each["grace"], action.lab_notify.each["linus"]]
    }
  }
}
