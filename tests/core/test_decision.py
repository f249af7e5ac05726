from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import Approval, Binding, Identity, Requirement, Standing
from driftctl_py.core.assessment import Assessment, assess
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Decision,
    Hold,
    Judged,
    Judgement,
    Level,
    Nothing,
    Obstacle,
    Refuse,
    Ruling,
    Rulings,
    _Judging,
    applyable,
    decide,
    judge,
    judge_again,
)
from driftctl_py.core.environment import ApplyModes, Mode
from driftctl_py.core.plan import (
    UNMANAGED,
    ActionInvocation,
    Change,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Plan,
)
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import UNKNOWN, Value
from driftctl_py.core.window import Closed
from tests.core.test_plan_diff import PLANS
from tests.data import plans

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
AUTO, GATE, NEVER = Mode.AUTO, Mode.GATE, Mode.NEVER
HEAL = ApplyModes(git=GATE, drift=AUTO)
YES = Approval(
    "a1",
    "r1",
    Binding("prod", "f2-k7qm", "g0", "l0"),
    Identity("github:grace"),
    True,
    NOW - timedelta(hours=1),
    NOW + timedelta(hours=1),
    "read it",
)
MISSING, ENOUGH = Standing(missing=1), Standing(given=(YES,))
REFUSED_BY = Standing(missing=1, rejected=replace(YES, yes=False))
NIGHTS = (Closed("Changes are applied only during nights.", NOW + timedelta(hours=12)),)


def real(scenario: str, engine: str = "terraform-1.15.5") -> Plan:
    return decode_plan(plans.of(scenario, engine))


def judged(
    plan: Plan, modes: ApplyModes = HEAL, *, applied: bool = False, rulings: Rulings | None = None
) -> Judgement:
    return judge(plan, assess(plan), modes, rulings or Rulings(), code_is_applied=applied)


def told(judgement: Judgement) -> list[tuple[str, str, Cause, str]]:
    return [
        (each.level.name.lower(), each.address, each.cause, each.what) for each in judgement.changes
    ]


def decided(
    plan: Plan,
    modes: ApplyModes = HEAL,
    *,
    rulings: Rulings | None = None,
    standing: Standing = MISSING,
    requirement: Requirement | None = None,
    assessment: Assessment | None = None,
    judgement: Judgement | None = None,
    obstacles: tuple[Obstacle, ...] = (),
    closed: tuple[Closed, ...] = (),
    accepting: bool = False,
    now: datetime = NOW,
) -> Decision:
    rulings = rulings or Rulings()
    return decide(
        plan,
        assessment or assess(plan),
        judgement or judged(plan, modes, rulings=rulings),
        requirement or Requirement(),
        standing,
        rulings=rulings,
        obstacles=obstacles,
        closed=closed,
        accepting=accepting,
        now=now,
    )


def reasons(decision: Decision) -> tuple[str, ...]:
    assert isinstance(decision, Refuse)
    return decision.reasons


def one(
    change: tuple[Kind, Value, Value] | None,
    drift: tuple[Kind, Value, Value] | None = None,
    **plan: Any,
) -> Plan:
    joined = Joined(
        Change("x.y", *change) if change else None, Change("x.y", *drift) if drift else None
    )
    return Plan("1", joined=(joined,), **{"managed": 1, **plan})


def tags(before: str | None, after: object, kind: Kind = Kind.UPDATE) -> tuple[Kind, Value, Value]:
    return kind, {"team": before}, {"team": cast("Value", after)}


HEALS = one(tags("growth", "platform"), tags("platform", "growth"))
COMMIT = one(tags("platform", "growth"))


