resource "folder_server" "tainted" {
  name  = "tainted"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "requested" {
  name  = "requested"
  image = "debian-12"
  cpus  = 2
}

resource "folder_server" "other_image" {
  name  = "other-image"
  image = "debian-13"
  cpus  = 2
}

resource "folder_server" "tainted_first" {
  name  = "tainted-first"
  image = "debian-12"
  cpus  = 2

  lifecycle {
    create_before_destroy = true
  }
}

resource "folder_server" "both" {
  name  = "both"
  image = "debian-13"
  cpus  = 4
}

resource "terraform_data" "trigger" {
  input            = 1
  triggers_replace = [2]
}

resource "folder_bucket" "triggered" {
  name = "triggered"

  lifecycle {
    replace_triggered_by = [terraform_data.trigger]
  }
}

resource "folder_server" "follows" {
  name  = "follows"
  image = folder_server.other_image.image
  cpus  = 2
}
