"""The gate, whose policies are other people's programs: whatever goes wrong with one is a no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.gating import Gating, with_verdicts
from driftctl_py.app.limits import Limiting
from driftctl_py.app.order import Order
from driftctl_py.core.approval import Requirement, Standing
from driftctl_py.core.decision import (
    Apply,
    Decision,
    Judgement,
    Level,
    Refuse,
    Ruling,
    Rulings,
    decide,
    judge,
)
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.limits import Limits
from driftctl_py.core.plan import Change, Joined, Kind, Plan
from driftctl_py.core.plan_report import PlanReport, read_plan
from driftctl_py.core.policy import About, CheckProgram, Policy, RegoPolicy, Verdict
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import (
    ArtifactError,
    ConfigError,
    Diagnostic,
    DriftctlError,
    EngineError,
    Interrupted,
    PlanError,
    PolicyError,
    Problem,
    StoreError,
    Unavailable,
    Untrusted,
)

from .fakes import FakeClock
from .reconciling import PEOPLE, revision

WEB, DB = "aws_instance.web", "aws_db_instance.db"
REGO = RegoPolicy("rego", ("policy",), "v1")
CHECK = CheckProgram("check", ("checkov", "{plan}"))
WHOLE = CheckProgram("whole", ("checkov", "{plan}"), whole=True)
NO = Verdict("other", Effect.DENY, "It is not tagged.", WEB)
SECRET = "hunter2!!"
AUTO = ApplyModes(Mode.AUTO, Mode.AUTO)

Says = Callable[[], Any]


def a_report(*addresses: str, deposed: str = "") -> PlanReport:
    """A plan that updates objects, the last of them besides a deposed one of it."""
    changes = [
        Change(each, Kind.UPDATE, {"size": 1}, {"size": 2}) for each in addresses or (WEB, DB)
    ]
    if deposed:
        changes.append(Change(changes[-1].address, Kind.DELETE, {"size": 1}, None, deposed=deposed))
    joined = tuple(Joined(each, None) for each in changes)
    plan = Plan("1.15.5", joined=joined, managed=9, applyable=True, complete=True, settings=())
    return read_plan(plan, name="plan", keyed=True)


@dataclass
class Programs:
    """Engines and checks that say what they are told to say."""

    says: Says = tuple
    asked: list[tuple[str, Path, About | None]] = field(default_factory=list)

    def verdicts(
        self, policy: Policy, *, plan: Path, about: About | None = None
    ) -> tuple[Verdict, ...]:
        self.asked.append((policy.name, plan, about))
        return cast("tuple[Verdict, ...]", self.says())


class Documents:
    """Where the plan is, for programs."""

    def redacted(self) -> Path:
        return Path("/redacted.json")

    def whole(self) -> Path:
        return Path("/whole.json")


@dataclass
class Broken:
    """A plan that cannot be written down."""

    error: BaseException

    def redacted(self) -> Path:
        raise self.error

    def whole(self) -> Path:
        raise self.error


def fails(error: BaseException) -> Says:
    def say() -> Any:
        raise error

    return say


def found(*verdicts: Any) -> Says:
    return lambda: verdicts


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path, now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@dataclass
class Gate:
    """A gate whose programs are in reach, and what it makes of a plan."""

    store: Store
    rego: Programs = field(default_factory=Programs)
    checks: Programs = field(default_factory=Programs)
    clock: FakeClock = field(default_factory=FakeClock)
    documents: Any = field(default_factory=Documents)

    def rulings(
        self, *policies: Policy, report: PlanReport | None = None, **more: Any
    ) -> tuple[Rulings, Judgement, Decision]:
        """What is said, judged and decided where everything else would let it through."""
        report = report or a_report()
        environment = Environment(
            "prod", "environments/prod", **{"apply": AUTO, "policies": policies, **more}
        )
        order = Order(environment, revision("1" * 40), "controller", "os:ada")
        plain = judge(
            report.plan, report.assessment, environment.apply, Rulings(), code_is_applied=False
        )
        gating = Gating(
            rego=self.rego,
            checks=self.checks,
            limits=Limiting(self.store, people=PEOPLE, clock=self.clock),
            secrets=frozenset({SECRET}),
        )
        rulings = gating.rulings(order, a_run("r9"), report, plain, self.documents)
        judgement = judge(
            report.plan, report.assessment, environment.apply, rulings, code_is_applied=False
        )
        decision = decide(
            report.plan,
            report.assessment,
            judgement,
            Requirement(),
            Standing(),
            rulings=rulings,
            now=self.clock(),
        )
        return rulings, judgement, decision


def a_run(id: str, state: State = State.PLANNING, **more: Any) -> Run:
    at = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    made = Run(id, "prod", state, Purpose.RECONCILE, at, "controller", "os:ada", "host:1")
    return replace(made, **more)


@pytest.fixture
def gate(store: Store) -> Gate:
    return Gate(store)


def test_what_nobody_objects_to_goes_through(gate: Gate) -> None:
    rulings, _, decision = gate.rulings(REGO, CHECK, WHOLE)

    assert rulings == Rulings()
    assert isinstance(decision, Apply)
    assert [each[:2] for each in gate.rego.asked] == [("rego", Path("/redacted.json"))]
    # Only what was named for it in the configuration sees the plan with its secrets.
    assert [each[:2] for each in gate.checks.asked] == [
        ("check", Path("/redacted.json")),
        ("whole", Path("/whole.json")),
    ]


def test_a_policy_is_told_what_the_plan_is_about(gate: Gate) -> None:
    gate.rulings(REGO, labels={"tier": "one"})

    (_, _, about) = gate.rego.asked[0]
    assert about == About(
        environment="prod",
        labels={"tier": "one"},
        path="environments/prod",
        workspace="default",
        repository="https://git.example.com/infra",
        ref="main",
        commit="1" * 40,
        run="r9",
        trigger="controller",
        actor="os:ada",
        started_at=datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
    )


def test_a_plan_without_changes_is_shown_to_nobody(gate: Gate) -> None:
    plan = Plan("1.15.5", managed=9, applyable=False, complete=True, settings=())

    rulings, _, _ = gate.rulings(REGO, CHECK, report=read_plan(plan, name="plan", keyed=True))

    assert rulings == Rulings()
    assert gate.rego.asked == gate.checks.asked == []


# --- Whatever goes wrong.

FAILURES: list[BaseException] = [
    PolicyError("opa ended with 2.", todo="Mend it."),
    Unavailable("opa did not answer."),
    PlanError("These bytes are no plan."),
    EngineError("`show` failed.", diagnostics=(Diagnostic("error", "No"),)),
    Untrusted("The plan moved."),
    ArtifactError("It is gone."),
    StoreError("It is locked."),
    ConfigError((Problem("driftctl.yaml", 3, "Not so."),)),
    DriftctlError("Something."),
    ValueError("wrong"),
    KeyError("deny"),
    TypeError(),
    AttributeError("verdicts"),
    ZeroDivisionError(),
    RecursionError(),
    MemoryError(),
    AssertionError(),
    NotImplementedError(),
    OSError(28, "No space left on device"),
    TimeoutError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    StopIteration(),
]
GARBAGE: list[Any] = [
    None,
    0,
    "deny",
    b"deny",
    ["deny"],
    ({"msg": "deny"},),
    (None,),
    (replace(NO, effect=cast(Any, "deny")),),
    (replace(NO, effect=cast(Any, None)),),
    (replace(NO, message=cast(Any, None)),),
    (replace(NO, message=cast(Any, {"msg": "no"})),),
    (NO, "and more"),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("policy", [REGO, CHECK, WHOLE], ids=lambda each: each.name)
def test_a_policy_that_fails_is_a_no(gate: Gate, error: BaseException, policy: Policy) -> None:
    gate.rego.says = gate.checks.says = fails(error)

    rulings, _, decision = gate.rulings(policy)

    assert rulings.broken.startswith(f"{policy.name}: ")
    assert isinstance(decision, Refuse)
    assert rulings.broken in decision.reasons


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
@pytest.mark.parametrize("policy", [REGO, CHECK], ids=lambda each: each.name)
def test_an_answer_that_is_none_is_a_no(gate: Gate, garbage: Any, policy: Policy) -> None:
    gate.rego.says = gate.checks.says = lambda: garbage

    rulings, _, decision = gate.rulings(policy)

    assert rulings.broken.startswith(f"{policy.name}: ")
    assert isinstance(decision, Refuse)


@pytest.mark.parametrize("policy", [REGO, CHECK, WHOLE], ids=lambda each: each.name)
def test_a_plan_that_cannot_be_written_down_for_a_policy_is_a_no(
    gate: Gate, policy: Policy
) -> None:
    gate.documents = Broken(PlanError("It is too large."))

    rulings, _, decision = gate.rulings(policy)

    assert "It is too large." in rulings.broken
    assert isinstance(decision, Refuse)


def test_an_answer_that_breaks_off_is_a_no(gate: Gate) -> None:
    def half() -> Iterator[Verdict]:
        yield replace(NO, effect=Effect.WARN)
        raise ValueError

    gate.rego.says = half

    rulings, _, decision = gate.rulings(REGO)

    assert rulings.broken.startswith("rego: ValueError (driftctl_py/app/gating.py:")
    assert isinstance(decision, Refuse)


@pytest.mark.parametrize("first", [True, False])
def test_what_the_others_found_counts_all_the_same(gate: Gate, first: bool) -> None:
    gate.rego.says = fails(PolicyError("opa ended with 2.", todo="Mend it."))
    gate.checks.says = found(NO)

    policies = (REGO, CHECK) if first else (CHECK, REGO)
    rulings, judgement, decision = gate.rulings(*policies)

    assert rulings.broken == "rego: opa ended with 2. Mend it."
    assert rulings.of_change == {(WEB, ""): (Ruling(Level.DENY, "other", "", NO.message),)}
    assert judgement.level is Level.DENY
    assert isinstance(decision, Refuse)
    assert len(decision.reasons) == 2


def test_every_policy_that_fails_is_named(gate: Gate) -> None:
    gate.rego.says = fails(Unavailable("opa did not answer."))
    gate.checks.says = fails(ValueError("wrong"))

    rulings, _, _ = gate.rulings(REGO, CHECK)

    assert rulings.broken.startswith("rego: opa did not answer.\ncheck: ValueError ")


@pytest.mark.parametrize("error", [Interrupted("Ctrl-C"), KeyboardInterrupt(), SystemExit(1)])
def test_who_stops_us_stops_us(gate: Gate, error: BaseException) -> None:
    gate.rego.says = fails(error)

    with pytest.raises(type(error)):
        gate.rulings(REGO, CHECK)

    assert gate.checks.asked == []


# --- No secrets.


def test_no_known_secret_is_told_of_what_went_wrong(gate: Gate) -> None:
    gate.rego.says = fails(PolicyError(f"opa said: {SECRET}", todo=f"Take {SECRET} out."))

    rulings, _, _ = gate.rulings(REGO)

    assert rulings.broken == "rego: opa said: (hidden) Take (hidden) out."


def test_what_a_bug_says_is_not_told_at_all(gate: Gate) -> None:
    gate.rego.says = fails(ValueError("password=correct-horse-battery-staple"))

    rulings, _, _ = gate.rulings(REGO)

    assert "password" not in rulings.broken
    assert rulings.broken.startswith("rego: ValueError (driftctl_py/app/gating.py:")
    assert rulings.broken.endswith("). This is a bug in driftctl_py.")


def test_no_known_secret_is_told_of_what_was_found(gate: Gate) -> None:
    gate.checks.says = found(replace(NO, message=f"The tag is {SECRET}."))

    _, _, decision = gate.rulings(CHECK)

    assert isinstance(decision, Refuse)
    assert "The tag is (hidden)." in decision.reasons[0]


def test_no_known_secret_is_told_as_the_name_of_an_object(gate: Gate) -> None:
    gate.checks.says = found(replace(NO, address=f"aws_instance.web[{SECRET!r}]"))

    rulings, _, decision = gate.rulings(CHECK)

    assert isinstance(decision, Refuse)
    assert SECRET not in f"{rulings} {decision}"
    assert [each.level for each in rulings.of_plan] == [Level.DENY]


# --- Where a verdict lands.


def test_a_verdict_lands_on_the_change_that_it_names(gate: Gate) -> None:
    gate.rego.says = found(replace(NO, groups=("dba",), where="policy/tags.rego:3"))

    rulings, judgement, _ = gate.rulings(REGO)

    ruling = Ruling(Level.DENY, "other", "policy/tags.rego:3", "It is not tagged.", ("dba",))
    assert rulings == Rulings({(WEB, ""): (ruling,)})
    assert [(each.address, each.level) for each in judgement.changes] == [
        (WEB, Level.DENY),
        (DB, Level.ALLOW),
    ]


def test_and_on_what_is_deposed_of_that_object_too(gate: Gate) -> None:
    gate.rego.says = found(NO)

    rulings, _, _ = gate.rulings(REGO, report=a_report(DB, WEB, deposed="8c1b2a3d"))

    assert rulings.of_change.keys() == {(WEB, ""), (WEB, "8c1b2a3d")}
    assert rulings.of_plan == ()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "It is not tagged."),
        ("aws_instance.elsewhere", "aws_instance.elsewhere: It is not tagged."),
        ("aws_instance", "aws_instance: It is not tagged."),
    ],
)
def test_one_that_names_no_change_is_about_the_plan(gate: Gate, address: str, message: str) -> None:
    gate.rego.says = found(replace(NO, address=address))

    rulings, judgement, decision = gate.rulings(REGO)

    assert rulings == Rulings(of_plan=(Ruling(Level.DENY, "other", "", message),))
    assert judgement.level is Level.DENY
    assert isinstance(decision, Refuse)


def test_an_address_that_the_message_has_is_not_told_twice(gate: Gate) -> None:
    gate.rego.says = found(replace(NO, address="x.y", message="x.y is not tagged."))

    rulings, _, _ = gate.rulings(REGO)

    assert rulings.of_plan[0].message == "x.y is not tagged."


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("address", ["", WEB])
def test_no_verdict_can_allow_anything(gate: Gate, effect: Effect, address: str) -> None:
    gate.rego.says = found(replace(NO, effect=effect, address=address))

    _, judgement, decision = gate.rulings(REGO, apply=ApplyModes(), report=a_report(WEB))

    assert judgement.level is Level.DENY
    assert isinstance(decision, Refuse)


def test_a_verdict_does_not_outweigh_the_rule_that_denies(gate: Gate) -> None:
    gate.rego.says = found(replace(NO, effect=Effect.WARN))
    never = Rule("never", Effect.DENY, addresses=(WEB,))

    rulings, judgement, _ = gate.rulings(REGO, rules=(never,))

    assert [each.rule for each in rulings.of_change[WEB, ""]] == ["never", "other"]
    assert judgement.level is Level.DENY


def test_what_is_broken_already_stays_so() -> None:
    before = Rulings(broken="rules.yaml cannot be read.")

    after = with_verdicts(before, (), Judgement(), ["opa: it crashed."])

    assert after.broken == "rules.yaml cannot be read.\nopa: it crashed."


# --- Limits, last.


def busy(store: Store, clock: FakeClock) -> None:
    """As many applies as the day has."""
    store.save(a_run("r1", State.APPLIED, ended_at=clock.now - timedelta(minutes=5)))


def test_limits_hold_what_nothing_else_does(gate: Gate) -> None:
    busy(gate.store, gate.clock)

    rulings, judgement, _ = gate.rulings(REGO, limits=Limits(applies_per_day=1))

    assert [each.rule for each in rulings.of_plan] == ["limits.applies_per_day: 1"]
    assert judgement.level is Level.APPROVE


@pytest.mark.parametrize("effect", [Effect.APPROVE, Effect.DENY])
def test_where_a_policy_asks_or_denies_limits_say_nothing(gate: Gate, effect: Effect) -> None:
    busy(gate.store, gate.clock)
    gate.rego.says = found(replace(NO, effect=effect))

    rulings, _, _ = gate.rulings(REGO, limits=Limits(applies_per_day=1))

    assert rulings.of_plan == ()


def test_where_a_policy_is_broken_limits_say_nothing(gate: Gate) -> None:
    busy(gate.store, gate.clock)
    gate.rego.says = fails(ValueError())

    rulings, _, decision = gate.rulings(REGO, limits=Limits(applies_per_day=1))

    assert rulings.of_plan == ()
    assert isinstance(decision, Refuse)
