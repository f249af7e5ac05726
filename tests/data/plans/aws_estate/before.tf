variable "password" {
  default   = "CANARY-parameter"
  sensitive = true
}

resource "aws_s3_bucket" "assets" {
  bucket = "example-assets"
  tags   = { team = "platform" }
}

resource "aws_s3_bucket" "logs" {
  bucket = "example-logs"
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
  value = jsonencode({ max = 10, regions = ["eu-central-1"] })
}

resource "aws_iam_policy" "read" {
  name = "example-read"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = "${aws_s3_bucket.assets.arn}/*" },
    ]
  })
}

resource "aws_iam_role" "worker" {
  name = "example-worker"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } },
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
    from_port   = 8080
    to_port     = 8080
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_ebs_volume" "data" {
  availability_zone = "eu-central-1a"
  size              = 10
}
