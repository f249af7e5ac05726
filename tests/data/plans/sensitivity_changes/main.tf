resource "terraform_data" "becomes" {
  input = {
    list    = [sensitive("CANARY-one"), "CANARY-two"]
    map     = sensitive({ a = "CANARY-a" })
    changed = sensitive("CANARY-new")
  }
}

resource "terraform_data" "was" {
  input = { list = ["CANARY-one", "two"], map = { a = "CANARY-a" }, changed = "CANARY-new" }
}

resource "lab_thing" "web" {
  name   = "web"
  labels = [sensitive("CANARY-blue"), "green"]
  notes  = { open = "CANARY-note" }
}
