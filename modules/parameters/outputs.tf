output "arns" {
  description = "ARN of each parameter, by its name below the prefix."
  value       = local.arns
}

output "names" {
  description = "Full name of each parameter, by its name below the prefix."
  value       = local.names
}
