resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 60
  tags        = { team = "platform" }
}

resource "terraform_data" "guard" {
  input = folder_bucket.assets.expire_days

  lifecycle {
    precondition {
      condition     = folder_bucket.assets.expire_days < 31
      error_message = "Too long."
    }
  }
}
