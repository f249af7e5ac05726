from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from driftctl_py.core.plan_report import View
from driftctl_py.report.plan_markdown import render_plan_markdown
from tests.data import plans
from tests.report.plan_reports import EVIL, entry, evil_plan, of, plan, report_of

OURS = re.compile(
    r"(<details( open)?><summary><b>[A-Z][A-Za-z :,]+</b>: \d+</summary>|</details>)\n?"
)
# Pieces that would mean something, wherever they got to be read as Markdown or HTML.
PIECES = (
    *EVIL[:-1],
    "`",
    "```",
    "````diff\n",
    "\n```\n",
    "~~~",
    "</details>",
    "<script>alert(1)</script>",
    "<!--",
    "@ada",
    "#123",
    "GH-7",
    "|",
    "|---|\n",
    "- item",
    "1. item",
    "# heading",
    "> quote",
    "**bold**",
    "[x](y)",
    "![x](y)",
    "&amp;",
    "https://evil.example",
    "www.evil.example",
    "$x$",
    "\n\n",
    "\u202e",
    "\x1b[31m",
    "\\",
    " ",
    "a",
)


def is_well_formed(markdown: str) -> None:
    """As a forge would read it: what is ours is markup, and nothing else is."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    blocks = [token for token in tokens if token.type == "html_block"]
    fences = [token for token in tokens if token.type == "fence"]
    assert all(OURS.fullmatch(token.content) for token in blocks), blocks
    assert len(blocks) == 2 * len(fences)
    assert {token.info for token in fences} <= {"diff"}
    assert sum(token.type == "heading_open" for token in tokens) == 1
    kinds = {token.type for token in tokens}
    assert not kinds & {"table_open", "code_block", "ordered_list_open", "hr"}
    inside = {child.type for token in tokens for child in token.children or ()}
    assert inside <= {"text", "text_special", "strong_open", "strong_close", "softbreak"}, inside
    read = "".join(
        child.content for token in tokens for child in token.children or () if child.type == "text"
    )
    # The invisible character behind it keeps a forge from linking it.
    assert not re.search(r"@(?!\u200b)|#\d|\bGH-\d|://|\bwww\.", read)


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
@pytest.mark.parametrize("view", View)
def test_the_report_of_a_real_plan_is_well_formed(path: object, view: View) -> None:
    report = report_of(path.read_bytes())  # type: ignore[attr-defined]  # a path

    is_well_formed(render_plan_markdown(report, view))


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_gets_out_of_its_place(evil: str) -> None:
    for view in View:
        is_well_formed(render_plan_markdown(report_of(evil_plan(evil), name=evil), view))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), st.sampled_from(View))
def test_no_mixture_of_markup_gets_out_of_its_place(evil: str, view: View) -> None:
    is_well_formed(render_plan_markdown(report_of(evil_plan(evil), name=evil), view))


@pytest.mark.parametrize(
    ("scenario", "icon"),
    [
        ("clean", "🟢"),
        ("create", "🟡"),
        ("drift_reverted", "🟣"),
        ("rich", "🔴"),
        ("errored", "❔"),
    ],
)
def test_the_first_line_answers(scenario: str, icon: str) -> None:
    assert render_plan_markdown(of(scenario), View.CHANGES).startswith(f"### {icon} plan.json: ")


@pytest.mark.parametrize("where", ["resource_changes", "resource_drift"])
def test_what_nobody_knows_is_as_grave_as_what_destroys(where: str) -> None:
    known = plan(**{where: [entry("x.y", "evaporate", before={"a": 1}, after={"a": 2})]})

    assert render_plan_markdown(report_of(known), View.SUMMARY).startswith("### 🔴 ")


def test_what_must_be_seen_is_open_and_the_rest_is_folded() -> None:
    markdown = render_plan_markdown(of("rich"), View.CHANGES)

    assert "<details open><summary><b>Destroyed or replaced</b>: 4</summary>" in markdown
    assert "<details open><summary><b>Checks</b>: 1</summary>" in markdown
    assert "<details><summary><b>Changed outside Git</b>: 4</summary>" in markdown


def test_a_summary_has_one_line_for_each_object() -> None:
    markdown = render_plan_markdown(of("rich"), View.SUMMARY)

    assert (
        "- -/+ folder_server.web  # replace, destroys first; not applied yet; forced by image\n"
        in (markdown)
    )
    assert "debian" not in markdown


def test_a_long_value_of_a_new_object_is_laid_out_and_cut_but_in_the_full_view() -> None:
    tags = {f"key-{at:02}": "x" * 500 for at in range(70)}
    created = entry("x.y", "create", before=None, after={"tags": tags, "text": "y" * 500})
    report = report_of(plan(resource_changes=[created]))

    cut = render_plan_markdown(report, View.CHANGES)
    whole = render_plan_markdown(report, View.FULL)
    assert "+   tags\n+     {\n" in cut
    assert "      … 12 more lines" in cut
    assert "(502 characters)" in cut
    assert "more lines" not in whole
    assert "y" * 500 in whole
    assert whole.count("x" * 500) == 70


def test_very_many_attributes_are_counted_with_where_to_find_them() -> None:
    after = {f"a{at:02}": at for at in range(55)}
    report = report_of(plan(resource_changes=[entry("x.y", "create", before=None, after=after)]))

    assert "    … 5 more attributes; --view full lists all\n" in (
        render_plan_markdown(report, View.CHANGES)
    )
    assert "more" not in render_plan_markdown(report, View.FULL)


def test_what_is_only_spelled_otherwise_has_no_colour() -> None:
    markdown = render_plan_markdown(of("equivalent"), View.FULL)

    assert "\n  = folder_bucket.assets\n" in markdown
