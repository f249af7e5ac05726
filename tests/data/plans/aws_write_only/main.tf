variable "password" {
  default   = "CANARY-write-only"
  ephemeral = true
}

resource "aws_ssm_parameter" "password" {
  name             = "/orders/password"
  type             = "SecureString"
  value_wo         = var.password
  value_wo_version = 2
}
