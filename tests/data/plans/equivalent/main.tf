resource "folder_bucket" "assets" {
  name = "assets"

  lifecycle {
    ignore_changes = [tags]
  }
}
