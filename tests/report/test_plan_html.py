from __future__ import annotations

import base64
import hashlib
import re
import warnings
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import show
from driftctl_py.report.plan_html import render_plan_html
from tests.data import plans
from tests.report.plan_reports import EVIL, entry, evil_plan, many, of, plan, report_at, report_of

# All that a page may be made of: nothing that loads, runs, links or sends.
ELEMENTS = set(
    re.findall(
        r"\w+",
        "html head meta title style body header main section details summary article h1 h2 h3 p "
        "dl div dt dd ul li table thead tbody tr th td code em span wbr",
    )
)
ATTRIBUTES = set(
    re.findall(
        r"[\w-]+",
        "lang charset http-equiv content name class open scope colspan role tabindex aria-label",
    )
)


def parsed(page: str) -> Element:
    """The page as a browser sees it; fails where the page is not valid HTML."""
    with warnings.catch_warnings():
        # html5lib replaces what XML could not hold; `show.clean` leaves none of it.
        warnings.simplefilter("error")
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert isinstance(tree, Element)
    return tree


def text_of(report: PlanReport, view: View = View.CHANGES) -> str:
    """What a reader reads, without the style."""
    body = parsed(render_plan_html(report, view)).find("body")
    assert body is not None
    return " ".join("".join(body.itertext()).split())


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_a_page_is_valid_and_names_every_object(path: Path, view: View) -> None:
    report = report_at(path)

    page = render_plan_html(report, view)

    tree = parsed(page)
    headings = {"".join(each.itertext()) for each in tree.iter("h3")}
    for finding in report.assessment.findings:
        assert any(each.endswith(show.clean(finding.address)) for each in headings)
    assert page.endswith("</html>\n")


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("text", EVIL)
def test_what_is_foreign_stays_text(text: str, view: View) -> None:
    _is_harmless(render_plan_html(report_of(evil_plan(text), name=text), view))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.text(max_size=8).flatmap(
        lambda text: st.sampled_from(
            [text, f"</style>{text}", f"</title><script>{text}", f"-->{text}<!--", f"'\"{text}"]
        )
    )
)
def test_nothing_becomes_markup(text: str) -> None:
    _is_harmless(render_plan_html(report_of(evil_plan(text), name=text), View.FULL))


def _is_harmless(page: str) -> None:
    tree = parsed(page)
    assert {str(each.tag) for each in tree.iter()} <= ELEMENTS
    assert {name for each in tree.iter() for name in each.attrib} <= ATTRIBUTES
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


def test_the_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    tree = parsed(render_plan_html(of("rich"), View.CHANGES))

    style = tree.find("head/style")
    assert style is not None
    assert style.text is not None
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    (policy,) = (
        each.get("content") for each in tree.iter("meta") if each.get("http-equiv") is not None
    )
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "@import" not in style.text
    assert "url(" not in style.text
    assert all(each.get("style") is None for each in tree.iter())


def test_the_first_heading_answers_and_what_destroys_comes_first() -> None:
    tree = parsed(render_plan_html(of("rich"), View.CHANGES))

    assert next(each.tag for each in tree.iter() if str(each.tag) in ("h1", "h2")) == "h1"
    answer = tree.find("body/header/h1")
    assert answer is not None
    assert answer.text is not None
    assert answer.text.startswith("plan.json: destroys")
    sections = list(tree.iter("section"))
    assert sections[0].get("class") == "group is-destroy"
    header = tree.find("body/header")
    assert header is not None
    assert header.get("class") == "is-destroy"


@pytest.mark.parametrize(
    ("scenario", "tone"),
    [
        ("clean", "create"),
        ("create", "pending"),
        ("drift_tolerated", "drift"),
        ("errored", "unknown"),
        ("delete", "destroy"),
    ],
)
def test_the_banner_has_the_colour_of_the_answer(scenario: str, tone: str) -> None:
    header = parsed(render_plan_html(of(scenario), View.CHANGES)).find("body/header")

    assert header is not None
    assert header.get("class") == f"is-{tone}"


