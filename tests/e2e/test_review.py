"""What was reviewed is what is applied: branches, a base, a head, a real engine, states in S3.

Most of it needs no provider. Whose word counts, key by key, is tried in `core/test_trust.py`.
"""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.e2e.support import SERVER, Ran, Site, with_folder_cloud

pytestmark = pytest.mark.engine

ME = f"os:{getpass.getuser()}"
ALONE: dict[str, Any] = {"people": {"ada": [ME]}, "groups": {"owners": ["ada"]}}
APPROVAL = {"unverified": True, "author_may": True}


def data(value: str, name: str = "one") -> str:
    return f'resource "terraform_data" "{name}" {{\n  input = "{value}"\n}}\n'


def merged(site: Site, **apply: Any) -> None:
    """One environment that was never applied, on main."""
    site.environment("prod", data("first"))
    site.settings["defaults"] = {"apply": apply, "approval": APPROVAL}
    site.configure(**ALONE)
    site.commit()


def proposed(site: Site, value: str = "second") -> str:
    """A branch of main in which the object has another value; its commit."""
    site.git("switch", "--quiet", "--create", "faster", "main")
    site.environment("prod", data(value))
    return site.commit()


def merge(site: Site, branch: str = "faster") -> None:
    site.git("switch", "--quiet", "main")
    site.git("merge", "--quiet", "--no-ff", "--message=Merge", branch)


def applied(site: Site, name: str = "prod") -> list[str]:
    """The values of all objects, as the state has them."""
    text = site.snapshot()[0].get(site.key(name), b'{"resources": []}')
    return sorted(
        each["attributes"]["input"]["value"]
        for resource in json.loads(text)["resources"]
        for each in resource["instances"]
    )


def run_of(site: Site, state: str) -> dict[str, Any]:
    """The last run in that state."""
    runs = site.main("runs", "--format", "json").json["runs"]
    found: dict[str, Any] = next(each for each in runs if each["state"] == state)
    return found


def ended(ran: Ran, code: int = 0) -> Ran:
    assert ran.code == code, ran.out + ran.err
    return ran


def test_what_was_reviewed_on_a_branch_is_applied_after_the_merge(s3_site: Site) -> None:
    site = s3_site
    merged(site, git="auto")
    before = site.snapshot()
    head = proposed(site)

    results = str(site.root / "results")
    reviewed = ended(site.main("review", "--base", "main", "--results", results), 2)
    assert "prod: would be applied; it is allowed" in reviewed.out
    told = ended(site.main("report", results, "--format", "json"), 2).json["results"][0]
    assert (told["environment"], told["occasion"]) == ("prod", "review")
    assert told["fingerprint"] == run_of(site, "reviewed")["fingerprint"]
    assert site.snapshot() == before
    assert run_of(site, "reviewed")["commit"] == head
    merge(site)
    ended(site.main("apply", "prod", "--require-plan"))

    assert applied(site) == ["second"]
    assert site.main("status", "--format", "json").json["environments"][0]["last"]["state"] == (
        "applied"
    )


def test_another_commit_in_between_is_refused_with_what_differs(s3_site: Site) -> None:
    site = s3_site
    merged(site, git="auto")
    proposed(site)
    ended(site.main("review", "--base", "main"), 2)
    site.git("switch", "--quiet", "main")
    site.write("environments/prod/more.tf", data("unseen", "two"))
    site.commit()
    merge(site)

    refused = ended(site.main("apply", "prod", "--require-plan", "--format", "json"), 1).json["run"]

    assert "is not what was reviewed at" in refused["reason"]
    assert "What governs the plan is not the same: environments/prod." in refused["reason"]
    unseen = "terraform_data.two: reviewed, nothing was to be done with it; now: create."
    assert unseen in refused["reason"]
    assert "driftctl-py review prod --base HEAD" in refused["todo"]
    assert applied(site) == []
    # Once somebody looked at what is there now, that is what is applied.
    ended(site.main("review", "prod", "--base", "HEAD"), 2)
    ended(site.main("apply", "prod", "--require-plan"))
    assert applied(site) == ["second", "unseen"]


def test_an_approval_of_a_review_counts_for_the_apply(s3_site: Site) -> None:
    site = s3_site
    # The configuration wants it reviewed; nobody has to say so.
    merged(site, git="gate", reviewed=True)
    proposed(site)
    held = ended(site.main("review", "--base", "main"), 2)
    run = run_of(site, "reviewed")["id"]
    assert f"driftctl-py approve {run}" in held.out

    ended(site.main("approve", run, "--reason", "Black Friday"))
    merge(site)
    ended(site.main("apply", "prod"))

    assert applied(site) == ["second"]


