"""What remembering costs: recording a run, and asking about many.

python -m tests.bench.store [--environments 1000] [--runs 100000] [--changes 5] [--rounds 21]
                            [--postgres]

In SQLite on this machine's disk, as the program uses it; with ``--postgres`` also in a server that
is started for it. CPU is this process's; what the server uses is not in it. "Asked at once" is a
Python that starts, asks, and ends: without and with what it takes to start it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection
from tabulate import tabulate

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.core.assessment import Totals
from driftctl_py.core.audit import Event, verify
from driftctl_py.core.decision import Cause, Judged, Judgement, Level, Ruling
from driftctl_py.core.governing import Governing
from driftctl_py.core.lease import Lease
from driftctl_py.core.run import Applied, Purpose, Run, State
from tests.adapters.postgres import running_server

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
LIMIT_MILLISECONDS = 5.0


def now() -> datetime:
    """The real moment."""
    return datetime.now(UTC)


def run_of(number: int, environments: int, changes: int) -> Run:
    """As a pass that applied something leaves it."""
    environment = f"environment-{number % environments:04}"
    judged = tuple(
        Judged(
            f"module.web[{each}].aws_s3_bucket.assets",
            Cause.DRIFT,
            "tags.team",
            (Ruling(Level.ALLOW, "apply.drift: auto", "driftctl.yaml:41"),),
        )
        for each in range(changes)
    )
    return Run(
        id=f"{number:08x}",
        environment=environment,
        state=State.APPLIED if number % 10 == 0 else State.IN_SYNC,
        purpose=Purpose.RECONCILE,
        started_at=BEGAN + timedelta(seconds=number),
        trigger="controller",
        actor="os:driftctl",
        worker="build-7:4711",
        ended_at=BEGAN + timedelta(seconds=number + 9),
        source="https://git.example.com/infra",
        ref="main",
        commit="77b0de4" * 5,
        engine="terraform 1.11.4",
        status="drifted",
        totals=Totals(add=1, change=changes),
        drifted=changes,
        fingerprint=f"f1-{number:052}",
        governing=Governing(*("0" * 64,) * 5, trees={"environments/prod": "1" * 40}),
        lineage="5ab2c3d4-0000-4000-8000-000000000000",
        serial=number,
        judgement=Judgement(judged),
        applied=Applied(True, tuple(f"update {each.address}" for each in judged)),
        artifacts={"plan": f"sha256-{number:064x}", "plan.json": f"sha256-{number:064x}"},
        authors=("ada@example.com",),
    )


def record(store: Store, run: Run) -> None:
    """All that a pass writes, from its run lock to its end, in six transactions: four moves with an
    event each, and two of the lock."""
    lease = Lease(run.environment, run.id, run.worker, now(), now())
    assert store.take(lease) is None
    steps = (State.PLANNING, State.ALLOWED, State.APPLYING, State.APPLIED)
    for state in steps:
        told = {"fingerprint": run.fingerprint, "plan": run.artifacts["plan"]}
        event = Event("decided", now(), run.actor, run.environment, run.id, told)
        store.save(replace(run, state=state), event)
    store.free(lease)


def fill(store: Store, runs: int, environments: int, changes: int) -> None:
    """Many runs at once, as no pass writes them; the tables and indexes are the same."""
    from driftctl_py.adapters.store import writing

    step = 5000
    for first in range(0, runs, step):
        numbers = range(first, min(first + step, runs))

        def write(connection: Connection, numbers: range = numbers) -> None:
            for number in numbers:
                writing.save(connection, run_of(number, environments, changes))

        store._database.write(write)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call, in milliseconds: medians. ``cpu`` None: another process's."""

    name: str
    cpu: float | None
    wall: float


