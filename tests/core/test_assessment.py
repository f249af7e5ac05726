from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driftctl_py.core.assessment import (
    Assessment,
    AttributeChange,
    Finding,
    Origin,
    Status,
    Totals,
    assess,
    nothing,
)
from driftctl_py.core.plan import (
    ActionInvocation,
    Change,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Plan,
)
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Value, equivalent, same
from tests.core.test_values import VALUES
from tests.data import plans
from tests.data.plans.expected import ERRORED, FINDINGS, PARTIAL

DRIFTED, PENDING, BOTH, IN_SYNC = (
    Status.DRIFTED,
    Status.PENDING,
    Status.DRIFTED_AND_PENDING,
    Status.IN_SYNC,
)
ASSETS, WEB = "folder_bucket.assets", "folder_server.web"


def assessed(scenario: str, **options: bool) -> Assessment:
    return assess(decode_plan(plans.of(scenario)), **options)


def judged(
    change: Change | None, drift: Change | None, *, strict: bool = False, **plan: Any
) -> Assessment:
    return assess(Plan("1", joined=(Joined(change, drift),), **plan), strict=strict)


def drift(before: Any, after: Any, kind: Kind = Kind.UPDATE, **more: Any) -> Change:
    return Change("x.y", kind, before, after, **more)


change = drift


def put_off(*addresses: str) -> tuple[Deferred, ...]:
    return tuple(Deferred("x", Change(each, Kind.CREATE, None, {})) for each in addresses)


def only(assessment: Assessment) -> Finding:
    (finding,) = assessment.findings
    return finding


def origins(attributes: Sequence[AttributeChange]) -> dict[str, Origin]:
    return {each.path: each.origin for each in attributes}


# Per scenario: the status, and per address the origin and what apply would do.
EXPECTED: dict[str, tuple[Status, dict[str, tuple[Origin, Kind]]]] = {
    **FINDINGS,
    "check_fails": (IN_SYNC, {}),
    "check_passes": (IN_SYNC, {}),
    "clean": (IN_SYNC, {}),
    "create": (
        PENDING,
        {ASSETS: (Origin.PENDING, Kind.CREATE), WEB: (Origin.PENDING, Kind.CREATE)},
    ),
    "data_read": (PENDING, {ASSETS: (Origin.PENDING, Kind.UPDATE)}),
    "delete": (PENDING, {WEB: (Origin.PENDING, Kind.DELETE)}),
    "deposed": (PENDING, {WEB: (Origin.PENDING, Kind.DELETE)}),
    "drift_and_pending": (BOTH, {ASSETS: (Origin.BOTH, Kind.UPDATE)}),
    "drift_deleted": (DRIFTED, {ASSETS: (Origin.DRIFT_REVERTED, Kind.CREATE)}),
    "drift_deleted_and_changed": (BOTH, {ASSETS: (Origin.BOTH, Kind.CREATE)}),
    "drift_destroyed": (BOTH, {ASSETS: (Origin.BOTH, Kind.DELETE)}),
    "drift_gone": (DRIFTED, {ASSETS: (Origin.DRIFT_GONE, Kind.NO_OP)}),
    "drift_json": (DRIFTED, {ASSETS: (Origin.DRIFT_REVERTED, Kind.UPDATE)}),
    "drift_replaces": (DRIFTED, {WEB: (Origin.DRIFT_REVERTED, Kind.REPLACE)}),
    "drift_reverted": (
        DRIFTED,
        {ASSETS: (Origin.DRIFT_REVERTED, Kind.UPDATE), WEB: (Origin.DRIFT_REVERTED, Kind.UPDATE)},
    ),
    "drift_tolerated": (DRIFTED, {ASSETS: (Origin.DRIFT_TOLERATED, Kind.NO_OP)}),
    "equivalent": (IN_SYNC, {}),
    "equivalent_applied": (PENDING, {ASSETS: (Origin.PENDING, Kind.UPDATE)}),
    "errored": (PENDING, {ASSETS: (Origin.PENDING, Kind.UPDATE)}),
    "forget": (PENDING, {ASSETS: (Origin.PENDING, Kind.FORGET)}),
    "import": (PENDING, {ASSETS: (Origin.PENDING, Kind.NO_OP)}),
    "move": (PENDING, {"folder_bucket.files": (Origin.PENDING, Kind.NO_OP)}),
    "move_drifted": (BOTH, {"folder_bucket.files": (Origin.BOTH, Kind.UPDATE)}),
    "nested": (PENDING, {"terraform_data.settings": (Origin.PENDING, Kind.UPDATE)}),
    "outputs": (PENDING, {}),
    "refresh_only": (DRIFTED, {ASSETS: (Origin.DRIFT_TOLERATED, Kind.NO_OP)}),
    "replace": (PENDING, {WEB: (Origin.PENDING, Kind.REPLACE)}),
    "replace_create_first": (PENDING, {WEB: (Origin.PENDING, Kind.REPLACE_CREATE_FIRST)}),
    "replace_requested": (PENDING, {WEB: (Origin.PENDING, Kind.REPLACE)}),
    "replace_triggered": (
        PENDING,
        {ASSETS: (Origin.PENDING, Kind.UPDATE), WEB: (Origin.PENDING, Kind.REPLACE)},
    ),
    "sensitive": (
        BOTH,
        {
            ASSETS: (Origin.BOTH, Kind.UPDATE),
            "folder_secret.database": (Origin.BOTH, Kind.UPDATE),
            "terraform_data.settings": (Origin.PENDING, Kind.UPDATE),
        },
    ),
    "sensitivity_only": (PENDING, {ASSETS: (Origin.PENDING, Kind.UPDATE)}),
    "targeted": (IN_SYNC, {}),
    "unknown": (
        PENDING,
        {
            WEB: (Origin.PENDING, Kind.REPLACE),
            "terraform_data.note": (Origin.PENDING, Kind.UPDATE),
        },
    ),
}


