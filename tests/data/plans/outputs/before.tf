resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

output "arn" {
  value = folder_bucket.assets.arn
}

output "old" {
  value = 1
}
