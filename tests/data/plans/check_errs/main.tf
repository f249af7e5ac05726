resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
}

check "retention" {
  assert {
    condition     = tonumber("${folder_bucket.assets.expire_days} days") > 7
    error_message = "Too short."
  }
}
