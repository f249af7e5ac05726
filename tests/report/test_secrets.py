"""No secret in any report: the property that all of redaction is for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py.app.reconcile import Outcome
from driftctl_py.app.results import Origin, result_of_check, result_of_outcome
from driftctl_py.core.approval import People
from driftctl_py.core.assessment import assess
from driftctl_py.core.check import Assessed, Unknown
from driftctl_py.core.masks import Mask, Masks
from driftctl_py.core.plan import Plan
from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.plan_report import View, read_plan
from driftctl_py.core.result import Job, Occasion
from driftctl_py.core.result_json import encode_result
from driftctl_py.core.values import Secrets
from driftctl_py.report.json_report import render_json
from driftctl_py.report.markdown import render_markdown
from driftctl_py.report.plan_diff import (
    render_plan_diff_json,
    render_plan_diff_markdown,
    render_plan_diff_text,
)
from driftctl_py.report.plan_document import render_plan_json
from driftctl_py.report.plan_github import render_plan_github
from driftctl_py.report.plan_html import render_plan_html
from driftctl_py.report.plan_junit import render_plan_junit
from driftctl_py.report.plan_markdown import render_plan_markdown
from driftctl_py.report.plan_sarif import render_plan_sarif
from driftctl_py.report.plan_text import render_plan_text
from driftctl_py.report.text import render_text
from tests.data import plans
from tests.report.examples import checked, report_of
from tests.report.run_examples import NOW, run

CANARY = "hunter2-CANARY"
EMPTY = b'{"format_version": "1.2", "planned_values": {}, "resource_changes": []}'


def every_report(plan: bytes, *, masks: Masks = (), before: bytes = EMPTY) -> str:
    """All that is ever said about a plan: in every format and view, lenient and strict, and in
    comparison with the one ``before``."""
    # With a key, since that is when most is kept of a secret.
    secrets = Secrets(key=b"a key of nobody's")
    decoded = decode_plan(plan, masks=masks, secrets=secrets, settings=True)
    other = decode_plan(before, masks=masks, secrets=secrets, settings=True)
    said = [repr(decoded), *every_difference(decoded, other), *every_difference(other, decoded)]
    for strict in (False, True):
        said += every_check(decoded, strict=strict) + every_rendering(decoded, strict=strict)
    said += every_result(decoded)
    return "\n".join(said)


def every_check(plan: Plan, *, strict: bool) -> list[str]:
    assessment = assess(plan, strict=strict)
    report = report_of(
        checked("a", Assessed(assessment)),
        checked("b", Unknown("The plan is incomplete.", assessment=assessment)),
        strict=strict,
    )
    return [render_text(report, width=400), render_markdown(report), render_json(report)]


def every_rendering(plan: Plan, *, strict: bool) -> list[str]:
    report = read_plan(plan, name="plan.json", keyed=True, strict=strict)
    formats = (
        render_plan_html,
        render_plan_json,
        render_plan_junit,
        render_plan_sarif,
        render_plan_github,
        render_plan_markdown,
    )
    said = [render(report, view) for render in formats for view in View]
    return said + [render_plan_text(report, view, width=400) for view in View]


def every_result(plan: Plan) -> list[str]:
    """What a job hands on about it, from a check and from a run."""
    report = read_plan(plan, name="plan.json", keyed=True)
    check = checked("a", Assessed(report.assessment))
    outcome = Outcome(run(), report=report)
    origin = Origin("environments/prod")
    results = [
        result_of_check(check, job=Job()),
        result_of_outcome(
            outcome, Occasion.REVIEW, job=Job(), people=People(), now=NOW, origin=origin
        ),
    ]
    return [encode_result(each).decode() for each in results]


def every_difference(a: Plan, b: Plan) -> list[str]:
    found = compare_plans(a, b)
    return [
        render_plan_diff_text(found, "a", "b", width=400),
        render_plan_diff_markdown(found, "a", "b"),
        render_plan_diff_json(found, "a", "b"),
    ]


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_no_secret_of_a_real_plan_is_in_any_report(path: Path) -> None:
    said = every_report(path.read_bytes())

    assert "CANARY" not in said
    assert "hunter2" not in said


def test_a_changed_secret_is_reported_as_changed() -> None:
    plan = decode_plan(plans.of("sensitive"), secrets=Secrets(key=b"k"), settings=True)

    # A summary has no values, and nothing else may differ between the formats.
    for text in [*every_check(plan, strict=False), *every_result(plan)]:
        assert "(sensitive value)" in text or '"$mark": "sensitive"' in text
    html, document, junit, sarif, github, markdown = (
        each for each in every_rendering(plan, strict=False)[1:18:3]
    )
    for text in (html, junit, sarif, github, markdown):
        assert "(sensitive value)" in text
    assert '"$mark": "sensitive"' in document


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_no_secret_is_in_what_is_said_of_two_real_plans(path: Path) -> None:
    said = every_report(path.read_bytes(), before=plans.of("sensitive"))

    assert "CANARY" not in said
    assert "hunter2" not in said


def secret_trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["a", "b", "policy"]), inner, max_size=3
    )


LEAVES = st.sampled_from([CANARY, CANARY + "2", json.dumps({"key": CANARY}), f"line\n{CANARY}\n"])
VALUES = st.recursive(
    LEAVES | st.none() | st.integers(0, 3) | st.sampled_from(["", "plain", "{}", '{"a":1}']),
    secret_trees,
    max_leaves=8,
)


def mirror_of(value: Any) -> Any:
    """As an engine marks it: true at each secret, nothing where there is none."""
    if isinstance(value, dict):
        return {key: mark for key, each in value.items() if (mark := mirror_of(each))}
    if isinstance(value, list):
        return [mirror_of(each) or False for each in value]
    return isinstance(value, str) and CANARY in value


def coarser(mirror: Any, draw: Any) -> Any:
    """The same secrets, marked at some place above them, as Terraform does for sets."""
    if not mirror or draw(st.integers(0, 4)) == 0:
        return bool(mirror) or mirror
    if isinstance(mirror, dict):
        return {key: coarser(each, draw) for key, each in mirror.items()}
    if isinstance(mirror, list):
        return [coarser(each, draw) for each in mirror]
    return mirror


@st.composite
def marked_changes(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A change and the drift of one object, every secret of which is marked at least once."""
    objects = st.dictionaries(st.sampled_from(["v", "w"]), VALUES, min_size=1)
    recorded, real, planned = draw(objects), draw(objects), draw(objects)
    marks = [coarser(mirror_of(each), draw) for each in (recorded, real, planned)]
    drift_marks, change_marks = (marks[0], marks[1]), (marks[1], marks[2])
    reverted = draw(st.booleans())
    if reverted:
        # Both entries hold the same two values, so that one may leave the marks to the other.
        planned, change_marks = recorded, (marks[1], marks[0])
        one = draw(st.sampled_from(["drift", "change", "neither"]))
        drift_marks = (False, False) if one == "drift" else drift_marks
        change_marks = (False, False) if one == "change" else change_marks
    drift = {
        "actions": ["update"],
        "before": recorded,
        "after": real,
        "before_sensitive": drift_marks[0],
        "after_sensitive": drift_marks[1],
    }
    change = {
        "actions": draw(
            st.sampled_from(
                [["update"], ["delete", "create"], ["no-op"], ["delete"], ["create"], ["odd"]]
            )
        ),
        "before": real,
        "after": planned,
        "after_unknown": {},
        "before_sensitive": change_marks[0],
        "after_sensitive": change_marks[1],
    }
    return change, drift


