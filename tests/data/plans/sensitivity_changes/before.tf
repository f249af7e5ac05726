resource "terraform_data" "becomes" {
  input = { list = ["CANARY-one", "CANARY-two"], map = { a = "CANARY-a" }, changed = "CANARY-old" }
}

resource "terraform_data" "was" {
  input = {
    list    = [sensitive("CANARY-one"), "two"]
    map     = sensitive({ a = "CANARY-a" })
    changed = sensitive("CANARY-old")
  }
}

resource "lab_thing" "web" {
  name   = "web"
  labels = ["CANARY-blue", "green"]
  notes  = { open = sensitive("CANARY-note") }
}
