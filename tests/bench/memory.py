"""What a store in a bucket bears: jobs on many machines that record at once.

python -m tests.bench.memory [--jobs 1,5,20] [--passes 3] [--latency 0,40]
                             [--between 0] [--history 20000]

Each job is a process with a disk of its own, as a runner has, and records passes over an
environment of its own: run lock, four moves with an event each, three heartbeats, the lock freed.
The bucket is a moto server's on this machine. ``--latency``: milliseconds that each request is held
up for, as the way to S3 would (0: none). ``--between``: seconds between two moves, by chance up to
twice as long, as an engine would take; without it nobody does anything but record. ``--history``: a
new machine fetches a store with so many runs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tabulate import tabulate

from driftctl_py.adapters.store import Store
from driftctl_py.core.audit import Event, verify
from driftctl_py.core.lease import Lease
from driftctl_py.core.run import State
from tests.adapters.stores import Place, client_of, clock, new_bucket
from tests.bench.store import fill, run_of
from tests.e2e.aws_support import Moto, moto_server

STEPS = (State.PLANNING, State.ALLOWED, State.APPLYING, State.APPLIED)


def slow(cloud: Moto, latency: float) -> list[str]:
    """Hold up every request of this process; they are counted in what is returned."""
    asked: list[str] = []

    def wait(event_name: str = "", **_: Any) -> None:
        asked.append(event_name)
        time.sleep(latency)

    client_of(cloud).meta.events.register("before-send.s3", wait)
    return asked


def record(store: Store, number: int, worker: str, between: float = 0.0) -> list[float]:
    """A pass; how long each of its four moves took, in seconds."""
    run = replace(run_of(number, 1_000_000, 5), worker=worker)
    lease = Lease(run.environment, run.id, worker, clock(), clock())
    assert store.take(lease) is None
    took = []
    for state in STEPS:
        told = {"fingerprint": run.fingerprint, "plan": run.artifacts["plan"]}
        event = Event("decided", clock(), run.actor, run.environment, run.id, told)
        began = time.perf_counter()
        store.save(replace(run, state=state), event)
        took.append(time.perf_counter() - began)
        time.sleep(random.uniform(0, 2 * between))
        if state is not State.APPLIED:
            assert store.beat(lease)
    store.free(lease)
    return took


def job(
    place: Place,
    number: int,
    passes: int,
    latency: float,
    between: float,
    ready: Any,
    start: Any,
) -> tuple[list[float], int]:
    """What each process does; how long its writes took, and how many requests that was."""
    # Any: multiprocessing's, which have no names.
    assert place.bucket is not None
    asked = slow(place.bucket.cloud, latency)
    took: list[float] = []
    with place.open_as_another() as store:
        store.latest()
        ready.release()
        start.wait()
        before = len(asked)
        for each in range(passes):
            took += record(store, number * 1000 + each, f"runner-{number}:1", between)
        return took, len(asked) - before


def work(index: int, arguments: tuple[Any, ...], results: Any) -> None:
    """`job`, in a process."""
    results.put(job(*arguments))


def measured(
    cloud: Moto, root: Path, jobs: int, passes: int, latency: float, between: float
) -> list[str]:
    """One line of the table."""
    context = multiprocessing.get_context("fork")
    ready, start, results = context.Semaphore(0), context.Event(), context.Queue()
    bucket = new_bucket(cloud)
    processes = []
    for number in range(jobs):
        place = Place(root / f"{bucket.name}-{number}", bucket=bucket)
        arguments = (place, number, passes, latency, between, ready, start)
        processes.append(context.Process(target=work, args=(number, arguments, results)))
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    began = time.perf_counter()
    start.set()
    found = [results.get() for _ in processes]
    wall = time.perf_counter() - began
    for process in processes:
        process.join()
    took = sorted(each for times, _ in found for each in times)
    requests = sum(count for _, count in found)
    with Place(root / f"{bucket.name}-last", bucket=bucket).open_as_another() as store:
        count, flaws = verify(store.entries(), [])
        assert (count, flaws) == (jobs * passes * len(STEPS), ()), "something was lost"
    return [
        str(jobs),
        f"{latency * 1000:.0f}",
        f"{wall:.1f}",
        f"{len(took) / wall:.1f}",
        f"{statistics.median(took) * 1000:.0f}",
        f"{took[int(len(took) * 0.95)] * 1000:.0f}",
        f"{took[-1] * 1000:.0f}",
        f"{requests / (jobs * passes):.0f}",
    ]


def history(cloud: Moto, root: Path, runs: int, latency: float) -> list[list[str]]:
    """What a new machine, and one that is up to date, take to read a long history."""
    bucket = new_bucket(cloud)
    with Place(root / "writer", bucket=bucket).open_as_another() as store:
        fill(store, runs, 200, 5)
        # So that the whole is put; each of these is one transaction.
        for _ in range(100):
            store.note(Event("noted", clock(), "os:ada"))
    slow(cloud, latency)
    sizes = {
        item["Key"]: item["Size"]
        for item in client_of(cloud).list_objects_v2(Bucket=bucket.name)["Contents"]
    }
    whole = max(size for key, size in sizes.items() if "/whole/" in key)
    place = Place(root / "reader", bucket=bucket)
    rows = [["the whole, as it lies in the bucket", f"{whole / 2**20:.1f} MiB"]]
    for name in ("a new machine asks for the status", "and again, as another process"):
        began = time.perf_counter()
        with place.open_as_another() as store:
            assert len(store.latest()) == 200
        rows.append([name, f"{(time.perf_counter() - began) * 1000:.0f} ms"])
    with place.open_as_another() as store:
        began = time.perf_counter()
        record(store, runs + 1, "runner-1:1")
        took = (time.perf_counter() - began) * 1000
        rows.append(["a pass: run lock, four moves, three signs of life", f"{took:.0f} ms"])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory")
    parser.add_argument("--jobs", default="1,5,20")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--latency", default="0,40", help="milliseconds (default: 0,40)")
    parser.add_argument("--between", type=float, default=0.0, help="seconds (default: 0)")
    parser.add_argument("--history", type=int, default=20_000)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        moto_server(Path(name) / "moto.log") as cloud,
    ):
        root = Path(name)
        latencies = [float(each) / 1000 for each in arguments.latency.split(",")]
        rows = [
            measured(cloud, root, int(jobs), arguments.passes, latency, arguments.between)
            for latency in latencies
            for jobs in arguments.jobs.split(",")
        ]
        head = ["jobs", "ms away", "s", "writes/s", "median ms", "95 % ms", "worst ms", "requests"]
        print(tabulate(rows, head, tablefmt="github", disable_numparse=True))
        if arguments.history:
            rows = history(cloud, root, arguments.history, latencies[-1])
            print(
                f"\n{arguments.history:,} runs of 5 changes, {latencies[-1] * 1000:.0f} ms away\n"
            )
            print(tabulate(rows, ["", ""], tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
