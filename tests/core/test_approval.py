from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import (
    Approval,
    Ask,
    Backing,
    Binding,
    Identity,
    People,
    Requirement,
    Standing,
    Violation,
    broken_since,
    may_approve,
    may_ever_approve,
    moment,
    standing,
)

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
BINDING = Binding("prod", "f2-k7qm", "g0", "lineage")
PEOPLE = People(
    {
        "ada": ("github:Ada", "os:ada", "ada@example.com"),
        "grace": ("aws:arn:aws:sts::123456789012:assumed-role/Admin/*", "grace@example.com"),
        "linus": ("key:linus", "linus@example.com"),
        "ken": ("github:ken",),
    },
    {"dba": ("ada", "grace"), "net": ("grace", "linus")},
)
ADA, GRACE, LINUS, KEN = (
    "github:ada",
    "aws:arn:aws:sts::123456789012:assumed-role/Admin/g1",
    "key:linus",
    "github:ken",
)
DBA = Requirement(groups=("dba",))


def yes(
    by: str, *, ago: timedelta = HOUR, binding: Binding = BINDING, says: bool = True
) -> Approval:
    at = NOW - ago
    return Approval(
        f"{by} {at} {says}", "r1", binding, Identity(by), says, at, at + 24 * HOUR, "read it"
    )


def no(by: str, *, ago: timedelta = HOUR, binding: Binding = BINDING) -> Approval:
    return yes(by, ago=ago, binding=binding, says=False)


def stands(
    *approvals: Approval,
    requirement: Requirement = DBA,
    people: People = PEOPLE,
    authors: tuple[str, ...] = (),
    binding: Binding = BINDING,
    now: datetime = NOW,
    violations: tuple[Violation, ...] = (),
) -> Standing:
    return standing(
        approvals, binding, requirement, people, authors=authors, violations=violations, now=now
    )


def passed(found: Standing) -> list[str]:
    return [each.why for each in found.passed]


# --- What stands behind it -----------------------------------------------------------------------


def backed(*approvals: Approval, keys: dict[str, datetime], entries: bool = True) -> Standing:
    backing = Backing(frozenset(each.id for each in approvals if entries), keys)
    requirement = Requirement(groups=("dba", "net"))
    return standing(
        approvals, BINDING, requirement, PEOPLE, authors=(), violations=(), now=NOW, backing=backing
    )


def test_a_yes_counts_with_an_entry_of_the_trail_and_the_key_it_was_given_by() -> None:
    ada, linus = yes(ADA), yes(LINUS)

    found = backed(ada, linus, keys={"linus": NOW - 2 * HOUR})

    assert found.given == (ada, linus)


def test_a_yes_that_the_trail_does_not_tell_of_does_not_count() -> None:
    found = backed(yes(ADA), keys={}, entries=False)

    assert (found.given, passed(found)) == ((), ["the audit trail has no such entry"])


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({}, "its key was removed"),
        (
            {"linus": NOW - HOUR / 2},
            "its key was removed, and another one added at 2026-11-24 08:44 UTC",
        ),
    ],
)
def test_a_yes_goes_with_the_key_that_it_was_given_by(keys: dict[str, datetime], why: str) -> None:
    found = backed(yes(LINUS), keys=keys)

    assert (found.given, passed(found)) == ((), [why])


def test_a_no_stands_whatever_became_of_its_key_and_entry() -> None:
    found = backed(no(LINUS), keys={}, entries=False)

    assert found.rejected is not None


# --- Who is who ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("github:ada", "ada"),
        ("GitHub:ADA", "ada"),
        ("os:ada", "ada"),
        ("os:Ada", None),
        ("key:Linus", None),
        ("ADA@example.com", "ada"),
        ("17+Ada@users.noreply.github.com", "ada"),
        ("ada@users.noreply.github.com", "ada"),
        ("ada@users.noreply.github.com.example", None),
        ("aws:arn:aws:sts::123456789012:assumed-role/Admin/grace", "grace"),
        ("aws:arn:aws:sts::123456789012:assumed-role/Admin/", None),
        ("aws:arn:aws:sts::123456789012:assumed-role/Admin/a/b", None),
        ("aws:arn:aws:sts::123456789012:assumed-role/Administrator/grace", None),
        ("aws:arn:aws:sts::999999999999:assumed-role/Admin/grace", None),
        ("github:mallory", None),
        ("", None),
    ],
)
def test_a_person_is_known_by_what_the_configuration_lists(identity: str, name: str | None) -> None:
    assert PEOPLE.name_of(identity) == name


