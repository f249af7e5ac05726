variable "environment" {
  description = "Which environment this estate belongs to; becomes a tag."
  type        = string
}

variable "team" {
  description = "Who answers for it; becomes a tag."
  type        = string
  default     = "compilers"
}

variable "servers" {
  description = "The servers by name. Another image replaces a server, other cpus change it."
  type = map(object({
    image = string
    cpus  = number
  }))
}

variable "reports_expire_days" {
  description = "After how many days a report may go."
  type        = number
  default     = 30
}
