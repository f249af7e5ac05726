"""Two at once on one environment: each change is applied exactly once, and the other says why not.

Fifty rounds with two processes that stay alive, real run locks, a real store and a fake engine: so
many real applies would take minutes, and what races is ours, not the engine's. Then a few with
everything real: two commands, two controllers, and two machines that share a PostgreSQL.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.store import open_store
from driftctl_py.app.leases import Busy
from driftctl_py.compose.surroundings import new_id
from driftctl_py.core.audit import verify
from driftctl_py.core.environment import Mode
from driftctl_py.core.run import State
from tests.adapters.postgres import NoServer, Server, running_server
from tests.app.reconciling import Bench, order, prod
from tests.e2e.support import Ran, Site, documented

ROUNDS = 50
FREE = prod(Mode.AUTO, Mode.AUTO)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A server of its own."""
    try:
        with running_server() as server:
            yield server
    except NoServer as error:
        pytest.skip(str(error))


def commit(number: int) -> str:
    return f"{number:040x}"


def now() -> datetime:
    return datetime.now(UTC)


def race(directory: Path, url: str | None, worker: str, ready: Barrier, said: Any) -> None:
    """One of two: a pass in each round, all rounds in one process."""
    with open_store(url, directory / "memory", now=now) as store:
        bench = Bench(directory, store, worker=worker, clock=now, new_id=new_id)
        # Long enough that the other is in the middle of it, too, were it let.
        bench.engine.before_apply = lambda _log: time.sleep(0.01)
        with bench.workers.at_work(worker):
            for number in range(ROUNDS):
                ready.wait(60)
                try:
                    outcome = bench.reconciler.reconcile(order(commit(number), FREE))
                    said.put((number, worker, outcome.run.state.value, outcome.run.reason))
                except Busy as error:
                    said.put((number, worker, "busy", error.what))
                ready.wait(60)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_fifty_races_apply_each_change_once(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    url = None
    if database == "postgres":
        server = request.getfixturevalue("postgres")
        url = server.url(schema=server.new_schema())
    spawn = multiprocessing.get_context("spawn")
    ready, said = spawn.Barrier(2), spawn.SimpleQueue()
    workers = ("ada:1", "grace:2")
    racers = [
        spawn.Process(target=race, args=(tmp_path, url, worker, ready, said), daemon=True)
        for worker in workers
    ]
    for racer in racers:
        racer.start()
    ends = [said.get() for _ in range(2 * ROUNDS)]
    for racer in racers:
        racer.join(60)

    assert [racer.exitcode for racer in racers] == [0, 0]
    with open_store(url, tmp_path / "memory", now=now) as store:
        bench = Bench(tmp_path, store)
        assert bench.world.applied == [commit(number) for number in range(ROUNDS)]
        assert Counter(run.state for run in bench.runs)[State.APPLIED] == ROUNDS
        assert {run.state for run in bench.runs} <= {State.APPLIED, State.IN_SYNC}
        count, flaws = verify(store.entries(), bench.artifacts.anchors())
        assert (count, flaws) == (len(bench.told), ())
        assert bench.told.count("apply began") == bench.told.count("apply ended") == ROUNDS
        assert store.leases() == ()
    for number in range(ROUNDS):
        found = {worker: (how, why) for round_, worker, how, why in ends if round_ == number}
        hows = sorted(how for how, _ in found.values())
        assert hows in (["applied", "busy"], ["applied", "in sync"])
        for worker, (how, why) in found.items():
            other = workers[1 - workers.index(worker)]
            assert how != "busy" or f"is being worked at by {other} (run " in why
    # Most of them met: otherwise nothing raced.
    assert sum(how == "busy" for _, _, how, _ in ends) > ROUNDS / 5


# With everything real.

COUNTED = """\
resource "terraform_data" "counted" {
  triggers_replace = "NUMBER"
  provisioner "local-exec" { command = "sleep 1 && echo NUMBER >> $HOME/applied" }
}
"""


def counted(site: Site, number: int) -> None:
    """A change that is applied as soon as somebody looks, and leaves a line when it is."""
    site.environment("prod", COUNTED.replace("NUMBER", str(number)))
    site.settings["defaults"] = {"apply": {"git": "auto"}}
    site.configure()
    site.commit()


def lines(site: Site) -> list[str]:
    return (site.root / "home" / "applied").read_text().split()


def both(site: Site, *argv: str, environs: list[dict[str, str]] | None = None) -> list[Ran]:
    """The same command twice at once, each perhaps with variables of its own."""
    processes = []
    for extra in environs or [{}, {}]:
        before = dict(site.environ)
        site.environ.update(extra)
        processes.append(site.start(*argv))
        site.environ.clear()
        site.environ.update(before)
    return [ended(process) for process in processes]


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


def told(ran: list[Ran]) -> str:
    return "\n".join(f"{each.code}: {each.out}{each.err}" for each in ran)


@pytest.mark.engine
def test_two_applies_at_once_apply_once(s3_site: Site) -> None:
    met = []
    for number in (1, 2):
        counted(s3_site, number)
        ran = both(s3_site, "apply", "prod")

        assert lines(s3_site) == [str(each) for each in range(1, number + 1)], told(ran)
        assert 0 in {each.code for each in ran}, told(ran)
        met += [each for each in ran if each.code != 0]

    runs = s3_site.main("runs", "prod", "--format", "json").json["runs"]
    assert Counter(run["state"] for run in runs)["applied"] == 2
    assert s3_site.main("audit", "verify").code == 0
    # Whoever came too late found nothing to do; of two that met, one says who works there.
    for each in met:
        text = " ".join(each.err.split())
        assert each.code == 1, told(met)
        assert "prod is being worked at by " in text
        assert "driftctl-py status" in text
        assert documented(text), text
    assert met


@pytest.mark.engine
def test_two_controllers_at_once_apply_once(s3_site: Site) -> None:
    counted(s3_site, 1)
    ran = both(s3_site, "controller", "--once")

    assert lines(s3_site) == ["1"], told(ran)
    assert {each.code for each in ran} <= {0, 2}, told(ran)
    assert all("being worked at by" in each.err for each in ran if each.code == 2), told(ran)
    assert s3_site.main("audit", "verify").code == 0


@pytest.mark.engine
def test_two_machines_with_one_postgresql_apply_once(s3_site: Site, postgres: Server) -> None:
    s3_site.configure(
        store={"url_env": "STORE"},
        artifacts={"s3": {**s3_site.s3, "prefix": "evidence"}},
    )
    del s3_site.settings["artifacts"]["s3"]["lock"]
    s3_site.environ["STORE"] = postgres.url(schema=postgres.new_schema())
    counted(s3_site, 1)
    machines = [{"DRIFTCTL_DATA_DIR": str(s3_site.root / name)} for name in ("one", "two")]
    ran = both(s3_site, "controller", "--once", environs=machines)

    assert lines(s3_site) == ["1"], told(ran)
    assert {each.code for each in ran} <= {0, 2}, told(ran)
    # Whichever machine is asked, the history is the same one.
    (*_, run) = s3_site.main("runs", "prod", "--format", "json").json["runs"]
    assert run["state"] == "applied"
    assert s3_site.main("audit", "verify").code == 0
    assert not (s3_site.data / "store.db").exists()
