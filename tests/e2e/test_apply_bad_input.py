"""What is wrong with an approval, a saved plan, or the memory: refused, said, and nothing applied.

Each message is in docs/troubleshooting.md: what a test provokes and the page does not have, fails.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.artifacts import LocalArtifacts
from driftctl_py.adapters.store import sqlite
from tests.e2e.support import DATA, Ran, Site, documented
from tests.engines import Engine, engines

pytestmark = pytest.mark.engine

ME = f"os:{getpass.getuser()}"


def gated(site: Site, **approval: Any) -> None:
    """prod, whose first commit waits for a yes of ours; two of us, ada here and grace by key."""
    site.environment("prod")
    site.settings["defaults"] = {
        "apply": {"git": "gate"},
        "approval": {"author_may": True, "unverified": True, **approval},
    }
    site.configure(
        people={"ada": [ME], "grace": ["key:grace"]}, groups={"owners": ["ada", "grace"]}
    )
    site.commit()


def planned(site: Site) -> str:
    """A plan waits; its run."""
    ran = site.main("plan", "prod", "--format", "json")
    assert ran.code == 2, ran.out + ran.err
    return str(last_run(site)["id"])


def last_run(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.main("runs", "prod", "--format", "json").json["runs"][0]
    return found


def approved(site: Site) -> None:
    ran = site.main("approve", "prod", "--reason", "Fine.")
    assert ran.code == 0, ran.out + ran.err


def is_told(ran: Ran, code: int) -> str:
    """All that was printed, on one line; the page on troubles has it."""
    text = " ".join((ran.out + ran.err).split())
    print(text)

    assert ran.code == code, text
    assert "Traceback" not in text
    assert documented(text), text
    return text


def refused(site: Site, *argv: str) -> str:
    """What is said where nothing is done at all."""
    ran = site.main(*argv)
    assert ran.err.startswith("error: "), ran.out + ran.err
    return is_told(ran, 1)


def nothing_was_applied(site: Site) -> bool:
    return site.key("prod") not in site.snapshot()[0]


# Approvals.


def with_key(site: Site, name: str) -> None:
    """From now on we approve as the one whose key that is."""
    site.environ["DRIFTCTL_APPROVER_KEY"] = site.main("key", "add", name).out.strip()


def test_who_may_not_approve(s3_site: Site) -> None:
    site = s3_site
    gated(site, groups=["owners"], author_may=False, unverified=False)
    people: dict[str, Any] = {"people": {"ada": ["key:ada"]}, "groups": {"owners": ["ada"]}}
    site.configure(**people)
    site.commit()
    planned(site)
    approve = ("approve", "prod", "--reason", "Fine.")

    text = refused(site, *approve)
    assert f"Nothing was approved: Nobody in `people` or `groups` of driftctl.yaml is {ME}." in text

    people["people"]["ada"].append(ME)
    site.configure(**people)
    text = refused(site, *approve)
    assert f"{ME} is unverified, which counts only where `approval.unverified` is true" in text

    site.environ["DRIFTCTL_APPROVER_KEY"] = "no such secret"
    assert "The store knows no key" in refused(site, *approve)

    people["people"]["eve"], people["groups"]["others"] = ["key:eve"], ["eve"]
    site.configure(**people)
    with_key(site, "eve")
    text = refused(site, *approve)
    assert "eve is in none of the groups that are asked: owners." in text

    # Grace Hopper is who commits here.
    people["people"]["ada"].append("grace@example.com")
    site.configure(**people)
    with_key(site, "ada")
    text = refused(site, *approve)
    assert "ada wrote what is to be applied, and somebody else has to approve it." in text

    del site.environ["DRIFTCTL_APPROVER_KEY"]
    assert "There is no approver's key." in refused(site, *approve, "--as", "key")
    assert last_run(site)["state"] == "held"


def test_a_group_that_nobody_declared(embedded_site: Site) -> None:
    gated(embedded_site, groups=["ownres"])

    text = refused(embedded_site, "plan", "prod")

    assert "approval.groups names ownres, but there is no group of that name." in text
    assert "Did you mean `owners`?" in text


def test_a_plan_that_is_not_there(s3_site: Site) -> None:
    gated(s3_site)
    before = refused(s3_site, "approve", "prod", "--reason", "Fine.")
    first = planned(s3_site)
    s3_site.environment("prod", DATA.replace("first", "second"))
    s3_site.commit()
    second = planned(s3_site)

    yes = refused(s3_site, "approve", first, "--reason", "Fine.")
    apply = refused(s3_site, "apply", "prod", "--run", first)
    unknown = refused(s3_site, "apply", "prod", "--run", "19990101")

    assert "No plan of prod waits, and no run begins with it." in before
    assert f"Run {first} is superseded, so its plan waits for nobody." in yes
    assert f"Run {first} is superseded, so it has no plan to apply." in apply
    assert "No run of prod begins with 19990101." in unknown
    assert last_run(s3_site)["id"] == second
    assert nothing_was_applied(s3_site)


def test_an_approval_that_expired(s3_site: Site) -> None:
    gated(s3_site, expires="1s")
    planned(s3_site)
    approved(s3_site)
    time.sleep(1.1)

    text = is_told(s3_site.main("apply", "prod"), 2)

    assert "it expired at" in text
    assert nothing_was_applied(s3_site)


def test_one_person_twice_is_not_two(s3_site: Site) -> None:
    gated(s3_site, count=2)
    planned(s3_site)

    said = [s3_site.main("approve", "prod", "--reason", "Fine.") for _ in range(2)]
    held = s3_site.main("apply", "prod")
    with_key(s3_site, "grace")
    second = s3_site.main("approve", "prod", "--reason", "Fine.")

    for ran in said:
        assert ran.code == 2, ran.out + ran.err
        assert "needs 1 more of" in " ".join(ran.out.split())
    assert held.code == 2, held.out + held.err
    assert nothing_was_applied(s3_site)
    assert second.code == 0, second.out + second.err


# Saved plans.


def kept_plan(site: Site) -> Path:
    """Where the plan that waits lies."""
    digest = last_run(site)["artifacts"]["plan"].partition("-")[2]
    (found,) = [each for each in (site.data / "artifacts").rglob("*") if digest in each.name]
    return found


def test_a_saved_plan_that_was_changed_and_one_that_is_gone(s3_site: Site) -> None:
    gated(s3_site)
    planned(s3_site)
    approved(s3_site)
    kept = kept_plan(s3_site)
    data = kept.read_bytes()
    kept.chmod(0o600)
    kept.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    changed = refused(s3_site, "apply", "prod")
    kept.unlink()
    gone = refused(s3_site, "apply", "prod")

    assert "is not what was put there" in changed
    assert "is not in" in gone
    assert nothing_was_applied(s3_site)


def test_a_saved_plan_that_was_swapped_for_another(s3_site: Site) -> None:
    gated(s3_site)
    planned(s3_site)
    data = kept_plan(s3_site).read_bytes()
    s3_site.environment("prod", DATA.replace("first", "second"))
    s3_site.commit()
    run = planned(s3_site)
    approved(s3_site)
    # As somebody would who can write to both stores: all is true, but it is another plan.
    harmless = LocalArtifacts(s3_site.data / "artifacts").put(data)
    wanted = last_run(s3_site)["artifacts"]["plan"]
    with closing(sqlite3.connect(s3_site.data / "store.db")) as store, store:
        store.execute("UPDATE runs SET document = replace(document, ?, ?)", (wanted, harmless))

    text = refused(s3_site, "apply", "prod")

    assert f"The saved plan of run {run} means" in text
    assert "it is not the one that was kept" in text
    assert nothing_was_applied(s3_site)


def another_engine() -> Engine:
    for engine in engines():
        if engine.label == "terraform":
            return engine
    pytest.skip("there is no second engine here")


def test_a_saved_plan_of_another_engine(s3_site: Site) -> None:
    other = another_engine()
    gated(s3_site)
    planned(s3_site)
    approved(s3_site)
    s3_site.configure(engine=other.path)
    s3_site.commit()

    text = is_told(s3_site.main("apply", "prod"), 2)

    assert "What governs the plan changed: the engine (terraform " in text
    assert nothing_was_applied(s3_site)


def test_a_saved_plan_for_another_workspace(s3_site: Site) -> None:
    gated(s3_site)
    s3_site.create_workspace("prod", "blue")
    planned(s3_site)
    approved(s3_site)
    s3_site.settings["defaults"]["workspace"] = "blue"
    s3_site.configure()
    s3_site.commit()

    text = is_told(s3_site.main("apply", "prod"), 2)

    assert "what driftctl.yaml says of the environment" in text
    assert "terraform_data" not in "".join(map(repr, s3_site.snapshot()[0].values()))


# The memory.


def stored(site: Site) -> Path:
    """A site with a store in which something is; the store."""
    gated(site)
    ran = site.main("suspend", "prod", "--reason", "An incident.")
    assert ran.code == 0, ran.out + ran.err
    return site.data / "store.db"


def mounted(site: Site, script: str, *argv: str) -> Ran:
    """Our program where ``script`` has mounted something over the data directory ($0)."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("nothing can be mounted here")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{script} && exec "$@"', site.data, site.driftctl_py, *argv],
        cwd=site.repo,
        env={**site.environ, "PATH": f"{site.environ['PATH']}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_a_store_that_is_read_only(embedded_site: Site) -> None:
    stored(embedded_site)
    read_only = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'

    kept = mounted(embedded_site, read_only, "resume", "prod", "--reason", "It is over.")
    work = mounted(embedded_site, read_only, "plan", "prod")

    for ran in (kept, work):
        assert "store.db is read-only for us, so nothing can be recorded." in is_told(ran, 1)


def test_a_store_whose_disk_is_full(embedded_site: Site) -> None:
    gated(embedded_site)
    embedded_site.data.mkdir(mode=0o700)
    full = 'mount -t tmpfs -o size=64k,mode=700 none "$0" && { cat /dev/zero >"$0/ballast"; true; }'

    ran = mounted(embedded_site, f"{full} 2>&-", "suspend", "prod", "--reason", "x")

    assert "is full, so nothing could be recorded" in is_told(ran, 1)


def test_a_store_that_somebody_keeps_locked(
    embedded_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(embedded_site)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        text = refused(embedded_site, "resume", "prod", "--reason", "It is over.")

    assert "is locked: another process has been writing to it" in text


def test_a_store_of_a_newer_version(embedded_site: Site) -> None:
    store = stored(embedded_site)
    with closing(sqlite3.connect(store)) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")

    text = refused(embedded_site, "status")

    assert "has the schema 9999" in text
    assert "a newer one has used it" in text


def test_a_store_that_is_damaged(embedded_site: Site) -> None:
    store = stored(embedded_site)
    for each in store.parent.glob("store.db*"):
        if each != store:
            each.unlink()
    store.write_bytes(b"This is no database." * 1000)

    text = refused(embedded_site, "status")

    assert "is damaged, or no store at all" in text
    assert f"mv {store} {store}.damaged" in text


def test_a_data_directory_that_others_can_read(embedded_site: Site) -> None:
    stored(embedded_site)
    embedded_site.data.chmod(0o755)

    text = refused(embedded_site, "plan", "prod")

    assert "is open to other users (mode 0755)" in text
    assert f"chmod 700 {embedded_site.data}" in text


# What is asked for.


def test_a_rollback_to_a_commit_that_is_not_in_the_history(embedded_site: Site) -> None:
    gated(embedded_site)
    rollback = ("rollback", "prod", "--reason", "It was too much.", "--to")

    absent = refused(embedded_site, *rollback, "f" * 40)
    nonsense = refused(embedded_site, *rollback, "yesterday")

    assert f"holds no commit {'f' * 40}, so nothing is planned at it." in absent
    assert "'yesterday' is no commit." in nonsense
    assert json.loads(embedded_site.main("status", "--format", "json").out)["environments"] == []


def test_a_suspension_that_is_over_before_it_begins(embedded_site: Site) -> None:
    gated(embedded_site)
    suspend = ("suspend", "prod", "--reason", "An incident.", "--until")

    assert "2020-01-01 is over." in refused(embedded_site, *suspend, "2020-01-01")
    assert "'soon' is neither a length of time nor a moment." in refused(
        embedded_site, *suspend, "soon"
    )


def test_what_is_not_held_back_cannot_be_let_go(embedded_site: Site) -> None:
    gated(embedded_site)

    for command, how in (("resume", "suspended"), ("release", "pinned"), ("unblock", "blocked")):
        text = refused(embedded_site, command, "prod", "--reason", "It is over.")
        assert f"prod is not {how}, so there is nothing to take away." in text
    assert "There is no environment prd." in refused(
        embedded_site, "suspend", "prd", "--reason", "x"
    )
