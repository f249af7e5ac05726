"""Pieces of JUnit XML: what the report of a plan and that of many results are made of.

Keeps to what Jenkins, GitLab and the rest all read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from driftctl_py.report.show import no_commands

# XML 1.0 has no way to write any other character, not even as a reference.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


@dataclass(frozen=True, slots=True)
class Case:
    """``outcome`` is ``error`` or ``failure``, empty for what passed."""

    name: str
    group: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """``facts`` become properties, ``said`` what it printed."""

    name: str
    cases: Sequence[Case]
    facts: Iterable[tuple[str, object]] = ()
    said: str = ""
    seconds: float = 0


def render_suites(suites: Sequence[Suite]) -> str:
    """A document, ending in a newline."""
    everything = [case for suite in suites for case in suite.cases]
    seconds = _seconds(sum(suite.seconds for suite in suites))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _tag("testsuites", name="driftctl-py", **_counts(everything), time=seconds),
        *(line for suite in suites for line in _suite(suite)),
        "</testsuites>",
    ]
    # Where it is printed into a job's log, no text in it commands who runs the job.
    return no_commands("\n".join(lines) + "\n")


def _suite(suite: Suite) -> Iterator[str]:
    counts, seconds = _counts(suite.cases), _seconds(suite.seconds)
    yield _tag("testsuite", name=suite.name, **counts, skipped=0, time=seconds)
    yield "<properties>"
    yield from (_tag("property", name=name, value=value, end="/") for name, value in suite.facts)
    yield "</properties>"
    yield from (line for case in suite.cases for line in _case(case))
    yield f"<system-out>{_text(suite.said)}</system-out>"
    yield "</testsuite>"


def _counts(cases: Sequence[Case]) -> dict[str, Any]:  # Any: attributes of a tag
    return {
        "tests": len(cases),
        "failures": sum(case.outcome == "failure" for case in cases),
        "errors": sum(case.outcome == "error" for case in cases),
    }


def _case(case: Case) -> Iterator[str]:
    yield _tag("testcase", name=case.name, classname=case.group, time=0)
    if case.outcome:
        tag = _tag(case.outcome, type=case.type, message=case.message)
        yield f"{tag}{_text(case.body)}</{case.outcome}>"
    else:
        yield f"<system-out>{_text(case.body)}</system-out>"
    yield "</testcase>"


def _tag(tag: str, /, *, end: str = "", **attributes: object) -> str:
    words = "".join(f' {key}="{_text(_word(value))}"' for key, value in attributes.items())
    return f"<{tag}{words}{end}>"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: str) -> str:
    text = _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return re.sub('[&<>"]', lambda found: _REFERENCES[found[0]], text)
