variable "name" {
  description = "Name of the bucket; unique among all buckets of all AWS accounts."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits and hyphens, and begins and ends with a letter or a digit. Dots are refused because they break TLS."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts objects; null encrypts with the key that S3 manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : startswith(var.kms_key_arn, "arn:")
    error_message = "Give the key's full ARN (arn:aws:kms:REGION:ACCOUNT:key/ID): an alias or an ID resolves differently in another account."
  }
}

variable "noncurrent_version_days" {
  description = "How many days an overwritten or deleted object can still be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "Give a whole number of days, at least 1."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket may delete the objects in it. Leave false wherever data matters."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags beside the provider's default_tags."
  type        = map(string)
  default     = {}
}
