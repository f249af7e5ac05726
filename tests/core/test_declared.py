from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.declared import Declarations, Place, blocks_of

ROOT = """\
terraform {
  required_version = ">= 1.0"
}

# resource "aws_vpc" "commented" {}
resource "aws_vpc" "it" {
  tags = { text = "resource \\"aws_vpc\\" \\"quoted\\" {" }
  dynamic "x" {
    for_each = [1]
  }
}

locals { a = { b = 1 } }
data "aws_ami" "it" { owners = ["self"] }
resource aws_eip plain {
}
module "web" {
  source = "../../modules/web"
}
module "remote" {
  source = "example/web/aws"
}
module "outside" {
  source = "../../../elsewhere"
}
module "self" { source = "./" }
output "url" {
  value = <<-END
    resource "aws_vpc" "heredoc" {
  END
}
check "up" {
}
ephemeral "random_password" "it" {
}
"""
WEB = """

resource "aws_s3_bucket" "assets" {
}
module "deep" { source = "./deep" }
"""
DEEP = 'resource "null_resource" "it" {}'
TREES = {
    "environments/prod": {"main.tf": ROOT, "main_override.tf": 'resource "aws_vpc" "it" {}'},
    "modules/web": {"main.tf": WEB},
    "modules/web/deep": {"deep.tofu": DEEP},
}


@pytest.mark.parametrize(
    ("address", "file", "line"),
    [
        ("aws_vpc.it", "environments/prod/main.tf", 6),
        ("aws_vpc.it[0]", "environments/prod/main.tf", 6),
        ("data.aws_ami.it", "environments/prod/main.tf", 14),
        ("aws_eip.plain", "environments/prod/main.tf", 15),
        ("ephemeral.random_password.it", "environments/prod/main.tf", 34),
        ("output.url", "environments/prod/main.tf", 27),
        ("check.up", "environments/prod/main.tf", 32),
        ('module.web["a.b"].aws_s3_bucket.assets["x"]', "modules/web/main.tf", 3),
        ("module.web.module.deep[1].null_resource.it", "modules/web/deep/deep.tofu", 1),
        ("module.remote.aws_instance.it", "environments/prod/main.tf", 20),
        ("module.outside.aws_instance.it", "environments/prod/main.tf", 23),
        ("module.self.module.self.aws_vpc.it", "environments/prod/main.tf", 6),
    ],
)
def test_an_object_is_found_where_its_block_begins(address: str, file: str, line: int) -> None:
    found = Declarations("environments/prod", lambda directory: TREES.get(directory, {}))

    assert found.of(address) == Place(file, line)


@pytest.mark.parametrize(
    "address",
    [
        "aws_vpc.gone",
        "aws_vpc.commented",
        "aws_vpc.quoted",
        "aws_vpc.heredoc",
        "module.gone.aws_vpc.it",
        "module.web.aws_vpc.it",
        "module.web",
        "not an address[",
        "",
    ],
)
def test_what_is_not_in_the_code_is_nowhere(address: str) -> None:
    assert Declarations("environments/prod", lambda at: TREES.get(at, {})).of(address) is None


def test_a_module_may_lie_at_the_repositorys_root() -> None:
    trees = {"env": {"main.tf": 'module "top" { source = "../" }'}, "": {"a.tf": DEEP}}

    found = Declarations("env", lambda at: trees.get(at, {}))

    assert found.of("module.top.null_resource.it") == Place("a.tf", 1)


def test_each_directory_is_read_once() -> None:
    read: list[str] = []

    def texts_of(directory: str) -> dict[str, str]:
        read.append(directory)
        return TREES.get(directory, {})

    found = Declarations("environments/prod", texts_of)
    for _ in range(3):
        found.of("module.web.aws_s3_bucket.assets")

    assert read == ["environments/prod", "modules/web"]


def test_json_has_its_files_first_line() -> None:
    text = """{
      "resource": {"aws_vpc": {"it": {}, "other": [{}]}},
      "data": [{"aws_ami": {"it": {}}}],
      "module": {"web": {"source": "./web"}},
      "output": {"url": {"value": 1}},
      "locals": {"a": {"b": 1}},
      "terraform": 3
    }"""

    assert sorted(blocks_of({"main.tf.json": text})) == [
        "aws_vpc.it",
        "aws_vpc.other",
        "data.aws_ami.it",
        "module.web",
        "output.url",
    ]
    assert blocks_of({"main.tf.json": text})["aws_vpc.it"] == Place("main.tf.json", 1)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "3", '{"resource": [3, {"aws_vpc": 4}]}'])
def test_json_that_declares_nothing_has_no_blocks(text: str) -> None:
    assert blocks_of({"main.tf.json": text}) == {}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('resource "a" "b" {}\nresource "c" "d" {\n  x = "', ["a.b", "c.d"]),
        ('resource "a" "b" {\n  x = <<END\n', ["a.b"]),
        ("} resource", []),
        ('x = 1\nresource "a" "b" {}', ["a.b"]),
        ('x = {\n  y = 1\n}\nresource "a" "b" {}', ["a.b"]),
        ('word\nresource "a" "b" {}', ["a.b"]),
        ('resource "a" {}\nresource "a" "b" "c" {}\nmodule "x" "y" {}', []),
        ('resource "a" "b" ', []),
        ("[\n]\n}", []),
    ],
)
def test_what_an_engine_would_not_read_ends_the_search(text: str, names: list[str]) -> None:
    assert sorted(blocks_of({"main.tf": text})) == names


@given(st.text(alphabet="{}[]()\"\\$%<-=\n #/*ab'") | st.text())
def test_no_text_breaks_the_search(text: str) -> None:
    for place in blocks_of({"main.tf": text, "b.tf.json": text}).values():
        assert place.line >= 1
