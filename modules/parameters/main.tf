# Settings of one application, readable by anybody who may read the parameters. Secrets do not
# belong here: a value in the code is also in Git and in the state.

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  names = { for name in keys(var.settings) : name => "${var.prefix}/${name}" }

  # Put together from names, not read from the resources: while a deleted parameter waits to be
  # made anew, its ARN would be unknown, and with it every policy that names it.
  arns = {
    for name, full_name in local.names : name => join(":", [
      "arn", data.aws_partition.current.partition, "ssm", data.aws_region.current.name,
      data.aws_caller_identity.current.account_id, "parameter${full_name}",
    ])
  }
}

resource "aws_ssm_parameter" "this" {
  for_each = var.settings

  name        = local.names[each.key]
  description = each.value.description
  type        = "String"
  value       = each.value.value
  tags        = var.tags
}