def test_every_scenario_has_its_expectation() -> None:
    assert set(EXPECTED) == set(plans.scenarios())


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_real_plan_is_assessed_as_it_was_made(path: Path) -> None:
    assessment = assess(decode_plan(path.read_bytes()))

    status, findings = EXPECTED[path.parent.name]
    assert assessment.status is status
    assert {each.address: (each.origin, each.kind) for each in assessment.findings} == findings


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_the_totals_are_the_engines_own(path: Path) -> None:
    expected = {
        "create": Totals(add=2),
        "deposed": Totals(destroy=1),
        "forget": Totals(forget=1),
        "import": Totals(import_=1),
        "move": Totals(),
        "outputs": Totals(),
        "replace_triggered": Totals(add=1, change=1, destroy=1),
        "rich": Totals(add=4, change=6, destroy=4, import_=1, forget=1),
    }
    if path.parent.name in expected:
        assert assess(decode_plan(path.read_bytes())).totals == expected[path.parent.name]


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_only_plans_that_lack_something_are_incomplete(path: Path) -> None:
    assessment = assess(decode_plan(path.read_bytes()))

    # OpenTofu does not say that a target was given; who gives one knows.
    lacking = path.parent.name in ERRORED or (
        path.parent.name in PARTIAL and not path.stem.startswith("tofu")
    )
    assert assessment.complete == (not lacking)
    assert bool(assessment.incomplete_reason) == lacking


def test_drift_tells_what_was_recorded_and_what_is_there() -> None:
    found = {each.address: each.attributes for each in assessed("drift_reverted").findings}

    assert [(a.path, a.recorded, a.real, a.planned) for a in found[ASSETS]] == [
        ("tags.team", "platform", "growth", "platform")
    ]
    assert [(a.path, a.recorded, a.real, a.planned) for a in found[WEB]] == [("cpus", 2, 8, 2)]
    assert assessed("drift_reverted").drifted == 2


