"""The formats of one rich plan as docs/render.md shows them: what the program prints, to the byte.

When a change of them is meant, write them again, read them, and commit them:

    DRIFTCTL_RENDERINGS=write python -m pytest tests/cli/test_documented_renderings.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from driftctl_py.cli.main import main, parser
from tests.data import plans

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "render.md").read_text("utf-8")
WRITE = os.environ.get("DRIFTCTL_RENDERINGS") == "write"
AGAIN = (
    "If this is meant: DRIFTCTL_RENDERINGS=write python -m pytest "
    "tests/cli/test_documented_renderings.py"
)
SHOWN = {
    "plan.txt": ("text", "changes"),
    "plan.summary.txt": ("text", "summary"),
    "plan.md": ("markdown", "changes"),
    "plan.json": ("json", "changes"),
    "plan.html": ("html", "changes"),
    "plan.junit.xml": ("junit", "changes"),
    "plan.sarif": ("sarif", "changes"),
    "plan.github.txt": ("github", "changes"),
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No driftctl.yaml and no key have a say."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "plan.json").write_bytes(plans.of("rich"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTCTL_FINGERPRINT_KEY", raising=False)


@pytest.mark.parametrize("name", SHOWN)
def test_the_documentation_shows_what_the_program_prints(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    format_, view = SHOWN[name]
    assert main(["render", "plan.json", "--format", format_, "--view", view]) == 0
    printed = capsys.readouterr().out
    kept = DOCS / "render" / name
    if WRITE:
        kept.write_text(printed, "utf-8")

    assert kept.read_text("utf-8") == printed, AGAIN


def test_the_page_leads_to_each_of_them_and_to_nothing_else() -> None:
    linked = set(re.findall(r"\]\(render/([^)]+)\)", PAGE))

    assert linked == set(SHOWN) == {path.name for path in (DOCS / "render").iterdir()}


def test_the_page_names_every_option() -> None:
    (commands,) = (
        action.choices for action in parser()._actions if isinstance(action.choices, dict)
    )
    options = {
        option
        for command in ("render", "diff")
        for action in commands[command]._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }

    assert [option for option in sorted(options) if f"`{option}" not in PAGE] == []


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE):
        assert (DOCS / target).exists(), target


def test_what_the_page_quotes_is_in_the_real_output() -> None:
    quoted = re.search(r"```\n(plan\.json: destroys.*?)```", PAGE, re.DOTALL)
    assert quoted is not None
    real = " ".join((DOCS / "render/plan.txt").read_text("utf-8").split())
    pieces = [" ".join(piece.split()) for piece in quoted[1].split("…")]

    assert [piece for piece in pieces if piece not in real] == []
