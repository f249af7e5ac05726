resource "folder_bucket" "assets" {
  name = "assets"
}
