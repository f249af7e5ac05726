resource "folder_bucket" "assets" {
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }
}

check "region" {
  data "terraform_remote_state" "network" {
    backend = "local"
    config  = { path = "other.tfstate" }
  }

  assert {
    condition     = data.terraform_remote_state.network.outputs.region == "us-east-1"
    error_message = "The network is in ${data.terraform_remote_state.network.outputs.region}."
  }
}
