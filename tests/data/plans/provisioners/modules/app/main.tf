resource "terraform_data" "hello" {
  input = "hello"

  provisioner "local-exec" {
    command = "echo ${self.output}"
  }
}
