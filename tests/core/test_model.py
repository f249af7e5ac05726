"""Plan, approve, drift, push, expire, reject, apply, in any order: what is ever applied?

A cloud of two objects and an output, small enough to be held in mind, and beside the real
`judge`, `standing`, `decide` and `fingerprint` an oracle that knows nothing of them: it compares
snapshots and keeps its own book of who said what to which content. The two have to agree at every
apply, in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from driftctl_py.core.approval import (
    Approval,
    Binding,
    Identity,
    People,
    Requirement,
    standing,
)
from driftctl_py.core.assessment import assess
from driftctl_py.core.decision import (
    Apply,
    Decision,
    Hold,
    Judgement,
    Level,
    Nothing,
    Obstacle,
    Refuse,
    Ruling,
    Rulings,
    applyable,
    decide,
    judge,
)
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.fingerprint import fingerprint
from driftctl_py.core.governing import Governing, ruling_text, seal
from driftctl_py.core.plan import Change, Joined, Kind, OutputChange, Plan
from driftctl_py.core.values import Value

ADDRESSES: Final = ("x.a", "x.b")
LIFE: Final = timedelta(hours=24)
START: Final = datetime(2026, 11, 24, tzinfo=UTC)
KEY: Final = b"k" * 32
PEOPLE = People(
    {
        "ada": ("github:ada", "os:ada", "ada@example.com"),
        "grace": (
            "aws:arn:aws:sts::123456789012:assumed-role/Admin/*",
            "key:grace",
            "grace@example.com",
        ),
        "linus": ("key:linus", "linus@example.com"),
        "ken": ("github:ken",),
    },
    {"dba": ("ada", "grace"), "net": ("linus",)},
)
# What the oracle knows of the same people, by hand: whose word it is, if it is anybody's.
SPEAKERS: Final = {
    "github:ada": "ada",
    "aws:arn:aws:sts::123456789012:assumed-role/Admin/g1": "grace",
    "key:grace": "grace",
    "key:linus": "linus",
    "os:ada": None,
    "github:ken": None,
    "github:mallory": None,
}
SPEAKERS_OF_ALL_SORTS: Final = ["github:ada", "key:grace", "key:linus", *sorted(SPEAKERS)]
DBA, NET = ("ada", "grace"), ("linus",)
ENGINES: Final = ("terraform 1.11.4", "tofu 1.10.0")
# Those under which something happens most often.
MODES: Final = [
    ApplyModes(Mode.GATE, Mode.AUTO),
    ApplyModes(Mode.GATE, Mode.GATE),
    ApplyModes(Mode.AUTO, Mode.GATE),
    *(ApplyModes(git, drift) for git in Mode for drift in Mode),
]
# Suspended, a rule that asks for another group, one that denies.
RESTRAINTS: Final = [
    (False, False, False),
    (False, True, False),
    (False, True, False),
    (False, False, True),
    (True, False, False),
]
ASK_NET = Ruling(Level.APPROVE, "ask-net", groups=("net",))
NO_B = Ruling(Level.DENY, "leave-b")

Objects = Mapping[str, int | None]
"""What there is at each address; None: nothing."""


@dataclass(frozen=True)
class Commit:
    code: Objects
    author: str
    tree: str


@dataclass(frozen=True)
class Snapshot:
    """All that a plan is made of. The oracle reads nothing else."""

    state: Objects
    real: Objects
    code: Objects
    weather: int
    output: int
    tree: str
    engine: str
    modes: tuple[str, str]
    count: int
    lineage: str

    @property
    def changing(self) -> tuple[str, ...]:
        return tuple(each for each in ADDRESSES if self.real[each] != self.code[each])

    @property
    def total(self) -> int:
        """What the output is of: not of ``x.a``, or a commit could never be told by its cause."""
        return self.weather + (self.code["x.b"] or 0)

    def cause(self, address: str) -> str:
        state, real, code = self.state[address], self.real[address], self.code[address]
        if state == real:
            return "git"
        return "drift" if state == code else "both"

    @property
    def content(self) -> tuple[object, ...]:
        """What somebody says yes to: what is done to what, and what it is made of."""
        done: list[object] = []
        for address in self.changing:
            state, real, code = self.state[address], self.real[address], self.code[address]
            if code is None:
                done.append((address, "delete"))
            elif real is None:
                done.append((address, "create", code, "again" if state is not None else ""))
            else:
                done.append((address, "update", real, code, "drifted" if state != real else ""))
        if self.output != self.total:
            done.append(("output", self.output, self.total))
        return (*done, self.tree, self.engine, self.modes, self.count, self.lineage)


@dataclass(frozen=True)
class Saved:
    """A saved plan, as a run would keep it."""

    plan: Plan
    binding: Binding
    governing: Governing
    snapshot: Snapshot
    commit: int
    serial: int
    authors: tuple[str, ...]


@dataclass(frozen=True)
class Word:
    """What the oracle's book says: one person said yes or no to some content, of which rules had
    this to say by then."""

    person: str
    yes: bool
    at: datetime
    content: tuple[object, ...]
    said: frozenset[str]


def an_object(address: str, value: int | None) -> Value:
    return None if value is None else {"id": address, "size": value}


def plan_of(found: Snapshot) -> Plan:
    """As an engine would make it."""
    joined: list[Joined] = []
    for address in ADDRESSES:
        state, real, code = (each[address] for each in (found.state, found.real, found.code))
        kind = Kind.NO_OP
        if real != code:
            kind = Kind.DELETE if code is None else Kind.CREATE if real is None else Kind.UPDATE
        change = Change(address, kind, an_object(address, real), an_object(address, code))
        drift = None
        if state != real:
            outside = Kind.DELETE if real is None else Kind.UPDATE
            drift = Change(address, outside, an_object(address, state), an_object(address, real))
        gone = real is None and code is None
        if drift is not None or kind is not Kind.NO_OP:
            joined.append(Joined(None if gone else change, drift))
    outputs: tuple[OutputChange, ...] = ()
    if found.output != found.total:
        outputs = (OutputChange("total", Kind.UPDATE, found.output, found.total),)
    return Plan(
        "1.11.4",
        joined=tuple(joined),
        outputs=outputs,
        settings=(),
        managed=len(ADDRESSES),
        complete=True,
        applyable=bool(found.changing or outputs),
    )


class World:
    """Git, the cloud and the state; and the engine, which alone changes the latter two."""

    def __init__(self) -> None:
        self.commits = [Commit({"x.a": 1, "x.b": 1}, "ken@example.com", "t0")]
        self.real: dict[str, int | None] = {"x.a": 1, "x.b": 1}
        self.state: dict[str, int | None] = {"x.a": 1, "x.b": 1}
        self.weather, self.output, self.serial, self.lineage = 0, 1, 1, "l0"
        self.applied: list[Saved] = []

    def apply(self, saved: Saved) -> None:
        """The engine refuses what was planned on another state, and never looks again."""
        assert (saved.serial, saved.binding.lineage) == (self.serial, self.lineage)
        for address in saved.snapshot.changing:
            self.real[address] = saved.snapshot.code[address]
        for address in ADDRESSES:
            planned = address in saved.snapshot.changing
            self.state[address] = (
                saved.snapshot.code[address] if planned else saved.snapshot.real[address]
            )
        self.output = saved.snapshot.total
        self.serial += 1
        self.applied.append(saved)


class Controller(RuleBasedStateMachine):
    """One environment, and everything that may happen around it."""

    @initialize(
        modes=st.sampled_from(MODES),
        count=st.sampled_from([1, 2]),
        drifted=st.booleans(),
        pushed=st.sampled_from(["", *ADDRESSES]),
        author=st.sampled_from(["ada@example.com", "ken@example.com"]),
        asks_net=st.sampled_from([False, False, True]),
    )
    def start(
        self,
        modes: ApplyModes,
        count: int,
        drifted: bool,
        pushed: str,
        author: str,
        asks_net: bool,
    ) -> None:
        self.begin(modes.git, modes.drift, count)
        if drifted:
            self.drift("x.a", 3)
        if pushed:
            self.push(pushed, 2, author)
        self.restrain(False, asks_net, False)
        self.plan(heal=False)

    def begin(self, git: Mode, drift: Mode, count: int) -> None:
        self.world = World()
        self.now = START
        self.engine = "terraform 1.11.4"
        self.environment = Environment(
            "prod",
            "environments/prod",
            apply=ApplyModes(git, drift),
            requirement=Requirement(count=count, groups=("dba",)),
        )
        self.suspended = False
        self.asks_net = self.denies_b = False
        self.approvals: list[Approval] = []
        self.book: list[Word] = []
        self.saved: list[Saved] = []
        self.converged: tuple[int, Governing] | None = None

    # --- What happens outside ---------------------------------------------------------------

    @rule(address=st.sampled_from(ADDRESSES), value=st.sampled_from([None, 1, 2, 3]))
    def drift(self, address: str, value: int | None) -> None:
        if self.world.state[address] is not None:
            self.world.real[address] = value

    @rule(
        address=st.sampled_from(ADDRESSES),
        value=st.sampled_from([None, 1, 2, 3]),
        author=st.sampled_from(["ada@example.com", "Grace@example.com", "ken@example.com"]),
    )
    def push(self, address: str, value: int | None, author: str) -> None:
        code = {**self.world.commits[-1].code, address: value}
        # Git's id of a directory is its content's, whoever wrote it and whenever.
        self.world.commits.append(Commit(code, author, f"t {sorted(code.items())}"))

    def refactor(self) -> None:
        """Other content that comes to the same, as far as a plan can tell."""
        last = self.world.commits[-1]
        self.world.commits.append(replace(last, author="ken@example.com", tree=f"{last.tree}'"))

    @rule(data=st.data())
    def something_rare(self, data: st.DataObject) -> None:
        """Drawn from within one rule, so that the frequent ones stay frequent."""
        happens: Callable[[], None] = data.draw(
            st.sampled_from(
                [
                    self.refactor,
                    self.push_elsewhere,
                    self.state_is_written_by_somebody_else,
                    self.the_weather_changes,
                    self.drift_is_accepted,
                    *[lambda: self.wait(25)] * 2,
                    lambda: self.restrain(True, False, False),
                    lambda: self.install(data.draw(st.sampled_from(ENGINES))),
                    lambda: self.state_is_replaced(f"{self.world.lineage}'"),
                    lambda: self.configure(
                        data.draw(st.sampled_from(MODES)), data.draw(st.sampled_from([1, 2]))
                    ),
                    lambda: self.restrain(*data.draw(st.sampled_from(RESTRAINTS))),
                ]
            )
        )
        happens()

    def push_elsewhere(self) -> None:
        self.world.commits.append(replace(self.world.commits[-1], author="ken@example.com"))

    def the_weather_changes(self) -> None:
        """What a data source says, and through it an output."""
        self.world.weather += 1

    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def install(self, engine: str) -> None:
        self.engine = engine

    def state_is_written_by_somebody_else(self) -> None:
        self.world.serial += 1

    def drift_is_accepted(self) -> None:
        """A plan of ``-refresh-only`` is applied: the state records what is there."""
        self.world.state, self.world.serial = dict(self.world.real), self.world.serial + 1

    def state_is_replaced(self, lineage: str) -> None:
        self.world.lineage, self.world.serial = lineage, self.world.serial + 1

    def configure(self, modes: ApplyModes, count: int) -> None:
        requirement = replace(self.environment.requirement, count=count)
        self.environment = replace(self.environment, apply=modes, requirement=requirement)

    def restrain(self, suspended: bool, asks_net: bool, denies_b: bool) -> None:
        self.suspended, self.asks_net, self.denies_b = suspended, asks_net, denies_b

    # --- What we do -------------------------------------------------------------------------

    @rule(heal=st.booleans())
    def plan(self, heal: bool) -> None:
        commit = len(self.world.commits) - 1
        if heal and self.converged is not None:
            commit = self.converged[0]
        self.saved.append(self.planned(commit))

    @rule(
        data=st.data(),
        words=st.lists(
            st.tuples(
                st.sampled_from(SPEAKERS_OF_ALL_SORTS), st.sampled_from([True, True, True, False])
            ),
            max_size=4,
        ),
        event=st.booleans(),
        again=st.booleans(),
    )
    def a_round(
        self, data: st.DataObject, words: list[tuple[str, bool]], event: bool, again: bool
    ) -> None:
        """All that has to come together before something is applied, in one step."""
        self.plan(heal=False)
        for by, yes in words:
            self.say(self.saved[-1], by, yes)
        if event:
            self.something_rare(data)
        if again:
            self.plan(heal=False)
        self.apply(self.saved[-1])

    @rule(data=st.data(), by=st.sampled_from(SPEAKERS_OF_ALL_SORTS), yes=st.booleans())
    def say_to_any(self, data: st.DataObject, by: str, yes: bool) -> None:
        self.say(data.draw(st.sampled_from(self.saved)), by, yes)

    @rule(data=st.data())
    def apply_any(self, data: st.DataObject) -> None:
        """Even one that a newer one took the place of."""
        self.apply(data.draw(st.sampled_from(self.saved)))

    def say(self, saved: Saved, by: str, yes: bool) -> None:
        self.now += timedelta(minutes=1)
        self.approvals.append(
            Approval(
                f"a{len(self.approvals)}",
                "r1",
                saved.binding,
                Identity(by),
                yes,
                self.now,
                self.now + LIFE,
                "because",
                violations=tuple(each.digest for each in self.judged(saved)[1].violations),
            )
        )
        if person := SPEAKERS[by]:
            found = saved.snapshot
            self.book.append(Word(person, yes, self.now, found.content, self.rules_say(found)))

    def apply(self, saved: Saved) -> None:
        if (saved.serial, saved.binding.lineage) != (self.world.serial, self.world.lineage):
            # The engine would call it stale: plan again, and go on only with what that is worth.
            saved = self.planned(saved.commit)
            self.saved.append(saved)
        before = (dict(self.world.real), dict(self.world.state), self.world.serial)
        allowed = self.may_be_applied(saved)

        decision = self.decided(saved)
        match decision:
            case Apply(_, approvals):
                assert all(each.binding == saved.binding for each in approvals)
                self.world.apply(saved)
            case Nothing() | Hold() | Refuse():
                assert before == (self.world.real, self.world.state, self.world.serial)

        assert isinstance(decision, Apply) is allowed
        if isinstance(decision, Apply):
            after = self.planned(saved.commit)
            if not applyable(after.plan):
                self.converged = (saved.commit, after.governing)

    # --- The words of the product -------------------------------------------------------------

    def planned(self, commit: int) -> Saved:
        code, world, environment = self.world.commits[commit], self.world, self.environment
        snapshot = Snapshot(
            dict(world.state),
            dict(world.real),
            code.code,
            world.weather,
            world.output,
            code.tree,
            self.engine,
            (environment.apply.git.value, environment.apply.drift.value),
            environment.requirement.count,
            world.lineage,
        )
        governing = Governing(
            engine=self.engine,
            variables=seal(KEY, b"{}"),
            lock_file="",
            backend="",
            settings=seal(KEY, ruling_text(environment)),
            trees={"environments/prod": code.tree},
        )
        plan = plan_of(snapshot)
        binding = Binding(
            "prod", str(fingerprint(plan, keyed=True)), governing.digest, world.lineage
        )
        since = self.converged[0] + 1 if self.converged else 1
        authors = tuple(each.author for each in world.commits[since : commit + 1])
        return Saved(plan, binding, governing, snapshot, commit, world.serial, authors)

    def judged(self, saved: Saved) -> tuple[Rulings, Judgement]:
        rulings = Rulings(
            {
                **({("x.a", ""): (ASK_NET,)} if self.asks_net else {}),
                **({("x.b", ""): (NO_B,)} if self.denies_b else {}),
            }
        )
        return rulings, judge(
            saved.plan,
            assess(saved.plan),
            self.environment.apply,
            rulings,
            code_is_applied=self.code_is_applied(saved),
        )

    def decided(self, saved: Saved) -> Decision:
        rulings, judgement = self.judged(saved)
        requirement = self.environment.requirement.also(judgement.groups, judgement.asks)
        return decide(
            saved.plan,
            assess(saved.plan),
            judgement,
            requirement,
            standing(
                self.approvals,
                saved.binding,
                requirement,
                PEOPLE,
                authors=saved.authors,
                violations=judgement.violations,
                now=self.now,
            ),
            rulings=rulings,
            obstacles=(Obstacle("It is suspended."),) if self.suspended else (),
            now=self.now,
        )

    def code_is_applied(self, saved: Saved) -> bool:
        return self.converged is not None and self.converged[1] == saved.governing

    # --- The oracle ---------------------------------------------------------------------------

    def may_be_applied(self, saved: Saved) -> bool:
        """From the snapshot, the switches and the book alone."""
        found = saved.snapshot
        if self.suspended or not (found.changing or found.output != found.total):
            return False
        git, drift = self.environment.apply.git, self.environment.apply.drift
        wanted: list[Mode] = []
        asked: set[str] = set()
        for address in found.changing:
            if address == "x.b" and self.denies_b:
                return False
            if address == "x.a" and self.asks_net:
                wanted.append(Mode.GATE)
                asked.add("net")
            else:
                cause = found.cause(address)
                wanted += [git] * (cause != "drift") + [drift] * (cause != "git")
        if found.output != found.total:
            wanted.append(drift if self.code_is_applied(saved) else git)
        if Mode.NEVER in wanted:
            return False
        words = self.last_words(found)
        heard = {*DBA, *(NET if asked else ())}
        if any(not yes for person, yes in words.items() if person in heard):
            return False
        if Mode.GATE not in wanted:
            return True
        authors = {each.lower().partition("@")[0] for each in saved.authors}
        said_yes = {person for person, yes in words.items() if yes} - authors
        enough = len(said_yes & set(DBA)) >= self.environment.requirement.count
        return enough and (not asked or bool(said_yes & set(NET)))

    def last_words(self, found: Snapshot) -> dict[str, bool]:
        said: dict[str, Word] = {}
        for word in self.book:
            if word.content == found.content:
                said[word.person] = word
        return {
            each.person: each.yes
            for each in said.values()
            # A yes is to no more than there was to be said when it was given.
            if self.now < each.at + LIFE and not (each.yes and self.rules_say(found) - each.said)
        }

    def rules_say(self, found: Snapshot) -> frozenset[str]:
        asks = self.asks_net and "x.a" in found.changing
        denies = self.denies_b and "x.b" in found.changing
        return frozenset({"asks net"} if asks else ()) | frozenset({"denies b"} if denies else ())

    # --- What always holds ----------------------------------------------------------------------

    @invariant()
    def one_meaning_has_one_binding_and_two_have_two(self) -> None:
        contents: dict[Binding, set[tuple[object, ...]]] = {}
        bindings: dict[tuple[object, ...], set[Binding]] = {}
        for each in self.saved[-6:]:
            contents.setdefault(each.binding, set()).add(each.snapshot.content)
            bindings.setdefault(each.snapshot.content, set()).add(each.binding)
        assert all(len(each) == 1 for each in contents.values())
        assert all(len(each) == 1 for each in bindings.values())

    @invariant()
    def what_was_only_held_or_refused_changed_nothing(self) -> None:
        assert self.world.serial >= len(self.world.applied)


Controller.TestCase.settings = settings(max_examples=300, stateful_step_count=20, deadline=None)
TestController = Controller.TestCase


# --- The machine gets somewhere: ways that it has to find, told as stories ---------------------


def controller(git: Mode, drift: Mode, count: int = 1) -> Controller:
    found = Controller()
    found.begin(git, drift, count)
    return found


def says(machine: Controller, by: str, *, yes: bool = True) -> None:
    machine.say(machine.saved[-1], by, yes)


def applied(machine: Controller) -> bool:
    before = len(machine.world.applied)
    machine.apply(machine.saved[-1])
    return len(machine.world.applied) > before


def pushed(machine: Controller, *authors: str) -> None:
    for number, author in enumerate(authors):
        machine.push("x.a", 2 + number, author)


def test_drift_is_healed_while_a_commit_waits_for_its_yes() -> None:
    machine = controller(Mode.GATE, Mode.AUTO)
    pushed(machine, "ken@example.com")
    machine.plan(heal=False)
    says(machine, "github:ada")
    assert applied(machine)
    machine.push("x.b", 3, "ken@example.com")
    machine.drift("x.a", 1)

    machine.plan(heal=False)
    assert not applied(machine)
    machine.plan(heal=True)
    assert applied(machine)

    assert machine.world.real == {"x.a": 2, "x.b": 1}


def test_a_yes_survives_a_plan_that_means_the_same_and_no_other() -> None:
    machine = controller(Mode.GATE, Mode.GATE)
    pushed(machine, "ken@example.com")
    machine.plan(heal=False)
    says(machine, "github:ada")
    machine.push_elsewhere()
    machine.state_is_written_by_somebody_else()
    machine.drift("x.b", 2)
    assert not applied(machine)
    machine.drift("x.b", 1)

    machine.plan(heal=False)

    assert applied(machine)
    assert machine.world.real == {"x.a": 2, "x.b": 1}


def test_two_of_three_say_yes_and_the_author_does_not_count() -> None:
    machine = controller(Mode.GATE, Mode.NEVER, count=2)
    pushed(machine, "ken@example.com")
    machine.plan(heal=False)
    for by in ("github:ada", "github:ada", "os:ada", "key:linus", "github:mallory"):
        says(machine, by)
        assert not applied(machine)
    says(machine, "key:grace")
    assert applied(machine)

    machine.push("x.a", 3, "Grace@example.com")
    machine.plan(heal=False)
    says(machine, "github:ada")
    says(machine, "key:grace")
    assert not applied(machine)


def test_a_no_is_stronger_and_a_yes_expires() -> None:
    machine = controller(Mode.GATE, Mode.NEVER)
    pushed(machine, "ken@example.com")
    machine.plan(heal=False)
    says(machine, "github:ada")
    says(machine, "key:grace", yes=False)
    assert not applied(machine)
    says(machine, "key:grace")
    machine.wait(25)
    assert not applied(machine)


def test_another_engine_setting_state_or_denial_is_not_what_was_approved() -> None:
    for change in ("engine", "setting", "lineage", "denial", "switch"):
        machine = controller(Mode.GATE, Mode.GATE)
        pushed(machine, "ken@example.com")
        machine.plan(heal=False)
        says(machine, "github:ada")
        match change:
            case "engine":
                machine.install("tofu 1.10.0")
                machine.plan(heal=False)
            case "setting":
                machine.configure(ApplyModes(Mode.GATE, Mode.AUTO), 1)
                machine.plan(heal=False)
            case "lineage":
                machine.state_is_replaced("l1")
            case "denial":
                machine.restrain(suspended=True, asks_net=False, denies_b=False)
            case _:
                machine.configure(ApplyModes(Mode.NEVER, Mode.GATE), 1)

        assert not applied(machine), change


def test_a_no_stops_even_what_nobody_had_to_be_asked_for() -> None:
    machine = controller(Mode.AUTO, Mode.AUTO)
    machine.drift("x.a", 3)
    machine.plan(heal=False)
    says(machine, "github:ada", yes=False)
    assert not applied(machine)

    says(machine, "github:ada")

    assert applied(machine)


def test_who_approved_that_drift_is_put_back_did_not_approve_the_same_change_as_a_commit_s() -> (
    None
):
    machine = controller(Mode.GATE, Mode.GATE)
    machine.drift("x.a", 3)
    machine.plan(heal=False)
    says(machine, "github:ada")
    machine.drift_is_accepted()
    machine.plan(heal=False)

    assert not applied(machine)


def test_what_is_of_both_causes_needs_both_switches() -> None:
    for modes in ((Mode.GATE, Mode.AUTO), (Mode.AUTO, Mode.NEVER)):
        machine = controller(*modes)
        machine.drift("x.a", 3)
        machine.push("x.a", 2, "ken@example.com")
        machine.plan(heal=False)

        assert not applied(machine)


def test_rules_ask_another_group_and_deny() -> None:
    machine = controller(Mode.GATE, Mode.GATE)
    pushed(machine, "ken@example.com")
    machine.plan(heal=False)
    machine.restrain(suspended=False, asks_net=True, denies_b=True)
    says(machine, "github:ada")
    assert not applied(machine)
    says(machine, "key:linus")
    assert applied(machine)
    machine.drift("x.b", 3)
    machine.plan(heal=False)
    says(machine, "github:ada")

    assert not applied(machine)
