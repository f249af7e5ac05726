# Settings of one application, readable by anybody who may read the parameters. Secrets do not
# belong here: a value in the code is also in Git and in the state.

resource "aws_ssm_parameter" "this" {
  for_each = var.settings

  name        = "${var.prefix}/${each.key}"
  description = each.value.description
  type        = "String"
  value       = each.value.value
  tags        = var.tags
}