def test_a_new_environment_is_reviewed_before_it_is_merged(s3_site: Site) -> None:
    site = s3_site
    merged(site, git="auto", reviewed=True)
    site.git("switch", "--quiet", "--create", "faster")
    site.environment("staging", data("new"))
    site.commit()

    found = ended(site.main("review", "staging", "--base", "main"), 2)
    merge(site)
    refused = ended(site.main("apply", "prod"), 1)
    ended(site.main("apply", "staging"))

    assert "staging: would be applied; it is allowed" in found.out
    assert "No review of prod is known" in refused.out
    assert (applied(site, "prod"), applied(site, "staging")) == ([], ["new"])


def test_a_review_beside_a_held_lock_knows_nothing(s3_site: Site) -> None:
    site = s3_site
    merged(site, git="auto")
    lock = {"ID": "1", "Operation": "OperationTypeApply", "Who": "grace@build-7"}
    site.put(f"{site.key('prod')}.tflock", json.dumps(lock).encode())

    found = ended(site.main("review", "--base", "main"), 1)

    assert "The state is locked by grace@build-7" in found.out
    assert run_of(site, "unknown")["purpose"] == "review"


def test_drift_since_the_review_is_not_put_back_unseen(s3_site: Site) -> None:
    site = s3_site
    cloud = with_folder_cloud(site)
    site.environment("prod", SERVER)
    site.settings["defaults"].update({"apply": {"git": "auto", "drift": "auto"}})
    site.configure()
    site.commit()
    site.apply("prod")
    server = cloud / "server-web.json"
    site.git("switch", "--quiet", "--create", "faster")
    site.environment("prod", SERVER.replace("cpus  = 2", "cpus  = 8"))
    site.commit()
    ended(site.main("review", "--base", "main"), 2)
    merge(site)
    server.write_text(json.dumps({**json.loads(server.read_text()), "image": "drifted"}))

    refused = ended(site.main("apply", "prod", "--require-plan"), 1)

    assert "folder_server.web: reviewed: update; now: replace." in refused.out
    assert json.loads(server.read_text())["image"] == "drifted"
    # And of the providers: what is not listed is named, and never run.
    site.configure(providers=["hashicorp/*"])
    site.commit()
    named = ended(site.main("review", "--base", "main"), 1)
    assert "prod needs demo.driftctl.example/driftctl/folder, which `providers`" in named.out
    site.configure(providers=["demo.driftctl.example/*/folder"])
    site.commit()
    ended(site.main("review", "--base", "main"), 2)


DENY = """\
#!/bin/sh
echo "No owner." >&2
exit 1
"""


def test_a_hostile_head_runs_nothing_of_its_own_and_loosens_nothing(s3_site: Site) -> None:
    site = s3_site
    site.settings["policies"] = [{"name": "owner", "run": ["checks/owner", "{plan}"]}]
    site.settings["redact"] = [{"attribute": "input"}]
    merged(site, git="gate")
    _executable(site, "checks/owner", DENY)
    site.commit()
    site.git("switch", "--quiet", "--create", "evil")
    evil = f"#!/bin/sh\ntouch {site.root}/evil\nexit 0\n"
    for name in ("checks/owner", "checks/other", "terraform"):
        _executable(site, name, evil)
    site.environment("prod", data("hunter2-is-masked"))
    site.settings["defaults"]["apply"] = {"git": "auto"}
    site.settings["defaults"]["env"] = {"AWS_PROFILE": "admin"}
    site.configure(
        engine={"use": "./terraform"},
        redact=[],
        policies=[{"name": "mine", "run": ["checks/other", "{plan}"]}],
        data_dir="./theirs",
        people={"mallory": [ME]},
        groups={"owners": ["mallory"]},
        state={"s3": {**site.s3, "bucket": "mallorys"}},
    )
    site.commit()

    results = str(site.root / "results")
    words = ("--format", "markdown", "--results", results)
    found = ended(site.main("review", "--base", "main", *words), 1)

    assert "prod: would be refused" in found.out
    assert "No owner." in found.out
    assert "hunter2" not in found.out
    assert not (site.root / "evil").exists()
    assert not (site.repo / "theirs").exists()
    # Nor may it choose another file of the base to be judged by.
    site.git("switch", "--quiet", "--create", "link", "main")
    (site.repo / "driftctl.yaml").rename(site.repo / "lax.yaml")
    (site.repo / "driftctl.yaml").symlink_to("lax.yaml")
    site.commit()
    linked = ended(site.main("review", "--base", "main"), 1)
    assert "driftctl.yaml is a symbolic link" in linked.err
    for key in ("engine", "state", "redact", "people", "policies", "data_dir", "apply", "env"):
        assert key in found.err


