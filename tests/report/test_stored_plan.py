"""Real plans, written as documents and read back: what is shown of both is the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from driftctl_py.core.plan_report import View
from driftctl_py.errors import PlanError
from driftctl_py.report.plan_document import render_plan_json
from driftctl_py.report.plan_text import render_plan_text
from driftctl_py.report.stored_plan import read_stored_plan
from tests.data import plans
from tests.report import plan_reports
from tests.report.plan_reports import EVIL, evil_plan, report_of

# Which of several secrets changed is in no document.
FILES = [path for path in plans.files() if path.parent.name != "sensitive_nested"]


@pytest.mark.parametrize("path", FILES, ids=[f"{p.parent.name}/{p.stem}" for p in FILES])
def test_a_stored_plan_is_shown_as_it_was(path: Path) -> None:
    report = plan_reports.report_at(path)

    stored = read_stored_plan(render_plan_json(report, View.FULL).encode())

    assert render_plan_text(stored, View.SUMMARY) == render_plan_text(report, View.SUMMARY)
    was, now = (render_plan_text(each, View.CHANGES).split("\n") for each in (report, stored))
    # What of a new object is only known after apply, and what one that was deleted outside will
    # be again, is in no document.
    left_out = re.compile(r" +(… \d+ more known after apply|\w+ +\S.*)")
    rest = iter(was)
    assert all(line in rest for line in now)
    assert [line for line in was if line not in now and not left_out.fullmatch(line)] == []


def test_of_a_value_with_secrets_in_it_only_is_told_that_it_changed() -> None:
    report = plan_reports.of("sensitive_nested")

    stored = read_stored_plan(render_plan_json(report, View.FULL).encode())

    assert re.search(
        r"input\.list +\(sensitive value\) +real → planned", render_plan_text(stored, View.CHANGES)
    )


@pytest.mark.parametrize("evil", EVIL)
def test_whatever_a_plan_holds_can_be_read_back(evil: str) -> None:
    document = render_plan_json(report_of(evil_plan(evil)), View.FULL)

    stored = read_stored_plan(document.encode())

    assert render_plan_json(stored, View.FULL) == document


def test_a_summary_has_no_values_and_can_be_read_too() -> None:
    report = plan_reports.of("rich")

    stored = read_stored_plan(render_plan_json(report, View.SUMMARY).encode())

    shown = render_plan_text(stored, View.SUMMARY)
    assert shown.splitlines()[0] == render_plan_text(report, View.SUMMARY).splitlines()[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"document": "plan", "schema_version": 2}',
        b'{"document": "plan", "schema_version": 1}',
        b'{"document": "plan-difference", "schema_version": 1}',
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PlanError, match="not a document that this version"):
        read_stored_plan(data)


def test_a_value_that_is_none_is_refused() -> None:
    document = json.loads(render_plan_json(plan_reports.of("drift_reverted"), View.FULL))
    document["changes"][0]["attributes"][0]["real"] = {"$mark": "of tomorrow"}

    # An object of the user's own is wrapped, so this one is ours, and of another version.
    with pytest.raises(PlanError):
        read_stored_plan(json.dumps(document).encode())


def test_an_object_of_somebodys_own_that_looks_like_a_mark_is_told_apart() -> None:
    made = plan_reports.entry("x.y", "create", before=None, after={"v": [{"$mark": "sensitive"}]})
    report = report_of(plan_reports.plan(resource_changes=[made]))

    stored = read_stored_plan(render_plan_json(report, View.FULL).encode())

    assert render_plan_text(stored, View.CHANGES) == render_plan_text(report, View.CHANGES)
