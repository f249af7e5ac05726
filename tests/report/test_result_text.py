from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Gated, Item, Occasion, Result, Results, Standing
from driftctl_py.errors import Diagnostic
from driftctl_py.report.result_text import render_results_text
from tests.core.result_examples import BUCKET, DATABASE, EVERYTHING, FAILED, REFUSED, result
from tests.report.plan_reports import EVIL
from tests.report.run_examples import harmless


def shown(
    *results: Result,
    width: int = 80,
    missing: tuple[str, ...] = (),
    unreadable: tuple[str, ...] = (),
) -> str:
    return render_results_text(Results(results, missing, unreadable), width=width)


def test_the_answer_the_table_and_a_section_for_whatever_has_something_to_say() -> None:
    assert (
        shown(EVERYTHING, FAILED, result("qa"), missing=("lost",), unreadable=("x: damaged",))
        == """\
Merging destroys 1 (to replace it), changes 1 and imports 2 in 1 of 4
  environments; 2 environments failed; 1 object drifted; 1 result unreadable

environment  commit   status               add  change  destroy  drifted  gate
-----------  -------  -------------------  ---  ------  -------  -------  ----
prod         5d1c0aa  drifted and pending    1       1        1        1  held
dev          5d1c0aa  failed                 -       -        -        -
qa           5d1c0aa  in sync                0       0        0        0
lost                  failed                 -       -        -        -

prod: 1 replaced, 1 changed, 2 imported; 1 of them changed outside Git
  error: No such file
    at main.tf:3, aws_db_instance.main
    Really.
    None.
  A reason.
  Do this.
  And that.
  - -/+ aws_db_instance.main  # replace, destroys first
  -   engine_version  "15.4"  # real
  +   engine_version  "16.1"  # planned, forces replacement
  ! ~ module.web["a"].aws_s3_bucket.assets  # drift: changed outside; apply puts it back
  -   tags.team  "platform"  # recorded
  +   tags.team  "growth"  # real
  + output.url  "https://example.com"  # planned
  warning: check.certificate does not hold.
  gate: held
    approve by stateful (driftctl.yaml:48): aws_db_instance.main (replace).
    needs 1 of: dba (ada, grace)
  next: driftctl-py approve prod --reason "…"
  2 data sources to be read during apply

dev: failed: No plan came about: Invalid reference.
  Mend it.

lost: failed: its job left no result
unreadable: x: damaged
"""
    )


def test_nothing_to_look_at_is_said_in_one_line() -> None:
    assert shown() == "No environment is concerned\n"


def test_what_is_not_known_is_no_number() -> None:
    unknown = result(verdict=Verdict.UNKNOWN, totals=None, drifted=None, reason="Locked.")

    assert "prod         5d1c0aa  unknown    ?       ?        ?        ?" in shown(unknown)


def test_after_an_apply_the_last_column_says_how_it_ended() -> None:
    applied = result(occasion=Occasion.APPLY, state="applied", items=(BUCKET,))
    gate = Gated(Standing.ALLOWED)

    assert "  applied\n" in shown(applied)
    assert "  allowed\n" in shown(replace(applied, state="", gate=gate))


def test_a_gate_with_nothing_to_say_is_not_told() -> None:
    nothing = result(gate=Gated(Standing.NOTHING, ("There is nothing.",)))

    assert "There is nothing" not in shown(nothing)
    assert "gate: refused" in shown(REFUSED)


def test_of_what_is_destroyed_nothing_is_cut() -> None:
    lines = tuple(f"-   part{at}  {'x' * 100}" for at in range(40))
    gone = replace(DATABASE, lines=(DATABASE.lines[0], *lines))
    kept = replace(BUCKET, lines=(BUCKET.lines[0] + "y" * 100, *lines))

    text = shown(result(items=(gone,)))
    assert all(line in text for line in lines)
    text = shown(result(items=(kept,)))
    assert kept.lines[0] in text
    assert lines[0] not in text
    assert "… 20 more lines; --format json lists all" in text


def test_of_a_long_diagnostic_the_beginning_is_told() -> None:
    detail = "\n".join(f"line {at}" for at in range(20))
    failed = replace(FAILED, diagnostics=(Diagnostic("error", "Broken", detail),))

    text = shown(failed)

    assert "    line 11\n    … 8 more lines\n" in text
    assert "    at " not in text


def test_a_failure_without_a_way_out_has_its_reason_all_the_same() -> None:
    failed = replace(FAILED, reason="It cannot be read.", todo="", diagnostics=())

    assert shown(failed).endswith(f"\n{failed.environment}: failed: It cannot be read.\n")


def test_colours_say_what_the_signs_say() -> None:
    text = render_results_text(Results((EVERYTHING,)), color=True)

    assert "\x1b[31m  - -/+ aws_db_instance.main" in text
    assert "\x1b[32m  +   engine_version" in text


def test_long_names_leave_room_for_the_rest() -> None:
    long = result("environments/" + "a" * 100)

    assert max(map(len, shown(long).split("\n")[2:5])) <= 80


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_is_obeyed(evil: str) -> None:
    bad = replace(
        EVERYTHING,
        environment=evil,
        commit=evil,
        items=(Item(evil, "delete", "commit", True, (f"- {evil}", evil)),),
        outputs=(evil,),
        warnings=(evil,),
        notes=(evil,),
        reason=evil,
        todo=evil,
        diagnostics=(Diagnostic(evil, evil, evil, evil, evil),),
        gate=Gated(Standing.REFUSED, (evil,), evil, evil),
    )

    assert harmless(shown(bad, missing=(evil,), unreadable=(evil,)))


@given(st.text(), st.text(), st.integers(0, 200))
def test_any_text_is_shown(name: str, line: str, width: int) -> None:
    item = Item(line or "x", "update", "drift", False, (line, line))

    text = shown(result(name or "x", items=(item,), reason=line), width=width)

    assert text.endswith("\n")
    assert harmless(text)