def test_each_attribute_has_its_own_origin() -> None:
    finding = only(assessed("drift_and_pending"))

    assert origins(finding.attributes) == {
        "expire_days": Origin.PENDING,
        "tags.team": Origin.BOTH,
        "tags.tier": Origin.DRIFT_REVERTED,
    }
    assert finding.drifted
    assert finding.pending


def test_a_deleted_object_lists_only_what_apply_would_make_different() -> None:
    assert only(assessed("drift_deleted")).attributes == ()
    (attribute,) = only(assessed("drift_deleted_and_changed")).attributes

    assert (attribute.path, attribute.recorded, attribute.real) == ("expire_days", 30, ABSENT)
    assert attribute.planned == 60
    assert only(assessed("drift_deleted")).deleted_outside


def test_a_drifted_object_that_goes_tells_its_drift_from_the_rest() -> None:
    attributes = only(assessed("drift_destroyed")).attributes
    (drifted,) = (each for each in attributes if each.drifted)

    assert (drifted.path, drifted.recorded, drifted.real) == ("expire_days", 30, 7)
    assert (drifted.planned, drifted.origin) == (ABSENT, Origin.BOTH)
    assert {"name", "tags"} < {each.path for each in attributes} - {"expire_days"}
    assert {each.planned for each in attributes} == {ABSENT}


def test_what_forces_a_replacement_is_marked() -> None:
    for scenario in ("replace", "drift_replaces"):
        forcing = [a.path for a in only(assessed(scenario)).attributes if a.forces_replacement]

        assert forcing == ["image"]


def test_json_in_strings_is_compared_by_what_it_holds() -> None:
    (attribute,) = only(assessed("drift_json")).attributes

    assert attribute.path == "policy.Statement[0].Action"
    assert attribute.in_json
    assert attribute.real == ["s3:GetObject", "s3:*"]


def test_spelling_is_listed_apart_unless_strict() -> None:
    lenient, strict = assessed("equivalent"), assessed("equivalent", strict=True)

    assert (lenient.status, lenient.findings, lenient.equivalents) == (IN_SYNC, (), 1)
    assert [each.address for each in lenient.equivalent] == [ASSETS]
    assert strict.status is DRIFTED
    assert only(strict).origin is Origin.DRIFT_TOLERATED


def test_spelling_that_apply_would_change_is_pending_and_drift_when_strict() -> None:
    assert assessed("equivalent_applied").status is PENDING
    assert assessed("equivalent_applied", strict=True).status is DRIFTED


def test_reads_are_counted_apart() -> None:
    assert (assessed("check_passes").check_reads, assessed("check_passes").reads) == (1, 0)
    assert (assessed("data_read").check_reads, assessed("data_read").reads) == (0, 1)
    assert assessed("data_read").totals == Totals(change=1)


def test_checks_that_fail_are_told() -> None:
    assert [each.address for each in assessed("check_fails").failed_checks] == ["check.region"]


def test_nothing_is_in_sync_and_complete() -> None:
    assert nothing() == Assessment()
    assert (nothing().status, nothing().complete, nothing().drifted) == (IN_SYNC, True, 0)


def test_modifiers_are_named() -> None:
    assert only(assessed("move")).modifiers == ("move",)
    assert only(assessed("import")).modifiers == ("import",)
    assert only(assessed("delete")).modifiers == ()
    assert only(assessed("deposed")).deposed


def test_attributes_say_whether_something_is_hidden_or_unknown() -> None:
    secret = next(f for f in assessed("sensitive").findings if f.address.startswith("folder_s"))
    unknown = next(f for f in assessed("unknown").findings if f.address.startswith("terraform"))

    assert {a.path: (a.sensitive, a.unknown) for a in secret.attributes} == {
        "value": (True, False),
        "version": (False, True),
    }
    assert all(a.unknown for a in unknown.attributes)


# Laws: all the ways in which S, R and P can relate.


