import {
  to = folder_bucket.found
  id = "bucket-found"
}
