variable "password" {
  default   = "CANARY-parameter"
  sensitive = true
}

resource "aws_s3_bucket" "assets" {
  bucket = "example-assets"
  tags   = { team = "platform" }
}

moved {
  from = aws_s3_bucket.logs
  to   = aws_s3_bucket.archive
}

resource "aws_s3_bucket" "archive" {
  bucket        = "example-logs"
  force_destroy = true
}

resource "aws_ssm_parameter" "flag" {
  name  = "/orders/flag"
  type  = "String"
  value = "on"
}

resource "aws_ssm_parameter" "password" {
  name  = "/orders/password"
  type  = "SecureString"
  value = var.password
}

resource "aws_ssm_parameter" "limits" {
  name  = "/orders/limits"
  type  = "String"
  value = jsonencode({ max = 20, regions = ["eu-central-1", "eu-west-1"] })
}

resource "aws_iam_policy" "read" {
  name = "example-read"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = "${aws_s3_bucket.assets.arn}/*" },
    ]
  })
}

resource "aws_security_group" "web" {
  name        = "example-web"
  description = "The web servers"

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    from_port   = 9090
    to_port     = 9090
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_ebs_volume" "data" {
  availability_zone = "eu-central-1b"
  size              = 10
}

resource "aws_ssm_parameter" "volume" {
  name  = "/orders/volume"
  type  = "String"
  value = aws_ebs_volume.data.id
}
