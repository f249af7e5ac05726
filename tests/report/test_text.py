from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.core.assessment import Assessment, AttributeChange, Origin, Status
from driftctl_py.core.check import Assessed, Failed
from driftctl_py.core.plan import ActionInvocation, Kind, OutputChange
from driftctl_py.core.values import ABSENT, UNKNOWN
from driftctl_py.errors import Diagnostic
from driftctl_py.report.show import columns
from driftctl_py.report.text import render_text
from tests.report.examples import (
    DIRTY,
    EVERYTHING,
    FAILED,
    LOCKED,
    MAIN,
    NOW,
    checked,
    finding,
    planned,
    report_of,
    with_findings,
)

RICH = """\
3 environments of infra at 77b0de4 (main): 1 drifted and pending, 1 drifted, 1
in sync (6.2 s)

environment     commit   status               add  change  destroy  drifted  age
--------------  -------  -------------------  ---  ------  -------  -------  ---
rich            77b0de4  drifted and pending    4       6        4        4  3 h
drift_reverted  77b0de4  drifted                0       2        0        2  3 h
dev             77b0de4  in sync                0       0        0        0  3 h

rich: changed outside Git, and 77b0de4 is not applied yet
  +/- folder_server.api  replace, creates first
        image  "debian-12" → "debian-13"   real → planned, forces replacement
        name   "api-12" → "api-13"   real → planned, forces replacement
        … 3 more known after apply
    - folder_server.batch  not in the code any more
    - folder_server.pool[1]  its index is past the count
  -/+ folder_server.web  replace, destroys first
        image  real → planned, forces replacement
          real     "debian-12"
          planned  "debian-13"
        open_ports  [22, 443] → [443, 8443]   real → planned
        … 3 more known after apply
    ~ folder_bucket.assets  drift: changed outside; apply puts it back
        tags.team  "platform" → "growth"   recorded → real
    + folder_bucket.exports  drift: deleted outside; apply creates it again
    ~ folder_bucket.logs  drift: changed outside; also pending
        expire_days                 30 → 60   real → planned
        policy.Statement[0].Action  recorded → real, JSON
            (1 unchanged)
          + "s3:*"
    ~ folder_secret.database  drift: changed outside; apply puts it back
        value  (sensitive value)   recorded → real
        … 1 more known after apply
    > folder_bucket.attic  moved from folder_bucket.archive
    ~ folder_bucket.backups
        policy.Statement[0].Action  real → planned, JSON
          - "s3:GetObject"
          + "s3:PutObject"
    < folder_bucket.legacy  imported
    . folder_bucket.retired
        forget: leaves the state, the object stays; not in the code any more;
        holds data: bucket
    + folder_bucket.uploads
    ~ folder_server.worker  moved from folder_server.queue
        cpus  2 → 4   real → planned
    ~ terraform_data.boot
        input.config.retries  3 → 5   real → planned, YAML
        input.script  real → planned
            #!/bin/sh
            set -e
          - apt-get install --yes curl
          + apt-get install --yes curl jq
            systemctl start web
        … 2 more known after apply
    + output.address  (known after apply)   planned
    ~ output.password  (sensitive value)   real → planned
  warning: check.capacity does not hold. (Its message may hold values, so it is
    not shown.)

drift_reverted: changed outside Git; applying puts it back
    ~ folder_bucket.assets  drift: changed outside; apply puts it back
        tags.team  "platform" → "growth"   recorded → real
    ~ folder_server.web  drift: changed outside; apply puts it back
        cpus  2 → 8   recorded → real

next: drifted: apply rich and drift_reverted the way you always do to put it
      back, or take the change over into the code
      pending: apply rich the way you always do
      look again: driftctl-py check rich drift_reverted
"""

BROKEN = """\
2 environments of infra at 77b0de4 (main): 1 failed, 1 unknown             6.2 s

environment  commit   status   add  change  destroy  drifted  age
-----------  -------  -------  ---  ------  -------  -------  ---
edge                  failed     -       -        -        -
stage        77b0de4  unknown    ?       ?        ?        ?  3 h

edge: failed: No plan came about: Reference to undeclared resource.
  error: Reference to undeclared resource
    at main.tf:3, folder_bucket.x
    A managed resource has not been declared.
        It is \\u001b[31mred\\u001b[0m.
  Mend the code, then: driftctl-py check edge

stage: unknown: The state is locked by ada@build-7 since 09:14 UTC.
  Wait for it, or if that run is dead:
  tofu force-unlock 3b1c
  warning: modules/net has a floating source: main

next: look again: driftctl-py check edge stage
"""


