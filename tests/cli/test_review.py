"""`review` as it is typed: what its exit code says of many."""

from __future__ import annotations

import pytest

from driftctl_py.app.reconcile import Outcome
from driftctl_py.cli.main import parser
from driftctl_py.cli.review import exit_code
from driftctl_py.core.approval import Requirement, Standing
from driftctl_py.core.decision import Apply, Hold, Judgement, Nothing, Refuse
from driftctl_py.core.run import State
from driftctl_py.errors import Interrupted, SourceError
from tests.report.run_examples import run

RUN = run(State.REVIEWED)
IN_SYNC = Outcome(RUN, Nothing("Code, state and cloud are one."))
ALLOWED = Outcome(RUN, Apply(Judgement()))
HELD = Outcome(RUN, Hold(Judgement(), Requirement(), Standing(missing=1)))
REFUSED = Outcome(RUN, Refuse(("No.",)))
FAILED = Outcome(run(State.FAILED), error=SourceError("It is not there."))
STOPPED = Outcome(run(State.INTERRUPTED), error=Interrupted("Stopped."))


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), 0),
        ((IN_SYNC,), 0),
        ((IN_SYNC, ALLOWED), 2),
        ((HELD,), 2),
        ((ALLOWED, REFUSED), 1),
        ((HELD, FAILED, IN_SYNC), 1),
        ((REFUSED, STOPPED), 130),
    ],
)
def test_the_gravest_of_all_is_the_exit_code(outcomes: tuple[Outcome, ...], code: int) -> None:
    assert exit_code(outcomes) == code


def test_a_review_is_always_of_something_into_something() -> None:
    with pytest.raises(SystemExit):
        parser("review").parse_args(["review", "prod"])

    typed = parser("review").parse_args(["review", "prod", "dev", "--base", "main"])
    assert (typed.environments, typed.base) == (["prod", "dev"], "main")


def test_since_when_is_said_in_one_way() -> None:
    for words in (["affected"], ["affected", "--base", "main", "--since-applied"]):
        with pytest.raises(SystemExit):
            parser("affected").parse_args(words)
    assert parser("matrix").parse_args(["matrix", "--since-applied"]).since_applied
