"""Block headers and literals out of HCL and its JSON spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.module_facts import Backend, ModuleCall, ModuleFacts, read_module

WHOLE = r"""
# terraform { backend "gcs" {} }
/* module "commented" { source = "./no" } */
terraform {
  required_version = ">= 1.6.0" // a remark
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
  backend "s3" {
    bucket = "example-states"
    key    = "${var.name}/terraform.tfstate"
    assume_role = { role_arn = "arn:aws:iam::123456789012:role/plan" }
  }
}

module "web" {
  source = "../../modules/web"
  names  = [for name in var.names : "${upper("${name}")}-}"]
  text   = <<-EOT
    module "inside" { source = "./heredoc" }
  EOT
}

module "vpc" { source = "terraform-aws-modules/vpc/aws", version = "5.1.0" }

module "queue" {
  version = "5.1.0"
  source  = "terraform-aws-modules/sqs/aws"
}
locals { odd = "$${not a template" }
"""


def test_the_facts_that_decide_about_engine_and_init() -> None:
    facts = read_module({"main.tf": WHOLE.replace(", version", "\n version")})

    assert facts == ModuleFacts(
        backend=Backend("s3", {"bucket": "example-states"}, frozenset({"key", "assume_role"})),
        cloud=False,
        required_version=(">= 1.6.0",),
        required_providers=('aws={source="hashicorp/aws"version="~> 5.0"}',),
        modules=(
            ModuleCall("web", "../../modules/web"),
            ModuleCall("vpc", "terraform-aws-modules/vpc/aws", "5.1.0"),
            ModuleCall("queue", "terraform-aws-modules/sqs/aws", "5.1.0"),
        ),
    )


def test_the_json_spelling_says_the_same() -> None:
    text = """{
      "terraform": [{"backend": {"s3": {"bucket": "b", "use_lockfile": true}}, "cloud": {},
                     "required_version": "~> 1.9", "required_providers": {"aws": "5.0"}}],
      "module": {"a": {"source": "./a"}, "b": [{"source": "${x}"}]}
    }"""

    facts = read_module({"main.tf.json": text})

    assert facts.backend == Backend("s3", {"bucket": "b"}, frozenset({"use_lockfile"}))
    assert facts.cloud
    assert facts.required_version == ("~> 1.9",)
    assert facts.required_providers == ('aws="5.0"',)
    assert facts.modules == (ModuleCall("a", "./a"), ModuleCall("b", None))


@pytest.mark.parametrize(
    "text",
    [
        "terraform {",
        'a = "',
        'a = "x\ny"',
        "a = <<X\n",
        "= =",
        'x "y',
        "[",
        '{"a"',
        'a = "${',
        "a b =",
        "é \\",
    ],
)
def test_a_file_that_does_not_scan_is_left_to_the_engine(text: str) -> None:
    assert read_module({"main.tf": text, "main.tf.json": text}) == ModuleFacts()


@pytest.mark.parametrize("text", ["[]", "1", '{"terraform": 3, "module": [1, {"a": 2}]}'])
def test_json_of_another_shape_has_no_facts(text: str) -> None:
    assert read_module({"main.tf.json": text}) == ModuleFacts()


def test_blocks_of_no_interest_are_passed_over() -> None:
    text = 'terraform {\n  experiments = []\n  provider_meta "x" {}\n  cloud {}\n  backend {}\n}\n'

    assert read_module({"main.tf": text}) == ModuleFacts(cloud=True)


def test_a_dollar_before_a_template_is_text() -> None:
    text = 'module "m" {\n  name = "$${a} \\" ${b}"\n  source = "./m"\n}\n'

    assert read_module({"main.tf": text}).modules == (ModuleCall("m", "./m"),)


def test_json_without_a_cloud_or_providers_has_none() -> None:
    assert read_module({"a.tf.json": '{"terraform": {"required_version": "1"}}'}) == ModuleFacts(
        required_version=("1",)
    )


def test_a_literal_with_an_escape_that_json_does_not_know_is_unknown() -> None:
    facts = read_module({"main.tf": 'module "m" {\n source = "\\q"\n}'})

    assert facts.modules == (ModuleCall("m", None),)


@pytest.mark.parametrize(
    ("source", "version", "floating"),
    [
        ("./local", None, False),
        ("../../modules/x", None, False),
        (None, None, False),
        ("terraform-aws-modules/vpc/aws", None, True),
        ("terraform-aws-modules/vpc/aws", "~> 5.0", True),
        ("terraform-aws-modules/vpc/aws", "5.1.0", False),
        ("terraform-aws-modules/vpc/aws", "= 5.1.0", False),
        ("git::https://git.example.com/m.git", None, True),
        ("git::https://git.example.com/m.git?ref=main", None, True),
        ("git::https://git.example.com/m.git?ref=v1.2.0", None, False),
        ("git::https://git.example.com/m.git?depth=1&ref=web/v1.2.0", None, False),
        (
            "git::https://git.example.com/m.git?ref=0123456789abcdef0123456789abcdef01234567",
            None,
            False,
        ),
        ("https://example.com/module.zip", None, False),
    ],
)
def test_what_floats(source: str | None, version: str | None, floating: bool) -> None:
    assert ModuleCall("m", source, version).is_floating is floating


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    read_module(
        {"a.tf": text, "b.tf.json": text, "c.tofu": f'terraform {{\n backend "x" {{\n{text}'}
    )
