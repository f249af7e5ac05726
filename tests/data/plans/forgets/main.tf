removed {
  from = folder_bucket.assets

  lifecycle {
    destroy = false
  }
}

removed {
  from = folder_server.many

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.web

  lifecycle {
    destroy = false
  }
}

removed {
  from = folder_secret.database

  lifecycle {
    destroy = false
  }
}

removed {
  from = folder_server.destroyed

  lifecycle {
    destroy = true
  }
}
