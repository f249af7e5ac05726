# What customers use.

locals {
  environment = "prod"
  name        = "example-orders-${local.environment}"
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      application = "orders"
      environment = local.environment
      managed-by  = "terraform"
    }
  }
}

data "aws_caller_identity" "current" {}

# Orders hold addresses of customers: in prod they are encrypted with a key of our own, whose
# every use is in CloudTrail.
resource "aws_kms_key" "orders" {
  description             = "Receipts, labels and queued orders of ${local.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "orders" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.orders.key_id
}

module "assets" {
  source = "../../modules/bucket"

  # The account keeps the name apart from everybody else's: bucket names are shared by all of AWS.
  name                    = "${local.name}-assets-${data.aws_caller_identity.current.account_id}"
  noncurrent_version_days = 90
  kms_key_arn             = aws_kms_key.orders.arn
  tags                    = { team = "fulfilment" }
}

module "orders" {
  source = "../../modules/queue"

  name                       = local.name
  visibility_timeout_seconds = 120
  kms_key_arn                = aws_kms_key.orders.arn
}

module "settings" {
  source = "../../modules/parameters"

  prefix = "/orders/${local.environment}"
  settings = {
    "log-level" = {
      value       = "warning"
      description = "Least severe message that is written"
    }
    "batch-size" = {
      value       = "25"
      description = "Orders that one worker takes at once"
    }
    "feature/labels" = {
      value       = "off"
      description = "Whether the new shipping labels are printed"
    }
  }
}

module "role" {
  source = "../../modules/role"

  name           = "${local.name}-service"
  description    = "Orders service, ${local.environment}"
  bucket_arns    = [module.assets.arn]
  queue_arns     = [module.orders.arn]
  parameter_arns = values(module.settings.arns)
  kms_key_arns   = [aws_kms_key.orders.arn]
}
