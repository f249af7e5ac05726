"""What `driftctl-py status` costs, the whole command, over many environments and stored runs.

python -m tests.bench.status [--environments 1000] [--runs 100000] [--changes 5] [--rounds 15]
                             [--program PATH]

A program of its own each time, warm: from the start of Python to its end. It stands beside a Python
that does nothing and a `driftctl-py --version`. The limit is for `status` as text.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from driftctl_py.adapters.store import open_store
from tests.bench.installed import add_arguments, bare_environ, program, workplace
from tests.bench.measure import Command, compare, verdict
from tests.bench.store import fill, now

LIMIT_SECONDS = 0.2
CONFIG = """\
version: 1
people: {ada: ["key:ada"]}
groups: {owners: [ada]}
environments:
  - environments/*
"""


def commands(driftctl: Path, directory: Path, environ: dict[str, str]) -> list[Command]:
    """What is measured; the first is what everything else is compared with."""
    ours, python, env = str(driftctl), str(driftctl.with_name("python")), environ
    both = frozenset({0, 2})
    return [
        Command("a Python that does nothing", [python, "-c", "pass"], directory, env),
        Command("driftctl-py --version", [ours, "--version"], directory, env),
        Command("driftctl-py status", [ours, "status"], directory, env, both),
        Command(
            "driftctl-py status --format json",
            [ours, "status", "--format", "json"],
            directory,
            env,
            both,
        ),
        Command("driftctl-py runs", [ours, "runs"], directory, env),
        Command(
            "driftctl-py show environment-0001",
            [ours, "show", "environment-0001"],
            directory,
            env,
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.status")
    parser.add_argument("--environments", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=5, help="of each run (default: 5)")
    add_arguments(parser)
    parser.set_defaults(rounds=15)
    arguments = parser.parse_args()
    with workplace() as work:
        driftctl = program(arguments.program, work)
        directory, data = work / "infra", work / "data"
        environ = {**bare_environ(work), "DRIFTCTL_DATA_DIR": str(data)}
        directory.mkdir()
        (directory / "driftctl.yaml").write_text(CONFIG)
        with open_store(None, data, now=now) as store:
            fill(store, arguments.runs, arguments.environments, arguments.changes)
        result = compare(commands(driftctl, directory, environ), rounds=arguments.rounds)
    print(f"{arguments.environments:,} environments, {arguments.runs:,} runs\n")
    print(result.table())
    took = statistics.median(each.wall for each in result.samples["driftctl-py status"])
    print(f"\n{verdict('seconds of status', took, LIMIT_SECONDS)}")


if __name__ == "__main__":
    main()
