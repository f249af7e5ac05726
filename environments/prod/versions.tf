terraform {
  required_version = ">= 1.6.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }

  # Bucket, key, region and lock are filled in from ../driftctl.yaml: one place for all
  # environments, so that two of them can never share a state by a slip of copy and paste.
  backend "s3" {}
}
