"""What is printed into a job's log commands nobody, whatever a plan holds."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.plan_report import View
from driftctl_py.report.plan_diff import render_plan_diff_markdown, render_plan_diff_text
from driftctl_py.report.plan_document import render_plan_json
from driftctl_py.report.plan_markdown import render_plan_markdown
from driftctl_py.report.plan_text import render_plan_text
from driftctl_py.report.show import no_commands
from tests.report.plan_reports import EVIL, entry, evil_plan, plan, report_of


def _is_obeyed(line: str) -> bool:
    return line.strip().startswith("::") or bool(re.search(r"##\w*\[", line))


def _obeyed(text: str) -> list[str]:
    return list(filter(_is_obeyed, text.split("\n")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", "\\u003a:error::x"),
        ("a\n  ::error::x", "a\n  \\u003a:error::x"),
        ("a\n\n\u3000::x", "a\n\n\u3000\\u003a:x"),
        ("a ::x b::c", "a ::x b::c"),
        (": :x", ": :x"),
        ("a ##[error]x", "a ##\\u005berror]x"),
        ("##vso[a]##[b]", "##vso\\u005ba]##\\u005bb]"),
        ("## [a]", "## [a]"),
    ],
)
def test_only_what_would_be_obeyed_is_spelled_out(text: str, shown: str) -> None:
    assert no_commands(text) == shown


def _everything(text: str) -> list[str]:
    """All that is read in a log, of a plan that holds ``text`` everywhere, and, alone on their
    lines, of a text that got ``text`` as a line, as a word and as the name of an attribute."""
    before = f"first\nlast\n{'word ' * 30}"
    after = f"first\n{text}\nlast\n{'word ' * 15}{text} {'word ' * 15}"
    lines = {"before": {"v": before, "w": [1], text: 1}, "after": {"v": after, "w": [2], text: 2}}
    made = {"before": None, "after": {"v": after, text: [after] * 3}}
    plans = [
        evil_plan(text),
        plan(resource_changes=[entry("x.y", "update", **lines), entry("x.z", "create", **made)]),
    ]
    found = []
    for each in plans:
        report = report_of(each, name=text)
        for view in View:
            found += [render_plan_text(report, view), render_plan_markdown(report, view)]
        found.append(render_plan_json(report, View.FULL))
        different = compare_plans(decode_plan(plans[0]), decode_plan(each))
        nothing = compare_plans(decode_plan(plan()), decode_plan(each))
        for difference in (different, nothing):
            found.append(render_plan_diff_text(difference, text, "b"))
            found.append(render_plan_diff_markdown(difference, text, "b"))
    return found


@pytest.mark.parametrize("text", EVIL)
def test_nothing_that_a_plan_holds_is_obeyed(text: str) -> None:
    for printed in _everything(text):
        assert _obeyed(printed) == []


@settings(deadline=None, max_examples=30)
@given(st.text(st.sampled_from("::%#[]\n\r\t ,=ae\x85\u2028\u3000"), min_size=1, max_size=12))
def test_nothing_at_all_is_obeyed(text: str) -> None:
    for printed in _everything(text):
        assert _obeyed(printed) == []


def test_a_document_holds_the_same_however_it_is_spelled() -> None:
    text = "##[error]::x ##vso[a]"
    changed = entry("x.y", "update", before={"v": "a"}, after={"v": text})

    document = json.loads(render_plan_json(report_of(plan(resource_changes=[changed])), View.FULL))
    assert document["changes"][0]["attributes"][0]["planned"] == text