def updated(s: Value, r: Value, p: Value, *, strict: bool = False) -> Assessment:
    """An object with the value ``s``, found as ``r``, planned as ``p``."""
    found = None if same(s, r) else drift({"v": s}, {"v": r})
    kind = Kind.NO_OP if same(r, p) else Kind.UPDATE
    return judged(change({"v": r}, {"v": p}, kind), found, strict=strict)


@given(VALUES)
def test_where_all_three_are_the_same_there_is_nothing(v: Value) -> None:
    assert assess(Plan("1", joined=())).status is IN_SYNC
    assert updated(v, v, v).status is IN_SYNC
    assert updated(v, v, v, strict=True).findings == ()


@given(VALUES, VALUES)
def test_a_change_without_drift_is_pending_however_alike(s: Value, p: Value) -> None:
    assume(not same(s, p))

    for strict in (False, True):
        found = updated(s, s, p, strict=strict)
        assert found.status is PENDING
        assert set(origins(only(found).attributes).values()) == {Origin.PENDING}


@given(VALUES, VALUES)
def test_drift_that_apply_leaves_counts_unless_it_is_spelling(s: Value, r: Value) -> None:
    assume(not same(s, r))

    found = updated(s, r, r)
    # Parts of it may be equivalent, or else all of it.
    attributes = (*found.findings, *found.equivalent)[0].attributes
    assert set(origins(attributes).values()) <= {Origin.DRIFT_TOLERATED, Origin.EQUIVALENT}
    assert (found.status is IN_SYNC) == equivalent(s, r)
    assert updated(s, r, r, strict=True).status is DRIFTED


@given(VALUES, VALUES)
def test_drift_that_apply_reverts_is_drift_alone(s: Value, r: Value) -> None:
    assume(not same(s, r))

    found = updated(s, r, s)
    assert set(origins(only(found).attributes).values()) <= {Origin.DRIFT_REVERTED, Origin.PENDING}
    assert (found.status is PENDING) == equivalent(s, r)
    assert updated(s, r, s, strict=True).status is DRIFTED


@given(VALUES, VALUES, VALUES, st.booleans())
def test_what_the_engine_would_apply_is_never_in_sync(
    s: Value, r: Value, p: Value, strict: bool
) -> None:
    assume(not same(r, p))

    assert updated(s, r, p, strict=strict).status is not IN_SYNC


@given(VALUES, VALUES, VALUES)
def test_strict_never_finds_less(s: Value, r: Value, p: Value) -> None:
    lenient, strict = updated(s, r, p), updated(s, r, p, strict=True)

    assert len(lenient.findings) <= len(strict.findings)
    assert lenient.drifted <= strict.drifted


@pytest.mark.parametrize(
    ("s", "r", "p", "origin", "status"),
    [
        (1, 2, 3, Origin.BOTH, BOTH),
        # The code says the same as before, in another spelling.
        ({}, {"a": 1}, None, Origin.DRIFT_REVERTED, DRIFTED),
        # Apply would write what is there already, in another spelling.
        ({"a": 1}, {}, None, Origin.BOTH, BOTH),
        # Recorded and real are alike, and apply changes it in earnest.
        (None, {}, {"a": 1}, Origin.PENDING, PENDING),
        (1, 1, UNKNOWN, Origin.UNDETERMINED, PENDING),
        (1, 2, UNKNOWN, Origin.UNDETERMINED, BOTH),
        (None, "", UNKNOWN, Origin.UNDETERMINED, PENDING),
        ([1, 2], [1, 3], [1, UNKNOWN], Origin.UNDETERMINED, BOTH),
        # It may become what was recorded, and cannot stay as it is.
        ([1, 2], [1], [1, UNKNOWN], Origin.UNDETERMINED, BOTH),
        # Whatever it becomes, it is neither.
        ([1, 2], [1, 3], [2, UNKNOWN], Origin.BOTH, BOTH),
        # Spelling within JSON is taken at its word.
        ('{"a":null}', '{"a":{}}', '{"a":{}}', Origin.DRIFT_TOLERATED, DRIFTED),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', '{"b":2,"a":1}', Origin.EQUIVALENT, IN_SYNC),
    ],
)
def test_each_relation_of_the_three_has_its_origin(
    s: Any, r: Any, p: Any, origin: Origin, status: Status
) -> None:
    found = updated(s, r, p)

    assert found.status is status
    (finding,) = found.findings or found.equivalent
    assert set(origins(finding.attributes).values()) == {origin}


