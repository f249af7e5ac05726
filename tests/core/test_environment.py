from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import Approval, Ask, Requirement
from driftctl_py.core.environment import (
    ApplyModes,
    Environment,
    Mode,
    stricter,
    tightened,
)
from driftctl_py.core.limits import Limits
from driftctl_py.core.policy import CheckProgram
from driftctl_py.core.window import Freeze, Window, WindowEffect
from tests.core.test_approval import APPROVALS, AUTHORS, REQUIREMENTS, stands

OWN = Environment(
    "prod",
    "environments/prod",
    variables={"size": "large"},
    apply=ApplyModes(Mode.AUTO, Mode.GATE),
    requirement=Requirement(groups=("dba", "net"), author_may=True, unverified=True),
)


COUNTS = st.integers(0, 4)
LIMITS = st.builds(Limits, COUNTS, COUNTS, COUNTS)


def with_requirement(requirement: Requirement) -> Environment:
    return replace(OWN, requirement=requirement)


def test_never_is_stricter_than_gate_and_gate_than_auto() -> None:
    assert stricter(Mode.AUTO, Mode.GATE) is Mode.GATE
    assert stricter(Mode.NEVER, Mode.GATE) is Mode.NEVER
    assert stricter(Mode.AUTO, Mode.AUTO) is Mode.AUTO


def test_a_copy_in_the_repository_tightens_and_changes_nothing_else() -> None:
    theirs = Environment(
        "prod",
        "elsewhere",
        variables={"size": "small"},
        apply=ApplyModes(Mode.GATE, Mode.AUTO),
        requirement=Requirement(2, ("net", "dba", "web"), True, False, 3600, ("legal",)),
        apply_grace_seconds=1,
        limits=Limits(5, 0, 9),
        policies=(CheckProgram("theirs", ("sh", "{plan}")),),
    )

    assert tightened(OWN, theirs) == replace(
        OWN,
        apply=ApplyModes(Mode.GATE, Mode.GATE),
        requirement=Requirement(2, ("dba", "net"), True, False, 3600, ("legal",)),
    )


def test_groups_of_which_both_know_none_are_asked_beside_ours() -> None:
    theirs = with_requirement(Requirement(groups=("legal", "web")))

    found = tightened(OWN, theirs).requirement

    assert found.groups == ("dba", "net")
    assert found.each_of == ("legal", "web")
    assert found.asks == ()


def test_as_many_are_asked_of_groups_beside_ours_as_the_copy_wants() -> None:
    theirs = with_requirement(Requirement(2, ("legal", "web")))

    found = tightened(OWN, theirs).requirement

    assert (found.count, found.groups) == (2, ("dba", "net"))
    # Two of dba and one of legal would be enough for ours, and not for theirs.
    assert found.asks == (Ask(2, ("legal", "web")),)


def test_what_either_asks_beside_is_asked() -> None:
    ours, theirs = Ask(2, ("dba",)), Ask(3)
    both = (Requirement().also([], [ours]), Requirement().also([], [theirs, ours]))

    found = tightened(*map(with_requirement, both)).requirement

    assert found.asks == (ours, theirs)


def test_groups_of_one_side_are_asked_where_the_other_names_none() -> None:
    anybody = with_requirement(Requirement())

    assert tightened(OWN, anybody).requirement.groups == ("dba", "net")
    assert tightened(anybody, OWN).requirement.groups == ("dba", "net")


@given(LIMITS, LIMITS)
def test_of_two_limits_none_is_looser_than_either(own: Limits, theirs: Limits) -> None:
    found = tightened(replace(OWN, limits=own), replace(OWN, limits=theirs)).limits

    for name in ("failures", "applies_per_day", "heals_per_day"):
        both = [getattr(own, name), getattr(theirs, name)]
        given_ones = [each for each in both if each]
        assert getattr(found, name) == (min(given_ones) if given_ones else 0)


def test_windows_and_freezes_are_added_and_none_of_ours_is_changed() -> None:
    ours = (Window("w", WindowEffect.DENY, "0 9 * * *", 60),)
    theirs = (Window("w", WindowEffect.ALLOW, "* * * * *", 60),)
    frozen = Freeze("f", datetime(2026, 12, 20, tzinfo=UTC), None)
    own = replace(OWN, timetables=(ours,), freezes=(frozen,))
    longer = replace(frozen, start=datetime(2026, 12, 1, tzinfo=UTC))

    found = tightened(own, replace(OWN, timetables=(theirs, ours), freezes=(longer, frozen)))

    assert found == replace(own, timetables=(ours, theirs), freezes=(frozen, longer))


MODES = st.builds(ApplyModes, st.sampled_from(Mode), st.sampled_from(Mode))
ENVIRONMENTS = st.builds(
    lambda modes, requirement, limits: replace(
        OWN, apply=modes, requirement=requirement, limits=limits
    ),
    MODES,
    REQUIREMENTS,
    LIMITS,
)


@given(ENVIRONMENTS, ENVIRONMENTS, st.lists(APPROVALS, max_size=6), AUTHORS)
def test_a_tightened_environment_is_never_looser_than_either(
    own: Environment, theirs: Environment, approvals: list[Approval], authors: tuple[str, ...]
) -> None:
    found = tightened(own, theirs)

    for each in (own, theirs):
        order = list(Mode)
        assert order.index(found.apply.git) >= order.index(each.apply.git)
        assert order.index(found.apply.drift) >= order.index(each.apply.drift)
        before = stands(*approvals, requirement=each.requirement, authors=authors)
        after = stands(*approvals, requirement=found.requirement, authors=authors)
        # Whose yes does not count any more, their no does not either.
        assert before.enough or before.rejected or not after.enough


@given(ENVIRONMENTS)
def test_a_copy_that_says_the_same_changes_nothing(environment: Environment) -> None:
    assert tightened(environment, environment) == environment
    loose = Environment("x", "y", requirement=LOOSEST, limits=Limits(0, 0, 0))
    assert tightened(environment, loose) == replace(environment, apply=ApplyModes())


LOOSEST = Requirement(0, (), True, True, 10**9)
