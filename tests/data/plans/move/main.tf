moved {
  from = folder_bucket.assets
  to   = folder_bucket.files
}

resource "folder_bucket" "files" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}
