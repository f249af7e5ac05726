"""The workflows of this repository are what `init --github` writes, for its own environments.

To write them anew: DRIFTCTL_WORKFLOWS=write python -m pytest tests/github/test_own_workflows.py
"""

from __future__ import annotations

import os
from pathlib import Path

from driftctl_py.compose.workflows import workflow_files
from driftctl_py.core.workflows import Choices

ROOT = Path(__file__).parents[2]
OURS = Choices(
    branch="main",
    config="environments/driftctl.yaml",
    # What is in the checkout, where a user has a release.
    install=".",
    engine="terraform",
    engine_version="1.11.4",
    repository="driftctl-py",
)


def test_what_lies_here_is_what_users_get() -> None:
    files = workflow_files(OURS)
    if os.environ.get("DRIFTCTL_WORKFLOWS") == "write":
        for name, text in files.items():
            path = ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    there = {name: (ROOT / name).read_text(encoding="utf-8") for name in files}

    assert there == dict(files)
