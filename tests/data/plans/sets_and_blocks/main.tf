resource "lab_thing" "web" {
  name   = "web"
  labels = ["d", "b", "a"]
  sizes  = [0, 1, 3]
  notes  = { keep = "x", change = "Y", add = "w" }

  rule {
    port   = 22
    source = "10.0.0.0/8"
  }
  rule {
    port   = 443
    source = "0.0.0.0/0"
  }
}

resource "lab_thing" "reordered" {
  name   = "reordered"
  labels = ["a", "b", "c"]
  sizes  = [3, 2, 1]
}
