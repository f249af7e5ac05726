resource "terraform_data" "each" {
  for_each = toset(["plain", "two words", "with \"quotes\"", "dots.and/slashes", "`ticks`|pipe", "new\nline", "</details>", "ключ", "$${x}", "back\\slash", "@ada #1", "[0]"])
  input    = 1
}
