variable "name" {
  description = "Name of the queue; its dead-letter queue is called NAME-dead-letters."
  type        = string

  validation {
    # 80 characters is what SQS allows; "-dead-letters" takes 13 of them.
    condition     = can(regex("^[A-Za-z0-9_-]{1,67}$", var.name))
    error_message = "A queue name has 1 to 67 letters, digits, hyphens and underscores, so that NAME-dead-letters still fits."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a worker has a message to itself; at least as long as handling one takes."
  type        = number
  default     = 60

  validation {
    condition     = var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200
    error_message = "SQS allows 0 to 43200 seconds (12 hours)."
  }
}

variable "retention_seconds" {
  description = "How long a message waits for a worker before SQS drops it."
  type        = number
  default     = 345600

  validation {
    condition     = var.retention_seconds >= 60 && var.retention_seconds <= 1209600
    error_message = "SQS allows 60 to 1209600 seconds (14 days)."
  }
}

variable "max_receive_count" {
  description = "How many attempts a message gets before it becomes a dead letter."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "SQS allows 1 to 1000 attempts."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts messages; null encrypts with the key that SQS manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : startswith(var.kms_key_arn, "arn:")
    error_message = "Give the key's full ARN (arn:aws:kms:REGION:ACCOUNT:key/ID): an alias or an ID resolves differently in another account."
  }
}

variable "tags" {
  description = "Tags beside the provider's default_tags."
  type        = map(string)
  default     = {}
}
