"""What is taken for a command, and all that is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.comment_command import Command, Unclear, Verb, read_command

FINGERPRINT = "f2-" + "k7qm2d4x" * 6 + "abcd"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("/driftctl plan", Command(Verb.PLAN)),
        ("/driftctl plan prod eu/prod prod", Command(Verb.PLAN, ("prod", "eu/prod"))),
        ("Looks good.\r\n\r\n/driftctl apply\r\nThanks!", Command(Verb.APPLY)),
        (f"/driftctl\tapprove {FINGERPRINT}", Command(Verb.APPROVE, (), FINGERPRINT)),
        (f"/driftctl approve {FINGERPRINT} prod", Command(Verb.APPROVE, ("prod",), FINGERPRINT)),
        ("/driftctl unlock prod", Command(Verb.UNLOCK, ("prod",))),
        ("/driftctl", Command(Verb.HELP)),
        ("/driftctl help me please, $(rm)", Command(Verb.HELP)),
        ("```\n/driftctl apply\n```\n/driftctl plan", Command(Verb.PLAN)),
        ("~~~sh\n```\n/driftctl apply\n~~~~\n/driftctl plan", Command(Verb.PLAN)),
    ],
)
def test_a_line_of_its_own_is_a_command(body: str, asked: Command) -> None:
    assert read_command(body) == asked


@pytest.mark.parametrize(
    "body",
    [
        "",
        "please /driftctl apply",
        " /driftctl apply",
        "> /driftctl apply",
        "`/driftctl apply`",
        "/driftctlx apply",
        "/DRIFTCTL apply",
        "```\n/driftctl apply\n``` and on\n/driftctl apply",
        "````\n```\n/driftctl apply",
    ],
)
def test_a_comment_that_only_speaks_of_it_asks_for_nothing(body: str) -> None:
    assert read_command(body) is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("/driftctl plan\n/driftctl apply", "several"),
        ("/driftctl destroy", "no such command"),
        ("/driftctl PLAN", "no such command"),
        ("/driftctl approve", "names what it approves"),
        ("/driftctl approve prod", "names what it approves"),
        ("/driftctl approve k7qm-2d4x", "whole fingerprint"),
        ("/driftctl unlock", "name the environment"),
        ("/driftctl apply $(id)", "cannot be an environment's name"),
        ("/driftctl plan ../prod", "cannot be an environment's name"),
    ],
)
def test_what_is_not_understood_word_for_word_is_not_done(body: str, why: str) -> None:
    read = read_command(body)

    assert isinstance(read, Unclear)
    assert why in read.why


@given(st.text(alphabet="/driftctl plyouk@`~>$(){}\n\r\t;|&-_.é1", max_size=60))
def test_whatever_is_read_is_safe_to_hand_on(body: str) -> None:
    read = read_command("/driftctl plan " + body)

    if isinstance(read, Command):
        assert all(
            each.replace("/", "").replace("-", "").isprintable() for each in read.environments
        )
        assert not set("".join(read.environments)) & set("$`();|&<>{}~ \n@")
