import {
  to = folder_bucket.assets
  id = "bucket-assets"
}

resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
}
