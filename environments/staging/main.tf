# The rehearsal: as prod, with smaller numbers and without customers.

locals {
  environment = "staging"
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

module "assets" {
  source = "../../modules/bucket"

  # The account keeps the name apart from everybody else's: bucket names are shared by all of AWS.
  name                    = "${local.name}-assets-${data.aws_caller_identity.current.account_id}"
  noncurrent_version_days = 14
  tags                    = { team = "fulfilment" }
}

module "orders" {
  source = "../../modules/queue"

  name                       = local.name
  visibility_timeout_seconds = 60
}

module "settings" {
  source = "../../modules/parameters"

  prefix = "/orders/${local.environment}"
  settings = {
    "log-level" = {
      value       = "info"
      description = "Least severe message that is written"
    }
    "batch-size" = {
      value       = "10"
      description = "Orders that one worker takes at once"
    }
    "feature/labels" = {
      value       = "on"
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
}