# --- Causes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (
            "drift_reverted",
            [
                ("allow", "folder_bucket.assets", Cause.DRIFT, "tags.team"),
                ("allow", "folder_server.web", Cause.DRIFT, "cpus"),
            ],
        ),
        ("drift_deleted", [("allow", "folder_bucket.assets", Cause.DRIFT, "create")]),
        ("drift_tolerated", []),
        ("drift_gone", []),
        (
            "create",
            [
                ("approve", "folder_bucket.assets", Cause.COMMIT, "create"),
                ("approve", "folder_server.web", Cause.COMMIT, "create"),
            ],
        ),
        ("drift_and_pending", [("approve", "folder_bucket.assets", Cause.BOTH, "update")]),
        (
            "taint_and_drift",
            [
                ("approve", "folder_server.web", Cause.BOTH, "replace"),
                ("allow", "folder_server.gone", Cause.DRIFT, "create"),
            ],
        ),
        ("drift_replaces", [("approve", "folder_server.web", Cause.UNDETERMINED, "replace")]),
        ("move", [("approve", "folder_bucket.files", Cause.COMMIT, "move")]),
        ("import", [("approve", "folder_bucket.assets", Cause.COMMIT, "import")]),
        ("deposed", [("approve", "folder_server.web", Cause.COMMIT, "delete")]),
        ("check_passes", []),
        ("clean", []),
        ("refresh_only", [("allow", "folder_bucket.assets", Cause.DRIFT, "update")]),
        (
            "refresh_only_rich",
            [
                ("approve", "folder_server.new", Cause.COMMIT, "move"),
                ("approve", "output.days", Cause.COMMIT, "update"),
                ("allow", "folder_bucket.assets", Cause.DRIFT, "update"),
                ("allow", "folder_server.gone", Cause.DRIFT, "delete"),
                ("allow", "folder_server.web", Cause.DRIFT, "update"),
            ],
        ),
        (
            "action_invoked",
            [
                ("approve", "action.lab_notify.ada", Cause.UNDETERMINED, "invoke"),
            ],
        ),
    ],
)
def test_each_change_of_a_real_plan_is_judged_by_its_cause(
    scenario: str, expected: list[tuple[str, str, Cause, str]]
) -> None:
    found = judged(real(scenario))

    assert told(found) == expected


@pytest.mark.parametrize(
    ("cause", "modes", "rules", "level"),
    [
        (HEALS, ApplyModes(NEVER, AUTO), ["apply.drift: auto"], Level.ALLOW),
        (HEALS, ApplyModes(AUTO, GATE), ["apply.drift: gate"], Level.APPROVE),
        (HEALS, ApplyModes(AUTO, NEVER), ["apply.drift: never"], Level.DENY),
        (COMMIT, ApplyModes(AUTO, NEVER), ["apply.git: auto"], Level.ALLOW),
        (COMMIT, ApplyModes(GATE, AUTO), ["apply.git: gate"], Level.APPROVE),
        (COMMIT, ApplyModes(NEVER, AUTO), ["apply.git: never"], Level.DENY),
        (
            one(tags("growth", "web"), tags("platform", "growth")),
            ApplyModes(AUTO, GATE),
            ["apply.drift: gate", "apply.git: auto"],
            Level.APPROVE,
        ),
        (
            one(tags("growth", "web"), tags("platform", "growth")),
            ApplyModes(NEVER, AUTO),
            ["apply.git: never", "apply.drift: auto"],
            Level.DENY,
        ),
        (one(tags("a", "b", Kind.UNKNOWN)), ApplyModes(AUTO, NEVER), None, Level.DENY),
        (one(None, tags("a", "b", Kind.UNKNOWN)), ApplyModes(NEVER, AUTO), None, Level.DENY),
    ],
)
def test_a_mode_decides_where_no_rule_does(
    cause: Plan, modes: ApplyModes, rules: list[str] | None, level: Level
) -> None:
    (found,) = judged(cause, modes).changes

    assert found.level is level
    assert rules is None or [each.rule for each in found.rulings] == rules


UNCERTAIN = one(
    (Kind.UPDATE, {"team": "growth", "etag": "1"}, {"team": "platform", "etag": UNKNOWN}),
    (Kind.UPDATE, {"team": "platform", "etag": "1"}, {"team": "growth", "etag": "1"}),
)


def test_a_value_known_only_after_apply_may_be_a_commit_s_while_one_is_not_applied() -> None:
    (waiting,) = judged(UNCERTAIN).changes
    (applied,) = judged(UNCERTAIN, applied=True).changes

    assert (waiting.cause, waiting.level) == (Cause.UNDETERMINED, Level.APPROVE)
    assert (applied.cause, applied.level) == (Cause.DRIFT, Level.ALLOW)


@pytest.mark.parametrize(
    ("plan", "cause"),
    [
        (one((Kind.UPDATE, {"a": 1}, {"a": UNKNOWN})), Cause.COMMIT),
        (
            one((Kind.UPDATE, {"a": 2}, {"a": UNKNOWN}), (Kind.UPDATE, {"a": 1}, {"a": 2})),
            Cause.UNDETERMINED,
        ),
        (COMMIT, Cause.COMMIT),
        (one(tags("growth", "web"), tags("platform", "growth")), Cause.BOTH),
        (one(tags("a", "b", Kind.UNKNOWN)), Cause.UNDETERMINED),
    ],
)
def test_code_that_is_applied_excuses_nothing_else(plan: Plan, cause: Cause) -> None:
    assert [each.cause for each in judged(plan).changes] == [cause]
    assert [each.cause for each in judged(plan, applied=True).changes] == [cause]


