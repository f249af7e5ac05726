resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = 2
}

output "same" {
  value = "as it was"
}

output "text" {
  value = "two"
}

output "becomes_list" {
  value = ["one"]
}

output "becomes_number" {
  value = 1
}

output "nested" {
  value = { a = [1, 3, 4], b = { c = "e" }, f = null }
}

output "new" {
  value = true
}

output "new_null" {
  value = null
}

output "new_secret" {
  value     = { password = "CANARY-new" }
  sensitive = true
}

output "becomes_secret" {
  value     = "CANARY-becomes"
  sensitive = true
}

output "was_secret" {
  value = "CANARY-was"
}

output "changed_secret" {
  value     = "CANARY-after"
  sensitive = true
}

output "unknown_secret" {
  value     = folder_server.web.address
  sensitive = true
}

output "becomes_unknown" {
  value = folder_server.web.address
}

output "partly_unknown" {
  value = { address = folder_server.web.address, fixed = 1, list = ["a", folder_server.web.id] }
}
