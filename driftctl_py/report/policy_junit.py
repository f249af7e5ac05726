"""Tests of rules as JUnit XML, for what shows test results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from driftctl_py.core.policy_tests import Outcome
from driftctl_py.report.policy_text import failure_lines
from driftctl_py.report.show import clean

_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def render_tests_junit(outcomes: Sequence[Outcome]) -> str:
    """A suite of all tests, ending in a newline."""
    failed = sum(bool(each.failures) for each in outcomes)
    counts = f'tests="{len(outcomes)}" failures="{failed}" errors="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="driftctl-py policy" {counts} time="0">',
        f'<testsuite name="rules" {counts} skipped="0" time="0">',
        *(line for each in outcomes for line in _case(each)),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(outcome: Outcome) -> Iterator[str]:
    filename, _, line = outcome.case.where.rpartition(":")
    attributes = (
        f'name="{_text(outcome.case.name)}" classname="{_text(outcome.environment or "rules")}" '
        f'file="{_text(filename)}" line="{_text(line)}" time="0"'
    )
    if not outcome.failures:
        yield f"<testcase {attributes}/>"
        return
    yield f"<testcase {attributes}>"
    yield (
        f'<failure message="{_text(outcome.failures[0])}" type="expectation">'
        + "\n".join(map(_text, failure_lines(outcome)))
        + "</failure>"
    )
    yield "</testcase>"


def _text(text: str) -> str:
    """On one line, without what XML cannot hold: `clean` spells it out."""
    return re.sub('[&<>"]', lambda found: _REFERENCES[found[0]], clean(text))
