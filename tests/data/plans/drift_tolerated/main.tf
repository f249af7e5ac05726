resource "folder_bucket" "assets" {
  name = "assets"
  tags = { team = "platform" }

  lifecycle {
    ignore_changes = [tags]
  }
}
