from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.assessment import Assessment, AttributeChange, Origin, Status
from driftctl_py.core.check import Assessed, CheckReport, Failed, Unknown
from driftctl_py.core.plan import ActionInvocation, Kind, OutputChange
from driftctl_py.core.values import UNKNOWN
from driftctl_py.errors import Diagnostic
from driftctl_py.report.markdown import render_markdown
from driftctl_py.report.markup import fence, in_html, prose
from tests.report.examples import (
    EVERYTHING,
    FAILED,
    LOCKED,
    checked,
    finding,
    planned,
    report_of,
    with_findings,
)

RICH = """\
### 🟣 1 environment of infra at 77b0de4 (main): 1 drifted and pending

|    | environment   | commit   | status              |   add |   change |   destroy |   drifted |   age |
|:---|:--------------|:---------|:--------------------|------:|---------:|----------:|----------:|------:|
| 🟣  | rich          | 77b0de4  | drifted and pending |     4 |        6 |         4 |         4 |   3 h |

<details open><summary><b>rich</b>: changed outside Git, and 77b0de4 is not applied yet</summary>

```diff
- +/- folder_server.api  # replace, creates first
-   image  "debian-12"  # real
+   image  "debian-13"  # planned, forces replacement
-   name  "api-12"  # real
+   name  "api-13"  # planned, forces replacement
    … 3 more known after apply
- folder_server.batch  # not in the code any more
- folder_server.pool[1]  # its index is past the count
- -/+ folder_server.web  # replace, destroys first
-   image  "debian-12"  # real
+   image  "debian-13"  # planned, forces replacement
    open_ports  # real → planned
-     22
      (1 unchanged)
+     8443
    … 3 more known after apply
! ~ folder_bucket.assets  # drift: changed outside; apply puts it back
-   tags.team  "platform"  # recorded
+   tags.team  "growth"  # real
+ folder_bucket.exports  # drift: deleted outside; apply creates it again
! ~ folder_bucket.logs  # drift: changed outside; also pending
-   expire_days  30  # real
+   expire_days  60  # planned
    policy.Statement[0].Action  # recorded → real, JSON
      (1 unchanged)
+     "s3:*"
! ~ folder_secret.database  # drift: changed outside; apply puts it back
!   value  (sensitive value)  # recorded → real
    … 1 more known after apply
! > folder_bucket.attic  # moved from folder_bucket.archive
! ~ folder_bucket.backups
    policy.Statement[0].Action  # real → planned, JSON
-     "s3:GetObject"
+     "s3:PutObject"
! < folder_bucket.legacy  # imported
! . folder_bucket.retired  # forget: leaves the state, the object stays; not in the code any more; holds data: bucket
+ folder_bucket.uploads
! ~ folder_server.worker  # moved from folder_server.queue
-   cpus  2  # real
+   cpus  4  # planned
! ~ terraform_data.boot
-   input.config.retries  3  # real
+   input.config.retries  5  # planned, YAML
    input.script  # real → planned
      #!/bin/sh
      set -e
-     apt-get install --yes curl
+     apt-get install --yes curl jq
      systemctl start web
    … 2 more known after apply
+ output.address
+     (known after apply)  # planned
! ~ output.password
!     (sensitive value)  # real → planned
```

- warning: check.capacity does not hold. (Its message may hold values, so it is not shown.)

</details>

- drifted: apply rich the way you always do to put it back, or take the change over into the code
- pending: apply rich the way you always do
- look again: driftctl-py check rich
"""  # noqa: E501 - as it is written


def test_a_report_reads_from_the_answer_to_what_to_do() -> None:
    assert render_markdown(report_of(planned("rich"))) == RICH