def times(act: Callable[[], object], rounds: int) -> tuple[float, float]:
    """CPU and wall in milliseconds, medians. Warm: once before it counts."""
    act()
    cpu, wall = [], []
    for _ in range(rounds):
        before, began = time.process_time(), time.perf_counter()
        act()
        cpu.append((time.process_time() - before) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    return statistics.median(cpu), statistics.median(wall)


def timed(name: str, act: Callable[[], object], rounds: int) -> Cost:
    """One line of the table."""
    return Cost(name, *times(act, rounds))


ASK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from driftctl_py.adapters.store import open_store
with open_store(None, Path(sys.argv[1]), now=lambda: datetime.now(UTC)) as store:
    assert store.latest() and not store.restraints() and not store.leases()
"""


def measured(store: Store, arguments: argparse.Namespace) -> Iterator[Cost]:
    """Each figure of the table."""
    rounds = arguments.rounds
    numbers = iter(range(arguments.runs, sys.maxsize))

    def recorded() -> None:
        record(store, run_of(next(numbers), arguments.environments, arguments.changes))

    yield timed("recording a run, from its lock to its end", recorded, rounds * 5)
    yield timed("the last run of each environment", store.latest, rounds)
    yield timed("the last 50 runs", store.runs, rounds)
    yield timed(
        "the last 50 runs that wait",
        lambda: store.runs(states=[State.ALLOWED, State.HELD]),
        rounds,
    )
    yield timed(
        "the last 50 runs of one environment",
        lambda: store.runs(environment="environment-0001"),
        rounds,
    )
    yield timed("when it converged last", lambda: store.last_converged("environment-0001"), rounds)
    yield timed("a run by the beginning of its id", lambda: store.find("0000c"), rounds)
    recorded_events, flaws = verify(store.entries(), [])
    assert not flaws
    cpu, wall = times(lambda: verify(store.entries(), []), 1)
    per_thousand = 1000 / recorded_events
    yield Cost("verifying 1,000 events of the trail", cpu * per_thousand, wall * per_thousand)


def started(directory: Path, rounds: int) -> Iterator[Cost]:
    """A program that asks and ends."""

    def python(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *words], check=True)

    for name, act in (
        ("a Python that does nothing", python("-c", "pass")),
        ("a Python that asks for the status", python("-c", ASK, str(directory))),
        ("a Python that imports SQLAlchemy", python("-c", "import sqlalchemy")),
    ):
        yield Cost(name, None, times(act, rounds)[1])


@contextmanager
def place(*, postgres: bool) -> Iterator[tuple[str | None, Path]]:
    """Where a store is made."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running_server()).url() if postgres else None
        yield url, directory / "data"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.store")
    parser.add_argument("--environments", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=5, help="of each run (default: 5)")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--postgres", action="store_true", help="in PostgreSQL too")
    arguments = parser.parse_args()
    for postgres in (False, True)[: 1 + arguments.postgres]:
        with (
            place(postgres=postgres) as (url, directory),
            open_store(url, directory, now=now) as store,
        ):
            fill(store, arguments.runs, arguments.environments, arguments.changes)
            costs = list(measured(store, arguments))
            print(
                f"\n{'PostgreSQL' if postgres else 'SQLite'}, {arguments.environments:,} ", end=""
            )
            print(f"environments, {arguments.runs:,} runs of {arguments.changes} changes\n")
            if not postgres:
                size = (directory / "store.db").stat().st_size / 2**20
                print(f"{size:.0f} MiB\n")
                costs += started(directory, arguments.rounds)
        rows = [
            [each.name, "" if each.cpu is None else f"{each.cpu:.2f}", f"{each.wall:.2f}"]
            for each in costs
        ]
        print(tabulate(rows, ["", "CPU ms", "wall ms"], tablefmt="github", disable_numparse=True))
        if not postgres:
            missed = (costs[0].cpu or 0.0) >= LIMIT_MILLISECONDS
            print(f"\nrecording a run: {'MISSED' if missed else 'met'}, {LIMIT_MILLISECONDS} ms")


if __name__ == "__main__":
    main()