# What only literals can show: other engines, other versions, odd combinations.


def test_an_undetermined_attribute_beside_reverted_drift_is_not_pending() -> None:
    found = judged(
        change({"v": 2, "etag": "b"}, {"v": 1, "etag": UNKNOWN}),
        drift({"v": 1, "etag": "a"}, {"v": 2, "etag": "b"}),
    )

    assert found.status is DRIFTED
    assert origins(only(found).attributes)["etag"] is Origin.UNDETERMINED


def test_drift_alone_that_is_undetermined_is_told_as_such() -> None:
    found = judged(change({"v": 2}, {"v": UNKNOWN}), drift({"v": 1}, {"v": 2}))

    assert only(found).origin is Origin.UNDETERMINED


@pytest.mark.parametrize(
    ("reason", "paths", "status"),
    [
        ("replace_because_cannot_update", (("v",),), DRIFTED),
        ("", (), DRIFTED),
        ("replace_because_cannot_update", (("other",),), BOTH),
        ("replace_because_tainted", (), BOTH),
        ("replace_by_triggers", (), BOTH),
        ("replace_for_a_reason_of_the_future", (), BOTH),
    ],
)
def test_a_replacement_is_drift_alone_only_where_drift_forces_it(
    reason: str, paths: Any, status: Status
) -> None:
    found = judged(
        change(
            {"v": 2, "other": 1},
            {"v": 1, "other": UNKNOWN},
            Kind.REPLACE,
            reason=reason,
            replace_paths=paths,
        ),
        drift({"v": 1, "other": 1}, {"v": 2, "other": 1}),
    )

    assert found.status is status


@pytest.mark.parametrize(
    ("forcing", "marked"),
    [(("rule",), True), (("rule", 0, "port"), True), (("rule", 1), False), (("rules",), False)],
)
def test_a_path_that_forces_marks_what_is_on_it(forcing: Any, marked: bool) -> None:
    found = judged(
        change(
            {"rule": [{"port": 1}]}, {"rule": [{"port": 2}]}, Kind.REPLACE, replace_paths=(forcing,)
        ),
        None,
    )

    (attribute,) = only(found).attributes
    assert attribute.forces_replacement == marked


def test_an_unknown_list_of_actions_is_pending_and_shown() -> None:
    found = judged(change({"v": 1}, {"v": 1}, Kind.UNKNOWN, actions=("evaporate",)), None)

    assert found.status is PENDING
    assert (only(found).kind, only(found).origin) == (Kind.UNKNOWN, Origin.UNDETERMINED)
    assert only(found).actions == ("evaporate",)


def test_drift_of_an_unknown_kind_is_never_in_sync() -> None:
    found = judged(change({"v": 1}, {"v": 1}, Kind.NO_OP), drift({"v": 1}, {"v": 1}, Kind.UNKNOWN))

    assert found.status is BOTH
    assert only(found).drift is Kind.UNKNOWN
    assert only(found).origin is Origin.UNDETERMINED


def test_an_unknown_action_on_a_data_source_is_shown() -> None:
    found = judged(change(None, None, Kind.UNKNOWN, mode="data", actions=("gaze",)), None)

    assert found.status is PENDING
    assert only(found).actions == ("gaze",)


@pytest.mark.parametrize("kind", [Kind.NO_OP, Kind.DELETE])
def test_a_data_source_that_goes_is_nothing(kind: Kind) -> None:
    found = judged(change(None, None, kind, mode="data"), None)

    assert (found.status, found.reads, found.totals) == (IN_SYNC, 0, Totals())


def test_a_data_source_never_drifts() -> None:
    found = judged(None, drift({"v": 1}, {"v": 2}, mode="data"))

    assert (found.status, found.findings, found.equivalent) == (IN_SYNC, (), ())


