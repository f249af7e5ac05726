resource "terraform_data" "texts" {
  input = {
    yaml = <<-EOT
      server:
        port: 8080
        hosts: [a, b]
      debug: false
    EOT
    json_reordered = "{\"b\":[1,2],\"a\":{\"c\":null}}"
    json_pretty    = "{\"Statement\":[{\"Effect\":\"Allow\"}]}"
    json_and_junk  = "{\"a\":1} junk"
    script = <<-EOT
      #!/bin/sh
      set -e
      - this line looks removed
      + and this one added
      echo one
      exit 0
    EOT
    whitespace = "a b"
    newline    = "text"
    crlf       = "one\r\ntwo\r\n"
    tabs       = "a\tb"
    empty      = ""
    long       = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    big        = 12345678901234567890123456789
    precise    = 0.1234567890123456789012345
    tiny       = 1e-30
    one        = 1
    unicode    = "Zürich é 日本 👩‍💻 ‮"
    markdown   = "**bold** @ada #1 [x](y) ``` ~~~ | ` <!--"
    html       = "</details><script>alert(1)</script>&amp;"
    ansi       = "\u001b[31mred\u001b[0m\u0007"
    template   = "$${x} %%{if}"
    keys       = { "a\nb" = "one", "`tick`|pipe" = "one", "" = "one", "ключ" = "one" }
  }
}