def test_an_incomplete_plan_warns_before_anything_else() -> None:
    main = parsed(render_plan_html(of("errored"), View.SUMMARY)).find("body/main")

    assert main is not None
    assert main[0].get("class") == "warning"
    assert (main[0].text or "").startswith("The plan is incomplete: ")


def test_drift_reads_from_recorded_to_real() -> None:
    tree = parsed(render_plan_html(of("drift_reverted"), View.CHANGES))

    table = next(tree.iter("table"))
    assert [each.text for each in table.iter("th") if each.get("scope") == "col"] == [
        "attribute",
        "recorded",
        "real",
    ]
    assert '"platform" "growth"' in " ".join("".join(each.itertext()) for each in table.iter("td"))


def test_the_summary_holds_no_values() -> None:
    report = of("rich")

    tree = parsed(render_plan_html(report, View.SUMMARY))

    assert not list(tree.iter("td"))
    assert "platform" not in text_of(report, View.SUMMARY)


def test_longer_values_are_told_line_by_line() -> None:
    before, after = "a\nb\nc\n", "a\nX\nc\n"
    report = report_of(
        plan(
            resource_changes=[entry("x.y", "update", before={"v": before}, after={"v": after})],
        )
    )

    tree = parsed(render_plan_html(report, View.CHANGES))

    lines = [(each.get("class"), "".join(each.itertext())) for each in tree.iter("div")]
    assert ("gone", "-b") in lines
    assert ("come", "+X") in lines


def test_many_lines_and_attributes_are_cut_with_their_number_but_not_in_the_full_view() -> None:
    many_lines = {"v": "".join(f"{at}\n" for at in range(200))}
    wide = {f"a{at:03}": "x" for at in range(70)}
    report = report_of(
        plan(
            resource_changes=[
                entry("x.long", "update", before={"v": "\n"}, after=many_lines),
                entry("x.wide", "update", before={}, after=wide),
            ]
        )
    )

    assert "more lines" in text_of(report)
    assert "… 10 more attributes" in text_of(report)
    assert " more " not in text_of(report, View.FULL)
    assert "+199" in text_of(report, View.FULL)


def test_long_values_are_cut_with_their_size_but_not_in_the_full_view() -> None:
    report = report_of(
        plan(resource_changes=[entry("x.y", "create", before=None, after={"v": "x" * 5000})])
    )

    assert "(5.0 k characters)" in text_of(report)
    assert "x" * 5000 in text_of(report, View.FULL)


def test_of_many_objects_only_what_destroys_is_open() -> None:
    few = parsed(render_plan_html(report_of(many(3, "update")), View.CHANGES))
    updates = parsed(render_plan_html(report_of(many(300, "update")), View.CHANGES))
    deletes = parsed(render_plan_html(report_of(many(300, "delete")), View.CHANGES))

    assert [each.get("open") for each in few.iter("details")] == ["open"]
    assert [each.get("open") for each in updates.iter("details")] == [None]
    assert [each.get("open") for each in deletes.iter("details")] == ["open"]


def test_secrets_and_what_is_not_known_yet_are_no_values() -> None:
    tree = parsed(render_plan_html(of("sensitive"), View.FULL))

    assert {each.text for each in tree.iter("em")} == {show.SECRET, show.LATER}


def test_outputs_actions_and_checks_have_their_own_sections() -> None:
    titles = [
        "".join(each.itertext())
        for each in parsed(render_plan_html(report_of(evil_plan("a")), View.FULL)).iter("h2")
    ]

    assert any(title.startswith("Outputs") for title in titles)
    assert any(title.startswith("Actions") for title in titles)
    assert any(title.startswith("Put off") for title in titles)
    assert any(title.startswith("Checks") for title in titles)