def test_only_an_aws_identity_may_stand_for_many() -> None:
    people = People({"ada": ("github:*", "os:*", "key:*", "*")})

    assert people.name_of("github:grace") is None
    assert people.name_of("os:grace") is None
    assert people.name_of("key:grace") is None


def test_an_identity_of_two_persons_is_nobody_s() -> None:
    people = People({"ada": ("os:root",), "grace": ("os:root",)}, {"dba": ("ada", "grace")})

    assert people.name_of("os:root") is None
    assert people.names_of("os:root") == {"ada", "grace"}
    assert may_approve(Identity("os:root"), DBA, people, authors=()) == (
        "os:root may be any of ada, grace."
    )


def test_a_person_is_in_the_groups_that_name_it() -> None:
    assert PEOPLE.groups_of("grace") == {"dba", "net"}
    assert PEOPLE.groups_of("ken") == frozenset()


@pytest.mark.parametrize(
    ("identity", "verified"),
    [
        ("github:ada", True),
        ("aws:arn:aws:iam::123456789012:user/ada", True),
        ("key:ada", True),
        ("os:ada", False),
        ("ada@example.com", False),
        ("github", True),
        ("somewhere:ada", False),
    ],
)
def test_the_operating_system_s_word_proves_nothing(identity: str, verified: bool) -> None:
    assert Identity(identity).verified is verified


# --- What counts ---------------------------------------------------------------------------------


def test_one_yes_of_a_group_is_enough() -> None:
    found = stands(yes(ADA))

    assert found == Standing(given=(yes(ADA),))
    assert found.enough


def test_nobody_has_approved_what_nobody_has_approved() -> None:
    assert stands() == Standing(missing=1)
    assert not stands().enough
    assert not stands(requirement=Requirement(count=0)).enough


def test_one_person_counts_once_by_whatever_identity() -> None:
    found = stands(
        yes(ADA, ago=2 * HOUR),
        yes("os:ada"),
        requirement=replace(DBA, count=2, unverified=True),
    )

    assert found.given == (yes("os:ada"),)
    assert found.missing == 1
    assert passed(found) == ["ada said yes later, at 2026-11-24 08:14 UTC"]


def test_two_persons_are_two() -> None:
    found = stands(yes(GRACE), yes(ADA, ago=2 * HOUR), requirement=replace(DBA, count=2))

    assert found.given == (yes(ADA, ago=2 * HOUR), yes(GRACE))
    assert found.enough


@pytest.mark.parametrize(
    ("by", "requirement", "why"),
    [
        ("os:mallory", DBA, "nobody in `people` or `groups` of driftctl.yaml is os:mallory"),
        (
            "os:ada",
            DBA,
            "os:ada is unverified, which counts only where `approval.unverified` is true",
        ),
        (LINUS, DBA, "linus is in none of the groups that are asked: dba"),
        (KEN, DBA, "ken is in none of the groups that are asked: dba"),
        (KEN, Requirement(), "ken is in no group of driftctl.yaml"),
        (KEN, DBA.also(["net"]), "ken is in none of the groups that are asked: dba, net"),
    ],
)
def test_who_is_not_asked_does_not_count(by: str, requirement: Requirement, why: str) -> None:
    found = stands(yes(by), no(by), requirement=requirement)

    assert (found.given, found.rejected, found.missing) == ((), None, 1)
    assert passed(found) == [why, why]
    sentence = why[0].upper() + why[1:] if why.startswith("nobody") else why
    assert may_approve(Identity(by), requirement, PEOPLE, authors=()) == f"{sentence}."
    assert may_approve(Identity(by), requirement, PEOPLE, authors=(), yes=False) == f"{sentence}."


def test_without_groups_anybody_in_any_group_is_asked() -> None:
    assert stands(yes(LINUS), requirement=Requirement()).enough
    assert may_approve(Identity(LINUS), Requirement(), PEOPLE, authors=()) == ""


