resource "folder_bucket" "assets" {
  name = "assets"
  tags = { team = sensitive("CANARY-team") }
}
