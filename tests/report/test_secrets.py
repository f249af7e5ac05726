"""No secret in any report: the property that all of redaction is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py.core.assessment import assess
from driftctl_py.core.check import Assessed, Unknown
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.report.json_report import render_json
from driftctl_py.report.markdown import render_markdown
from driftctl_py.report.text import render_text
from tests.data import plans
from tests.report.examples import checked, report_of

CANARY = "hunter2-CANARY"


def every_report(plan: bytes) -> str:
    """All that is ever said about a plan, in every format, lenient and strict."""
    decoded = decode_plan(plan)
    said = ""
    for strict in (False, True):
        assessment = assess(decoded, strict=strict)
        report = report_of(
            checked("a", Assessed(assessment)),
            checked("b", Unknown("The plan is incomplete.", assessment=assessment)),
            strict=strict,
        )
        said += render_text(report, width=400) + render_markdown(report) + render_json(report)
    return said + repr(decoded)


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_no_secret_of_a_real_plan_is_in_any_report(path: Path) -> None:
    said = every_report(path.read_bytes())

    assert "CANARY" not in said
    assert "hunter2" not in said


def test_a_changed_secret_is_reported_as_changed() -> None:
    said = every_report(plans.of("sensitive"))

    assert "value" in said
    assert "(sensitive value)" in said
    assert '"$mark": "sensitive"' in said


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


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(marked_changes(), VALUES)
def test_nothing_that_is_marked_anywhere_is_in_any_report(
    entries: tuple[dict[str, Any], dict[str, Any]], output: Any
) -> None:
    change, drift = entries
    document = {
        "format_version": "1.2",
        "planned_values": {"outputs": {"o": {"sensitive": True, "value": output}}},
        "variables": {"password": {"value": CANARY}},
        "prior_state": {"values": CANARY},
        "resource_changes": [{"address": "x.y", "mode": "managed", "change": change}],
        "resource_drift": [{"address": "x.y", "mode": "managed", "change": drift}],
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

    assert "CANARY" not in every_report(json.dumps(document).encode())
