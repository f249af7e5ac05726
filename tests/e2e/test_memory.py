"""A store in the bucket: what one machine records, another one goes on with.

Each machine has a data directory of its own, as a runner whose disk dies with it; they share Git,
the cloud and a bucket of a real moto server, and nothing else.
"""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.support import SERVER, Ran, Site, with_folder_cloud

pytestmark = pytest.mark.engine


def on(site: Site, machine: str, *argv: str) -> Ran:
    """A command on a machine of that name, which exists for as long as the command runs."""
    home = site.root / machine
    site.environ["DRIFTCTL_DATA_DIR"] = str(home)
    try:
        return site.main(*argv)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def shared(site: Site) -> Path:
    """One environment, applied, and a store where the artifacts are; its server's file."""
    assert site.moto is not None
    cloud = with_folder_cloud(site)
    site.environment("prod", SERVER)
    site.settings["defaults"].update(
        {
            "apply": {"git": "gate", "drift": "auto"},
            "approval": {"unverified": True, "author_may": True},
        }
    )
    place = {
        "bucket": site.bucket,
        "region": "eu-central-1",
        "prefix": "driftctl",
        "endpoint": site.moto.endpoint,
    }
    site.configure(
        people={"ada": [f"os:{getpass.getuser()}"]},
        groups={"owners": ["ada"]},
        artifacts={"s3": place},
        store="artifacts",
    )
    site.commit()
    site.apply("prod")
    return cloud / "server-web.json"


def test_a_commit_is_planned_approved_and_applied_on_three_machines(s3_site: Site) -> None:
    site = s3_site
    server = shared(site)
    site.environment("prod", SERVER.replace("cpus  = 2", "cpus  = 8"))
    site.commit()

    planned = on(site, "runner-1", "plan", "prod")
    waiting = on(site, "runner-2", "status", "--format", "json")
    approved = on(site, "runner-3", "approve", "prod", "--reason", "Black Friday")
    applied = on(site, "runner-4", "apply", "prod")
    again = on(site, "runner-5", "apply", "prod")

    assert planned.code == 2, planned.out + planned.err
    assert waiting.json["environments"][0]["last"]["state"] == "held"
    assert approved.code == 0, approved.out + approved.err
    assert applied.code == 0, applied.out + applied.err
    assert json.loads(server.read_text())["cpus"] == 8
    assert again.code == 0, again.out + again.err
    told = on(site, "laptop", "runs", "prod", "--format", "json").json["runs"]
    assert [run["state"] for run in told] == ["in sync", "applied"]
    verified = on(site, "laptop", "audit", "verify")
    assert verified.code == 0, verified.out + verified.err
    assert "Its head is anchored in the artifact store up to entry" in verified.out
    # Nothing of it is anywhere but below the prefix.
    assert site.moto is not None
    kinds = {tuple(key.split("/")[:3]) for key in site.moto.objects(site.bucket)}
    assert ("driftctl", "memory", "log") in kinds
    assert ("driftctl", "memory", "locks") in kinds
    assert {first for first, *_ in kinds} == {"driftctl", "prod"}