def test_a_report_reads_from_the_answer_to_what_to_do() -> None:
    assert (
        render_text(report_of(planned("rich"), planned("drift_reverted"), checked("dev"))) == RICH
    )


def test_the_documented_report_is_a_real_one() -> None:
    documented = (Path(__file__).parents[2] / "docs/report.md").read_text()

    assert f"```\n{RICH}```\n" in documented


def test_what_went_wrong_is_told_with_its_remedy() -> None:
    assert render_text(report_of(FAILED, LOCKED)) == BROKEN


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = render_text(EVERYTHING, width=width)

    # A row of the table may need more at 60 columns; the rest never does.
    table = width if width >= 80 else 72
    start, *rest = text.split("\n\n")
    assert max(map(columns, rest[0].split("\n"))) <= table
    assert max(columns(line) for part in (start, *rest[1:]) for line in part.split("\n")) <= width


def test_in_sync_alone_is_three_lines_of_table_and_an_answer() -> None:
    text = render_text(report_of(checked("dev")))

    assert text.startswith("1 environment of infra at 77b0de4 (main): 1 in sync")
    assert len(text.splitlines()) == 5
    assert "next:" not in text


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"interrupted": True}, "Interrupted before any environment was checked."),
        ({}, "No environment was checked."),
    ],
)
def test_a_report_without_environments_says_so(more: Any, says: str) -> None:
    assert render_text(report_of(**more)).startswith(says)


def test_an_interrupted_check_says_that_there_is_more() -> None:
    text = render_text(report_of(checked("dev"), interrupted=True))

    assert text.startswith("Interrupted; only 1 environment")


def test_a_dirty_checkout_is_shown_as_such() -> None:
    text = render_text(report_of(checked("dev", revision=DIRTY)))

    assert "at 77b0de4+dirty (main)" in text
    assert "dev          77b0de4+dirty  in sync" in text


def test_environments_of_several_commits_and_repositories_are_not_lumped_together() -> None:
    other = replace(MAIN, commit="3f2a91c" + "0" * 33, display_url="/srv/git/network/")
    text = render_text(report_of(checked("a"), checked("b", revision=other)))

    assert text.startswith("2 environments at 2 commits: 2 in sync")


@pytest.mark.parametrize("ref", ["", MAIN.commit])
def test_a_ref_that_says_no_more_than_the_commit_is_left_out(ref: str) -> None:
    text = render_text(report_of(checked("a", revision=replace(MAIN, ref=ref))))

    assert text.startswith("1 environment of infra at 77b0de4: ")


def test_this_directory_has_no_name() -> None:
    text = render_text(report_of(checked("a", revision=replace(MAIN, display_url="."))))

    assert text.startswith("1 environment at 77b0de4 (main): ")


def test_a_commit_without_a_time_has_no_age() -> None:
    text = render_text(report_of(checked("a", revision=replace(MAIN, committed_at=None))))

    assert text.splitlines()[4].endswith("0")


def test_a_long_name_and_a_long_address_are_cut_in_the_middle() -> None:
    name = "environments-of-the-north/" + "x" * 80 + "/production"
    address = 'module.web["' + "y" * 100 + '"].aws_s3_bucket.assets'
    found = finding(address, drifted=True, origin=Origin.BOTH)
    lines = render_text(report_of(with_findings(found, name=name))).splitlines()

    (row,) = [line for line in lines if "  drifted and" in line]
    assert re.match(r"environment…production  77b0de4  ", row)
    (cut,) = [line for line in lines if line.startswith("    ~ ")]
    assert re.fullmatch(r"    ~ module\.web\[\"y+…y+\"\]\.aws_s3_bucket\.assets", cut)
    assert columns(cut) == 80