def test_an_object_put_back_in_one_place_and_otherwise_in_another_is_both() -> None:
    # As an assessment of a later version might say it.
    plan = UNCERTAIN
    assessment = assess(one(tags("growth", "web"), tags("platform", "growth")))
    healed = assess(HEALS)
    mixed = replace(
        healed.findings[0],
        attributes=(*healed.findings[0].attributes, *assessment.findings[0].attributes),
    )

    found = judge(plan, replace(healed, findings=(mixed,)), HEAL, Rulings(), code_is_applied=True)

    assert [each.cause for each in found.changes] == [Cause.BOTH]


def test_an_output_is_a_commit_s_until_the_code_is_applied() -> None:
    plan = Plan(
        "1",
        outputs=(
            OutputChange("url", Kind.UPDATE, "a", "b"),
            OutputChange("same", Kind.NO_OP, "a", "a"),
            OutputChange("odd", Kind.UNKNOWN, "a", "b"),
        ),
    )

    waiting, applied = judged(plan), judged(plan, applied=True)

    assert told(waiting) == [
        ("approve", "output.url", Cause.COMMIT, "update"),
        ("approve", "output.odd", Cause.UNDETERMINED, "unknown"),
    ]
    assert told(applied) == [
        ("approve", "output.odd", Cause.UNDETERMINED, "unknown"),
        ("allow", "output.url", Cause.DRIFT, "update"),
    ]


def test_an_action_is_invoked_for_the_reason_of_what_triggers_it() -> None:
    plan = replace(
        HEALS,
        invocations=(ActionInvocation("action.a.b", "x.y"), ActionInvocation("action.a.c", "x.z")),
    )

    assert told(judged(plan)) == [
        ("approve", "action.a.c", Cause.UNDETERMINED, "invoke"),
        ("allow", "x.y", Cause.DRIFT, "team"),
        ("allow", "action.a.b", Cause.DRIFT, "invoke"),
    ]


def test_what_is_put_off_is_not_judged() -> None:
    later = Deferred("x", Change("x.z", Kind.CREATE, None, {}))

    assert [each.address for each in judged(replace(HEALS, deferred=(later,))).changes] == ["x.y"]


@pytest.mark.parametrize(
    ("drift", "cause"),
    [
        (Change("x.y", Kind.UPDATE, {"a": 1}, {"a": 2}, previous_address="x.was"), Cause.BOTH),
        (Change("x.y", Kind.UNKNOWN, {"a": 1}, {"a": 2}), Cause.UNDETERMINED),
        (Change("x.y", Kind.DELETE, {"a": 1}, None), Cause.DRIFT),
    ],
)
def test_what_is_only_recorded_is_drift_and_a_move_a_commit_s(drift: Change, cause: Cause) -> None:
    plan = Plan("1", joined=(Joined(None, drift),), applyable=True)

    assert [each.cause for each in judged(plan).changes] == [cause]


def test_an_object_without_a_difference_is_called_by_what_becomes_of_it() -> None:
    marks = Change("x.y", Kind.UPDATE, {"a": 1}, {"a": 1}, sensitivity_changed=True)

    assert told(judged(Plan("1", joined=(Joined(marks, None),)))) == [
        ("approve", "x.y", Cause.COMMIT, "update")
    ]


# --- Rules ---------------------------------------------------------------------------------------

DENY = Ruling(Level.DENY, "no-growth", "driftctl.yaml:48", "ask ada first")
ALLOW = Ruling(Level.ALLOW, "heal-tags", "driftctl.yaml:41")
WARN = Ruling(Level.WARN, "mind", "driftctl.yaml:42")
ASK = Ruling(Level.APPROVE, "ask-dba", "driftctl.yaml:50", groups=("dba", "net"))


def ruled(*of_change: Ruling, of_plan: tuple[Ruling, ...] = (), broken: str = "") -> Rulings:
    return Rulings({("x.y", ""): of_change}, of_plan, broken)


def test_the_maximum_of_the_rules_that_match_decides_instead_of_the_mode() -> None:
    (found,) = judged(COMMIT, ApplyModes(), rulings=ruled(ALLOW, WARN)).changes

    assert found.rulings == (WARN, ALLOW)
    assert found.level is Level.WARN


