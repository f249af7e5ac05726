output "arns" {
  description = "ARN of each parameter, by its name below the prefix."
  value       = { for name, parameter in aws_ssm_parameter.this : name => parameter.arn }
}

output "names" {
  description = "Full name of each parameter, by its name below the prefix."
  value       = { for name, parameter in aws_ssm_parameter.this : name => parameter.name }
}
