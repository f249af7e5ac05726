resource "lab_thing" "web" {
  name  = "web"
  notes = { size = "small" }
}