@pytest.mark.parametrize("rule", [WARN, ASK, DENY])
def test_a_rule_that_restricts_never_opens_a_switch_that_is_closed(rule: Ruling) -> None:
    assert judged(COMMIT, ApplyModes(), rulings=ruled(rule)).level is Level.DENY


def test_rules_for_another_object_do_not_matter() -> None:
    rulings = Rulings({("x.y", "abc"): (ALLOW,), ("x.z", ""): (ALLOW,), ("x.y", ""): ()})

    assert judged(COMMIT, ApplyModes(), rulings=rulings).level is Level.DENY


def test_rules_may_speak_of_outputs_actions_and_deposed_objects() -> None:
    old = Change("x.y", Kind.DELETE, {"a": 1}, None, deposed="abc")
    plan = Plan(
        "1",
        joined=(Joined(old, None),),
        outputs=(OutputChange("url", Kind.UPDATE, "a", "b"),),
        invocations=(ActionInvocation("action.a.b"),),
    )
    keys = [("x.y", "abc"), ("output.url", ""), ("action.a.b", "")]

    found = judged(plan, ApplyModes(), rulings=Rulings(dict.fromkeys(keys, (ALLOW, WARN))))

    assert found.level is Level.WARN
    assert [(each.address, each.deposed) for each in found.changes] == keys


def test_a_rule_may_deny_the_plan_as_a_whole() -> None:
    found = decided(HEALS, rulings=ruled(of_plan=(DENY, WARN)))

    assert reasons(found) == (
        "The plan as a whole: denied by no-growth (driftctl.yaml:48): ask ada first",
    )


def test_what_is_said_of_the_plan_comes_on_top() -> None:
    found = judged(HEALS, rulings=ruled(of_plan=(ALLOW, ASK)))

    assert [each.level for each in found.changes] == [Level.ALLOW]
    assert found.of_plan == (ASK, ALLOW)
    assert found.level is Level.APPROVE


def test_whom_rules_want_to_be_asked() -> None:
    found = judged(
        COMMIT,
        rulings=ruled(
            ASK,
            replace(WARN, groups=("mind",)),
            of_plan=(Ruling(Level.APPROVE, "late", groups=("net", "legal")),),
        ),
    )

    assert found.groups == ("dba", "net", "legal")


def test_of_what_nobody_says_anything_is_denied() -> None:
    assert Judgement().level is Level.DENY
    assert Judged("x.y", Cause.COMMIT, "update", ()).level is Level.DENY


# --- What can be applied -------------------------------------------------------------------------


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_the_predicate_says_what_engines_say_that_say_it(path: Path) -> None:
    """The plans of Terraform, as OpenTofu would tell them."""
    plan = decode_plan(path.read_bytes())
    accepting = path.parent.name.startswith("refresh_only")

    guessed = applyable(replace(plan, applyable=None), accepting=accepting)

    assert plan.applyable in (guessed, None)


def test_what_failed_cannot_be_applied_whatever_the_engine_says() -> None:
    assert not applyable(replace(COMMIT, errored=True, applyable=True))
    assert applyable(replace(COMMIT, applyable=True))
    assert not applyable(replace(COMMIT, applyable=False))


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (Plan("1"), False),
        (one(None, tags("a", "b")), False),
        (Plan("1", joined=(Joined(Change("x.y", Kind.NO_OP, {}, {}), None),)), False),
        (Plan("1", joined=(Joined(Change("x.y", Kind.NO_OP, {}, {}, imported=True), None),)), True),
        (Plan("1", outputs=(OutputChange("o", Kind.NO_OP, 1, 1),)), False),
        (Plan("1", outputs=(OutputChange("o", Kind.DELETE, 1, None),)), True),
        (Plan("1", invocations=(ActionInvocation("action.a.b"),)), True),
    ],
)
def test_what_an_engine_that_does_not_say_would_apply(plan: Plan, expected: bool) -> None:
    assert applyable(plan) is expected


def test_drift_can_only_be_applied_by_a_plan_that_was_made_to_record_it() -> None:
    plan = one(None, tags("a", "b"), managed=0)

    assert applyable(plan, accepting=True)
    assert not applyable(plan)


# --- Decisions -----------------------------------------------------------------------------------


def test_allowed_changes_are_applied_without_asking() -> None:
    assert decided(HEALS) == Apply(judged(HEALS))
    assert decided(HEALS, rulings=ruled(WARN)) == Apply(judged(HEALS, rulings=ruled(WARN)))


