from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.plan_github import render_plan_github
from tests.data import plans
from tests.report.plan_reports import (
    EVIL,
    VISIBLE,
    entry,
    evil_plan,
    many,
    of,
    plan,
    report_at,
    report_of,
)


@dataclass(frozen=True)
class Command:
    name: str
    message: str
    title: str = ""


OURS = {"error", "warning", "notice", "group", "endgroup"}


def command(line: str) -> Command | None:
    """What the runner makes of a line, both in its present and in its old spelling."""
    trimmed = line.strip()
    if trimmed.startswith("::") and "::" in trimmed[2:]:
        head, message = trimmed[2:].split("::", 1)
        name, _, properties = head.partition(" ")
        pairs = dict(each.split("=", 1) for each in properties.split(",") if each)
        assert set(pairs) <= {"title"}
        return Command(name, unescaped(message), unescaped(pairs.get("title", "")))
    old = re.search(r"##\[(\S+?)[ \]]", line)
    return Command(old[1], "") if old else None


def unescaped(text: str) -> str:
    for code, character in (
        ("%2C", ","),
        ("%3A", ":"),
        ("%0A", "\n"),
        ("%0D", "\r"),
        ("%25", "%"),
    ):
        text = text.replace(code, character)
    return text


def read(report: PlanReport, view: View = View.CHANGES) -> tuple[list[Command], list[str]]:
    """The commands, and the lines that are none."""
    text = render_plan_github(report, view)
    lines = text.removesuffix("\n").split("\n")
    commands = [found for line in lines if (found := command(line))]
    assert {each.name for each in commands} <= OURS
    assert [c.name for c in commands].count("group") == [c.name for c in commands].count("endgroup")
    return commands, [line for line in lines if command(line) is None]


def of_level(commands: list[Command], name: str) -> list[Command]:
    return [each for each in commands if each.name == name]


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_real_plan_ends_in_one_plain_line(path: Path) -> None:
    for view in View:
        commands, lines = read(report_at(path), view)

        assert lines[-1].startswith("plan.json: ")
        assert max(Counter(each.name for each in commands).values(), default=0) <= 10


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("text", EVIL)
def test_no_value_becomes_a_command(text: str, view: View) -> None:
    commands, lines = read(report_of(evil_plan(text), name=text), view)

    # Two errors for the plan and what is unknown, two for what is destroyed.
    assert len(of_level(commands, "error")) == 4
    assert len(of_level(commands, "warning")) == 2
    assert len(of_level(commands, "notice")) == 3
    assert lines[-1].isprintable() or "\ufffe" in text


@settings(deadline=None)
@given(st.text(st.sampled_from("::%#[]\n\r\t ,=ae\x85\u2028\u3000"), max_size=12))
def test_nothing_at_all_becomes_a_command(text: str) -> None:
    read(report_of(evil_plan(text or "x"), name=text), View.FULL)


def test_what_destroys_comes_first_and_each_level_is_a_command_of_its_own() -> None:
    commands, _ = read(of("rich"))

    assert commands[0] == Command(
        "error",
        "folder_server.batch: destroy; not in the code any more",
        "Apply destroys this object",
    )
    names = [each.name for each in commands if each.name in ("error", "warning", "notice")]
    assert names == sorted(names, key=["error", "warning", "notice"].index)
    assert Command(
        "warning",
        "folder_bucket.assets: change; drift: changed outside; apply puts it back",
        "Changed outside Git",
    ) in (commands)


def test_what_is_not_cut_is_escaped_so_that_it_comes_out_as_it_was() -> None:
    address = 'x.y["100%, a:b"]'
    commands, _ = read(report_of(plan(resource_changes=[entry(address, "delete")])))

    assert commands[0].message.startswith(f"{address}: destroy")


def test_ten_of_a_level_are_all_annotations() -> None:
    commands, _ = read(report_of(many(10, "update")))

    assert [each.message.split(":")[0] for each in of_level(commands, "notice")] == [
        f"folder_bucket.it[{at}]" for at in range(10)
    ]


@pytest.mark.parametrize("view", View)
def test_of_more_than_ten_the_first_counts_all_and_the_log_lists_them(view: View) -> None:
    commands, lines = read(report_of(many(11, "delete")), view)

    errors = of_level(commands, "error")
    assert len(errors) == 10
    assert errors[0].title == "11 pending-destroy"
    assert errors[0].message.count("\n") == 10
    assert [each.title for each in errors[1:]] == ["Apply destroys this object"] * 9
    for at in range(11):
        assert any(line.startswith(f"- folder_bucket.it[{at}]: destroy") for line in lines)


def test_no_message_is_longer_than_the_runner_lets_through() -> None:
    commands, lines = read(report_of(many(2000, "delete", "create")), View.SUMMARY)

    assert max(len(each.message) for each in commands) < 4096
    more = re.search(r"\n… (\d+) more in the log$", commands[0].message)
    assert more
    assert commands[0].message.count("\n") + int(more[1]) == 2000
    assert sum("folder_bucket.it[" in line for line in lines) == 2000


def test_an_endless_address_is_cut_in_the_middle_of_its_annotation_only() -> None:
    address = f'x.y["{"a" * 5000}"]'
    commands, lines = read(report_of(plan(resource_changes=[entry(address, "delete")])))

    assert len(commands[0].message) == 1000
    assert any(address in line for line in lines)


def test_details_are_for_the_log_and_a_summary_has_none() -> None:
    (_, summary), (_, changes) = read(of("rich"), View.SUMMARY), read(of("rich"), View.CHANGES)

    assert len([line for line in summary if line.startswith("    | ")]) == 0
    assert '    | tags.team: "platform" → "growth" (recorded → real)' in changes


def test_the_full_view_cuts_no_value_and_lists_other_spellings() -> None:
    long = "a" * 3000
    report = report_of(
        plan(
            resource_changes=[entry("x.y", "update", before={"v": ""}, after={"v": long})],
            resource_drift=[entry("x.z", "update", before={"v": None}, after={"v": ""})],
        )
    )

    changes, full = ("\n".join(read(report, view)[1]) for view in (View.CHANGES, View.FULL))
    assert long not in changes
    assert "3.0 k characters" in changes
    assert long in full
    assert "= x.z: other spellings of the same\n" not in changes
    assert '= x.z: other spellings of the same\n    | v: null → "" (recorded → real)' in full


def test_a_plan_in_sync_has_no_commands() -> None:
    commands, lines = read(of("clean"))

    assert commands == []
    assert lines[-1] == "plan.json: no changes: in sync"


def test_outputs_and_actions_are_notices() -> None:
    report = report_of(
        plan(
            output_changes={
                name: {"actions": [does], "before": "a", "after": "b"} | VISIBLE
                for name, does in (("a", "create"), ("b", "update"), ("c", "delete"))
            },
            action_invocations=[{"address": "action.a.b"}],
        )
    )
    commands, _ = read(report, View.SUMMARY)

    assert [each.message for each in commands] == [
        "output.a: a new output",
        "output.b: the output changes",
        "output.c: the output goes",
        "action.a.b: apply runs this action",
    ]


def test_the_same_plan_gives_the_same_text() -> None:
    assert render_plan_github(of("rich"), View.FULL) == render_plan_github(of("rich"), View.FULL)
