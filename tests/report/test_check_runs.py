from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import Annotation, Conclusion
from driftctl_py.core.result import Gated, Job, Results, Standing
from driftctl_py.errors import Diagnostic
from driftctl_py.report.check_runs import ANNOTATIONS_AT_MOST, annotations_of, check_run_of
from tests.report.result_examples import (
    HEAD,
    HELD,
    MERGE,
    ORDINARY,
    QA,
    REPORT_URL,
    RUN_URL,
    STAGING,
    changed,
    item,
    many,
    replaced,
    result_of,
)

AT: dict[str, Any] = {"file": "modules/db/main.tf", "line": 7}
MOST = 65_535


def test_a_check_of_all_has_the_answer_and_the_sections_apart() -> None:
    check = check_run_of(ORDINARY, artifact_url=REPORT_URL)

    assert (check.name, check.head, check.url) == ("driftctl/all", HEAD, RUN_URL)
    assert check.conclusion is Conclusion.ACTION_REQUIRED
    assert check.title.startswith("Merging destroys 1 (to replace it), changes 3 and adds 2 in 2")
    assert "| Environment |" in check.summary
    assert "<details" not in check.summary
    assert check.text.startswith("<details open><summary>🔴 <b>staging</b>")
    assert check.annotations == ()


def test_a_check_of_one_is_named_after_it() -> None:
    check = check_run_of(replace(STAGING, job=Job()))

    assert (check.name, check.head, check.url) == ("driftctl/staging", MERGE, "")
    assert check.title == "1 replaced, 1 changed, 1 added"


def test_a_check_keeps_to_what_a_forge_takes() -> None:
    large = Results((many(20_000, "a"), many(20_000, "b", "delete")))
    named = result_of("x" * 5000, reason="y" * 5000, verdict=Verdict.FAILED)
    for about in (large, large.results[1], named):
        check = check_run_of(about)

        assert max(len(check.summary.encode()), len(check.text.encode())) <= MOST
        assert len(check.title) <= 255


def test_an_error_of_the_engine_points_at_its_line() -> None:
    assert annotations_of(QA) == (
        Annotation(
            "environments/qa/main.tf",
            12,
            "failure",
            "Invalid reference",
            "aws_instance.web\nA reference to a resource type must be followed by at least one "
            "attribute access.",
        ),
    )


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("../../modules/db/main.tf:3", "modules/db/main.tf"),
        ("./main.tf:3", "environments/qa/main.tf"),
        ("../../../etc/passwd:3", ""),
        ("/etc/passwd:3", ""),
        (".terraform/modules/db/main.tf:3", ""),
        ("main.tf", ""),
        ("main.tf:0", ""),
        ("main.tf:x", ""),
        ("main.tf:99999999999", ""),
        ("ma\nin.tf:3", ""),
        ("", ""),
    ],
)
def test_only_lines_of_the_repository_are_pointed_at(where: str, path: str) -> None:
    failed = replace(QA, diagnostics=(Diagnostic("error", "a", where=where),))

    assert [each.path for each in annotations_of(failed)] == ([path] if path else [])


def test_a_warning_is_none_of_the_failures() -> None:
    diagnostics = (
        Diagnostic("warning", "Deprecated", where="main.tf:1"),
        Diagnostic("error", "Wrong", where="main.tf:2"),
    )

    assert [each.level for each in annotations_of(replace(QA, diagnostics=diagnostics))] == [
        "failure",
        "warning",
    ]
    assert [
        (each.level, each.message)
        for each in annotations_of(result_of("a", diagnostics=diagnostics))
    ] == [("warning", "Deprecated"), ("warning", "Wrong")]


def test_what_is_destroyed_points_at_its_code() -> None:
    result = result_of(
        "prod",
        replaced(**AT),
        item("x.odd", "unknown", **AT),
        changed("x.y", **AT),
        item("x.gone", "delete"),
    )

    found = annotations_of(result)
    assert [(each.path, each.line, each.level) for each in found] == [
        ("modules/db/main.tf", 7, "warning")
    ] * 2
    assert found[0].title == "Apply destroys this object and makes it anew: aws_db_instance.main"
    assert found[0].message.startswith("- -/+ aws_db_instance.main")


def test_what_a_rule_denies_is_a_failure_where_it_is_declared() -> None:
    denied = Gated(
        Standing.REFUSED,
        ("deny by no-public (rules.yaml:3): x.bucket (change), other.x.y (change). It is public.",),
    )
    result = result_of("prod", changed("x.bucket", **AT), changed("x.y", **AT), gate=denied)

    (found,) = annotations_of(result)
    assert (found.level, found.title) == ("failure", "Not applied yet: x.bucket")
    assert found.message.startswith("deny by no-public (rules.yaml:3): x.bucket (change)")


def test_what_a_rule_wants_approved_is_a_warning() -> None:
    held = replace(HELD, lines=("approve by owners: x.y (change).",))
    allowed = Gated(Standing.ALLOWED, held.lines)
    items = (changed("x.y", **AT),)

    assert [each.level for each in annotations_of(result_of("a", *items, gate=held))] == ["warning"]
    assert annotations_of(result_of("a", *items, gate=allowed)) == ()


def test_very_many_are_not_sent_and_long_ones_are_cut() -> None:
    gone = [item(f"x.y[{at}]", "delete", *["+ a"] * 30, **AT) for at in range(300)]
    odd = Diagnostic("error", "b", "\n".join(["c" * 1000] * 50), where="main.tf:1")
    found = annotations_of(replace(QA, items=tuple(gone), diagnostics=(odd,)))

    assert len(found) == ANNOTATIONS_AT_MOST
    assert found[0].level == "failure"
    assert found[0].message.endswith("\n… 30 more lines")
    assert max(len(each.message) for each in found) < 10_000
    assert max(len(each.title) for each in found) <= 255
