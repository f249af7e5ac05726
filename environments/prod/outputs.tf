output "role_arn" {
  description = "Role for the task definition of the orders service."
  value       = module.role.arn
}

output "queue_url" {
  description = "Where the shop sends new orders."
  value       = module.orders.url
}

output "assets_bucket" {
  description = "Bucket that holds receipts and labels."
  value       = module.assets.name
}

output "parameter_names" {
  description = "Full names of the settings, by their short name."
  value       = module.settings.names
}
