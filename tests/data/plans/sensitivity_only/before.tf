resource "folder_bucket" "assets" {
  name = "assets"
  tags = { team = "CANARY-team" }
}
