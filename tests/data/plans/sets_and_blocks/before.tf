resource "lab_thing" "web" {
  name   = "web"
  labels = ["a", "b", "c"]
  sizes  = [1, 2, 3]
  notes  = { keep = "x", change = "y", drop = "z" }

  rule {
    port   = 22
    source = "10.0.0.0/8"
  }
  rule {
    port   = 80
    source = "0.0.0.0/0"
  }
}

resource "lab_thing" "reordered" {
  name   = "reordered"
  labels = ["c", "b", "a"]
  sizes  = [1, 2, 3]
}
