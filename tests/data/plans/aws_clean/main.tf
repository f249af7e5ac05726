resource "aws_s3_bucket" "assets" {
  bucket = "example-assets"
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
}

resource "aws_ssm_parameter" "flag" {
  name  = "/orders/flag"
  type  = "String"
  value = "on"
}
