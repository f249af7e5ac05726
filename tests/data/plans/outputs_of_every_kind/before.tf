resource "folder_server" "web" {
  name  = "web"
  image = "debian-12"
  cpus  = 2
}

output "same" {
  value = "as it was"
}

output "text" {
  value = "one"
}

output "becomes_list" {
  value = "one"
}

output "becomes_number" {
  value = "1"
}

output "nested" {
  value = { a = [1, 2, 3], b = { c = "d" } }
}

output "gone" {
  value = [1, 2]
}

output "gone_secret" {
  value     = "CANARY-gone"
  sensitive = true
}

output "becomes_secret" {
  value = "CANARY-becomes"
}

output "was_secret" {
  value     = "CANARY-was"
  sensitive = true
}

output "changed_secret" {
  value     = "CANARY-before"
  sensitive = true
}

output "becomes_unknown" {
  value = folder_server.web.address
}

output "partly_unknown" {
  value = { address = folder_server.web.address, fixed = 1, list = ["a", folder_server.web.id] }
}
