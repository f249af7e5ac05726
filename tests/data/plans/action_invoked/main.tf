action "lab_notify" "ada" {
  config {
    to   = "ada@example.com"
    text = "All is well."
  }
}

resource "lab_thing" "web" {
  name = "web"
}
