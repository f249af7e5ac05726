"""What was reviewed is what is applied: branches, a base, a head, real engines, states in S3."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import SERVER, Ran, Site, with_folder_cloud

pytestmark = pytest.mark.engine

ME = f"os:{getpass.getuser()}"
ALONE: dict[str, Any] = {"people": {"ada": [ME]}, "groups": {"owners": ["ada"]}}
APPROVAL = {"unverified": True, "author_may": True}


def merged(site: Site, **apply: Any) -> Path:
    """One environment with one server in the folder cloud, on main and applied; its file."""
    cloud = with_folder_cloud(site)
    site.environment("prod", SERVER)
    site.settings["defaults"].update({"apply": apply, "approval": APPROVAL})
    site.configure(**ALONE)
    site.commit()
    site.apply("prod")
    return cloud / "server-web.json"


def proposed(site: Site, *, cpus: int, branch: str = "faster") -> str:
    """A branch of main in which the server has another number of processors; its commit."""
    site.git("switch", "--quiet", "--create", branch, "main")
    site.environment("prod", SERVER.replace("cpus  = 2", f"cpus  = {cpus}"))
    return site.commit()


def merge(site: Site, branch: str = "faster") -> None:
    site.git("switch", "--quiet", "main")
    site.git("merge", "--quiet", "--no-ff", "--message=Merge", branch)


def cpus(server: Path) -> Any:
    return json.loads(server.read_text())["cpus"]


def run_of(site: Site, state: str) -> dict[str, Any]:
    """The last run in that state."""
    runs = site.main("runs", "--format", "json").json["runs"]
    found: dict[str, Any] = next(each for each in runs if each["state"] == state)
    return found


def ok(ran: Ran, code: int = 0) -> Ran:
    assert ran.code == code, ran.out + ran.err
    return ran


def test_what_was_reviewed_on_a_branch_is_applied_after_the_merge(site: Site) -> None:
    server = merged(site, git="auto")
    before = site.snapshot()
    head = proposed(site, cpus=8)

    reviewed = ok(site.main("review", "--base", "main"), 2)
    assert "prod: would be applied; it is allowed" in reviewed.out
    assert site.snapshot() == before
    assert run_of(site, "reviewed")["commit"] == head
    assert cpus(server) == 2
    merge(site)
    ok(site.main("apply", "prod", "--require-plan"))

    assert cpus(server) == 8
