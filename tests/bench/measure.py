"""Measuring commands against each other: in turns, whole process trees, ratios within one run.

A shared machine drifts by a fifth within minutes, so no figure is compared with one of another
run. Every round runs each command once, in an order that rotates, and a ratio is the median over
the rounds of (this command ÷ the baseline of the same round). The baseline runs twice per round:
how far its twin is from 1.00 is the noise below which nothing is claimed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tabulate import tabulate

TWIN = "the same again"


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the table. ``before`` runs unmeasured ahead of each measurement."""

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    exit_codes: frozenset[int] = frozenset({0})
    before: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run cost. ``cpu`` is user and system time of the process and everything that it
    waited for; ``peak`` is the largest single process, in MiB."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True, slots=True)
class Result:
    """All samples by command, in the order of the table; the first is the baseline."""

    samples: Mapping[str, list[Sample]] = field(default_factory=dict)

    def ratio(
        self, name: str, what: Literal["cpu", "wall"] = "cpu", *, to: str | None = None
    ) -> float:
        """The median over the rounds of ``name`` against ``to`` (the baseline)."""
        base = self.samples[to or next(iter(self.samples))]
        pairs = zip(self.samples[name], base, strict=True)
        if what == "wall":
            return statistics.median(one.wall / other.wall for one, other in pairs)
        return statistics.median(one.cpu / other.cpu for one, other in pairs)

    def table(self) -> str:
        """For a person, in Markdown."""
        rows = [
            [
                name,
                f"{statistics.median(sample.cpu for sample in samples):.3f}",
                f"{statistics.median(sample.wall for sample in samples):.3f}",
                f"{self.ratio(name):.2f}",
                f"{self.ratio(name, 'wall'):.2f}",
                f"{max(sample.peak for sample in samples):.0f}",
            ]
            for name, samples in self.samples.items()
        ]
        headers = ["", "CPU s", "wall s", "CPU ratio", "wall ratio", "largest process MiB"]
        return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def once(command: Command) -> Sample:
    """Run it to its end. A wrong exit code ends the benchmark: it would be timing a failure."""
    if command.before is not None:
        command.before()
    with Path(os.devnull).open("wb") as null:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=null,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.exit_codes:
        said = subprocess.run(
            command.argv, cwd=command.cwd, env=dict(command.env), capture_output=True, text=True
        )
        raise SystemExit(
            f"{command.name}: exit code {process.returncode}, so there is nothing to measure.\n"
            f"{said.stdout[-3000:]}\n{said.stderr[-3000:]}"
        )
    return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def compare(commands: Sequence[Command], *, rounds: int, warm: int = 1) -> Result:
    """Measure them in turns; ``warm`` rounds first that do not count."""
    baseline = commands[0]
    twin = Command(
        TWIN, baseline.argv, baseline.cwd, baseline.env, baseline.exit_codes, baseline.before
    )
    order = [baseline, twin, *commands[1:]]
    samples: dict[str, list[Sample]] = {command.name: [] for command in order}
    for number in range(-warm, rounds):
        shift = number % len(order)
        for command in [*order[shift:], *order[:shift]]:
            sample = once(command)
            if number >= 0:
                samples[command.name].append(sample)
        if sys.stderr.isatty():
            print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return Result(samples)


def verdict(what: str, value: float, limit: float) -> str:
    """One line that says whether a target is kept."""
    return f"{'kept  ' if value <= limit else 'MISSED'} {what}: {value:.2f} (at most {limit:g})"
