resource "terraform_data" "settings" {
  input = {
    count  = 12345678901234567890
    ratio  = 0.1
    ports  = [22, 80, 443, 8080]
    rules  = [{ from = 22, to = 22 }, { from = 443, to = 443 }]
    script = "#!/bin/sh\nset -e\necho one\n"
    "a.b"  = { "kubernetes.io/name" = "x" }
    gone   = "bye"
    policy = "{\"Statement\":[{\"Action\":[\"s3:GetObject\"],\"Effect\":\"Allow\"}]}"
    words  = "ends without a newline"
  }
}