class Structure(HTMLParser):
    """Which elements there are outside fences, and whether all are closed."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(outside_fences(markdown))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outside_fences(markdown: str) -> str:
    """What is read as Markdown; fails if a fence is never closed."""
    lines, ticks = [], ""
    for line in markdown.split("\n"):
        found = re.match("`{3,}", line)
        if ticks:
            # A fence ends with as many backticks or more, and nothing else.
            if re.fullmatch(ticks + "`*", line.strip()):
                ticks = ""
        elif found:
            ticks = found[0]
        else:
            lines.append(line)
    assert not ticks
    return "\n".join(lines)


def test_everything_closes_what_it_opens() -> None:
    structure = Structure(render_markdown(EVERYTHING))

    assert structure.seen == {"details", "summary", "b"}


EVIL = (
    "@ada #123 GH-7 <img src=x> </details> | ``` ```` \x1b[2J\n### heading\n| a | b |\n"
    "https://evil.example www.evil.example [x](y) **b** ~~~ $x$ \u202e"
)


def evil_report() -> CheckReport:
    attribute = AttributeChange((EVIL,), EVIL, {EVIL: [EVIL]}, UNKNOWN, Origin.BOTH, drifted=True)
    text = AttributeChange(("t",), EVIL, EVIL, f"{EVIL}\n- x\n```\n", Origin.PENDING, drifted=False)
    assessment = Assessment(
        status=Status.PENDING,
        findings=(
            finding(EVIL, previous_address=EVIL, reason=EVIL, attributes=(attribute, text)),
            finding(EVIL, kind=Kind.UNKNOWN, actions=(EVIL,)),
        ),
        outputs=(OutputChange(EVIL, Kind.UPDATE, EVIL, [EVIL]),),
        invocations=(ActionInvocation(EVIL, EVIL),),
    )
    diagnostics = (Diagnostic("error", EVIL, EVIL, EVIL, EVIL),)
    return report_of(
        checked(EVIL, Assessed(assessment), warnings=(EVIL,)),
        checked(EVIL, Failed(EVIL, todo=EVIL, diagnostics=diagnostics)),
        checked(EVIL, Unknown(EVIL, todo=EVIL, assessment=assessment)),
    )


def test_nothing_foreign_becomes_markup_a_mention_or_a_link() -> None:
    markdown = render_markdown(evil_report())
    outside = outside_fences(markdown)

    assert Structure(markdown).seen == {"details", "summary", "b"}
    assert not re.search(r"@(?!&#8203;)", outside)
    assert "#123" not in outside
    assert "GH-7" not in outside
    assert "://" not in outside
    assert "www." not in outside
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", markdown)
    headings = [line for line in outside.split("\n") if re.match(r"\s*#", line)]
    assert len(headings) == 1


def test_a_table_has_its_columns_whatever_the_names() -> None:
    table = render_markdown(evil_report()).split("\n\n")[1].split("\n")

    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {10}
    assert len(table) == 5


@given(st.lists(st.text(alphabet="`-+! \nx", max_size=12), max_size=5))
def test_a_fence_is_longer_than_any_run_of_backticks_in_it(lines: list[str]) -> None:
    text = fence([line.replace("\n", "") for line in lines], "diff")

    assert outside_fences(text) == ""


@given(st.text(max_size=30))
def test_prose_stays_on_its_line_and_has_no_bare_sign(text: str) -> None:
    for words in (prose(text), in_html(text)):
        assert len(words.splitlines()) <= 1
        assert "<" not in words.replace("&lt;", "")
        assert not re.search(r"@(?!&#8203;)", words)
    assert not re.search(r"(?<!\\)(\\\\)*[`*_\[\]|~$]", prose(text))


@pytest.mark.parametrize("text", ["# a", "- a", "+ a", "1. a", "12) a", "== a", ": a"])
def test_prose_never_starts_a_heading_or_a_list(text: str) -> None:
    assert prose(text).startswith("&#8203;")


def test_what_must_be_seen_is_open_and_the_rest_is_folded() -> None:
    def is_open(report: CheckReport) -> bool:
        return "<details open>" in render_markdown(report)

    assert is_open(report_of(planned("drift_tolerated")))
    assert is_open(report_of(planned("replace")))
    assert is_open(report_of(with_findings(finding(kind=Kind.UNKNOWN))))
    assert is_open(report_of(FAILED))
    assert is_open(report_of(LOCKED))
    assert not is_open(report_of(with_findings(finding())))
    assert not is_open(report_of(planned("equivalent")))


def test_an_environment_without_anything_to_say_has_no_section() -> None:
    assert "<details" not in render_markdown(report_of(checked("dev")))


@pytest.mark.parametrize(
    ("report", "start"),
    [
        (report_of(FAILED, checked("dev")), "### ❌ 2 environments"),
        (report_of(LOCKED), "### ❔ 1 environment"),
        (report_of(checked("dev")), "### 🟢 1 environment"),
        (report_of(), "### 🟢 No environment was checked."),
        (report_of(interrupted=True), "### ❌ Interrupted before"),
    ],
)
def test_the_first_line_answers(report: CheckReport, start: str) -> None:
    assert render_markdown(report).startswith(start)


def test_diagnostics_stand_in_a_fence_and_are_cut() -> None:
    details = "\n".join(f"line {n}" for n in range(60))
    outcome = Failed("Oh.", diagnostics=(Diagnostic("error", "Oh", details),))
    markdown = render_markdown(report_of(replace(FAILED, outcome=outcome)))

    assert "```text\nerror: Oh\nline 0\n" in markdown
    assert "line 39\n```" in markdown


def test_a_remedy_keeps_its_lines() -> None:
    assert "Wait for it, or if that run is dead:  \ntofu force-unlock 3b1c" in render_markdown(
        report_of(LOCKED)
    )


def test_very_many_attributes_and_lines_are_counted() -> None:
    many = tuple(
        AttributeChange((f"a{at}",), 1, 1, 2, Origin.PENDING, drifted=False) for at in range(55)
    )
    lines = AttributeChange(("a",), [], [], list(range(70)), Origin.PENDING, drifted=False)
    markdown = render_markdown(
        report_of(with_findings(finding(attributes=many), finding(attributes=(lines,))))
    )

    assert "    … 5 more attributes\n" in markdown
    assert "      … 10 more lines\n" in markdown


def test_three_snapshots_stand_one_below_the_other() -> None:
    markdown = render_markdown(report_of(planned("drift_and_pending")))

    assert '-   tags.team  "platform"  # recorded\n!   tags.team  "growth"  # real\n' in markdown
    assert '+   tags.team  "security"  # planned\n' in markdown


def test_a_change_of_all_of_an_object_has_a_name() -> None:
    whole = AttributeChange((), 1, 1, 2, Origin.PENDING, drifted=False)

    assert "-   (all of it)  1  # real" in render_markdown(
        report_of(with_findings(finding(attributes=(whole,))))
    )
