# What one application may do, and nothing else: no statement has a wildcard resource, and a
# part that the application does not use adds no statement at all.

locals {
  # Written out, not aws_iam_policy_documents: a data source waits for apply whenever something that
  # it reads has a change of its own, and the policy would be unknown until then.
  statements = [
    {
      Sid      = "ListBuckets"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = var.bucket_arns
    },
    {
      Sid      = "UseObjects"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for arn in var.bucket_arns : "${arn}/*"]
    },
    {
      Sid    = "UseQueues"
      Effect = "Allow"
      Action = [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
      ]
      Resource = var.queue_arns
    },
    {
      Sid      = "ReadParameters"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters"]
      Resource = var.parameter_arns
    },
    {
      Sid      = "UseKeys"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = var.kms_key_arns
    },
  ]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = var.description
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = var.trusted_services }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "application"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.statements : statement if length(statement.Resource) > 0]
  })

  lifecycle {
    precondition {
      condition     = length(var.bucket_arns) + length(var.queue_arns) + length(var.parameter_arns) + length(var.kms_key_arns) > 0
      error_message = "The role ${var.name} is given no bucket, queue, parameter or key, and IAM refuses an empty policy. Name at least one, or leave the role out."
    }
  }
}
