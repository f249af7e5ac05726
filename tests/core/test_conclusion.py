"""How a check ends, what it is called, and the status beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from driftctl_py.core.check import Verdict
from driftctl_py.core.conclusion import (
    check_name,
    check_name_of_all,
    conclusion_of,
    conclusion_of_all,
    gravest_first,
    status_of,
)
from driftctl_py.core.forge import CheckRun, CommitStatus, Conclusion
from driftctl_py.core.result import Gated, Item, Occasion, Result, Results, Standing
from driftctl_py.core.run import State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PENDING = Result("prod", "environments/prod", Occasion.REVIEW, Verdict.PENDING, NOON, 1.0)


def gated(standing: Standing) -> Result:
    return replace(PENDING, gate=Gated(standing))


def applied(state: State, standing: Standing = Standing.ALLOWED) -> Result:
    return replace(gated(standing), occasion=Occasion.APPLY, state=state.value)


@pytest.mark.parametrize(
    ("result", "conclusion"),
    [
        (replace(gated(Standing.NOTHING), verdict=Verdict.IN_SYNC), Conclusion.SUCCESS),
        (gated(Standing.ALLOWED), Conclusion.SUCCESS),
        (gated(Standing.HELD), Conclusion.ACTION_REQUIRED),
        (gated(Standing.REFUSED), Conclusion.FAILURE),
        (replace(PENDING, verdict=Verdict.FAILED), Conclusion.FAILURE),
        (replace(PENDING, verdict=Verdict.UNKNOWN), Conclusion.FAILURE),
    ],
)
def test_a_plan_is_a_success_unless_somebody_is_needed(
    result: Result, conclusion: Conclusion
) -> None:
    assert conclusion_of(result) is conclusion


@pytest.mark.parametrize(
    ("verdict", "conclusion"),
    [
        (Verdict.IN_SYNC, Conclusion.SUCCESS),
        (Verdict.DRIFTED, Conclusion.NEUTRAL),
        (Verdict.PENDING, Conclusion.NEUTRAL),
        (Verdict.UNKNOWN, Conclusion.FAILURE),
    ],
)
def test_drift_is_no_commits_failure(verdict: Verdict, conclusion: Conclusion) -> None:
    result = replace(PENDING, occasion=Occasion.CHECK, verdict=verdict)

    assert conclusion_of(result) is conclusion


@pytest.mark.parametrize("state", State)
def test_an_apply_is_a_success_only_where_it_is_known_to_be_through(state: State) -> None:
    expected = {
        State.APPLIED: Conclusion.SUCCESS,
        State.IN_SYNC: Conclusion.SUCCESS,
        State.ALLOWED: Conclusion.ACTION_REQUIRED,
        State.HELD: Conclusion.ACTION_REQUIRED,
    }

    assert conclusion_of(applied(state)) is expected.get(state, Conclusion.FAILURE)
    assert conclusion_of(applied(state, Standing.REFUSED)) is Conclusion.FAILURE


def test_all_together_end_as_the_worst_of_them() -> None:
    def of_all(*results: Result) -> Conclusion:
        return conclusion_of_all(Results(results))

    drifted = replace(PENDING, occasion=Occasion.CHECK, verdict=Verdict.DRIFTED)
    assert of_all() is Conclusion.SUCCESS
    assert of_all(PENDING, drifted) is Conclusion.NEUTRAL
    assert of_all(PENDING, drifted, gated(Standing.HELD)) is Conclusion.ACTION_REQUIRED
    assert of_all(gated(Standing.HELD), gated(Standing.REFUSED)) is Conclusion.FAILURE


def test_what_is_missing_has_failed() -> None:
    assert conclusion_of_all(Results((PENDING,), missing=("staging",))) is Conclusion.FAILURE
    lost = Results((PENDING,), unreadable=("x.json: empty",))
    assert conclusion_of_all(lost) is Conclusion.FAILURE


def test_what_needs_somebody_is_told_first() -> None:
    destroys = Item("aws_db_instance.main", "replace", "commit", destroys=True, lines=())
    quiet = replace(PENDING, environment="quiet", verdict=Verdict.IN_SYNC)
    results = [
        quiet,
        replace(PENDING, environment="pending"),
        replace(PENDING, environment="destroys", items=(destroys,)),
        replace(gated(Standing.HELD), environment="held"),
        replace(PENDING, environment="failed", verdict=Verdict.FAILED),
    ]

    found = [each.environment for each in gravest_first(results)]

    assert found == ["failed", "held", "destroys", "pending", "quiet"]


def test_no_environments_check_can_be_taken_for_the_one_of_all() -> None:
    names = {check_name("all"), check_name("network/all"), check_name("all", "network")}

    assert check_name("eu/prod") == "driftctl/eu/prod"
    assert check_name_of_all() == "driftctl/all"
    assert check_name_of_all("network") == "driftctl[network]/all"
    assert names.isdisjoint({check_name_of_all(), check_name_of_all("network")})


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        (Conclusion.SUCCESS, "success"),
        (Conclusion.NEUTRAL, "success"),
        (Conclusion.ACTION_REQUIRED, "pending"),
        (Conclusion.FAILURE, "failure"),
    ],
)
def test_a_status_says_the_same_as_the_check(conclusion: Conclusion, state: str) -> None:
    check = CheckRun("driftctl/all", "3f2a91c", conclusion, "x" * 140, "…", url="https://x/1")

    assert status_of(check) == CommitStatus(
        "driftctl/all", "3f2a91c", state, "x" * 140, "https://x/1"
    )


def test_a_status_has_room_for_140_characters() -> None:
    check = CheckRun("driftctl/all", "3f2a91c", Conclusion.SUCCESS, "x" * 141, "…")

    assert status_of(check).description == "x" * 139 + "…"
