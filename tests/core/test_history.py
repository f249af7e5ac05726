from __future__ import annotations

from dataclasses import replace

import pytest

from driftctl_py.core.approval import Binding, Standing
from driftctl_py.core.history import EnvironmentNow, Need, binding_of
from driftctl_py.core.run import Purpose, State
from driftctl_py.core.window import Closed
from tests.report.run_examples import (
    BLOCKED,
    ENOUGH,
    FINGERPRINT,
    GOVERNING,
    PINNED,
    SUSPENDED,
    bare,
    run,
)

NEEDS = {
    State.PLANNING: Need.NOTHING,
    State.APPLYING: Need.NOTHING,
    State.IN_SYNC: Need.NOTHING,
    State.ALLOWED: Need.APPLY,
    State.HELD: Need.YES,
    State.REFUSED: Need.LOOK,
    State.REVIEWED: Need.NOTHING,
    State.APPLIED: Need.NOTHING,
    State.UNVERIFIED: Need.LOOK,
    State.NOT_CONVERGED: Need.LOOK,
    State.PARTLY_APPLIED: Need.HELP,
    State.FAILED: Need.HELP,
    State.UNKNOWN: Need.HELP,
    State.INTERRUPTED: Need.LOOK,
    State.STALE: Need.LOOK,
    State.REJECTED: Need.LOOK,
    State.SUPERSEDED: Need.NOTHING,
}


@pytest.mark.parametrize("state", State)
def test_what_an_environment_wants_follows_from_its_last_run(state: State) -> None:
    last = run(state, drifted=0)

    assert EnvironmentNow("prod", last).need is NEEDS[state]


def test_what_is_blocked_needs_help_whatever_its_last_run() -> None:
    assert EnvironmentNow("prod", run(State.APPLIED), (PINNED, BLOCKED)).need is Need.HELP


def test_what_people_hold_back_on_purpose_needs_nothing() -> None:
    last = run(State.APPLIED)

    assert EnvironmentNow("prod", last, (SUSPENDED, PINNED)).need is Need.NOTHING
    assert EnvironmentNow("prod", None, (SUSPENDED,)).need is Need.NOTHING


def test_what_waits_for_its_time_alone_asks_nobody() -> None:
    closed = (Closed("Changes are applied only at night."),)

    def need(state: State, standing: Standing | None = None) -> Need:
        return EnvironmentNow("prod", run(state), standing=standing, closed=closed).need

    assert need(State.ALLOWED) is need(State.HELD, ENOUGH) is Need.TIME
    assert need(State.HELD, Standing(missing=1)) is need(State.HELD) is Need.YES


def test_a_held_plan_wants_to_be_applied_once_there_are_enough() -> None:
    now = EnvironmentNow("prod", run(State.HELD), standing=ENOUGH)

    assert now.need is Need.APPLY
    assert replace(now, standing=Standing(missing=1)).need is Need.YES


def test_drift_that_apply_leaves_wants_a_look() -> None:
    assert EnvironmentNow("prod", run(State.IN_SYNC, drifted=1)).need is Need.LOOK


def test_what_the_code_wants_otherwise_than_was_accepted_wants_a_look() -> None:
    last = run(State.APPLIED, purpose=Purpose.ACCEPT, todo="driftctl-py plan prod")

    assert EnvironmentNow("prod", last).need is Need.LOOK


def test_a_plan_is_bound_to_what_it_means_and_what_governs_it() -> None:
    assert binding_of(run()) == Binding("prod", FINGERPRINT, GOVERNING.digest, "3b1c5e07-lineage")
    assert binding_of(bare(State.FAILED)) is None
    assert binding_of(run(governing=None)) is None
