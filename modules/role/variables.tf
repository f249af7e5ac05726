variable "name" {
  description = "Name of the role."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.name))
    error_message = "A role name has 1 to 64 letters, digits and the characters _+=,.@-."
  }
}

variable "description" {
  description = "What the role is for, as it appears in the AWS console."
  type        = string
}

variable "trusted_services" {
  description = "AWS services that may assume the role."
  type        = list(string)
  default     = ["ecs-tasks.amazonaws.com"]

  validation {
    condition     = length(var.trusted_services) > 0 && alltrue([for name in var.trusted_services : endswith(name, ".amazonaws.com")])
    error_message = "Name at least one service principal, such as ecs-tasks.amazonaws.com."
  }
}

variable "bucket_arns" {
  description = "Buckets whose objects the application reads, writes and deletes."
  type        = list(string)
  default     = []
}

variable "queue_arns" {
  description = "Queues that the application sends to and receives from."
  type        = list(string)
  default     = []
}

variable "parameter_arns" {
  description = "SSM parameters that the application reads."
  type        = list(string)
  default     = []
}

variable "kms_key_arns" {
  description = "KMS keys that the buckets and queues above are encrypted with."
  type        = list(string)
  default     = []
}

variable "permissions_boundary_arn" {
  description = "Policy that caps what the role can ever be given; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags beside the provider's default_tags."
  type        = map(string)
  default     = {}
}
