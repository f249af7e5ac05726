"""How real plans look, kept beside each and read by people.

A change of any rendering shows up here as a difference. When it is meant, write them again, read
them, and commit them:

    DRIFTCTL_RENDERINGS=write python -m pytest tests/report/test_golden.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.plan_markdown import render_plan_markdown
from driftctl_py.report.plan_text import render_plan_text
from tests.data import plans
from tests.report.plan_reports import of, report_at

WRITE = os.environ.get("DRIFTCTL_RENDERINGS") == "write"
AGAIN = "If this is meant: DRIFTCTL_RENDERINGS=write python -m pytest tests/report/test_golden.py"

# Those with something to show in every view.
RICH = ("deposed", "drift_and_pending", "equivalent", "nested", "rich", "sensitive")
RENDERINGS = [(name, "rendering.txt") for name in plans.scenarios()] + [
    (name, file)
    for name in RICH
    for file in ("rendering.summary.txt", "rendering.full.txt", "rendering.md")
]


def rendered(report: PlanReport, file: str) -> str:
    match file:
        case "rendering.md":
            return render_plan_markdown(report, View.CHANGES)
        case "rendering.summary.txt":
            return render_plan_text(report, View.SUMMARY)
        case "rendering.full.txt":
            return render_plan_text(report, View.FULL)
        case _:
            return render_plan_text(report, View.CHANGES)


@pytest.mark.parametrize(("name", "file"), RENDERINGS)
def test_a_real_plan_looks_as_it_was_read_and_found_good(name: str, file: str) -> None:
    text = rendered(of(name), file)
    path = plans.HERE / name / file
    if WRITE:
        path.write_text(text)

    assert text == path.read_text(), AGAIN


def test_no_rendering_is_left_of_a_plan_that_is_gone() -> None:
    kept = {(path.parent.name, path.name) for path in plans.HERE.glob("*/rendering*")}

    assert kept == set(RENDERINGS)


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_engine_is_rendered_alike(path: Path) -> None:
    found = rendered(report_at(path), "rendering.txt")
    golden = (path.parent / "rendering.txt").read_text()

    assert set(comparable(found)) ^ set(comparable(golden)) == SAID_OTHERWISE.get(
        (path.parent.name, path.stem.partition("-")[0]), set()
    )


def comparable(text: str) -> list[str]:
    """Without the engine's version, what it made up (keys of deposed objects, identifiers), and
    the fingerprint, of which that is a part."""
    text = re.sub(r"(?m)^  (engine|fingerprint) .*\n", "", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID", text)
    text = re.sub(r"deposed object [0-9a-f]{8}\b", "deposed object KEY", text)
    # OpenTofu does not say whether a plan is complete.
    text = re.sub(r"(?m)^  its engine does not say .*\n", "", text)
    return text.replace("no changes: in sync", "no changes").splitlines()


# OpenTofu says of no plan whether it is complete.
SAID_OTHERWISE = {
    ("targeted", "tofu"): {
        "plan.json: no changes",
        "plan.json: incomplete; whether anything would change is not known",
        "  The plan is incomplete: the engine says so itself; it does not cover the whole",
        "  environment.",
    },
}
