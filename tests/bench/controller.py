"""What a controller costs that has nothing to do: many environments, all of them in sync.

python -m tests.bench.controller [--environments 1000] [--seconds 130] [--interval 7d]
                                 [--program PATH]

A real `driftctl-py controller` over a real repository and a store in which every environment was
reconciled a moment ago, so none is due. CPU is the controller's and that of every Git it starts, by
the kernel's count; the seconds hold two looks at Git at least. It is measured when it has started.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from tabulate import tabulate

from driftctl_py.adapters.store import open_store
from driftctl_py.core.run import State
from tests.bench.installed import bare_environ, git, program, workplace
from tests.bench.measure import verdict
from tests.bench.store import now, run_of

LIMIT_SHARE = 0.01
LIMIT_MIB = 150.0
_TICK = os.sysconf("SC_CLK_TCK")
CONFIG = """\
version: 1
defaults:
  interval: {interval}
state:
  s3: {{bucket: states, region: eu-central-1}}
environments:
  - environments/*
"""
ENVIRONMENT = """\
resource "terraform_data" "one" {{
  input = "{name}"
}}
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one process: CPU in seconds (``children``: of those that ended), memory in MiB."""

    own: float
    children: float
    resident: float
    anonymous: float
    at: float


def read(process: int) -> Reading:
    """From the kernel."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = [int(each) / _TICK for each in fields[11:15]]
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    sizes = {line.partition(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return Reading(
        own=ticks[0] + ticks[1],
        children=ticks[2] + ticks[3],
        resident=int(sizes["VmHWM"]) / 1024,
        anonymous=int(sizes["RssAnon"]) / 1024,
        at=time.monotonic(),
    )


def lay_out(directory: Path, data: Path, environments: int, interval: str) -> None:
    """The repository and what is remembered of it."""
    for number in range(environments):
        place = directory / "environments" / f"environment-{number:04}"
        place.mkdir(parents=True)
        (place / "main.tf").write_text(ENVIRONMENT.format(name=place.name))
    (directory / "driftctl.yaml").write_text(CONFIG.format(interval=interval))
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", ".")
    git(directory, "commit", "-q", "-m", "All")
    with open_store(None, data, now=now) as store:
        for number in range(environments):
            began = now() - timedelta(seconds=1)
            run = replace(run_of(number, environments, 0), started_at=began, ended_at=now())
            store.save(replace(run, state=State.IN_SYNC))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.controller")
    parser.add_argument("--environments", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=130.0)
    parser.add_argument("--interval", default="7d", help="of each environment (default: 7d)")
    parser.add_argument(
        "--program", type=Path, help="an installed driftctl-py (default: build and install one)"
    )
    arguments = parser.parse_args()
    with workplace() as work:
        driftctl = program(arguments.program, work)
        directory, data = work / "infra", work / "data"
        directory.mkdir()
        lay_out(directory, data, arguments.environments, arguments.interval)
        env = {**bare_environ(work), "DRIFTCTL_DATA_DIR": str(data)}
        with subprocess.Popen(
            [str(driftctl), "controller"], cwd=directory, env=env, stderr=subprocess.PIPE, text=True
        ) as process:
            time.sleep(15)
            if process.poll() is not None:
                raise SystemExit(f"It ended at once: {process.communicate()[1]}")
            before = read(process.pid)
            time.sleep(arguments.seconds)
            after = read(process.pid)
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
            ended = time.monotonic() - asked
        if process.returncode != 0:
            raise SystemExit(f"exit code {process.returncode}: {said}")
        with open_store(None, data, now=now) as store:
            passes = len(store.runs(limit=1_000_000)) - arguments.environments
    took = after.at - before.at
    share = (after.own + after.children - before.own - before.children) / took
    rows = [
        ["CPU to start, s", f"{before.own + before.children:.2f}"],
        ["CPU of the controller, % of a core", f"{100 * (after.own - before.own) / took:.3f}"],
        ["CPU of its Gits", f"{100 * (after.children - before.children) / took:.3f}"],
        ["resident at most, MiB", f"{after.resident:.0f}"],
        ["of that its own pages, MiB", f"{after.anonymous:.0f}"],
        ["time to end, s", f"{ended:.2f}"],
        ["passes that came due", str(passes)],
    ]
    print(f"{arguments.environments:,} environments over {took:.0f} s\n")
    print(tabulate(rows, ["", ""], tablefmt="github", disable_numparse=True))
    print(f"\n{verdict('share of a core', share, LIMIT_SHARE)}")
    print(verdict("MiB", after.resident, LIMIT_MIB))
    if said:
        print(f"\nIt said:\n{said[-2000:]}")


if __name__ == "__main__":
    main()
