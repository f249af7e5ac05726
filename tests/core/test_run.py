from __future__ import annotations

from datetime import UTC, datetime

import pytest

from driftctl_py.core.run import MOVES, Purpose, Run, State, may_become

RUN = Run("r1", "prod", State.HELD, Purpose.RECONCILE, datetime(2026, 11, 24, tzinfo=UTC), *"abc")


@pytest.mark.parametrize("state", State)
def test_a_run_may_stay_what_it_is(state: State) -> None:
    assert may_become(state, state)


def test_a_run_that_ended_never_becomes_anything_else() -> None:
    ends = {state for state in State if not (state.under_way or state.waits)}

    assert ends == set(State) - set(MOVES)
    for end in ends:
        assert [then for then in State if may_become(end, then)] == [end]


def test_every_end_is_reached_from_somewhere() -> None:
    reached = frozenset().union(*MOVES.values())

    assert reached == set(State) - {State.PLANNING}


def test_only_what_waits_may_begin_to_be_applied_and_only_an_apply_ends_as_one() -> None:
    before = {now for now in State if may_become(now, State.APPLYING)} - {State.APPLYING}

    assert before == {State.PLANNING, State.ALLOWED, State.HELD}
    for refused in (State.REFUSED, State.REJECTED, State.SUPERSEDED, State.STALE):
        assert not may_become(refused, State.APPLYING)
    assert not may_become(State.HELD, State.APPLIED)
    assert not may_become(State.APPLYING, State.HELD)


def test_what_waits_is_not_under_way() -> None:
    assert [state for state in State if state.under_way] == [State.PLANNING, State.APPLYING]
    assert [state for state in State if state.waits] == [State.ALLOWED, State.HELD]


@pytest.mark.parametrize(
    ("fingerprint", "short"),
    [
        ("f2-k7qm2d4xaaaa", "k7qm-2d4x"),
        ("f2-unkeyed-k7qm2d4xaaaa", "k7qm-2d4x"),
        ("", ""),
    ],
)
def test_a_fingerprint_has_a_short_form(fingerprint: str, short: str) -> None:
    run = Run(
        "r1",
        "prod",
        State.HELD,
        Purpose.RECONCILE,
        RUN.started_at,
        "plan",
        "os:ada",
        "host:1",
        fingerprint=fingerprint,
    )

    assert run.short_fingerprint == short