@pytest.mark.parametrize(
    ("binding", "why"),
    [
        (replace(BINDING, environment="staging"), "another environment"),
        (
            replace(BINDING, fingerprint="f2-aaaa"),
            "another meaning of the plan (its fingerprint)",
        ),
        (
            replace(BINDING, governing="g1"),
            "another content, engine or setting (the governing digest)",
        ),
        (replace(BINDING, lineage="other"), "another state (its lineage)"),
        (
            Binding("prod", "f2-aaaa", "g0", ""),
            "another meaning of the plan (its fingerprint) and another state (its lineage)",
        ),
    ],
)
def test_an_approval_is_good_for_one_binding(binding: Binding, why: str) -> None:
    found = stands(yes(ADA, binding=binding), no(GRACE, binding=binding))

    assert (found.given, found.rejected) == ((), None)
    assert passed(found) == [f"it was given for {why}"] * 2


def test_what_has_no_fingerprint_cannot_be_approved() -> None:
    for nothing in (replace(BINDING, fingerprint=""), replace(BINDING, governing="")):
        found = stands(yes(ADA, binding=nothing), binding=nothing)

        assert passed(found) == ["it is not known what it would be good for"]


def test_a_yes_expires() -> None:
    given = yes(ADA, ago=23 * HOUR)

    assert stands(given).enough
    assert stands(given, now=NOW + HOUR - timedelta(microseconds=1)).enough
    assert passed(stands(given, now=NOW + HOUR)) == ["it expired at 2026-11-24 10:14 UTC"]
    assert not stands(given, now=NOW + HOUR).enough


def test_a_yes_is_good_no_longer_than_what_is_required_by_now() -> None:
    found = stands(yes(ADA, ago=2 * HOUR), requirement=replace(DBA, expires_seconds=3600))

    assert passed(found) == ["it expired at 2026-11-24 08:14 UTC"]


# --- No ------------------------------------------------------------------------------------------


def test_a_yes_is_good_for_one_apply() -> None:
    given = yes(ADA)
    before = standing(
        [given],
        BINDING,
        DBA,
        PEOPLE,
        authors=(),
        violations=(),
        now=NOW,
        applied_at=given.at - HOUR,
    )

    after = standing(
        [given], BINDING, DBA, PEOPLE, authors=(), violations=(), now=NOW, applied_at=given.at
    )

    assert before.enough
    assert not after.enough
    assert "it was used when this was applied at" in passed(after)[0]


def test_a_no_outranks_the_yes_of_others() -> None:
    found = stands(yes(ADA), no(GRACE), yes(ADA, ago=timedelta()))

    assert found.rejected == no(GRACE)
    assert found.missing == 0
    assert not found.enough


def test_of_one_person_the_last_word_counts() -> None:
    assert stands(yes(ADA), no(ADA, ago=2 * HOUR)).enough
    assert stands(no(ADA), yes(ADA, ago=2 * HOUR)).rejected == no(ADA)
    assert stands(yes(ADA), no(ADA)).rejected == no(ADA)


def test_an_expired_word_does_not_bring_back_the_one_before() -> None:
    before = replace(yes(ADA, ago=2 * HOUR), expires_at=NOW + 10 * HOUR)
    last = replace(no(ADA), expires_at=NOW)

    found = stands(before, last)

    assert (found.given, found.rejected) == ((), None)


def test_an_unverified_word_does_not_take_back_a_verified_one() -> None:
    assert stands(yes(ADA), no("os:ada", ago=timedelta())).enough


def test_a_no_to_another_plan_says_nothing() -> None:
    assert stands(yes(ADA), no(GRACE, binding=replace(BINDING, fingerprint="f2-other"))).enough


# --- Authors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("author", ["ada@example.com", "Ada@Example.com", "github:ada", "os:ada"])
def test_nobody_approves_their_own(author: str) -> None:
    found = stands(yes(ADA), authors=("linus@example.com", author))
    why = "ada wrote what is to be applied, and somebody else has to approve it"

    assert passed(found) == [why]
    assert not found.enough
    assert may_approve(Identity(ADA), DBA, PEOPLE, authors=(author,)) == f"{why}."
    assert stands(yes(ADA), yes(GRACE), authors=(author,)).enough