def test_what_is_left_for_other_jobs_is_known_without_asking_the_sources_of_the_head(
    s3_site: Site,
) -> None:
    site = s3_site
    merged(site, git="auto")
    proposed(site)
    results = site.root / "results"
    with _collecting() as (port, asked):
        site.settings["sources"] = {"default": ".", "mallorys": f"https://127.0.0.1:{port}/x.git"}
        site.settings["environments"] = ["environments/*", {"path": "x", "source": "mallorys"}]
        site.configure(**ALONE)
        site.commit()
        ended(site.main("review", "--base", "main", "--results", str(results)), 1)

    assert not asked
    told = ended(site.main("report", str(results), "--format", "json"), 1).json["results"]
    (item,) = next(each for each in told if each["environment"] == "prod")["items"]
    assert (item["file"], item["line"]) == ("environments/prod/main.tf", 1)


@contextmanager
def _collecting() -> Iterator[tuple[int, list[str]]]:
    """A port at which nobody is answered, and who asked there."""
    asked: list[str] = []

    def collect(listening: socket.socket) -> None:
        # Until it is closed.
        with suppress(OSError):
            while True:
                connection, address = listening.accept()
                asked.append(f"{address}")
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=collect, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1], asked
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_without_a_configuration_at_the_base_nothing_is_planned(s3_site: Site) -> None:
    site = s3_site
    site.write("README.md", "# Infra\n")
    site.commit()
    site.git("switch", "--quiet", "--create", "first")
    merged(site, git="auto")

    none = ended(site.main("review", "--base", "main"), 1)
    unknown = ended(site.main("review", "--base", "nowhere"), 1)

    assert "holds no driftctl.yaml, so nothing says who may approve what" in none.err
    assert "nowhere is no commit, branch or tag of the repository" in unknown.err


def _executable(site: Site, name: str, text: str) -> Path:
    path = site.write(name, text)
    path.chmod(0o755)
    return path


def test_a_review_writes_nowhere_but_where_reviews_are(s3_site: Site) -> None:
    site = s3_site
    place = {"bucket": site.bucket, "region": site.s3["region"], "endpoint": site.s3["endpoint"]}
    site.settings["artifacts"] = {"s3": {**place, "prefix": "kept"}}
    site.settings["store"] = "artifacts"
    merged(site, git="gate", reviewed=True)
    ended(site.main("status"))
    proposed(site)
    before = site.snapshot()[0].keys()

    ended(site.main("review", "--base", "main"), 2)
    wrote = site.snapshot()[0].keys() - before
    # All else is done on other machines.
    site.environ["DRIFTCTL_DATA_DIR"] = str(site.root / "elsewhere")
    (review,) = (each.rpartition("/")[2] for each in wrote if "/runs/prod/" in each)
    shown = ended(site.main("show", review))
    ended(site.main("approve", review, "--reason", "Black Friday"))
    merge(site)
    site.write("environments/prod/more.tf", data("unseen", "two"))
    site.commit()
    refused = ended(site.main("apply", "prod"), 1)
    site.git("reset", "--quiet", "--hard", "HEAD^")
    ended(site.main("apply", "prod"))

    assert all(each.startswith("kept/reviews/") for each in wrote), wrote
    assert len(wrote) == 2
    assert "terraform_data.one" in shown.out
    assert "terraform_data.two: reviewed, nothing was to be done with it" in refused.out
    assert applied(site) == ["second"]


def test_a_shallow_merge_and_a_source_that_is_gone_leave_the_rest_to_be_reviewed(
    s3_site: Site,
) -> None:
    site = s3_site
    site.settings["sources"] = {"default": ".", "lost": str(site.root / "lost")}
    site.settings["environments"] = ["environments/*", {"path": "net", "source": "lost"}]
    merged(site, git="auto")
    proposed(site)
    site.git("switch", "--quiet", "--detach", "main")
    site.git("merge", "--quiet", "--no-ff", "--message=As merged", "faster")
    # As a forge's runner has it: two commits deep, on no branch.
    shallow = site.root / "shallow"
    site.git("clone", "--quiet", "--depth=2", f"file://{site.repo}", str(shallow))
    site.repo.rename(site.root / "upstream")
    shallow.rename(site.repo)

    found = ended(site.main("review", "--base", "HEAD^1"), 1)
    named = ended(site.main("review", "prod", "--base", "HEAD^1"), 2)

    assert "prod: would be applied; it is allowed" in found.out
    assert "net: failed" in found.out
    assert "net" not in named.out
