resource "terraform_data" "texts" {
  input = {
    yaml = <<-EOT
      server:
        port: 9090
        hosts: [a, b]
      debug: false
    EOT
    json_reordered = "{\"a\":{\"c\":null},\"b\":[1,2]}"
    json_pretty    = "{\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\"\n    }\n  ]\n}\n"
    json_and_junk  = "{\"a\":1} other junk"
    script = <<-EOT
      #!/bin/sh
      set -e
      - this line looks removed
      + and this one added
      echo two
      exit 0
    EOT
    whitespace = "a  b"
    newline    = "text\n"
    crlf       = "one\ntwo\n"
    tabs       = "a    b"
    empty      = null
    long       = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxyxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    big        = 12345678901234567890123456788
    precise    = 0.1234567890123456789012346
    tiny       = 2e-30
    one        = 1.0
    unicode    = "Zürich é 日本 👩‍🔬 ‮"
    markdown   = "**bold** @grace #2 [x](z) ```` ~~~~ || `` -->"
    html       = "</summary></td><img src=x onerror=alert(1)>&lt;"
    ansi       = "\u001b]0;title\u0007\u001b[2Jred"
    template   = "$${y} %%{endif}"
    keys       = { "a\nb" = "two", "`tick`|pipe" = "two", "" = "two", "ключ" = "two" }
  }
}
