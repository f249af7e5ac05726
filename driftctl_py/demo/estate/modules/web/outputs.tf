output "addresses" {
  description = "The servers' addresses by name."
  value       = { for name, server in folder_server.web : name => server.address }
}
