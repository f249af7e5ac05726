"""What the comment on a pull request costs to write, within its budget.

python -m tests.bench.comment [--rounds 9]

One environment with many changes, a third of which destroy something, and many environments with a
few each: far more than a comment has room for, so the ladder is gone all the way down. CPU of this
process, median over the rounds; twice as much must not take more than about twice as long.
"""

from __future__ import annotations

import argparse
import statistics
import time

from driftctl_py.core.result import Results
from driftctl_py.report.comment import COMMENT_BUDGET, render_comment
from tests.bench.measure import verdict
from tests.report.result_examples import changed, drifted, replaced, result_of

MILLISECONDS_AT_MOST = 500
GROWTH_AT_MOST = 3
SHAPES = ((1, 10_000), (1, 20_000), (100, 200), (1000, 10), (2000, 10))
"""So many environments, with so many changes each."""


def results_of(environments: int, changes: int) -> Results:
    """A third of the changes destroys something, a third is drift."""
    kinds = (replaced, changed, drifted)
    items = [kinds[at % 3](f'aws_route53_record.it["host-{at:05}"]') for at in range(changes)]
    return Results(tuple(result_of(f"environment-{at}", *items) for at in range(environments)))


def milliseconds(results: Results) -> float:
    """CPU of this process for one comment, which keeps its budget."""
    before = time.process_time()
    comment = render_comment(results)
    took = (time.process_time() - before) * 1000
    if len(comment.encode()) > COMMENT_BUDGET:
        raise SystemExit(f"The comment has {len(comment.encode())} bytes.")
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.comment")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    made = {shape: results_of(*shape) for shape in SHAPES}
    samples: dict[tuple[int, int], list[float]] = {shape: [] for shape in SHAPES}
    for _ in range(arguments.rounds):
        for shape, results in made.items():
            samples[shape].append(milliseconds(results))
    took = {shape: statistics.median(each) for shape, each in samples.items()}
    print("| environments | changes each | ms |\n|---:|---:|---:|")
    for (environments, changes), each in took.items():
        print(f"| {environments:,} | {changes:,} | {each:.0f} |")
    changes_twice = took[1, 20_000] / took[1, 10_000]
    environments_twice = took[2000, 10] / took[1000, 10]
    print()
    print(verdict("milliseconds of 20,000 changes", took[1, 20_000], MILLISECONDS_AT_MOST))
    print(verdict("milliseconds of 2,000 environments", took[2000, 10], MILLISECONDS_AT_MOST))
    print(verdict("twice the changes, so many times as long", changes_twice, GROWTH_AT_MOST))
    said = "twice the environments, so many times as long"
    print(verdict(said, environments_twice, GROWTH_AT_MOST))


if __name__ == "__main__":
    main()
