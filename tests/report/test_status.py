from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from driftctl_py.core.approval import Standing
from driftctl_py.core.history import EnvironmentNow, StatusNow
from driftctl_py.core.run import State
from driftctl_py.report.show import columns
from driftctl_py.report.status import exit_code, render_status_text
from tests.report.plan_reports import EVIL
from tests.report.run_examples import (
    ASKED,
    BLOCKED,
    ENOUGH,
    FROZEN,
    LEASE,
    NIGHTS,
    NOW,
    PINNED,
    SUSPENDED,
    THAWS,
    bare,
    harmless,
    run,
)

IN_ORDER = EnvironmentNow("test", run(State.APPLIED, environment="test", status="pending"))
HELD = EnvironmentNow("prod", run(), (SUSPENDED, PINNED), LEASE, ASKED)
FAILED = EnvironmentNow("dev", bare(State.FAILED, environment="dev", id="20261124T08"))
TOLERATED = EnvironmentNow("staging", run(State.IN_SYNC, environment="staging", drifted=1))
LOST = EnvironmentNow("lost", restraints=(replace(BLOCKED, environment="lost"),))


def shown(*environments: EnvironmentNow) -> str:
    return render_status_text(StatusNow(environments, NOW))


def test_all_environments_are_one_table_with_what_they_want_of_people() -> None:
    assert (
        shown(FAILED, LOST, HELD, TOLERATED, IN_ORDER)
        == """\
5 environments: 2 need help, 1 waits for a yes, 1 needs a look, 1 suspended, 1
  pinned, 1 blocked, 1 under way, 1 in order

environment  last run  status   commit     age  needs
-----------  --------  -------  -------  -----  ------
dev          failed    -                 2 min  help
lost         -         -                        help
prod         held      drifted  77b0de4  2 min  a yes
staging      in sync   drifted  77b0de4  2 min  a look
test         applied   in sync  77b0de4  2 min

lost: blocked since run 20261124T09: nothing is applied until it is unblocked;
  by os:ada: The state was lost.
prod: suspended until 2026-11-26 09:14 UTC; by os:ada: The migration runs.
prod: pinned at 77b0de4 until it is released; by os:ada: The release broke.
prod: build-7:4711 works at it since 2026-11-24 09:14 UTC (run
  20261124T091200-3f2a, last sign of life 0 s ago)

next: driftctl-py show 20261124T08
      driftctl-py unblock lost --reason "…"
      driftctl-py show 20261124T091200-3f2a
      driftctl-py accept staging --reason "…"
"""
    )


def test_where_all_is_in_order_that_is_the_first_line_and_nothing_is_next() -> None:
    text = shown(IN_ORDER)

    assert text.startswith("1 environment: 1 in order\n")
    assert "next" not in text


def test_nothing_stored_says_how_to_begin() -> None:
    text = shown()

    assert text.startswith("No run is stored")
    assert "driftctl-py plan" in text


def test_a_plan_that_has_all_its_approvals_waits_to_be_applied() -> None:
    text = shown(replace(HELD, standing=ENOUGH, restraints=(), lease=None))

    assert text.startswith("1 environment: 1 waits to be applied\n")
    assert text.endswith("\nnext: driftctl-py apply prod\n")


def test_that_everything_is_frozen_stands_at_the_top_and_is_said_once() -> None:
    last = run(closed=(THAWS, NIGHTS))
    waits = EnvironmentNow("prod", last, standing=ENOUGH, closed=(THAWS, NIGHTS))
    other = EnvironmentNow(
        "dev", replace(last, environment="dev"), standing=ENOUGH, closed=(THAWS,)
    )
    status = StatusNow((other, waits, IN_ORDER), NOW, (FROZEN,))

    assert (
        render_status_text(status)
        == """\
Nothing is applied anywhere: os:ada froze everything at 2026-11-24 09:14 UTC:
  Black Friday. It lasts until 2026-11-24 17:14 UTC, or until somebody thaws it.
3 environments: 2 wait for their time, 1 in order

environment  last run  status   commit     age  needs
-----------  --------  -------  -------  -----  --------
dev          held      drifted  77b0de4  2 min  its time
prod         held      drifted  77b0de4  2 min  its time
test         applied   in sync  77b0de4  2 min

prod: Commits are applied only during nights (driftctl.yaml:9), next from
  2026-11-24 21:00 UTC (22:00 in Europe/Berlin).

next: from 2026-11-24 17:14 UTC: driftctl-py apply dev
      from 2026-11-24 21:00 UTC: driftctl-py apply prod
"""
    )
    assert exit_code(status) == 2


def test_many_who_wait_for_one_thaw_need_it_once() -> None:
    thaws = (replace(THAWS, until=None),)
    many = [EnvironmentNow(f"e{at}", run(State.ALLOWED), closed=thaws) for at in range(9)]

    assert shown(*many).endswith('\nnext: driftctl-py thaw --reason "…"\n')


def test_a_freeze_is_told_where_nothing_is_known_of_any_environment() -> None:
    text = render_status_text(StatusNow((), NOW, (FROZEN,)))

    assert text.startswith("Nothing is applied anywhere: ")
    assert "No run is stored" in text


def test_several_who_are_missing_are_counted() -> None:
    assert "  3 yeses\n" in shown(replace(HELD, standing=Standing(missing=3)))


def test_a_name_too_long_for_the_line_is_cut_in_the_middle() -> None:
    name = "a-very-long-name-of-an-environment-in-the-eu-central-1-region-of-the-example-company"

    text = shown(replace(HELD, environment=name, restraints=(), lease=None))

    assert max(map(columns, text.splitlines())) <= 80
    assert "a-very-long" in text
    assert "company  held" in text


def test_of_many_that_want_something_the_most_urgent_are_next() -> None:
    held = [EnvironmentNow(f"e{at}", run(id=f"r{at}"), standing=ASKED) for at in range(8)]

    steps = shown(*held, FAILED).partition("\nnext: ")[2].splitlines()

    assert steps[0] == "driftctl-py show 20261124T08"
    assert [len(steps), steps[-1]] == [7, "      … and 3 more"]


@pytest.mark.parametrize(
    ("environments", "code"),
    [
        ([], 0),
        ([IN_ORDER], 0),
        ([IN_ORDER, HELD], 2),
        ([TOLERATED], 2),
        ([HELD, FAILED], 1),
        ([LOST], 1),
    ],
)
def test_the_exit_code_says_whether_somebody_is_wanted(
    environments: list[EnvironmentNow], code: int
) -> None:
    assert exit_code(StatusNow(tuple(environments), NOW)) == code


def test_the_age_is_that_of_the_last_run() -> None:
    old = replace(IN_ORDER, last=run(State.APPLIED, started_at=NOW - timedelta(days=3)))

    assert "  3 d\n" in shown(old)


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_reaches_a_terminal_as_it_came(evil: str) -> None:
    last = run(environment=evil, commit=evil, status=evil)
    restraint = replace(SUSPENDED, environment=evil, reason=evil, by=evil)
    lease = replace(LEASE, worker=evil)

    assert harmless(shown(EnvironmentNow(evil, last, (restraint,), lease, ASKED)))