def plan_with(change: dict[str, Any], drift: dict[str, Any], output: Any) -> dict[str, Any]:
    """A plan that holds the canary in every place that a plan has, each marked as engines do."""
    # The marks of this one may be left to its drift; those of others are not.
    marked = change | {
        "before_sensitive": mirror_of(change["before"]),
        "after_sensitive": mirror_of(change["after"]),
    }
    provisioner = {"type": "local-exec", "expressions": {"command": {"constant_value": CANARY}}}
    return {
        "format_version": "1.2",
        "planned_values": {"outputs": {"o": {"sensitive": True, "value": output}}},
        "variables": {"password": {"value": CANARY}},
        "prior_state": {"values": CANARY},
        "configuration": {
            "provider_config": {
                "x": {"full_name": "x", "expressions": {"token": {"constant_value": CANARY}}}
            },
            "root_module": {"resources": [{"address": "x.y", "provisioners": [provisioner]}]},
        },
        "resource_changes": [
            {"address": "x.y", "mode": "managed", "change": change},
            {"address": "x.old", "mode": "managed", "deposed": "d1", "change": marked},
            {"address": "data.x.y", "mode": "data", "change": marked},
        ],
        "resource_drift": [{"address": "x.y", "mode": "managed", "change": drift}],
        "deferred_changes": [
            {
                "reason": "resource_config_unknown",
                "resource_change": {"address": "x.later", "mode": "managed", "change": marked},
            }
        ],
        "output_changes": {
            "o": {
                "actions": ["update"],
                "before": output,
                "after": CANARY,
                "before_sensitive": True,
                "after_sensitive": True,
            }
        },
        "checks": [
            {
                "address": {"kind": "check", "to_display": "check.c"},
                "status": "fail",
                "instances": [{"problems": [{"message": CANARY}]}],
            }
        ],
        "action_invocations": [
            {
                "address": "action.a.b",
                "config_values": {"token": CANARY},
                "config_sensitive": {"token": True},
            }
        ],
    }


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(marked_changes(), marked_changes(), VALUES)
def test_nothing_that_is_marked_anywhere_is_in_any_report(
    entries: tuple[dict[str, Any], dict[str, Any]],
    others: tuple[dict[str, Any], dict[str, Any]],
    output: Any,
) -> None:
    plan, before = (json.dumps(plan_with(*each, output)).encode() for each in (entries, others))

    assert "CANARY" not in every_report(plan, before=before)


def without_marks(change: dict[str, Any]) -> dict[str, Any]:
    return change | {"before_sensitive": {}, "after_sensitive": {}}


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(marked_changes(), VALUES)
def test_what_only_a_mask_hides_is_in_no_report_either(
    entries: tuple[dict[str, Any], dict[str, Any]], output: Any
) -> None:
    change, drift = map(without_marks, entries)
    plan = json.dumps(plan_with(change, drift, output)).encode()

    assert "CANARY" not in every_report(plan, masks=[Mask(pattern=re.compile("CANARY"))])


def test_what_nothing_hides_is_in_every_report() -> None:
    """So that the others cannot pass for want of looking."""
    change = {
        "actions": ["update"],
        "before": {"v": "a"},
        "after": {"v": CANARY},
        "before_sensitive": {},
        "after_sensitive": {},
    }
    entry = {"address": "x.y", "mode": "managed", "change": change}
    document = json.loads(EMPTY) | {"resource_changes": [entry]}
    plan = decode_plan(json.dumps(document).encode(), settings=True)

    said = every_check(plan, strict=False) + every_rendering(plan, strict=False)
    # Of the three views of each format, the summary holds no values.
    summaries = said[3::3]
    assert [CANARY in text for text in said[:3]] == [True] * 3
    assert [CANARY in text for text in summaries] == [False] * 7
    assert all(CANARY in text for text in said[3:] if text not in summaries)
    for text in every_difference(plan, decode_plan(EMPTY, settings=True)):
        assert CANARY in text
