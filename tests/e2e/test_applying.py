"""Plan, decide, approve, apply: with real engines, a real cloud in a folder and states in S3."""

from __future__ import annotations

import getpass
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import SERVER, Site, wait_until, with_folder_cloud

pytestmark = pytest.mark.engine

ME = f"os:{getpass.getuser()}"
# Where the operating system's word is enough, and one person is all there is.
ALONE: dict[str, Any] = {
    "people": {"ada": [ME]},
    "groups": {"owners": ["ada"]},
}
APPROVAL = {"unverified": True, "author_may": True}


def in_the_folder(site: Site, **apply: str) -> Path:
    """One environment with one server in the folder cloud, applied; its file."""
    cloud = with_folder_cloud(site)
    site.environment("prod", SERVER)
    site.settings["defaults"].update({"apply": apply, "approval": APPROVAL})
    site.configure(**ALONE)
    site.commit()
    site.apply("prod")
    return cloud / "server-web.json"


def drift(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}, indent=2))


def of(file: Path, name: str) -> Any:
    return json.loads(file.read_text())[name]


def wants(site: Site, *, cpus: int) -> None:
    """A commit that gives the server another number of processors."""
    site.environment("prod", SERVER.replace("cpus  = 2", f"cpus  = {cpus}"))
    site.commit()


def with_an_approved_commit(site: Site) -> Path:
    """Eight processors are planned and approved, and not applied yet; the server's file."""
    server = in_the_folder(site, git="gate")
    wants(site, cpus=8)
    assert site.main("plan", "prod").code == 2
    assert site.main("approve", "prod", "--reason", "Black Friday").code == 0
    return server


def last_run(site: Site, name: str = "prod") -> dict[str, Any]:
    runs = site.main("runs", name, "--format", "json").json["runs"]
    found: dict[str, Any] = runs[0]
    return found


def test_drift_under_auto_is_healed_by_one_command(site: Site) -> None:
    server = in_the_folder(site, drift="auto")
    drift(server, cpus=64)

    healed = site.main("apply", "prod")
    again = site.main("apply", "prod")

    assert healed.code == 0, healed.out + healed.err
    assert of(server, "cpus") == 2
    assert again.code == 0, again.out + again.err
    assert last_run(site)["state"] == "in sync"
    assert site.main("check").code == 0
    assert site.main("audit", "verify").code == 0


def test_a_commit_is_held_until_somebody_approves_it(site: Site) -> None:
    server = in_the_folder(site, git="gate")
    wants(site, cpus=8)

    planned = site.main("plan", "prod")
    unapproved = site.main("apply", "prod")
    before = of(server, "cpus")
    approved = site.main("approve", "prod", "--reason", "Black Friday")
    applied = site.main("apply", "prod")

    assert planned.code == 2, planned.out + planned.err
    assert unapproved.code == 2, unapproved.out + unapproved.err
    assert before == 2
    assert approved.code == 0, approved.out + approved.err
    assert applied.code == 0, applied.out + applied.err
    assert of(server, "cpus") == 8


def test_an_approval_is_worth_nothing_for_a_plan_that_means_something_else(s3_site: Site) -> None:
    site = s3_site
    server = with_an_approved_commit(site)
    wants(site, cpus=16)

    applied = site.main("apply", "prod")

    assert applied.code == 2, applied.out + applied.err
    assert of(server, "cpus") == 2
    assert "environments/prod" in applied.out


def test_an_unrelated_commit_does_not_void_an_approval(s3_site: Site) -> None:
    site = s3_site
    server = with_an_approved_commit(site)
    site.write("README.md", "Nothing that an engine reads.\n")
    site.commit()

    applied = site.main("apply", "prod")

    assert applied.code == 0, applied.out + applied.err
    assert of(server, "cpus") == 8


def test_a_state_that_moved_is_planned_again_and_the_same_meaning_goes_on(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, git="gate")
    two = SERVER + 'resource "terraform_data" "other" { input = "by hand" }\n'
    wants(site, cpus=8)
    site.main("plan", "prod")
    site.main("approve", "prod", "--reason", "Black Friday")
    # Somebody's apply that comes to nothing in the end, but for the state's serial.
    site.environment("prod", two)
    site.apply("prod")
    site.environment("prod", SERVER)
    site.apply("prod")
    site.git("checkout", "--", ".")

    applied = site.main("apply", "prod")

    assert applied.code == 0, applied.out + applied.err
    assert "serial" in applied.out
    assert of(server, "cpus") == 8


