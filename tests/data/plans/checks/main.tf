variable "size" {
  default = 4

  validation {
    condition     = var.size > 0
    error_message = "A size is positive."
  }
}

resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = var.size

  lifecycle {
    precondition {
      condition     = var.size < 9
      error_message = "Too large."
    }
    postcondition {
      condition     = self.address != ""
      error_message = "No address."
    }
  }
}

resource "terraform_data" "each" {
  for_each = toset(["a", "b"])
  input    = each.key

  lifecycle {
    precondition {
      condition     = length(each.key) == 1
      error_message = "One letter."
    }
  }
}

check "passes" {
  assert {
    condition     = var.size == 4
    error_message = "It is ${var.size}."
  }
}

check "fails" {
  assert {
    condition     = var.size == 5
    error_message = "It is ${var.size} and CANARY-message."
  }
  assert {
    condition     = var.size == 6
    error_message = "It is not 6 either."
  }
}

check "is_unknown" {
  assert {
    condition     = startswith(folder_server.web.address, "10.")
    error_message = "Not in the network."
  }
}

output "size" {
  value = var.size

  precondition {
    condition     = var.size != 13
    error_message = "Unlucky."
  }
}
