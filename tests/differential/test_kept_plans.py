"""The plans that are kept, against the text that the same engine showed of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from driftctl_py.core.plan import Kind
from tests.data import plans
from tests.differential.comparing import assert_read_as_shown
from tests.differential.human import read_shown


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_the_json_says_what_people_are_told(path: Path) -> None:
    assert_read_as_shown(path.read_bytes(), path.with_suffix(".txt").read_text())


def test_every_sort_of_header_is_among_them() -> None:
    shown = [read_shown(path.with_suffix(".txt").read_text()) for path in plans.files()]
    said = [each for one in shown for each in one.changes.values()]

    assert {each.word for each in said} == {"", "must", "tainted", "requested", "triggered"}
    assert len({each.kind for each in said}) == 7
    assert {each.kind for each in said if each.imported} == {
        Kind.NO_OP,
        Kind.UPDATE,
        Kind.REPLACE,
    }
    assert {each.kind for each in said if each.moved_from} == {
        Kind.NO_OP,
        Kind.UPDATE,
        Kind.REPLACE,
        Kind.DELETE,
    }
    assert {each.word for one in shown for each in one.drift.values()} >= {"changed", "deleted"}
    assert any(deposed for one in shown for _, deposed in one.changes)
    assert all(any(getattr(one, name) for one in shown) for name in ("reads", "invoked", "errored"))


@pytest.mark.parametrize(
    ("this", "that"),
    [
        ("will be destroyed", "will be created"),
        ("will be updated in-place", "must be replaced"),
        (r"-/\+ resource", "+/- resource"),
        (r"(\d+) to add", r"1\1 to add"),
        ("to import", "to export"),
        ("has moved to", "and"),
        (r"\(moved from .*\)", "(because)"),
        (r"will be imported", "will be created"),
        ("pool", "poll"),
        (r"\+ address", "- address"),
        (r"~ password", "~ passwords"),
    ],
)
def test_another_text_is_seen_to_differ(this: str, that: str) -> None:
    """The comparison itself: would it notice?"""
    document = plans.of("rich")
    text = (plans.HERE / "rich" / "terraform-1.15.5.txt").read_text()
    altered = re.sub(this, that, text)
    assert_read_as_shown(document, text)

    assert altered != text
    with pytest.raises((AssertionError, KeyError)):
        assert_read_as_shown(document, altered)