def test_drift_is_healed_while_a_commit_waits_for_its_yes(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, git="gate", drift="auto")
    assert site.main("apply", "prod").code == 0
    site.environment("prod", SERVER.replace('"debian-13"', '"debian-14"'))
    site.commit()
    drift(server, cpus=64)

    passed = site.main("apply", "prod")

    assert passed.code == 2, passed.out + passed.err
    assert (of(server, "cpus"), of(server, "image")) == (2, "debian-13")
    assert last_run(site)["state"] == "held"
    site.main("approve", "prod", "--reason", "The new image is tested.")
    assert site.main("apply", "prod").code == 0
    assert of(server, "image") == "debian-14"


def test_the_modes_that_nobody_set_apply_nothing(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site)
    drift(server, cpus=64)

    refused = site.main("apply", "prod")

    assert refused.code == 1, refused.out + refused.err
    assert of(server, "cpus") == 64
    assert "apply.drift is never" in refused.out + refused.err


def test_a_saved_plan_that_was_changed_is_not_applied(s3_site: Site) -> None:
    site = s3_site
    server = with_an_approved_commit(site)
    reference = last_run(site)["artifacts"]["plan"]
    (kept,) = [each for each in site.data.rglob("*") if reference.partition("-")[2] in each.name]
    data = kept.read_bytes()
    kept.chmod(0o600)
    kept.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    applied = site.main("apply", "prod")

    assert applied.code == 1, applied.out + applied.err
    assert of(server, "cpus") == 2


def test_what_was_rejected_is_not_applied(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, git="gate")
    wants(site, cpus=8)
    site.main("plan", "prod")

    rejected = site.main("reject", "prod", "--reason", "Not before the holidays.")
    applied = site.main("apply", "prod")

    assert rejected.code == 0, rejected.out + rejected.err
    assert applied.code == 1, applied.out + applied.err
    assert of(server, "cpus") == 2


def test_a_rollback_holds_until_it_is_released(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, git="auto")
    assert site.main("apply", "prod").code == 0
    first = site.git("rev-parse", "HEAD")
    wants(site, cpus=8)
    assert site.main("apply", "prod").code == 0

    back = site.main("rollback", "prod", "--to", first, "--reason", "It was too much.")
    still = site.main("apply", "prod")
    pinned = of(server, "cpus")
    released = site.main("release", "prod", "--reason", "It was not that.")
    forth = site.main("apply", "prod")

    assert back.code == 0, back.out + back.err
    assert still.code == 0, still.out + still.err
    assert pinned == 2
    assert released.code == 0, released.out + released.err
    assert forth.code == 0, forth.out + forth.err
    assert of(server, "cpus") == 8


def test_a_suspended_environment_is_planned_and_not_applied(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, drift="auto")
    drift(server, cpus=64)
    suspended = site.main("suspend", "prod", "--reason", "An incident.", "--until", "2h")

    refused = site.main("apply", "prod")
    left = of(server, "cpus")
    resumed = site.main("resume", "prod", "--reason", "It is over.")
    applied = site.main("apply", "prod")

    assert suspended.code == 0, suspended.out + suspended.err
    assert refused.code == 1, refused.out + refused.err
    assert "suspended" in refused.out + refused.err
    assert left == 64
    assert resumed.code == 0, resumed.out + resumed.err
    assert applied.code == 0, applied.out + applied.err
    assert of(server, "cpus") == 2


IGNORING = SERVER.replace("cpus  = 2\n", "cpus  = 2\n  lifecycle { ignore_changes = [cpus] }\n")


def test_drift_that_apply_leaves_is_accepted_into_the_state(site: Site) -> None:
    server = in_the_folder(site, drift="auto")
    site.environment("prod", IGNORING)
    site.commit()
    drift(server, cpus=64)
    assert site.main("check").code == 2

    accepted = site.main("accept", "prod", "--reason", "The vendor resized it.")

    assert accepted.code == 0, accepted.out + accepted.err
    assert of(server, "cpus") == 64
    assert site.main("check").code == 0


