"""Which labels a pull request has: those that fit, and never one that is somebody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.labels import relabelled
from driftctl_py.core.result import Gated, Item, Occasion, Result, Results, Standing

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUIET = Result(
    "prod",
    "environments/prod",
    Occasion.REVIEW,
    Verdict.IN_SYNC,
    NOON,
    1.0,
    totals=Totals(),
    drifted=0,
    gate=Gated(Standing.NOTHING),
)
CHANGES = replace(
    QUIET, verdict=Verdict.PENDING, totals=Totals(add=1), gate=Gated(Standing.ALLOWED)
)
REPLACE = Item("aws_db_instance.main", "replace", "commit", destroys=True, lines=())


def names(*results: Result, missing: tuple[str, ...] = ()) -> list[str]:
    found = relabelled(Results(results, missing=missing), now=())
    assert found.remove == ()
    return [label.name for label in found.add]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (QUIET, ["driftctl:no-changes"]),
        (CHANGES, ["driftctl:changes"]),
        # Outputs alone.
        (replace(CHANGES, totals=Totals()), ["driftctl:changes"]),
        (
            replace(CHANGES, totals=None, items=(REPLACE,)),
            ["driftctl:destroys", "driftctl:changes"],
        ),
        (replace(CHANGES, totals=Totals(destroy=1)), ["driftctl:destroys", "driftctl:changes"]),
        # Drift that apply leaves as it is.
        (replace(QUIET, verdict=Verdict.DRIFTED, drifted=2), ["driftctl:drift"]),
        (
            replace(CHANGES, gate=Gated(Standing.HELD)),
            ["driftctl:changes", "driftctl:needs-approval"],
        ),
        (
            replace(CHANGES, gate=Gated(Standing.REFUSED)),
            ["driftctl:changes", "driftctl:refused"],
        ),
        (
            replace(QUIET, verdict=Verdict.FAILED, totals=None, drifted=None, gate=None),
            ["driftctl:failed"],
        ),
        (
            replace(QUIET, verdict=Verdict.UNKNOWN, totals=None, drifted=None, gate=None),
            ["driftctl:failed"],
        ),
    ],
)
def test_labels_say_what_there_is(result: Result, expected: list[str]) -> None:
    assert names(result) == expected


def test_one_environment_that_changes_something_is_enough() -> None:
    assert names(QUIET, replace(CHANGES, environment="staging")) == ["driftctl:changes"]


def test_where_a_job_died_nobody_says_that_nothing_changes() -> None:
    assert names(QUIET, missing=("staging",)) == ["driftctl:failed"]
    lost = relabelled(Results((QUIET,), unreadable=("x.json: empty",)), now=())
    assert [label.name for label in lost.add] == ["driftctl:failed"]


def test_a_pull_request_that_concerns_no_environment_changes_nothing() -> None:
    assert names() == ["driftctl:no-changes"]


def test_what_fits_no_more_is_taken_off_and_what_is_somebody_elses_stays() -> None:
    now = {
        "driftctl:changes",
        "driftctl:destroys",
        "driftctl:skip",
        "driftctl:network:drift",
        "bug",
    }

    found = relabelled(Results((CHANGES,)), now=now)

    assert (found.add, found.remove) == ((), ("driftctl:destroys",))


def test_each_scope_has_labels_of_its_own() -> None:
    now = {"driftctl:destroys", "driftctl:network:destroys"}

    found = relabelled(Results((CHANGES,)), now=now, scope="network")

    assert [label.name for label in found.add] == ["driftctl:network:changes"]
    assert found.remove == ("driftctl:network:destroys",)


def test_a_label_fits_into_what_a_forge_takes() -> None:
    everything = replace(CHANGES, totals=Totals(destroy=1), drifted=1, gate=Gated(Standing.HELD))
    failed = replace(QUIET, verdict=Verdict.FAILED, gate=Gated(Standing.REFUSED))

    added = relabelled(Results((everything, failed)), now=(), scope="s" * 24).add

    assert len(added) == 6
    assert all(len(label.name) <= 50 and len(label.description) <= 100 for label in added)
