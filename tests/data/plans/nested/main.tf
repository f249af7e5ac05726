resource "terraform_data" "settings" {
  input = {
    count  = 12345678901234567891
    ratio  = 0.2
    ports  = [22, 443, 8080, 9090]
    rules  = [{ from = 22, to = 22 }, { from = 443, to = 8443 }]
    script = "#!/bin/sh\nset -eu\necho one\necho two\n"
    "a.b"  = { "kubernetes.io/name" = "y" }
    new    = ["hello"]
    policy = "{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"s3:GetObject\"]}]}"
    words  = "ends with a newline\n"
  }
}