def test_an_ephemeral_value_is_no_change() -> None:
    found = judged(change(None, None, Kind.UNKNOWN, mode="ephemeral", actions=("open",)), None)

    assert (found.status, found.findings) == (IN_SYNC, ())


def test_drift_in_marks_only_is_spelling() -> None:
    marks = drift({"v": 1}, {"v": 1})

    lenient = judged(change({"v": 1}, {"v": 1}, Kind.NO_OP), marks)
    assert (lenient.status, lenient.equivalents) == (IN_SYNC, 1)
    assert judged(change({"v": 1}, {"v": 1}, Kind.NO_OP), marks, strict=True).status is DRIFTED


def test_a_move_that_only_a_refresh_saw_is_pending_and_no_drift() -> None:
    moved = drift({"v": 1}, {"v": 1}, Kind.NO_OP, previous_address="x.old")

    for strict in (False, True):
        found = judged(None, moved, strict=strict)
        assert found.status is PENDING
        assert only(found).drift is None


def test_something_deleted_that_the_code_moved_is_both() -> None:
    gone = drift({"v": 1}, None, Kind.DELETE)

    found = judged(change(None, {"v": 1}, Kind.CREATE, previous_address="x.old"), gone)
    assert found.status is BOTH


@pytest.mark.parametrize("kind", [Kind.DELETE, Kind.UPDATE, Kind.REPLACE])
def test_something_deleted_that_the_engine_treats_as_there_is_both(kind: Kind) -> None:
    found = judged(change(None, None, kind), drift({"v": 1}, None, Kind.DELETE))

    assert found.status is BOTH


def test_a_recreated_object_may_differ_in_spelling_and_in_what_is_known_later() -> None:
    gone = drift({"tags": None, "id": "a", "n": 1}, None, Kind.DELETE)
    again = change(None, {"tags": {}, "id": UNKNOWN, "n": 1}, Kind.CREATE)

    assert judged(again, gone).status is DRIFTED
    assert judged(again, gone, strict=True).status is BOTH


def test_a_drifted_object_that_is_forgotten_keeps_its_drift() -> None:
    found = judged(change({"v": 2}, None, Kind.FORGET), drift({"v": 1}, {"v": 2}))

    assert found.status is BOTH
    assert origins(only(found).attributes) == {"v": Origin.DRIFT_TOLERATED}


def test_an_object_that_goes_lists_all_that_it_has() -> None:
    having = {"name": "logs", "policy": None, "tags": {}, "secret": Secrets().mark("x")}
    finding = only(judged(change(having, None, Kind.DELETE), None))

    assert {each.path: (each.real, each.planned) for each in finding.attributes} == {
        "name": ("logs", ABSENT),
        "secret": (having["secret"], ABSENT),
        "tags": ({}, ABSENT),
    }
    assert {each.origin for each in finding.attributes} == {Origin.PENDING}
    assert finding.origin is Origin.PENDING
    assert not any(each.drifted for each in finding.attributes)


def test_an_object_that_goes_lists_what_was_changed_outside_at_its_own_place() -> None:
    rules = [{"port": 22, "open": True}, {"port": 80, "open": True}]
    before = {
        "policy": '{"a": 1, "b": 1}',
        "rules": [*rules, {"port": 443, "open": True}],
        "tags": {"env": "prod", "team": "ada", "x": None},
    }
    after = {
        "policy": '{"a": 2, "b": 1}',
        "rules": [*rules, {"port": 443, "open": False}],
        "tags": {"env": "test", "team": "ada", "x": None},
    }
    finding = only(judged(change(after, None, Kind.DELETE), drift(before, after)))

    assert [(each.path, each.origin) for each in finding.attributes] == [
        ("policy.a", Origin.BOTH),
        ("rules[0]", Origin.PENDING),
        ("rules[1]", Origin.PENDING),
        ("rules[2].open", Origin.BOTH),
        ("rules[2].port", Origin.PENDING),
        ("tags.env", Origin.BOTH),
        ("tags.team", Origin.PENDING),
    ]
    assert {each.planned for each in finding.attributes} == {ABSENT}