def test_colour_only_repeats_what_the_words_say() -> None:
    colored = render_text(EVERYTHING, color=True)

    assert "\x1b[31m-/+\x1b[0m folder_server.web" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == render_text(EVERYTHING)


def test_without_colour_nothing_but_visible_characters_is_written() -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", render_text(EVERYTHING))


def test_a_name_cannot_forge_a_line() -> None:
    evil = "x.y\n\x1b[2K0 environments: all in sync"
    found = finding(
        evil,
        previous_address=evil,
        attributes=(
            AttributeChange((evil,), evil, evil, evil + "\x9b", Origin.PENDING, drifted=False),
        ),
    )
    check = with_findings(
        found, name=evil, outputs=(OutputChange(evil, Kind.UPDATE, evil, {evil: evil}),)
    )
    text = render_text(report_of(replace(check, warnings=(evil,), path=evil)))

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert not any(line.startswith("0 environments") for line in text.splitlines())


def test_each_change_of_an_output_tells_what_there_is_to_tell() -> None:
    outputs = (
        OutputChange("new", Kind.CREATE, None, "a"),
        OutputChange("old", Kind.DELETE, "b", None),
        OutputChange("url", Kind.UPDATE, "c", UNKNOWN),
    )
    check = checked("prod", Assessed(Assessment(status=Status.PENDING, outputs=outputs)))

    lines = render_text(report_of(check)).splitlines()
    assert '    + output.new  "a"   planned' in lines
    assert '    - output.old  "b"   real' in lines
    assert '    ~ output.url  "c" → (known after apply)   real → planned' in lines


def test_actions_are_told() -> None:
    invocations = (ActionInvocation("action.mail.ada", "x.y"), ActionInvocation("action.mail.bob"))
    check = checked("prod", Assessed(Assessment(status=Status.PENDING, invocations=invocations)))

    text = render_text(report_of(check))
    assert "    * action.mail.ada: apply runs this action (triggered by x.y)\n" in text
    assert "    * action.mail.bob: apply runs this action\n" in text


def attributes(count: int, *, drifted: bool = False) -> tuple[AttributeChange, ...]:
    return tuple(
        AttributeChange((f"a{at}",), 1, 1, 2, Origin.PENDING, drifted=drifted)
        for at in range(count)
    )


def test_very_many_attributes_are_counted() -> None:
    text = render_text(report_of(with_findings(finding(attributes=attributes(25)))))

    assert "a19 " in text
    assert "a20 " not in text
    assert "… 5 more attributes; --format json lists all" in text


def test_very_long_texts_and_lists_are_counted() -> None:
    lines = AttributeChange(
        ("script",), "", "", "\n".join("abcdefghijklmnopqrst"), Origin.PENDING, drifted=False
    )
    text = render_text(report_of(with_findings(finding(attributes=(lines,)))))

    assert "… 8 more lines" in text


def test_a_long_diagnostic_is_cut() -> None:
    detail = "\n".join(f"line {n}" for n in range(20))
    outcome = Failed("Oh.", diagnostics=(Diagnostic("error", "Oh", detail),))
    text = render_text(report_of(replace(FAILED, outcome=outcome)))

    assert "    line 11\n    … 8 more lines\n" in text
    assert "    at " not in text


def test_all_of_an_object_may_be_the_place() -> None:
    whole = AttributeChange((), 1, 2, ABSENT, Origin.BOTH, drifted=True)
    found = finding(kind=Kind.DELETE, drifted=True, origin=Origin.BOTH, attributes=(whole,))

    assert "(all of it)  1 → 2   recorded → real" in render_text(report_of(with_findings(found)))


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=5), "5 d"),
        (timedelta(days=800), "2 y"),
        (timedelta(seconds=-40), "0 s"),
    ],
)
def test_the_age_of_a_commit_is_short(since: timedelta, words: str) -> None:
    revision = replace(MAIN, committed_at=NOW - since)

    assert render_text(report_of(checked("a", revision=revision))).rstrip().endswith(words)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.84, "0.8 s"), (62.4, "62 s"), (250, "4 min 10 s")]
)
def test_the_duration_is_short(seconds: float, words: str) -> None:
    report = replace(report_of(checked("a")), duration_seconds=seconds)

    assert render_text(report).splitlines()[0].endswith(words)