def test_an_author_may_where_it_is_allowed() -> None:
    requirement = replace(DBA, author_may=True)

    assert stands(yes(ADA), authors=("ada@example.com",), requirement=requirement).enough
    assert may_approve(Identity(ADA), requirement, PEOPLE, authors=("ada@example.com",)) == ""


def test_an_author_may_say_no_and_take_it_back() -> None:
    authors = ("ada@example.com",)

    assert may_approve(Identity(ADA), DBA, PEOPLE, authors=authors, yes=False) == ""
    assert stands(no(ADA), yes(GRACE), authors=authors).rejected == no(ADA)
    assert stands(no(ADA, ago=2 * HOUR), yes(ADA), yes(GRACE), authors=authors).enough


# --- Groups that rules ask -----------------------------------------------------------------------


def test_somebody_of_each_group_that_a_rule_asks_has_to_say_yes() -> None:
    requirement = DBA.also(["net"])

    first = stands(yes(ADA), requirement=requirement)
    second = stands(yes(LINUS), requirement=requirement)

    assert (first.missing, first.lacking, first.enough) == (1, ("net",), False)
    # Who is asked by a rule alone does not count among those whom the environment asks.
    assert (second.missing, second.lacking, second.enough) == (1, (), False)
    assert stands(yes(ADA), yes(LINUS), requirement=requirement).enough


def test_who_is_in_both_groups_speaks_for_both() -> None:
    assert stands(yes(GRACE), requirement=DBA.also(["net", "net"])).enough


def test_groups_are_asked_once() -> None:
    assert DBA.also(["net"]).also(["net", "dba"]).each_of == ("net", "dba")
    assert DBA.also([]) == DBA


# --- Rules that ask for several ------------------------------------------------------------------

ANYBODY = Requirement()


def test_a_rule_may_ask_for_several_persons_of_a_group() -> None:
    requirement = ANYBODY.also(["dba"], [Ask(2, ("dba",))])

    first = stands(yes(ADA), yes(LINUS), requirement=requirement)

    assert (first.missing, first.lacking, first.short) == (1, (), (Ask(1, ("dba",)),))
    assert not first.enough
    assert stands(yes(ADA), yes(GRACE), requirement=requirement).enough


def test_a_rule_may_ask_for_several_persons_of_any_group() -> None:
    requirement = DBA.also([], [Ask(2)])

    # Whom only a rule asks counts for that rule, and not for the environment.
    assert stands(yes(LINUS), requirement=requirement).missing == 1
    assert stands(yes(ADA), yes(LINUS), requirement=requirement).enough
    assert passed(stands(yes(KEN), requirement=requirement)) == [
        "ken is in no group of driftctl.yaml"
    ]


def test_all_rules_have_to_be_met_and_who_is_in_several_groups_counts_for_each() -> None:
    requirement = ANYBODY.also(["dba", "net"], [Ask(2, ("dba",)), Ask(2, ("net",))])

    found = stands(yes(ADA), yes(GRACE), requirement=requirement)

    assert (found.missing, found.lacking, found.short) == (1, (), (Ask(1, ("net",)),))
    assert stands(yes(ADA), yes(GRACE), yes(LINUS), requirement=requirement).enough


def test_whoever_a_rule_asks_is_told_so() -> None:
    requirement = DBA.also([], [Ask(2, ("legal", "sec"))])
    why = "linus is in none of the groups that are asked: dba, legal, sec"

    assert may_approve(Identity(LINUS), requirement, PEOPLE, authors=()) == f"{why}."
    assert may_ever_approve(requirement, PEOPLE) == {"ada", "grace"}
    assert may_ever_approve(DBA.also([], [Ask(2)]), PEOPLE) == {"ada", "grace", "linus"}


def test_nobody_is_never_enough_for_a_rule() -> None:
    assert stands(requirement=ANYBODY.also([], [Ask(0)])).short == (Ask(1),)


# --- Violations ----------------------------------------------------------------------------------

ASKS_DBA = Violation("dba-only", 2, "module.db.x")
WARNS = Violation("checkov", 1, "module.db.x", message="It is not encrypted.")
OF_PLAN = Violation("cost", 2, message="100 a month.")


def knowing(*violations: Violation) -> Approval:
    return replace(yes(ADA), violations=tuple(each.digest for each in violations))


