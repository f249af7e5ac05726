terraform {
  required_version = ">= 1.6.0"

  required_providers {
    folder = {
      source  = "demo.driftctl.example/driftctl/folder"
      version = "~> 1.0"
    }
  }

  # Where the state lies is said once for all environments, in driftctl.yaml.
  backend "s3" {}
}

variable "cloud" {
  description = "The folder that holds one cloud per environment."
  type        = string
}

provider "folder" {
  root = "${var.cloud}/staging"
}

module "web" {
  source = "../../modules/web"

  environment = "staging"

  servers = {
    web-1 = { image = "minix-3", cpus = 2 }
  }
}

output "addresses" {
  description = "The servers' addresses by name."
  value       = module.web.addresses
}
