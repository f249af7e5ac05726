variable "region" {
  description = "AWS region that everything lives in."
  type        = string
  default     = "eu-central-1"
}
