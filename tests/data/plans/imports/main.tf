import {
  to = folder_bucket.same
  id = "bucket-same"
}

resource "folder_bucket" "same" {
  name        = "same"
  expire_days = 30
}

import {
  to = folder_bucket.changed
  id = "bucket-changed"
}

resource "folder_bucket" "changed" {
  name        = "changed"
  expire_days = 60
  tags        = { team = "platform" }
}

import {
  to = folder_server.remade
  id = "server-remade"
}

resource "folder_server" "remade" {
  name  = "remade"
  image = "debian-13"
  cpus  = 2
}

import {
  to = folder_secret.database
  id = "secret-database"
}

resource "folder_secret" "database" {
  name  = "database"
  value = "CANARY-imported-planned"
}
