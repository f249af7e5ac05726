"""`check` of many small unchanged environments, against the bare engine that only plans.

    python -m tests.bench.fleet [--engine terraform] [--sizes 20 100] [--rounds 7]

The baseline does less than `check` does: no Git, no look at the state, no reading of what came
out, nothing but `plan` in every directory, two at a time.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.bench.installed import (
    Engine,
    add_arguments,
    bare_environ,
    engines,
    git,
    program,
    workplace,
)
from tests.bench.measure import TWIN, Command, Result, compare, verdict

RESOURCES = 10
LIMITS = {20: 1.3, 100: 1.1}
BASELINE, CHECK = "xargs -P2 plan", "driftctl-py check"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet")
    add_arguments(parser)
    parser.add_argument("--engine", action="append", default=[], help="default: all that are found")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 100])
    parser.add_argument(
        "--loops", action="store_true", help="the shell loops that plan naively, too"
    )
    arguments = parser.parse_args()
    with workplace() as work:
        driftctl = program(arguments.program, work)
        for engine in engines(driftctl, arguments.engine):
            for size in arguments.sizes:
                here = work / f"{engine.use}-{size}"
                result = measure(
                    engine, size, driftctl, here, rounds=arguments.rounds, loops=arguments.loops
                )
                print(f"\n### {size} environments, {engine.use}\n\n{result.table()}\n")
                limit = LIMITS.get(size, max(LIMITS.values()))
                print(verdict("CPU", result.ratio(CHECK), limit))
                print(verdict("wall", result.ratio(CHECK, "wall"), limit))
                print(f"       noise: {TWIN} {result.ratio(TWIN):.2f}", flush=True)
                shutil.rmtree(here)


def measure(
    engine: Engine, size: int, driftctl: Path, work: Path, *, rounds: int, loops: bool
) -> Result:
    """One engine, one size."""
    work.mkdir()
    environ = bare_environ(work)
    directories = build(engine, size, work / "repo", environ)
    check = [str(driftctl), "check", "--data-dir", str(work / "data")]
    prove_in_sync(check, size, work / "repo", environ)
    plans = work / "plans"
    plans.mkdir()
    listed = work / "directories"
    listed.write_text("".join(f"{directory}\n" for directory in directories))
    plan = "plan -json -input=false -lock=false"
    naive = (
        f"{shlex.quote(engine.path)} -chdir=$0 init -input=false"
        f" && {shlex.quote(engine.path)} -chdir=$0 {plan} -out={plans}/$0"
        f" && {shlex.quote(engine.path)} -chdir=$0 show -json {plans}/$0"
    )
    xargs = ["xargs", "-a", str(listed), "-I{}"]
    only_plan = [engine.path, "-chdir={}", *plan.split(), f"-out={plans}/{{}}"]
    there = work / "repo" / "environments"
    commands = [
        Command(BASELINE, [*xargs, "-P2", *only_plan], there, environ),
        Command(CHECK, check, work / "repo", environ),
    ]
    if loops:
        inner = ["sh", "-c", naive, "{}"]
        commands += [
            Command("sequential init && plan && show", [*xargs, "-P1", *inner], there, environ),
            Command("xargs -P2 init && plan && show", [*xargs, "-P2", *inner], there, environ),
            *_other_tools(engine, work, environ),
        ]
    return compare(commands, rounds=rounds)


def build(engine: Engine, size: int, repo: Path, environ: dict[str, str]) -> list[str]:
    """A repository of applied environments, their states beside them but not in Git."""
    names = [f"e{number:03}" for number in range(size)]
    first = repo / "environments" / names[0]
    first.mkdir(parents=True)
    (first / "main.tf").write_text(_CONFIGURATION)
    for command in ("init", "apply -auto-approve"):
        subprocess.run(
            [engine.path, *command.split(), "-input=false"],
            cwd=first,
            env=environ,
            check=True,
            capture_output=True,
        )
    for name in names[1:]:
        # The same state serves all: local states are told apart by their files.
        shutil.copytree(first, first.with_name(name))
    use = engine.use if engine.use == "embedded" else engine.path
    (repo / "driftctl.yaml").write_text(
        f"version: 1\nengine:\n  use: {use}\nenvironments:\n  - environments/*\n"
    )
    (repo / ".gitignore").write_text("*.tfstate\n*.tfstate.*\n.terraform/\n")
    git(repo, "init", "--quiet", "--initial-branch=main")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "--message=Environments")
    return names


_CONFIGURATION = (
    "\n".join(
        f"""\
resource "terraform_data" "part_{number}" {{
  input = {{
    name = "part {number}"
    size = {number}
  }}
}}
"""
        for number in range(RESOURCES)
    )
    + """
output "name" {
  value = terraform_data.part_0.output.name
}
"""
)


def prove_in_sync(check: list[str], size: int, repo: Path, environ: dict[str, str]) -> bool:
    """What is about to be timed does its work: every environment planned and found in sync.
    Whether that was seen without a single difference that means nothing."""
    done = subprocess.run(
        [*check, "--format", "json"], cwd=repo, env=environ, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"check failed with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    found = json.loads(done.stdout)["environments"]
    if [item["status"] for item in found] != ["in sync"] * size:
        raise SystemExit(f"not all are in sync: {done.stdout}")
    return not any(item["equivalent"] for item in found)


def _other_tools(engine: Engine, work: Path, environ: dict[str, str]) -> list[Command]:
    """terramate and terragrunt, where they are on PATH: both run the same plan in each
    directory."""
    repo = work / "repo"
    plan = [engine.path, "plan", "-json", "-input=false", "-lock=false"]
    commands = []
    if terramate := shutil.which("terramate"):
        for directory in sorted((repo / "environments").iterdir()):
            (directory / "stack.tm.hcl").write_text("stack {}\n")
        argv = [terramate, "run", "--parallel", "2", "--disable-safeguards=all", "--", *plan]
        commands.append(Command("terramate run", argv, repo, environ))
    if terragrunt := shutil.which("terragrunt"):
        for directory in sorted((repo / "environments").iterdir()):
            (directory / "terragrunt.hcl").write_text("")
        argv = [
            *(terragrunt, "run", "--all", "--parallelism", "2", "--non-interactive"),
            *("--tf-path", engine.path, "--", *plan[1:]),
        ]
        commands.append(Command("terragrunt run --all", argv, repo, environ))
    return commands


if __name__ == "__main__":
    main()
