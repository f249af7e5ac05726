from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import Approval, Requirement
from driftctl_py.core.environment import (
    ApplyModes,
    Environment,
    Mode,
    stricter,
    tightened,
)
from tests.core.test_approval import APPROVALS, AUTHORS, REQUIREMENTS, stands

OWN = Environment(
    "prod",
    "environments/prod",
    variables={"size": "large"},
    apply=ApplyModes(Mode.AUTO, Mode.GATE),
    requirement=Requirement(groups=("dba", "net"), author_may=True, unverified=True),
)


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


def test_groups_of_one_side_are_asked_where_the_other_names_none() -> None:
    anybody = with_requirement(Requirement())

    assert tightened(OWN, anybody).requirement.groups == ("dba", "net")
    assert tightened(anybody, OWN).requirement.groups == ("dba", "net")


MODES = st.builds(ApplyModes, st.sampled_from(Mode), st.sampled_from(Mode))
ENVIRONMENTS = st.builds(
    lambda modes, requirement: replace(OWN, apply=modes, requirement=requirement),
    MODES,
    REQUIREMENTS,
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
    assert tightened(environment, Environment("x", "y", requirement=LOOSEST)) == replace(
        environment, apply=ApplyModes()
    )


LOOSEST = Requirement(0, (), True, True, 10**9)
