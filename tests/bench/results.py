"""What it costs to put the results of many jobs together.

python -m tests.bench.results [--environments 1000] [--changes 10] [--rounds 9]

Real files in as many directories as a matrix has jobs, read, decoded, cleaned and merged: what
`driftctl-py report` does before it prints. CPU of this process, median over the rounds; twice as
many must not take more than about twice as long.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from driftctl_py.adapters.result_files import ResultFiles
from driftctl_py.app.results import gather
from driftctl_py.core.job_matrix import MOST_JOBS
from driftctl_py.core.result_json import MOST_BYTES, encode_result
from tests.bench.measure import verdict
from tests.core.result_examples import BUCKET, DATABASE, result

SECONDS_AT_MOST = 1.0
GROWTH_AT_MOST = 3


def leave(directory: Path, environments: int, changes: int) -> None:
    """The files of so many environments, each with so many changes."""
    items = (DATABASE, *(replace(BUCKET, address=f"x.y[{at}]") for at in range(changes - 1)))
    for at in range(environments):
        job = directory / f"job-{at % MOST_JOBS}"
        job.mkdir(parents=True, exist_ok=True)
        data = encode_result(result(f"environment-{at:05}", items=items))
        (job / f"driftctl-{at}.result.json").write_bytes(data)


def seconds(directory: Path, environments: int) -> float:
    """CPU of this process for all of them."""
    before = time.process_time()
    found = gather(ResultFiles(MOST_BYTES), [directory])
    took = time.process_time() - before
    if len(found.results) != environments or found.unreadable:
        raise SystemExit(f"{len(found.results)} of {environments} results were read.")
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.results")
    parser.add_argument("--environments", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    counts = (arguments.environments, 2 * arguments.environments)
    with tempfile.TemporaryDirectory() as work:
        places = {count: Path(work) / str(count) for count in counts}
        for count, place in places.items():
            leave(place, count, arguments.changes)
        samples: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(arguments.rounds):
            for count, place in places.items():
                samples[count].append(seconds(place, count))
    took = {count: statistics.median(each) for count, each in samples.items()}
    print("| environments | s |\n|---:|---:|")
    for count, each in took.items():
        print(f"| {count:,} | {each:.2f} |")
    one, two = took.values()
    print()
    print(verdict(f"seconds for {counts[0]:,} results", one, SECONDS_AT_MOST))
    print(verdict("twice as many, so many times as long", two / one, GROWTH_AT_MOST))


if __name__ == "__main__":
    main()
