from __future__ import annotations

import pytest

from driftctl_py.core.resource_types import types_in_code


def test_each_type_that_is_declared_is_found_once() -> None:
    code = (
        'resource "aws_s3_bucket" "a" {}\n'
        '  resource\t"aws_s3_bucket"   "b" {\n}\n'
        "resource null_resource old {}\n"
        'data "aws_iam_policy" "c" {}\n'
        'variable "resource" {}\n'
        'my_resource "aws_vpc" "d" {}\n'
    )

    assert types_in_code("main.tf", code) == {"aws_s3_bucket", "null_resource"}


def test_what_may_be_a_declaration_counts_as_one() -> None:
    assert types_in_code("main.tofu", '# resource "aws_vpc" "later" {') == {"aws_vpc"}


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ('{"resource": {"aws_vpc": {"a": {}}, "aws_eip": {}}}', {"aws_vpc", "aws_eip"}),
        ('{"resource": [{"aws_vpc": {}}, {"aws_eip": {}}, 3]}', {"aws_vpc", "aws_eip"}),
        ('[{"resource": {"aws_vpc": {}}}, {"variable": {}}, "odd"]', {"aws_vpc"}),
        ('{"variable": {"resource": {}}}', set()),
        ('{"resource": ', set()),
        ("[" * 100_000, set()),
    ],
    ids=["a map", "a list", "a list of files", "none", "cut off", "too deep"],
)
def test_the_same_in_json(text: str, types: set[str]) -> None:
    assert types_in_code("main.tf.json", text) == types
