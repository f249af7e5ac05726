"""`driftctl-py render` of large plans, against `json.load` and a loop that counts the actions.

    python -m tests.bench.render [--sizes 1 10 100 500] [--small] [--rounds 5] [--keep DIRECTORY]

The baseline is what people write first: Python's own json, and nothing shown but one count. Beside
it stands the physical floor (reading the file and dropping it), and tf-summarize where it is on
PATH. Memory is measured in runs of their own: the process's anonymous pages, since those of a
mapped file can be taken back at any moment and are nobody's cost.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tabulate import tabulate

from tests.bench.installed import add_arguments, bare_environ, program, workplace
from tests.bench.measure import TWIN, Command, Result, compare, verdict
from tests.bench.plans import MEGABYTE, Made, write_plan

BASELINE = "json.load and a loop"
RENDER = "driftctl-py render"
READ = "reading the file"
OWN_MEMORY_MIB = 64

_COUNT = """\
import collections, json, sys
with open(sys.argv[1]) as file:
    plan = json.load(file)
print(collections.Counter("/".join(e["change"]["actions"]) for e in plan["resource_changes"]))
"""
_READ = """\
import sys
with open(sys.argv[1], "rb", buffering=0) as file:
    held = bytearray(1 << 20)
    while file.readinto(held):
        pass
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One plan: its size, what it holds, what each command cost, and the anonymous memory of
    each at its peak, in MiB."""

    megabytes: float
    made: Made
    result: Result
    own: dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.render")
    add_arguments(parser)
    parser.set_defaults(rounds=5)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 10, 100, 500], metavar="MB")
    parser.add_argument("--small", action="store_true", help="small resources instead")
    parser.add_argument("--keep", type=Path, help="keep the plans there for the next time")
    arguments = parser.parse_args()
    every = []
    with workplace() as work:
        driftctl = program(arguments.program, work)
        plans = arguments.keep or work
        plans.mkdir(exist_ok=True)
        for size in arguments.sizes:
            path = plans / f"{'small' if arguments.small else 'instance'}-{size:g}.json"
            made = write_plan(path, size, small=arguments.small)
            commands = list(lines(driftctl, path, bare_environ(work)))
            # Short runs are cheap and noisy: more of them.
            rounds = arguments.rounds * (3 if size < 50 else 1)
            measured = Measured(
                megabytes=path.stat().st_size / MEGABYTE,
                made=made,
                result=compare(commands, rounds=rounds),
                own={each.name: own_memory(each) for each in commands},
            )
            every.append(measured)
            print(f"\n{report(measured)}\n", flush=True)
            for line in verdicts(measured, small=arguments.small):
                print(line, flush=True)
            if not arguments.keep:
                path.unlink()
    print(f"\n{growth(every)}")


def lines(driftctl: Path, plan: Path, environ: dict[str, str]) -> Sequence[Command]:
    """What is measured, the baseline first. Nobody has a key here, as in most places."""
    python = str(driftctl.with_name("python"))
    render = [str(driftctl), "render", str(plan)]
    commands = [
        Command(BASELINE, [python, "-c", _COUNT, str(plan)], plan.parent, environ),
        Command(READ, [python, "-c", _READ, str(plan)], plan.parent, environ),
        Command(RENDER, render, plan.parent, environ),
        Command(f"{RENDER} --view summary", [*render, "--view", "summary"], plan.parent, environ),
        Command(f"{RENDER} --format json", [*render, "--format", "json"], plan.parent, environ),
    ]
    summarize = shutil.which("tf-summarize")
    if summarize:
        commands.append(Command("tf-summarize", [summarize, str(plan)], plan.parent, environ))
    return commands


def own_memory(command: Command) -> float:
    """The anonymous memory of its process at its peak, in MiB, looked at a thousand times a
    second. The kernel keeps a high-water mark only of all pages, a mapped file's among them."""
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=dict(command.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    status = Path(f"/proc/{process.pid}/status")
    peak = 0
    while process.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.001)
    if process.returncode not in command.exit_codes:
        raise SystemExit(f"{command.name}: exit code {process.returncode}.")
    return peak / 1024


def report(measured: Measured) -> str:
    """One size, in Markdown."""
    made, result = measured.made, measured.result
    rows = [
        [
            name,
            f"{result.ratio(name):.3f}",
            f"{1 / result.ratio(name):.1f}",
            f"{min(sample.cpu for sample in samples):.3f}",
            f"{min(sample.wall for sample in samples):.3f}",
            f"{measured.own[name]:.0f}" if name in measured.own else "",
        ]
        for name, samples in result.samples.items()
    ]
    headers = ["", "CPU ratio", "times less", "least CPU s", "least wall s", "own memory MiB"]
    table = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    return (
        f"### {measured.megabytes:.1f} MB: {made.resources} resources, {made.changed} changed "
        f"({made.add} to add, {made.change} to change, {made.destroy} to destroy, "
        f"{made.drifted} drifted)\n\n{table}"
    )


def verdicts(measured: Measured, *, small: bool) -> list[str]:
    """Which targets are kept. Small resources have but one, where there are enough of them."""
    found = []
    limit = 3.0 if measured.megabytes < 5 else None
    if measured.megabytes > 95:
        limit = 1 / 8 if small else 1 / 20
    if limit is not None:
        found.append(verdict(f"{RENDER}, CPU", measured.result.ratio(RENDER), limit))
    if not small:
        found.append(verdict("own memory, MiB", measured.own[RENDER], OWN_MEMORY_MIB))
    return [*found, f"       noise: {TWIN} {measured.result.ratio(TWIN):.2f}"]


def growth(every: Sequence[Measured]) -> str:
    """What a megabyte costs once the program has started: the same at every size, if the time is
    linear in the input."""
    if len(every) < 2:
        return ""
    said = []
    for one, other in pairwise(every):
        spent = [min(each.cpu for each in at.result.samples[RENDER]) for at in (one, other)]
        each = 1000 * (spent[1] - spent[0]) / (other.megabytes - one.megabytes)
        said.append(
            f"from {one.megabytes:.0f} to {other.megabytes:.0f} MB: {each:.2f} ms of CPU a megabyte"
        )
    return "\n".join(said)


if __name__ == "__main__":
    main()