def test_an_object_that_goes_and_is_a_secret_as_a_whole_is_listed_as_one() -> None:
    secret = Secrets().mark({"a": 1})
    finding = only(judged(change(secret, None, Kind.DELETE), None))

    assert [(each.path, each.real) for each in finding.attributes] == [("", secret)]


def test_an_equivalent_object_that_goes_is_pending_only() -> None:
    found = judged(change({"v": {}}, None, Kind.DELETE), drift({"v": None}, {"v": {}}))

    assert found.status is PENDING
    assert origins(only(found).attributes) == {"v": Origin.EQUIVALENT}
    assert found.equivalents == 1


def test_something_made_outside_under_an_address_is_drift() -> None:
    found = judged(None, drift(None, {"v": 1}, Kind.CREATE))

    assert found.status is DRIFTED
    assert origins(only(found).attributes) == {"v": Origin.DRIFT_TOLERATED}


def test_what_a_new_object_gets_from_its_provider_is_not_listed() -> None:
    found = judged(change(None, {"v": 1, "id": UNKNOWN}, Kind.CREATE), None)

    assert origins(only(found).attributes) == {"v": Origin.PENDING}


@pytest.mark.parametrize("kind", [Kind.FORGET_THEN_CREATE, Kind.CREATE_THEN_FORGET])
def test_replacing_without_destroying_adds_and_forgets(kind: Kind) -> None:
    found = judged(change({"v": 1}, {"v": 2}, kind), None)

    assert found.status is PENDING
    assert found.totals == Totals(add=1, forget=1)
    assert kind.forgets
    assert not kind.destroys


def test_outputs_and_actions_are_pending() -> None:
    output = OutputChange("url", Kind.UPDATE, 1, 2)

    assert assess(Plan("1", outputs=(output,))).status is PENDING
    assert assess(Plan("1", invocations=(ActionInvocation("action.x.y"),))).status is PENDING


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan("1", errored=True, complete=False), "failed while it planned"),
        (Plan("1", complete=False), "does not cover"),
        (Plan("1", deferred=put_off("a", "b"), complete=False), "put off 2 to a later plan: a, b."),
        (Plan("1", deferred=put_off("a", "b", "c", "d")), "a, b, c, …"),
        (Plan("1", applyable=True), "cannot see in it"),
    ],
)
def test_a_plan_that_lacks_something_says_what(plan: Plan, says: str) -> None:
    found = assess(plan)

    assert not found.complete
    assert says in found.incomplete_reason


@pytest.mark.parametrize("complete", [None, True])
def test_an_engine_that_does_not_say_is_taken_for_complete(complete: bool | None) -> None:
    assert assess(Plan("1", complete=complete, applyable=False)).complete


# Nothing to do and nothing drifted: such an object is not kept in a plan.
_UNTOUCHED = (Kind.NO_OP, None)
_KINDS = st.tuples(st.sampled_from(Kind), st.sampled_from([*Kind, None]))


@given(st.lists(_KINDS.filter(lambda kinds: kinds != _UNTOUCHED), max_size=4))
def test_no_combination_of_kinds_is_lost(kinds: list[tuple[Kind, Kind | None]]) -> None:
    joined = tuple(
        Joined(
            Change(f"x.{at}", kind, {"v": 1}, {"v": 2}),
            None if outside is None else Change(f"x.{at}", outside, {"v": 0}, {"v": 1}),
        )
        for at, (kind, outside) in enumerate(kinds)
    )
    found = assess(Plan("1", joined=joined))

    assert len(found.findings) + len(found.equivalent) == len(joined)
    for finding, (kind, outside) in zip(found.findings, kinds, strict=True):
        assert finding.pending or finding.drifted
        assert finding.kind is kind
        assert outside in (finding.drift, Kind.NO_OP)
