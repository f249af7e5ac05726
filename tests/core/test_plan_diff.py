from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.consequences import About, At, Fact, Subject
from driftctl_py.core.fingerprint import fingerprint
from driftctl_py.core.plan import (
    ActionInvocation,
    Change,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Plan,
    Setting,
)
from driftctl_py.core.plan_diff import Deviation, FactDifference, PlanDifference, compare_plans
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Sensitive, Value
from tests.data import plans

KEY = b"k" * 32


def plan_of(*changes: Change, **more: Any) -> Plan:
    facts: dict[str, Any] = {"managed": 1, "settings": ()}
    return Plan("1", joined=tuple(Joined(each, None) for each in changes), **facts | more)


def update(before: Any, after: Any, kind: Kind = Kind.UPDATE, **more: Any) -> Change:
    return Change("x.y", kind, before, after, **more)


def compared(a: str, b: str) -> PlanDifference:
    secrets = Secrets(KEY)
    one, other = (decode_plan(plans.of(each), secrets=secrets, settings=True) for each in (a, b))
    return compare_plans(one, other)


def only(difference: PlanDifference) -> Deviation:
    (deviation,) = difference.deviations
    return deviation


def told(deviation: Deviation) -> dict[str, tuple[Value, Value]]:
    return {
        " ".join([each.at.fact.value, *map(str, each.at.path)]): (each.a, each.b)
        for each in deviation.facts
    }


def test_a_plan_means_the_same_as_itself() -> None:
    found = compared("drift_and_pending", "drift_and_pending")

    assert found.same
    assert found.deviations == ()
    assert found.total > 1


def test_what_one_plan_does_and_the_other_does_not() -> None:
    created = update(None, {"a": 1}, Kind.CREATE)

    deviation = only(compare_plans(plan_of(created), plan_of()))

    assert deviation.subject == Subject(About.RESOURCE, "x.y")
    assert deviation.kinds == (Kind.CREATE, None)
    assert told(deviation) == {
        "kind": ("create", ABSENT),
        "mode": ("managed", ABSENT),
        "planned a": (1, ABSENT),
    }
    assert told(only(compare_plans(plan_of(), plan_of(created))))["planned a"] == (ABSENT, 1)


def test_what_both_do_otherwise_is_told_place_by_place() -> None:
    before = {"id": "i-1", "tags": {}, "policy": "", "size": 1}
    a = update(before, before | {"tags": {"team": "a"}, "policy": '{"Action": "get", "n": 1}'})
    b = update(before, before | {"tags": {"team": "b"}, "policy": '{"Action": "put", "n": 1}'})

    deviation = only(compare_plans(plan_of(a), plan_of(b)))

    assert deviation.facts == (
        FactDifference(At(Fact.PLANNED, ("policy", "Action")), "get", "put", in_json=True),
        FactDifference(At(Fact.PLANNED, ("tags", "team")), "a", "b"),
    )


def test_what_neither_knows_yet_is_no_difference() -> None:
    def created(name: str) -> Plan:
        return plan_of(update(None, {"id": UNKNOWN, "at": {"n": name, "ip": UNKNOWN}}, Kind.CREATE))

    assert compare_plans(created("a"), created("a")).same
    assert told(only(compare_plans(created("a"), created("b")))) == {"planned at n": ("a", "b")}


def test_a_key_that_goes_is_another_thing_than_one_that_becomes_null() -> None:
    def changed(after: Any) -> Plan:
        return plan_of(update({"tags": {"a": 1}}, {"tags": after}))

    deviation = only(compare_plans(changed({}), changed({"a": None})))

    assert told(deviation) == {"planned tags a": (ABSENT, None)}


def test_another_secret_is_another_consequence_and_stays_one() -> None:
    secrets = Secrets()
    old, one, other = map(secrets.mark, ("hunter21", "hunter22", "hunter23"))

    deviation = only(
        compare_plans(
            plan_of(update({"p": old}, {"p": one})), plan_of(update({"p": old}, {"p": other}))
        )
    )

    assert told(deviation) == {"planned p": (one, other)}


def test_settings_are_told_without_their_digests() -> None:
    def configured(*settings: Setting) -> Plan:
        return plan_of(settings=settings)

    deviation = only(
        compare_plans(
            configured(Setting("provider aws", "region", "e0"), Setting("provider aws", "a", "1")),
            configured(Setting("provider aws", "region", "e1"), Setting("provider aws", "b", "1")),
        )
    )

    by_path = {each.at.path[0]: (each.a, each.b) for each in deviation.facts}
    assert isinstance(by_path["region"][0], Sensitive)
    assert isinstance(by_path["region"][1], Sensitive)
    assert by_path["a"][1] is by_path["b"][0] is ABSENT
    assert not {"e0", "e1", "1"} & {str(each) for pair in by_path.values() for each in pair}


def test_what_destroys_comes_first_then_what_nobody_knows() -> None:
    def change(address: str, kind: Kind) -> Change:
        return Change(address, kind, {"id": "i"}, {"id": "i", "n": 1})

    found = compare_plans(
        plan_of(
            change("a.update", Kind.UPDATE),
            change("b.unknown", Kind.UNKNOWN),
            change("c.replace", Kind.REPLACE_CREATE_FIRST),
            outputs=(OutputChange("aa", Kind.DELETE, 1, None),),
        ),
        plan_of(change("d.delete", Kind.DELETE)),
    )

    assert [each.subject.name for each in found.deviations] == [
        "c.replace",
        "d.delete",
        "b.unknown",
        "a.update",
        "aa",
    ]
    assert [each.destroys for each in found.deviations] == [True, True, False, False, False]


