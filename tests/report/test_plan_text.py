from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_report import View
from driftctl_py.report.plan_text import render_plan_text
from driftctl_py.report.show import columns
from tests.data import plans
from tests.report.plan_reports import EVIL, entry, evil_plan, many, of, plan, report_of

LONG = 'module.web["' + "y" * 100 + '"].aws_s3_bucket.assets'


def changes(*entries: object, view: View = View.CHANGES, **more: object) -> list[str]:
    report = report_of(plan(resource_changes=list(entries), **more))
    return render_plan_text(report, view).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("scenario", plans.scenarios())
@pytest.mark.parametrize("view", [View.SUMMARY, View.CHANGES])
def test_no_line_is_wider_than_the_terminal(scenario: str, width: int, view: View) -> None:
    text = render_plan_text(of(scenario), view, width=width)

    assert max(map(columns, text.split("\n"))) <= width


@pytest.mark.parametrize("view", View)
def test_what_destroys_is_whole_in_every_view(view: View) -> None:
    lines = changes(entry(LONG, "delete"), entry(LONG + "[1]", "delete", "create"), view=view)

    text = "".join(line.strip() for line in lines)
    assert LONG in text
    assert LONG + "[1]" in text


@pytest.mark.parametrize(("view", "whole"), [(View.CHANGES, False), (View.FULL, True)])
def test_any_other_address_is_cut_in_the_middle_but_in_the_full_view(
    view: View, whole: bool
) -> None:
    lines = changes(entry(LONG, "update"), view=view)

    assert (LONG in "".join(line.strip() for line in lines)) is whole
    assert any("…" in line for line in lines) is not whole


def test_a_summary_has_one_line_for_each_object_that_stays() -> None:
    lines = changes(
        entry(LONG, "update", previous_address=LONG),
        entry("x.y", "no-op", previous_address="x." + "z" * 200),
        view=View.SUMMARY,
    )

    (cut,) = [line for line in lines if line.startswith("    ~ ")]
    assert re.fullmatch(r"    ~ module\.web.*…y+\"\]\.aws_s3_bucket\.assets  moved from …", cut)
    assert columns(cut) == 80
    (moved,) = [line for line in lines if line.startswith("    > ")]
    assert moved.startswith("    > x.y  moved from x.zzz")
    assert moved.endswith("…")


def test_a_long_remark_beside_an_address_that_destroys_is_whole_in_a_summary() -> None:
    lines = changes(
        entry("x.y", "delete", previous_address="x." + "z" * 70, deposed="4b05ce80"),
        view=View.SUMMARY,
    )

    assert "z" * 70 in "".join(line.strip() for line in lines)


def test_colour_only_repeats_what_the_words_say() -> None:
    report = of("rich")
    colored = render_plan_text(report, View.CHANGES, color=True)

    assert "\x1b[31m-/+\x1b[0m folder_server.web" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == render_plan_text(report, View.CHANGES)


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("view", View)
def test_nothing_foreign_forges_a_line(evil: str, view: View) -> None:
    text = render_plan_text(report_of(evil_plan(evil), name=f"plan{evil}"), view)

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ufeff]", text)
    titles = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert titles[0].startswith("plan")
    assert [title for title in titles[1:] if title[0] not in "DNCOAP"] == []


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_any_name_and_any_value_make_a_report(text: str) -> None:
    # Half a character is no UTF-8, so no engine writes one into a name.
    evil = text.encode(errors="replace").decode()
    for view in View:
        rendered = render_plan_text(report_of(evil_plan(evil)), view)
        assert rendered.endswith("\n")
        assert rendered.encode()


def test_very_many_attributes_are_counted_but_in_the_full_view() -> None:
    after = {f"a{at:02}": at for at in range(25)}
    created = entry("x.y", "create", before=None, after=after)

    cut, whole = changes(created), changes(created, view=View.FULL)
    assert "        … 5 more attributes; --view full lists all" in cut
    assert "        a24  24" in whole
    assert not any("more" in line for line in whole)


def test_a_long_value_of_a_new_object_is_laid_out() -> None:
    policy = '{"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"]}]}'
    text = "\n".join(f"line {at}" for at in range(20)) + " " + "x" * 100
    created = entry("x.y", "create", before=None, after={"policy": policy, "text": text})

    cut, whole = changes(created), changes(created, view=View.FULL)
    assert "        policy  JSON" in cut
    assert '                "Action": ["s3:GetObject", "s3:PutObject"]' in cut
    assert "          … 8 more lines" in cut
    assert any("x" * 100 in line for line in whole)


def test_long_values_stand_below_each_other_and_are_cut_but_in_the_full_view() -> None:
    updated = entry(
        "x.y", "update", before={"v": "a" * 100, "w": [1]}, after={"v": "b" * 100, "w": "c" * 100}
    )

    cut, whole = changes(updated), changes(updated, view=View.FULL)
    assert sum("(102 characters)" in line for line in cut) == 3
    assert '          planned  "' + "b" * 100 + '"' in whole


def test_secrets_that_do_not_fit_a_line_are_told_once() -> None:
    path = "a" * 70
    secret = {"before_sensitive": {path: True}, "after_sensitive": {path: True}}
    updated = entry("x.y", "update", before={path: "one"}, after={path: "two"}, **secret)

    assert "          (sensitive value)" in changes(updated)


def test_a_summary_of_many_outputs_has_their_names() -> None:
    change = {"actions": ["create"], "before": None, "after": "x" * 200}
    lines = changes(output_changes={"o" * 100: change, "url": change}, view=View.SUMMARY)

    assert "    + output.url" in lines
    assert max(map(columns, lines)) == 80


def test_a_large_plan_is_told_whole() -> None:
    text = render_plan_text(report_of(many(2000, "delete")), View.SUMMARY)

    assert text.count("\n    - folder_bucket.it[") == 2000


def test_nothing_looks_as_if_it_were_destroyed_but_what_is() -> None:
    report = of("rich")
    lines = render_plan_text(report, View.FULL).splitlines()

    symbols = [line[:6].strip() for line in lines if line[:2] == "  " and line[2:6].strip()]
    destroyed = [each for each in report.assessment.findings if each.kind is Kind.DELETE]
    assert symbols.count("-") == len(destroyed)
    assert "•" in symbols


def test_a_list_that_is_another_in_each_snapshot_is_told_by_element() -> None:
    rules = [{"from_port": port, "cidr_blocks": ["10.0.0.0/8", "192.0.2.0/24"]} for port in (1, 2)]
    new, other = ({"from_port": port, "cidr_blocks": ["0.0.0.0/0"]} for port in (3, 4))
    real, planned = [new, *rules], [other, *rules]
    lines = changes(
        entry("x.y", "update", before={"ingress": real}, after={"ingress": [*planned, other]}),
        resource_drift=[entry("x.y", "update", before={"ingress": rules}, after={"ingress": real})],
    )

    at = lines.index("        ingress  recorded → real → planned")
    assert [line.strip() for line in lines[at + 1 : at + 8]] == [
        "recorded → real:",
        '+   {"from_port": 3, "cidr_blocks": ["0.0.0.0/0"]}',
        "(2 unchanged)",
        "real → planned:",
        "~   {from_port: 3 → 4}",
        "(2 unchanged)",
        '+   {"from_port": 4, "cidr_blocks": ["0.0.0.0/0"]}',
    ]
