provider "folder" {
  alias = "archive"
  root  = "cloud"
}

resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = 2

  connection {
    host     = self.address
    password = "CANARY-connection"
  }

  provisioner "local-exec" {
    command     = "echo ${self.address} >> hosts"
    environment = { PASSWORD = "CANARY-environment" }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "echo gone"
  }

  provisioner "remote-exec" {
    inline = ["systemctl start web"]
  }
}

resource "folder_bucket" "assets" {
  provider    = folder.archive
  name        = "assets"
  expire_days = 30
  tags        = { team = "platform" }

  provisioner "local-exec" {
    command = "echo never again"
  }
}

module "app" {
  source = "./modules/app"
}