def test_facts_about_all_of_an_object_come_before_those_about_its_places() -> None:
    a = update({"id": "i-1", "l": [1, 2], "b": 1}, {"id": "i-1", "l": [3, 4], "b": 2})
    b = update({"id": "i-2", "l": [5, 6], "b": 3}, {"id": "i-2", "l": [7, 8], "b": 4})

    assert list(told(only(compare_plans(plan_of(a), plan_of(b))))) == [
        "identity",
        "real b",
        "planned b",
        "real l 0",
        "planned l 0",
        "real l 1",
        "planned l 1",
    ]


def test_two_real_plans_differ_in_what_they_do() -> None:
    deviation = only(compared("replace", "replace_create_first"))

    assert deviation.kinds == (Kind.REPLACE, Kind.REPLACE_CREATE_FIRST)
    assert told(deviation) == {"kind": ("replace", "replace-create-first")}


@pytest.fixture(scope="module")
def everything() -> list[Plan]:
    secrets = Secrets(KEY)
    files = {path.parent.name: path for path in plans.files()}.values()
    return [decode_plan(path.read_bytes(), secrets=secrets, settings=True) for path in files]


def test_real_plans_have_one_fingerprint_where_they_mean_the_same(everything: list[Plan]) -> None:
    digests = [fingerprint(each, keyed=True) for each in everything]

    for one, other in itertools.combinations(range(len(everything)), 2):
        same = compare_plans(everything[one], everything[other]).same
        assert same == (digests[one] == digests[other])


# Few of each, so that two of them are often alike.
SMALL: st.SearchStrategy[Value] = st.recursive(
    st.sampled_from([None, True, 1, "", "a", '{"a": 1}', '{"a": [2]}', "a: 1\nb: 2\n", UNKNOWN]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)
OBJECTS: st.SearchStrategy[Value] = st.none() | st.dictionaries(
    st.sampled_from(["id", "a", "b"]), SMALL, max_size=2
)
CHANGES = st.builds(
    Change,
    address=st.just("x.y"),
    kind=st.sampled_from(Kind),
    before=OBJECTS,
    after=OBJECTS,
    mode=st.sampled_from(["managed", "managed", "data"]),
    actions=st.sampled_from([("a",), ("b",)]),
    reason=st.sampled_from(["", "read_because_check_nested"]),
    previous_address=st.sampled_from(["", "", "x.was"]),
    imported=st.booleans(),
    import_id=st.sampled_from([None, "i"]),
    replace_paths=st.sampled_from([(), (("a",),)]),
    sensitivity_changed=st.booleans(),
)
JOINED = st.builds(Joined, CHANGES, st.none() | CHANGES) | st.builds(Joined, st.none(), CHANGES)
PLANS = st.builds(
    Plan,
    engine_version=st.sampled_from(["1", "2"]),
    joined=st.lists(JOINED, max_size=1).map(tuple),
    outputs=st.lists(
        st.builds(OutputChange, st.just("o"), st.sampled_from(Kind), SMALL, SMALL), max_size=1
    ).map(tuple),
    deferred=st.lists(st.builds(Deferred, st.just("r"), CHANGES), max_size=1).map(tuple),
    invocations=st.lists(
        st.builds(ActionInvocation, st.just("action.a.b"), st.sampled_from(["", "x.y"])), max_size=2
    ).map(tuple),
    settings=st.none()
    | st.lists(
        st.builds(
            Setting,
            st.sampled_from(["provider aws", "provisioner x.y[0] local-exec"]),
            st.sampled_from(["a", "b"]),
            st.sampled_from(["", "c0ffee"]),
        ),
        max_size=2,
        unique_by=lambda each: (each.owner, each.path),
    ).map(tuple),
    managed=st.integers(0, 1),
    errored=st.booleans(),
    complete=st.sampled_from([None, True, False]),
    applyable=st.sampled_from([None, True, False]),
)


@settings(max_examples=400, deadline=None)
@given(PLANS, PLANS)
def test_two_plans_have_one_fingerprint_exactly_where_they_do_not_differ(a: Plan, b: Plan) -> None:
    found = compare_plans(a, b)

    assert found.same == (fingerprint(a, keyed=False) == fingerprint(b, keyed=False))
    assert compare_plans(a, a).same
    assert all(each.facts for each in found.deviations)
    assert len(found.deviations) <= found.total


@settings(max_examples=200, deadline=None)
@given(PLANS, PLANS)
def test_a_comparison_reads_the_same_from_both_ends(a: Plan, b: Plan) -> None:
    def turned(found: FactDifference) -> tuple[At, Value, Value]:
        return found.at, found.b, found.a

    there, back = compare_plans(a, b).deviations, compare_plans(b, a).deviations

    assert [each.subject for each in there] == [each.subject for each in back]
    for one, other in zip(there, back, strict=True):
        assert [(each.at, each.a, each.b) for each in one.facts] == list(map(turned, other.facts))