def test_what_has_to_be_approved_is_held_until_there_is_enough() -> None:
    assert decided(COMMIT) == Hold(judged(COMMIT), Requirement(), MISSING)
    assert decided(COMMIT, standing=ENOUGH) == Apply(judged(COMMIT), (YES,))


def test_what_may_be_applied_waits_for_its_time() -> None:
    assert decided(HEALS, closed=NIGHTS) == Hold(judged(HEALS), Requirement(), Standing(), NIGHTS)
    assert decided(COMMIT, closed=NIGHTS) == Hold(judged(COMMIT), Requirement(), MISSING, NIGHTS)
    # What was said so far is kept.
    assert decided(COMMIT, closed=NIGHTS, standing=ENOUGH) == Hold(
        judged(COMMIT), Requirement(), ENOUGH, NIGHTS
    )


def test_what_is_refused_or_nothing_does_not_wait() -> None:
    never = ApplyModes(NEVER, NEVER)

    assert isinstance(decided(HEALS, never, closed=NIGHTS), Refuse)
    assert isinstance(decided(COMMIT, closed=NIGHTS, standing=REFUSED_BY), Refuse)
    assert isinstance(decided(replace(HEALS, joined=(), applyable=False), closed=NIGHTS), Nothing)


def test_a_plan_is_judged_as_its_worst_change() -> None:
    more = Joined(Change("x.z", Kind.CREATE, None, {"a": 1}), None)
    plan = replace(HEALS, joined=(*HEALS.joined, more))

    assert isinstance(decided(plan), Hold)
    assert isinstance(decided(plan, ApplyModes(NEVER, AUTO)), Refuse)


@pytest.mark.parametrize(
    ("plan", "accepting", "why"),
    [
        (real("clean"), False, "Code, state and cloud are one."),
        (
            real("drift_tolerated"),
            False,
            "Though one object was changed outside, apply would leave everything as it is.",
        ),
        (real("check_passes"), False, "Only data sources would be read."),
        (
            Plan("1", joined=(Joined(None, Change("x.y", Kind.UPDATE, {"a": None}, {"a": []})),)),
            True,
            "The state holds what is there already.",
        ),
        (Plan("1", applyable=False), True, "The state holds what is there already."),
        (
            Plan(
                "1",
                joined=tuple(
                    Joined(None, Change(f"x.{each}", Kind.DELETE, {}, None)) for each in "abc"
                ),
                managed=2,
            ),
            False,
            "Though 3 objects were changed outside, apply would leave everything as it is.",
        ),
    ],
)
def test_where_there_is_nothing_to_apply_it_says_why(plan: Plan, accepting: bool, why: str) -> None:
    assert decided(plan, ApplyModes(), accepting=accepting) == Nothing(why)


def test_a_plan_that_records_is_decided_like_any_other() -> None:
    plan = real("refresh_only")

    assert isinstance(decided(plan, accepting=True), Apply)
    assert isinstance(decided(plan, ApplyModes(AUTO, GATE), accepting=True), Hold)
    assert isinstance(decided(plan, ApplyModes(AUTO, NEVER), accepting=True), Refuse)


@pytest.mark.parametrize(
    ("plan", "accepting", "why"),
    [
        (
            real("errored"),
            False,
            "The engine failed while it planned, so the plan holds only what came before.",
        ),
        (
            replace(HEALS, complete=False),
            False,
            "The plan is incomplete: the engine says so itself; it does not cover the whole "
            "environment.",
        ),
        (HEALS, True, "The plan was to record what is there, and yet it would update x.y."),
        (
            replace(HEALS, applyable=False),
            False,
            "The engine says that there is nothing to apply, and yet the plan would update x.y.",
        ),
    ],
)
def test_a_plan_that_cannot_be_trusted_is_refused(plan: Plan, accepting: bool, why: str) -> None:
    modes = ApplyModes(AUTO, AUTO)

    assert reasons(decided(plan, modes, accepting=accepting, standing=ENOUGH)) == (why,)


def test_a_plan_that_an_engine_calls_incomplete_is_refused_whatever_we_think() -> None:
    found = decided(replace(HEALS, complete=False), assessment=assess(HEALS))

    assert reasons(found) == (
        "The engine says that the plan is incomplete: it does not cover the environment.",
    )