SLOW = """\
resource "terraform_data" "first" {
  input = "first"
}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "touch $HOME/began && sleep 3" }
}
resource "terraform_data" "last" {
  depends_on = [terraform_data.slow]
  provisioner "local-exec" { command = "touch $HOME/through" }
}
"""


def slow(site: Site) -> Path:
    """An environment that takes three seconds to apply; its home."""
    site.environment("prod", SLOW)
    site.settings["defaults"] = {"apply": {"git": "auto"}}
    site.configure()
    site.commit()
    return site.root / "home"


def test_an_apply_outlives_us_and_the_next_start_records_it(site: Site) -> None:
    home = slow(site)
    process = site.start("apply", "prod")
    assert wait_until((home / "began").exists, 60)

    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while_it_runs = last_run(site)
    assert wait_until((home / "through").exists)
    found = site.main("apply", "prod")

    assert while_it_runs["state"] == "applying"
    assert found.code == 0, found.out + found.err
    runs = site.main("runs", "prod", "--format", "json").json["runs"]
    assert [run["state"] for run in runs[:2]] == ["in sync", "applied, not verified"]
    assert len(json.loads(site.snapshot()[0][site.key("prod")])["resources"]) == 3
    assert site.main("check").code == 0


def test_a_wish_to_stop_waits_for_an_apply(site: Site) -> None:
    home = slow(site)
    process = site.start("apply", "prod")
    assert wait_until((home / "began").exists, 60)

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert (home / "through").exists(), out + err
    assert last_run(site)["state"] in ("applied", "applied, not verified")
    assert not any(key.endswith(".tflock") for key in site.snapshot()[0])


FAILING = """\
resource "terraform_data" "good" {
  input = "good"
}
resource "terraform_data" "bad" {
  depends_on = [terraform_data.good]
  provisioner "local-exec" { command = "exit 7" }
}
"""


def test_what_was_applied_and_what_was_not_is_said(site: Site) -> None:
    site.environment("prod", FAILING)
    site.settings["defaults"] = {"apply": {"git": "auto"}}
    site.configure()
    site.commit()

    failed = site.main("apply", "prod")

    assert failed.code == 1, failed.out + failed.err
    said = failed.out + failed.err
    assert "terraform_data.good" in said
    assert "terraform_data.bad" in said
    assert last_run(site)["state"] == "partly applied"


RESTLESS = 'resource "terraform_data" "clock" { input = timestamp() }\n'


def test_an_apply_that_never_settles_is_said_not_to_have_converged(s3_site: Site) -> None:
    site = s3_site
    site.environment("prod", RESTLESS)
    site.settings["defaults"] = {"apply": {"git": "auto"}}
    site.configure()
    site.commit()

    applied = site.main("apply", "prod")

    assert applied.code == 2, applied.out + applied.err
    assert "terraform_data.clock" in applied.out
    assert last_run(site)["state"] == "not converged"


def test_a_tree_with_changes_in_no_commit_is_not_planned_to_be_applied(s3_site: Site) -> None:
    site = s3_site
    in_the_folder(site, git="auto")
    site.environment("prod", SERVER.replace("cpus  = 2", "cpus  = 8"))

    refused = site.main("apply", "prod")

    assert refused.code == 1
    assert "in no commit" in refused.err


def test_a_byte_of_the_trail_that_was_changed_is_found(s3_site: Site) -> None:
    import sqlite3

    site = s3_site
    server = in_the_folder(site, drift="auto")
    drift(server, cpus=64)
    assert site.main("apply", "prod").code == 0
    sound = site.main("audit", "verify")
    with sqlite3.connect(site.data / "store.db") as store:
        store.execute("UPDATE entries SET event = replace(event, 'os:', 'so:') WHERE number = 2")
    store.close()

    flawed = site.main("audit", "verify")

    assert sound.code == 0, sound.out + sound.err
    assert flawed.code == 1, flawed.out + flawed.err
