from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from driftctl_py.core.audit import Anchor, Flaw
from driftctl_py.core.history import TrailCheck
from driftctl_py.report.audit_text import entry_line, render_trail_json, render_trail_text
from tests.report.plan_reports import EVIL
from tests.report.run_examples import entry, harmless

HASH = "f" * 64
SOUND = TrailCheck(1234, (), Anchor(1234, HASH), Anchor(1230, HASH))
FLAWED = TrailCheck(1, (Flaw(3, "It was edited."), Flaw(4, "It is missing.")))


def test_a_sound_trail_says_up_to_where_that_is_certain() -> None:
    assert render_trail_text(SOUND) == (
        "The audit trail is sound: 1234 entries.\n"
        "  Its head is anchored in the artifact store up to entry 1230.\n"
    )


def test_every_flaw_is_a_sentence_with_its_entry() -> None:
    assert (
        render_trail_text(FLAWED)
        == """\
The audit trail is not what it was: 2 flaws in 1 entry.
  entry 3: It was edited.
  entry 4: It is missing.
  Its head was never anchored in the artifact store, so it cannot be seen
  whether its end was cut off.
"""
    )


def test_one_flaw_is_not_one_flaws() -> None:
    assert "1 flaw in 0 entries" in render_trail_text(TrailCheck(0, (Flaw(1, "Gone."),)))


def test_a_program_reads_the_same() -> None:
    assert json.loads(render_trail_json(SOUND)) == {
        "schema_version": 1,
        "document": "audit-verification",
        "sound": True,
        "entries": 1234,
        "head": {"number": 1234, "hash": HASH},
        "anchored": {"number": 1230, "hash": HASH},
        "flaws": [],
    }
    flawed = json.loads(render_trail_json(FLAWED))
    assert [flawed["sound"], flawed["head"], flawed["anchored"]] == [False, None, None]
    assert flawed["flaws"][0] == {"entry": 3, "what": "It was edited."}


def test_an_entry_is_one_line_as_exact_as_it_was_hashed() -> None:
    at = datetime(2026, 11, 24, 9, 14, 7, 123456, tzinfo=UTC)

    line = entry_line(entry(7, at=at, environment="", run=""))

    assert "\n" not in line
    assert json.loads(line) == {
        "number": 7,
        "at": "2026-11-24T09:14:07.123456Z",
        "what": "decided",
        "who": "os:ada",
        "environment": None,
        "run": None,
        "evidence": {"decision": "held"},
        "before": "0" * 64,
        "hash": HASH,
    }


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_is_printed_as_it_came(evil: str) -> None:
    line = entry_line(entry(who=evil, environment=evil, evidence={evil: evil}))

    assert harmless(render_trail_text(TrailCheck(1, (Flaw(1, evil),))))
    assert harmless(line)
    assert json.loads(line)["who"] == evil