@pytest.mark.parametrize(
    "now", [(), (ASKS_DBA,), (WARNS, ASKS_DBA), (OF_PLAN, WARNS), (ASKS_DBA, ASKS_DBA)]
)
def test_a_yes_is_to_the_violations_that_there_were(now: tuple[Violation, ...]) -> None:
    assert stands(knowing(ASKS_DBA, WARNS, OF_PLAN), violations=now).enough


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (replace(ASKS_DBA, rule="net-only"), "net-only (module.db.x)"),
        (replace(ASKS_DBA, address="module.db.y"), "dba-only (module.db.y)"),
        (replace(ASKS_DBA, deposed="1a2b3c4d"), "dba-only (module.db.x)"),
        (replace(ASKS_DBA, level=3), "dba-only (module.db.x)"),
        (replace(WARNS, message="It is public."), "checkov (module.db.x)"),
        (OF_PLAN, "cost (the plan as a whole)"),
    ],
)
def test_a_yes_is_to_no_violation_that_came_later(new: Violation, words: str) -> None:
    found = stands(knowing(ASKS_DBA, WARNS), violations=(ASKS_DBA, new))

    assert passed(found) == [f"since then the plan breaks rules that it did not break: {words}"]
    assert (found.given, found.missing) == ((), 1)


def test_what_became_less_grave_is_nothing_new() -> None:
    assert stands(knowing(replace(WARNS, level=2)), violations=(WARNS,)).enough


def test_of_many_new_violations_some_are_named() -> None:
    many = [replace(ASKS_DBA, address=f"x.y{at}") for at in range(5)]

    found = stands(knowing(), violations=(*many, *many))

    assert passed(found)[0].endswith(
        ": dba-only (x.y0), dba-only (x.y1), dba-only (x.y2) and 2 more"
    )


def test_a_yes_from_before_anybody_asked_is_to_no_violation() -> None:
    old = yes(ADA)

    assert old.violations is None
    assert stands(old).enough
    assert passed(stands(old, violations=(WARNS,))) == [
        "it was written down by a version that did not ask which rules the plan breaks"
    ]


def test_a_no_stands_whatever_came_later() -> None:
    assert stands(no(ADA), violations=(ASKS_DBA,)).rejected is not None


def test_a_yes_that_came_to_nothing_takes_no_earlier_one_s_place() -> None:
    earlier = replace(knowing(ASKS_DBA), id="a0", at=NOW - 2 * HOUR)

    found = stands(earlier, knowing(), violations=(ASKS_DBA,))

    assert found.given == ()
    assert len(found.passed) == 2


def test_the_seal_is_of_the_violations_and_of_nothing_else() -> None:
    given = knowing(ASKS_DBA, WARNS)

    assert knowing(WARNS, ASKS_DBA, WARNS).seal == given.seal
    assert yes(ADA).seal == ""
    assert len({yes(ADA).seal, knowing().seal, knowing(WARNS).seal, given.seal}) == 4


# --- Who could -----------------------------------------------------------------------------------


def test_who_could_ever_approve() -> None:
    assert may_ever_approve(DBA, PEOPLE) == {"ada", "grace"}
    assert may_ever_approve(Requirement(), PEOPLE) == {"ada", "grace", "linus"}


def test_an_unverified_identity_and_an_address_prove_nothing() -> None:
    people = People({"ada": ("os:ada", "ada@example.com")}, {"dba": ("ada",)})

    assert may_ever_approve(DBA, people) == frozenset()
    assert may_ever_approve(replace(DBA, unverified=True), people) == {"ada"}
    only_mail = People({"ada": ("ada@example.com",)}, {"dba": ("ada",)})
    assert may_ever_approve(replace(DBA, unverified=True), only_mail) == frozenset()


def test_a_moment_is_told_in_utc() -> None:
    assert moment(datetime.fromisoformat("2026-11-24T10:14:30+01:00")) == "2026-11-24 09:14 UTC"


# --- Properties ----------------------------------------------------------------------------------

