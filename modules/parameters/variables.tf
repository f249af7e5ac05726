variable "prefix" {
  description = "Path that all names begin with, such as /orders/prod."
  type        = string

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.prefix)) && !startswith(lower(var.prefix), "/aws") && !startswith(lower(var.prefix), "/ssm")
    error_message = "A prefix begins with a slash, does not end with one, and does not begin with /aws or /ssm, which AWS keeps for itself."
  }
}

variable "settings" {
  description = "Name below the prefix → its value and what it means. Never a secret."
  type = map(object({
    value       = string
    description = string
  }))

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", name))])
    error_message = "Names are letters, digits and the characters _.- separated by single slashes, without one at either end."
  }

  validation {
    # SSM refuses an empty value only while it applies, when half of the estate exists already.
    condition     = alltrue([for setting in values(var.settings) : length(setting.value) > 0 && length(setting.value) <= 4096])
    error_message = "A value has 1 to 4096 characters: SSM knows no empty parameter."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : !can(regex("(?i)(password|secret|token|private_key)", name))])
    error_message = "A name here looks like a secret. Keep secrets in AWS Secrets Manager and let the application read them there: a value in the code is also in Git and in the state."
  }
}

variable "tags" {
  description = "Tags beside the provider's default_tags."
  type        = map(string)
  default     = {}
}