def test_what_was_not_judged_is_refused() -> None:
    found = decided(HEALS, judgement=Judgement(), standing=ENOUGH)

    assert reasons(found) == (
        "Apply would do something of which nobody can say whether it may be done. "
        "This is a bug in driftctl_py.",
    )


def test_a_denial_names_the_changes_the_switch_and_how_to_turn_it_on() -> None:
    found = decided(real("create"), ApplyModes(), standing=ENOUGH)

    assert found == Refuse(
        (
            "folder_bucket.assets, folder_server.web: apply.git is never, so commits are not "
            "applied here.",
        ),
        judged(real("create"), ApplyModes()),
        "To have commits applied after a yes, write `apply: {git: gate}` for this environment in "
        "driftctl.yaml.",
    )


def test_both_switches_may_deny() -> None:
    found = decided(one(tags("growth", "web"), tags("platform", "growth")), ApplyModes())

    assert reasons(found) == (
        "x.y: apply.git is never, so commits are not applied here.",
        "x.y: apply.drift is never, so drift is not put back here.",
    )


def test_a_denial_names_the_rule_and_says_what_it_says() -> None:
    old = Change("x.y", Kind.DELETE, {"a": 1}, None, deposed="abc")
    plan = replace(HEALS, joined=(*HEALS.joined, Joined(old, None)))
    rulings = Rulings(
        {("x.y", ""): (DENY,), ("x.y", "abc"): (DENY,)}, (Ruling(Level.DENY, "too much"),)
    )

    found = decided(plan, rulings=rulings, standing=ENOUGH)

    assert isinstance(found, Refuse)
    assert found.reasons == (
        "x.y, x.y (deposed object abc): denied by no-growth (driftctl.yaml:48): ask ada first",
        "The plan as a whole: denied by too much.",
    )
    assert found.todo == (
        "Change what is planned, or the rule no-growth (driftctl.yaml:48).\n"
        "Change what is planned, or the rule too much."
    )


def test_many_changes_that_are_denied_are_counted() -> None:
    changes = (Change(f"x.n{each}", Kind.CREATE, None, {"a": 1}) for each in range(5))
    plan = Plan("1", joined=tuple(Joined(each, None) for each in changes))

    (found,) = reasons(decided(plan, ApplyModes()))

    assert found.startswith("x.n0, x.n1, x.n2 and 2 more: apply.git is never")


def test_an_obstacle_broken_rules_and_a_denial_are_all_told() -> None:
    suspended = Obstacle("prod is suspended by ada: a fair", "driftctl-py resume prod")
    found = decided(
        COMMIT,
        rulings=ruled(DENY, broken="The rules in rules.yaml cannot be read."),
        obstacles=(suspended, Obstacle("And a state was lost.")),
        standing=ENOUGH,
    )

    assert isinstance(found, Refuse)
    assert found.reasons == (
        "prod is suspended by ada: a fair",
        "And a state was lost.",
        "The rules in rules.yaml cannot be read.",
        "x.y: denied by no-growth (driftctl.yaml:48): ask ada first",
    )
    assert found.todo.splitlines()[0] == "driftctl-py resume prod"
    assert len(found.todo.splitlines()) == 3


def test_a_standing_no_refuses_even_what_nobody_had_to_be_asked_for() -> None:
    no = replace(YES, yes=False, reason="not during the fair")

    for plan in (HEALS, COMMIT):
        found = decided(plan, standing=Standing(given=(YES,), rejected=no))

        assert reasons(found) == (
            "github:grace said no at 2026-11-24 08:14 UTC: not during the fair",
        )


def test_what_has_expired_since_is_missing_again() -> None:
    found = decided(COMMIT, standing=ENOUGH, now=NOW + timedelta(hours=1))

    assert isinstance(found, Hold)
    assert found.standing == Standing(missing=1)


def test_groups_of_which_nobody_was_asked_did_not_say_yes() -> None:
    rulings = ruled(ASK)

    forgotten = decided(COMMIT, rulings=rulings, standing=ENOUGH)
    asked = decided(
        COMMIT, rulings=rulings, standing=ENOUGH, requirement=Requirement().also(["net", "dba"])
    )

    assert isinstance(forgotten, Hold)
    assert forgotten.requirement.each_of == ("dba", "net")
    assert forgotten.standing == Standing(given=(YES,), missing=1, lacking=("dba", "net"))
    assert isinstance(asked, Apply)


