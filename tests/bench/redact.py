"""What the plan for policies costs, beside reading a plan and writing it again.

    python -m tests.bench.redact [--megabytes 100] [--small] [--rounds 7]

In one process, in turns: Python's own `json.loads` and `json.dumps` (the baseline, which hides
nothing), the same again, reading the plan as the gate does, and taking the secrets out of it,
without masks and with a pattern that is looked for in all of it and found nowhere. One in ten of
the large resources has a secret; of the small ones none has. CPU of this process; a ratio is the
median over the rounds of two figures of the same round.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tabulate import tabulate

from driftctl_py.core.masks import Mask
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.redacted_plan import redacted_document
from driftctl_py.core.values import Secrets
from tests.bench.measure import TWIN
from tests.bench.plans import write_plan

_KEY = Mask(pattern=re.compile("AKIA[0-9A-Z]{16}"))


def ways(data: bytes) -> Mapping[str, Callable[[], object]]:
    """What is measured; the first is the baseline."""

    def again() -> object:
        return json.dumps(json.loads(data)).encode()

    return {
        "json.loads, json.dumps": again,
        TWIN: again,
        "reading it": lambda: decode_plan(data, secrets=Secrets(b"k"), settings=True),
        "redacting it": lambda: redacted_document(data, masks=(), secrets=Secrets(b"k")),
        "redacting it, with a pattern": lambda: redacted_document(
            data, masks=[_KEY], secrets=Secrets(b"k")
        ),
    }


def seconds(work: Callable[[], object]) -> float:
    """CPU of this process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.redact")
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--small", action="store_true", help="small resources instead")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plan.json"
        made = write_plan(path, arguments.megabytes, small=arguments.small)
        data = path.read_bytes()
    measured = ways(data)
    samples: dict[str, list[float]] = {name: [] for name in measured}
    names = list(measured)
    for at in range(arguments.rounds):
        for name in (*names[at % len(names) :], *names[: at % len(names)]):
            samples[name].append(seconds(measured[name]))
    base = samples[names[0]]
    rows = [
        (
            name,
            statistics.median(mine / its for mine, its in zip(taken, base, strict=True)),
            statistics.median(taken),
        )
        for name, taken in samples.items()
    ]
    print(f"{len(data) / 1e6:.0f} MB, {made.resources:,} resources\n")
    print(tabulate(rows, ("", "CPU against the first", "CPU s"), "github", floatfmt=".3f"))


if __name__ == "__main__":
    main()
