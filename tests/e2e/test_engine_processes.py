"""How many engine processes a check costs: they are what a check's time is spent in.

Each check here is a program of its own, as users start it: what is remembered from one to the
next has to survive that (another process has another hash seed, another order of sets).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.support import DATA, SERVER, Site, with_folder_cloud

pytestmark = pytest.mark.engine

# Notes each command, then is the real engine.
_COUNTING = """\
#!/bin/sh
echo "$1" >> {log}
exec @ENGINE@ "$@"
"""


def _count(site: Site) -> Path:
    """Have the site's engine note its commands; the file they are noted in."""
    log = site.root / "commands"
    program = str(site.program("counting-engine", _COUNTING.format(log=log)))
    settings = site.settings["engine"]
    site.configure(engine={**settings, "use": program} if isinstance(settings, dict) else program)
    site.commit()
    return log


def _check(site: Site, log: Path, *, hash_seed: int = 0) -> tuple[int, list[str]]:
    """The exit code of a check and the engine's commands in it."""
    log.unlink(missing_ok=True)
    site.environ["PYTHONHASHSEED"] = str(hash_seed)
    process = site.start("check", "--jobs", "1", "--format", "json")
    out, err = process.communicate(timeout=120)
    statuses = [item["reason"] for item in json.loads(out)["environments"]]
    assert statuses == [""], err + out
    return process.returncode, log.read_text().split()


def test_a_clean_environment_costs_exactly_one_plan_in_whichever_process(site: Site) -> None:
    site.environment("dev", DATA + site.backend_block(site.key("dev")))
    site.apply("dev")
    log = _count(site)
    first = _check(site, log)
    warm = [_check(site, log, hash_seed=seed) for seed in range(1, 5)]

    # Which engine and version it is, is asked once; then an init for this directory.
    assert first == (0, ["plan", "init", "plan"])
    assert warm == [(0, ["plan"])] * 4


def test_a_pending_change_costs_one_show_more(local_site: Site) -> None:
    local_site.environment("dev")
    log = _count(local_site)
    _check(local_site, log)
    warm = _check(local_site, log)

    assert warm == (2, ["plan", "show"])


def test_drift_costs_one_show_more(local_site: Site) -> None:
    cloud = with_folder_cloud(local_site)
    local_site.environment("dev", SERVER)
    local_site.write(".gitignore", ".terraform/\n")
    log = _count(local_site)
    directory = local_site.repo / "environments" / "dev"
    local_site.run_engine(directory, "init")
    local_site.run_engine(directory, "apply", "-auto-approve")
    _check(local_site, log)
    clean = _check(local_site, log)
    server = next(cloud.rglob("*web*.json"))
    server.write_text(server.read_text().replace("debian-13", "debian-12"))
    drifted = _check(local_site, log)

    assert clean == (0, ["plan"])
    assert drifted == (2, ["plan", "show"])


_NESTED = """
check "region" {
  data "terraform_remote_state" "network" {
    backend = "local"
    config  = { path = "${path.root}/network.tfstate" }
  }
  assert {
    condition     = data.terraform_remote_state.network.outputs.region == "eu-central-1"
    error_message = "The network is elsewhere."
  }
}
"""
_NETWORK = {
    "version": 4,
    "terraform_version": "1.6.0",
    "serial": 1,
    "lineage": "3b1cd5f0-0000-4000-8000-000000000000",
    "outputs": {"region": {"value": "eu-central-1", "type": "string"}},
    "resources": [],
}


def test_a_plan_that_was_read_as_in_sync_is_not_read_again(site: Site) -> None:
    """A check that reads data makes every plan one to read: the engine exits with 2 each time."""
    site.environment("dev", DATA + _NESTED + site.backend_block(site.key("dev")))
    network = site.repo / "environments" / "dev" / "network.tfstate"
    network.write_text(json.dumps(_NETWORK))
    site.apply("dev")
    log = _count(site)
    first = _check(site, log)
    warm = _check(site, log)
    network.write_text(json.dumps({**_NETWORK, "serial": 2}).replace("eu-central-1", "eu-west-1"))
    moved = _check(site, log)

    assert first == (0, ["plan", "init", "plan", "show"])
    assert warm == (0, ["plan"])
    assert moved == (0, ["plan", "show"])