def test_there_is_no_fifth_level_and_no_fifth_cause() -> None:
    class Odd(Judgement):
        level = cast("Level", 9)

    with pytest.raises(AssertionError):
        decided(HEALS, judgement=Odd((Judged("x.y", Cause.DRIFT, "update", (ALLOW,)),)))
    with pytest.raises(AssertionError):
        _Judging(HEALS, HEAL, Rulings(), False).judged("x.y", cast("Cause", "odd"), "update")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.DRIFT, {"drift"}),
        (Cause.COMMIT, {"commit"}),
        (Cause.BOTH, {"drift", "commit"}),
        (Cause.UNDETERMINED, {"drift", "commit"}),
    ],
)
def test_what_may_have_either_cause_has_both(cause: Cause, words: set[str]) -> None:
    assert cause.words == words


def test_a_judgement_is_made_again_by_other_rules_of_the_same_changes_and_causes() -> None:
    before = judged(HEALS)
    deny = Ruling(Level.DENY, "no-tags", "new.yaml:3")
    rulings = replace(ruled(deny), of_plan=(WARN,))

    again = judge_again(before, ApplyModes(NEVER, GATE), rulings)
    assert again == judged(HEALS, ApplyModes(NEVER, GATE), rulings=rulings)
    assert judge_again(again, HEAL, Rulings()) == before


# --- Properties ----------------------------------------------------------------------------------

MODES = st.builds(ApplyModes, st.sampled_from(Mode), st.sampled_from(Mode))
RULINGS = st.builds(
    Ruling,
    st.sampled_from(Level),
    st.sampled_from(["a", "b"]),
    groups=st.sampled_from([(), ("dba",), ("net", "dba")]),
)
SEVERAL = st.lists(RULINGS, max_size=2).map(tuple)
ADDRESSES = st.sampled_from(["x.y", "output.o", "action.a.b"])
ALL_RULINGS = st.builds(
    Rulings,
    st.dictionaries(st.tuples(ADDRESSES, st.just("")), SEVERAL, max_size=3),
    SEVERAL,
    st.sampled_from(["", "", "They cannot be read."]),
)
NO = replace(YES, yes=False)
STANDINGS = st.builds(
    Standing,
    st.sampled_from([(), (YES,)]),
    st.integers(0, 2),
    st.sampled_from([None, NO]),
    lacking=st.sampled_from([(), ("dba",)]),
)
OBSTACLES = st.lists(st.just(Obstacle("It is suspended.")), max_size=1).map(tuple)


@given(PLANS, MODES, ALL_RULINGS, STANDINGS, OBSTACLES, st.booleans())
def test_when_it_is_not_the_time_what_would_be_applied_waits_and_nothing_else_is_changed(
    plan: Plan,
    modes: ApplyModes,
    rulings: Rulings,
    standing: Standing,
    obstacles: tuple[Obstacle, ...],
    accepting: bool,
) -> None:
    said: dict[str, Any] = {
        "rulings": rulings,
        "standing": standing,
        "obstacles": obstacles,
        "accepting": accepting,
    }

    then = decided(plan, modes, **said)
    now = decided(plan, modes, closed=NIGHTS, **said)
    match then:
        case Apply(judgement, approvals):
            assert isinstance(now, Hold)
            assert (now.judgement, now.standing.given) == (judgement, approvals)
            assert now.standing.enough
            assert now.closed == NIGHTS
        case Hold():
            assert now == replace(then, closed=NIGHTS)
        case _:
            assert now == then


@given(PLANS, MODES, ALL_RULINGS, STANDINGS, OBSTACLES, st.booleans(), st.booleans())
def test_nothing_is_applied_that_may_not_be(
    plan: Plan,
    modes: ApplyModes,
    rulings: Rulings,
    standing: Standing,
    obstacles: tuple[Obstacle, ...],
    applied: bool,
    accepting: bool,
) -> None:
    judgement = judged(plan, modes, applied=applied, rulings=rulings)
    decision = decided(
        plan,
        rulings=rulings,
        judgement=judgement,
        standing=standing,
        obstacles=obstacles,
        accepting=accepting,
    )

    if isinstance(decision, Apply):
        assert applyable(plan, accepting=accepting)
        assert not plan.errored
        assert plan.complete is not False
        assert not plan.deferred
        assert judgement.changes
        assert judgement.level is not Level.DENY
        assert standing.rejected is None
        assert not obstacles
        assert not rulings.broken
        if judgement.level is Level.APPROVE:
            assert standing.enough
            assert not judgement.groups
            assert decision.approvals == standing.given
        else:
            assert decision.approvals == ()
    if isinstance(decision, Hold):
        assert decision.standing.missing
    if isinstance(decision, Refuse):
        assert all(decision.reasons)


