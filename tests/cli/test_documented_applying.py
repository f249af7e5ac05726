"""docs/applying.md: every command line in it is one, and every command and option is in it."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from driftctl_py.cli.applying_arguments import ADD
from driftctl_py.cli.main import parser
from driftctl_py.core.config import decode_config
from driftctl_py.core.run import State

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "applying.md").read_text("utf-8")
IN_TABLES = re.findall(r"^\| `(driftctl-py [^`]+)` \|", PAGE, re.MULTILINE)
IN_PROSE = re.findall(r"`(driftctl-py [^`]+)`", PAGE)
IN_BLOCKS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("driftctl-py ")
]
COMMANDS = sorted({*IN_TABLES, *IN_PROSE, *IN_BLOCKS})


def words_of(line: str) -> list[str]:
    return shlex.split(line.partition(" >>")[0])[1:]


@pytest.mark.parametrize("line", COMMANDS)
def test_what_the_page_types_is_understood(line: str) -> None:
    words = words_of(line)

    assert parser(words[0]).parse_args(words).command == words[0]


def test_it_shows_each_command_that_applies_or_remembers() -> None:
    shown = {words_of(line)[0] for line in IN_TABLES}

    assert shown == set(ADD)


def test_it_names_every_option() -> None:
    (commands,) = (
        action.choices for action in parser()._actions if isinstance(action.choices, dict)
    )
    options: set[str] = set()
    for name in ADD:
        parsers: list[argparse.ArgumentParser] = [commands[name]]
        for each in parsers:
            for action in each._actions:
                if isinstance(action.choices, dict):
                    parsers.extend(action.choices.values())
                options |= {each for each in action.option_strings if each.startswith("--")}
    everywhere = {"--help", "--verbose", "--output"}

    assert [each for each in sorted(options - everywhere) if each not in PAGE] == []


def test_what_it_configures_is_a_configuration() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        decode_config(block.encode(), filename="driftctl.yaml")


def test_it_explains_how_an_apply_may_end() -> None:
    ends = {
        State.APPLIED,
        State.NOT_CONVERGED,
        State.UNVERIFIED,
        State.PARTLY_APPLIED,
        State.FAILED,
        State.UNKNOWN,
    }

    assert [each.value for each in ends if f"\n| {each.value} |" not in PAGE] == []


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE):
        assert (DOCS / target).exists(), target
    headings = re.findall(r"^#+ (.+)$", (DOCS / "configuration.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
    for anchor in re.findall(r"\]\(configuration\.md#([^)]+)\)", PAGE):
        assert anchor in anchors
