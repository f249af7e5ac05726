from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.address import Address, parse_address
from tests.data import plans

_KEYWORDS = {"module", "data", "ephemeral"}
NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True).filter(
    lambda name: name not in _KEYWORDS
)
QUOTED = st.text(max_size=8).map(
    lambda text: '["' + text.replace("\\", "\\\\").replace('"', '\\"') + '"]'
)
KEYS = st.just("") | st.integers(0, 99).map("[{}]".format) | QUOTED


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("aws_ami.it", Address((), "managed", "aws_ami", "it")),
        ("data.aws_ami.it[0]", Address((), "data", "aws_ami", "it", "[0]")),
        ("ephemeral.vault_token.it", Address((), "ephemeral", "vault_token", "it")),
        (
            'module.web["a.b"].module.db[1].aws_ami.it["x] \\" ."]',
            Address(
                ("web", "db"),
                "managed",
                "aws_ami",
                "it",
                '["x] \\" ."]',
                'module.web["a.b"].module.db[1]',
            ),
        ),
        # Not expanded yet: a change that was put off.
        (
            "module.web[*].aws_ami.it[*]",
            Address(("web",), "managed", "aws_ami", "it", "[*]", "module.web[*]"),
        ),
    ],
)
def test_an_address_is_taken_apart(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aws_ami",
        "module.web",
        "aws_ami.it.",
        "aws_ami.it[",
        "a[0].it",
        "a.b.c",
        'a.b["x]',
        "a..b",
    ],
)
def test_what_is_no_address_of_a_resource_is_not_taken_for_one(text: str) -> None:
    assert parse_address(text) is None


def test_all_instances_of_a_resource_come_from_one_block_of_code() -> None:
    one = parse_address('module.web["a"].data.aws_ami.it[0]')
    other = parse_address('module.web["b"].data.aws_ami.it[1]')

    assert one is not None
    assert other is not None
    assert one.in_code == other.in_code == "module.web.data.aws_ami.it"
    assert one.in_module == "data.aws_ami.it"


@given(st.lists(st.tuples(NAMES, KEYS), max_size=3), NAMES, NAMES, KEYS)
def test_any_key_is_read_as_it_was_written(
    modules: list[tuple[str, str]], of_type: str, name: str, index: str
) -> None:
    module = ".".join(f"module.{call}{key}" for call, key in modules)
    text = f"{module}{'.' * bool(module)}{of_type}.{name}{index}"

    found = parse_address(text)

    assert found == Address(
        tuple(call for call, _ in modules), "managed", of_type, name, index, module
    )


@given(st.text(max_size=30))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    found = parse_address(text)

    assert found is None or text.endswith(f"{found.in_module}{found.index}")


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_address_of_every_real_plan_is_what_the_engine_says_itself(path: Any) -> None:
    for entry in json.loads(path.read_text()).get("resource_changes", []):
        found = parse_address(entry["address"])

        assert found is not None
        assert (found.mode, found.type, found.name, found.module) == (
            entry["mode"],
            entry["type"],
            entry["name"],
            entry.get("module_address", ""),
        )