@given(PLANS, MODES, ALL_RULINGS, st.booleans())
def test_every_change_that_apply_would_make_is_judged(
    plan: Plan, modes: ApplyModes, rulings: Rulings, applied: bool
) -> None:
    found = {each.address for each in judged(plan, modes, applied=applied, rulings=rulings).changes}

    for each in plan.joined:
        change = each.change
        if change and change.mode not in UNMANAGED and change.kind is not Kind.NO_OP:
            assert change.address in found
    assert {f"output.{each.name}" for each in plan.outputs if each.kind is not Kind.NO_OP} <= found
    assert {each.address for each in plan.invocations} <= found


@given(PLANS, MODES, ALL_RULINGS, RULINGS, ADDRESSES, st.booleans())
def test_one_more_rule_but_an_allow_never_makes_a_decision_weaker(
    plan: Plan, modes: ApplyModes, rulings: Rulings, more: Ruling, address: str, on_plan: bool
) -> None:
    """An allow takes the place of the mode's word, and of no rule's."""
    before = judged(plan, modes, rulings=rulings)
    key = (address, "")
    said = rulings.of_change.get(key, ())
    if on_plan:
        added = replace(rulings, of_plan=(*rulings.of_plan, more))
    else:
        added = replace(rulings, of_change={**rulings.of_change, key: (*said, more)})

    after = judged(plan, modes, rulings=added)

    if more.level is not Level.ALLOW and (before.changes or before.of_plan):
        assert after.level >= before.level
    for each in after.changes:
        if (each.address, each.deposed) == key:
            assert each.level >= max((one.level for one in said), default=Level.ALLOW)


@given(PLANS, MODES, MODES, st.booleans())
def test_a_stricter_switch_never_lowers_a_level(
    plan: Plan, one_mode: ApplyModes, other: ApplyModes, applied: bool
) -> None:
    order = list(Mode)
    if order.index(one_mode.git) > order.index(other.git) or order.index(
        one_mode.drift
    ) > order.index(other.drift):
        return

    milder, stricter = (judged(plan, modes, applied=applied) for modes in (one_mode, other))

    assert milder.level <= stricter.level


@given(PLANS, MODES)
def test_code_that_is_applied_never_makes_a_commit_of_drift(plan: Plan, modes: ApplyModes) -> None:
    before = {(each.address, each.cause) for each in judged(plan, modes).changes}

    for each in judged(plan, modes, applied=True).changes:
        assert each.cause is Cause.DRIFT or (each.address, each.cause) in before


# --- What follows from what is put back --------------------------------------------------------


def beside(what: tuple[Kind, Value, Value], *, heals: bool = True) -> Plan:
    """Something that is put back, and a change of another object that nobody touched."""
    first = HEALS.joined if heals else ()
    return Plan("1", joined=(*first, Joined(Change("x.z", *what), None)), managed=2)


def cause_of_z(plan: Plan, *, applied: bool = True) -> Cause:
    return next(
        each.cause for each in judged(plan, applied=applied).changes if each.address == "x.z"
    )


def test_what_is_only_given_the_new_value_of_what_is_put_back_follows_from_the_drift() -> None:
    assert cause_of_z(beside(tags("10.0.0.1", UNKNOWN))) is Cause.DRIFT


@pytest.mark.parametrize(
    "plan",
    [
        # A data source may say another thing today, and that is nobody's drift.
        beside(tags("ami-1", "ami-2")),
        beside((Kind.UPDATE, {"a": "1", "b": "2"}, {"a": UNKNOWN, "b": "3"})),
        beside((Kind.UPDATE, {"team": ["a"]}, {"team": ["b", UNKNOWN]})),
        beside((Kind.REPLACE, {"team": "10.0.0.1"}, {"team": UNKNOWN})),
        beside(tags("10.0.0.1", UNKNOWN), heals=False),
    ],
    ids=["known", "partly known", "longer", "replaced", "nothing put back"],
)
def test_a_value_that_may_have_another_reason_is_not_taken_for_drift(plan: Plan) -> None:
    assert cause_of_z(plan) is Cause.COMMIT


def test_with_code_that_is_not_applied_nothing_follows_from_drift() -> None:
    assert cause_of_z(beside(tags("10.0.0.1", UNKNOWN)), applied=False) is Cause.COMMIT
