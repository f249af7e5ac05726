resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 60
  tags        = { team = "security" }
}