BINDINGS = st.sampled_from([BINDING, replace(BINDING, fingerprint="f2-b"), Binding("", "", "", "")])
APPROVALS = st.builds(
    lambda by, ago, binding, says: yes(by, ago=ago * HOUR, binding=binding, says=says),
    st.sampled_from([ADA, "os:ada", GRACE, LINUS, KEN, "github:mallory"]),
    st.integers(0, 30),
    BINDINGS,
    st.booleans(),
)
GROUPS = st.lists(st.sampled_from(["dba", "net", "gone"]), max_size=2, unique=True).map(tuple)
REQUIREMENTS = st.builds(
    Requirement,
    count=st.integers(0, 3),
    groups=GROUPS,
    author_may=st.booleans(),
    unverified=st.booleans(),
    expires_seconds=st.integers(1, 100_000),
    each_of=GROUPS,
    asks=st.lists(st.builds(Ask, st.integers(0, 3), GROUPS), max_size=2, unique=True).map(tuple),
)
VIOLATIONS = st.lists(
    st.builds(
        Violation,
        st.sampled_from(["a", "b"]),
        st.integers(1, 3),
        st.sampled_from(["", "x.y"]),
        message=st.sampled_from(["", "No."]),
    ),
    max_size=3,
).map(tuple)
AUTHORS = st.lists(
    st.sampled_from(["ada@example.com", "grace@example.com", "x@example.com"]), max_size=2
).map(tuple)


@given(st.lists(APPROVALS, max_size=6), REQUIREMENTS, AUTHORS, BINDINGS)
def test_whatever_was_said_only_yeses_count_and_each_word_is_accounted_for(
    approvals: list[Approval], requirement: Requirement, authors: tuple[str, ...], binding: Binding
) -> None:
    found = stands(*approvals, requirement=requirement, authors=authors, binding=binding)

    names = [PEOPLE.name_of(each.by.text) for each in found.given]
    assert len(set(names)) == len(names)
    assert None not in names
    for each in found.given:
        assert each.yes
        assert each.binding == binding
        assert each.expires_at > NOW
        assert may_approve(each.by, requirement, PEOPLE, authors=authors) == ""
    assert not (found.enough and len(found.given) < max(1, requirement.count))
    assert all(each.why for each in found.passed)
    if found.rejected is None:
        assert len(found.given) + len(found.passed) == len(approvals)


@given(st.lists(APPROVALS, max_size=6), REQUIREMENTS, AUTHORS, st.randoms())
def test_the_order_in_which_they_are_stored_does_not_matter(
    approvals: list[Approval], requirement: Requirement, authors: tuple[str, ...], random: object
) -> None:
    unique = list({each.id: each for each in approvals}.values())
    shuffled = unique.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random

    first = stands(*unique, requirement=requirement, authors=authors)

    assert stands(*shuffled, requirement=requirement, authors=authors) == first


@given(st.lists(APPROVALS, max_size=6), REQUIREMENTS, AUTHORS, APPROVALS)
def test_another_no_never_makes_it_enough(
    approvals: list[Approval], requirement: Requirement, authors: tuple[str, ...], more: Approval
) -> None:
    before = stands(*approvals, requirement=requirement, authors=authors)
    after = stands(*approvals, replace(more, yes=False), requirement=requirement, authors=authors)

    assert before.enough or not after.enough


@given(
    st.lists(APPROVALS, max_size=6), REQUIREMENTS, GROUPS, st.builds(Ask, st.integers(0, 3), GROUPS)
)
def test_asking_for_more_never_makes_it_enough(
    approvals: list[Approval], requirement: Requirement, groups: tuple[str, ...], ask: Ask
) -> None:
    before = stands(*approvals, requirement=requirement)
    after = stands(*approvals, requirement=requirement.also(groups, [ask]))

    # Whom the rule asks may say no as well, or a no may be taken back by whom nobody asked before.
    assert before.enough or before.rejected or not after.enough
    assert before.missing <= after.missing


@given(st.lists(st.tuples(APPROVALS, VIOLATIONS), max_size=4), VIOLATIONS, VIOLATIONS)
def test_another_violation_never_makes_it_enough(
    told: list[tuple[Approval, tuple[Violation, ...]]],
    now: tuple[Violation, ...],
    more: tuple[Violation, ...],
) -> None:
    approvals = [
        replace(each, violations=tuple(one.digest for one in known)) for each, known in told
    ]

    before = stands(*approvals, violations=now)
    after = stands(*approvals, violations=(*now, *more))

    assert before.enough or not after.enough
    for each in after.given:
        assert broken_since(each.violations or (), (*now, *more)) == ()
