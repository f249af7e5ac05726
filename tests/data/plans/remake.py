"""Make the plans in this folder again, with every engine at hand.

    python tests/data/plans/remake.py [NAME ...]

Each folder holds a ``main.tf``, what it was before (``before.tf``, where it differs), and for each
engine that planned it the plan as JSON (``terraform-1.11.4.json``, re-indented and otherwise as the
engine wrote it but for the time) and what the same engine shows people (``terraform-1.11.4.txt``).
What happens to the world in between is written in ``SCENARIOS`` below. The provider is the demo's:
its cloud is a folder, so somebody's edit behind the engine's back is an edit of a file. What it
lacks, ``provider.py`` has.

The embedded engine always takes part, ``terraform`` and ``tofu`` where they are on PATH or named
by ``DRIFTCTL_TEST_TERRAFORM`` and ``DRIFTCTL_TEST_TOFU``. An engine that lacks what a scenario
needs is left out of it. What only experimental builds of Terraform do (go build -ldflags
"-X main.experimentsAllowed=yes") is done by the one that ``DRIFTCTL_TEST_EXPERIMENTAL`` names.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
PROVIDERS = {"folder": "driftctl_py.demo.provider", "lab": "tests.data.plans.provider"}
EMPTY_STATE = {
    "version": 4,
    "terraform_version": "1.6.0",
    "serial": 1,
    "lineage": "b0a7c0de-0000-4000-8000-000000000000",
    "outputs": {"region": {"value": "eu-west-1", "type": "string"}},
    "resources": [],
}


def edit(identifier: str, **changes: object) -> Callable[[Path], None]:
    """Somebody edits an object in the cloud."""

    def act(work: Path) -> None:
        path = work / "cloud" / f"{identifier}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}, indent=2))

    return act


def delete(identifier: str) -> Callable[[Path], None]:
    """Somebody deletes an object in the cloud."""
    return lambda work: (work / "cloud" / f"{identifier}.json").unlink()


def put(identifier: str, **values: object) -> Callable[[Path], None]:
    """Somebody makes an object in the cloud."""

    def make(work: Path) -> None:
        (work / "cloud" / f"{identifier}.json").write_text(json.dumps(values))

    return make


def refuse(*names: str) -> Callable[[Path], None]:
    """The cloud refuses to change these."""

    def fail(work: Path) -> None:
        (work / "cloud" / "FAIL").write_text("\n".join(names))

    return fail


def allow(work: Path) -> None:
    """The cloud refuses nothing any more."""
    (work / "cloud" / "FAIL").unlink()


@dataclass(frozen=True)
class Scenario:
    """Apply ``before.tf`` (or ``main.tf``), let ``world`` happen, plan ``main.tf``.

    ``first`` happens before anything is applied. With ``half_way``, that happens next and
    ``middle.tf`` (or ``main.tf``) is applied too, which has to fail. ``commands`` are run before
    the world turns. ``experimental`` needs an experimental build. ``since`` is the oldest version
    per family; a family that is not in it can.
    """

    world: tuple[Callable[[Path], None], ...] = ()
    first: tuple[Callable[[Path], None], ...] = ()
    arguments: tuple[str, ...] = ()
    from_nothing: bool = False
    half_way: tuple[Callable[[Path], None], ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    experimental: bool = False
    since: tuple[tuple[str, tuple[int, int]], ...] = ()


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:*"], "Resource": "*"}],
}
FORGET = (("terraform", (1, 7)), ("tofu", (1, 7)))
WRITE_ONLY = (("terraform", (1, 11)), ("tofu", (1, 11)))
ACTIONS = (("terraform", (1, 14)), ("tofu", (99, 0)))

SCENARIOS = {
    "action_invoked": Scenario(arguments=("-invoke=action.lab_notify.ada",), since=ACTIONS),
    "actions": Scenario(since=ACTIONS),
    "check_errs": Scenario(),
    "check_fails": Scenario(),
    "check_passes": Scenario(),
    "checks": Scenario(),
    "clean": Scenario(),
    "create": Scenario(from_nothing=True),
    "data_read": Scenario(),
    "data_unknown": Scenario(),
    "deferred": Scenario(arguments=("-allow-deferral",), experimental=True),
    "delete": Scenario(),
    "deletions": Scenario(),
    "deposed": Scenario(half_way=(refuse("server-old"),), world=(allow,)),
    "deposed_and_changed": Scenario(
        half_way=(refuse("server-old", "server-app-old", "server-db-old"),), world=(allow,)
    ),
    "destroy": Scenario(arguments=("-destroy",), world=(edit("server-web", cpus=8),)),
    "drift_and_pending": Scenario(
        world=(edit("bucket-assets", tags={"team": "growth", "tier": "gold"}),)
    ),
    "drift_deleted": Scenario(world=(delete("bucket-assets"),)),
    "drift_deleted_and_changed": Scenario(world=(delete("bucket-assets"),)),
    "drift_destroyed": Scenario(world=(edit("bucket-assets", expire_days=7),)),
    "drift_gone": Scenario(world=(delete("bucket-assets"),)),
    "drift_json": Scenario(world=(edit("bucket-assets", policy=POLICY),)),
    "drift_replaces": Scenario(world=(edit("server-web", image="debian-13"),)),
    "drift_reverted": Scenario(
        world=(edit("bucket-assets", tags={"team": "growth"}), edit("server-web", cpus=8))
    ),
    "drift_tolerated": Scenario(world=(edit("bucket-assets", tags={"team": "growth"}),)),
    "empty": Scenario(),
    "ephemeral": Scenario(since=WRITE_ONLY),
    "equivalent": Scenario(world=(edit("bucket-assets", tags={}),)),
    "equivalent_applied": Scenario(world=(edit("bucket-assets", tags={}),)),
    "equivalents": Scenario(
        world=(
            put("thing-web", labels=[], notes={}, sizes=[]),
            edit("server-web", open_ports=None, tags={}),
        )
    ),
    "errored": Scenario(),
    "evil_addresses": Scenario(),
    "forget": Scenario(since=FORGET),
    "forgets": Scenario(since=FORGET),
    "import": Scenario(
        from_nothing=True,
        first=(put("bucket-assets", name="assets", arn="folder:bucket:assets", expire_days=30),),
    ),
    "import_generated": Scenario(
        from_nothing=True,
        first=(put("bucket-found", name="found", arn="folder:bucket:found", expire_days=30),),
        arguments=("-generate-config-out=generated.tf",),
    ),
    "imports": Scenario(
        from_nothing=True,
        first=(
            put("bucket-same", name="same", arn="folder:bucket:same", expire_days=30),
            put("bucket-changed", name="changed", arn="folder:bucket:changed", expire_days=30),
            put("server-remade", name="remade", image="debian-12", cpus=2, address="10.0.0.1"),
            put("secret-database", name="database", value="CANARY-imported", version=3),
        ),
    ),
    "move": Scenario(),
    "move_drifted": Scenario(world=(edit("bucket-assets", expire_days=7),)),
    "moves": Scenario(),
    "nested": Scenario(),
    "outputs": Scenario(),
    "outputs_of_every_kind": Scenario(),
    "provisioners": Scenario(),
    "refresh_only": Scenario(
        world=(edit("bucket-assets", expire_days=7),), arguments=("-refresh-only",)
    ),
    "refresh_only_rich": Scenario(
        world=(
            edit("bucket-assets", expire_days=7),
            edit("server-web", cpus=8),
            delete("server-gone"),
        ),
        arguments=("-refresh-only",),
    ),
    "replace": Scenario(),
    "replace_create_first": Scenario(),
    "replace_requested": Scenario(arguments=("-replace=folder_server.web",)),
    "replace_triggered": Scenario(),
    "replaces": Scenario(
        commands=(
            ("taint", "folder_server.tainted"),
            ("taint", "folder_server.tainted_first"),
            ("taint", "folder_server.both"),
        ),
        arguments=("-replace=folder_server.requested",),
    ),
    "rich": Scenario(
        world=(
            edit("bucket-assets", tags={"team": "growth", "env": "prod"}),
            edit("bucket-logs", policy=POLICY),
            edit("secret-database", value="hunter2-rotated-by-hand"),
            delete("bucket-exports"),
            put("bucket-legacy", name="legacy", arn="folder:bucket:legacy", expire_days=30),
        ),
        since=FORGET,
    ),
    "sensitive": Scenario(
        world=(
            edit("secret-database", value="CANARY-recorded-to-real"),
            edit("bucket-assets", tags={"password": "CANARY-real-tag", "team": "platform"}),
        )
    ),
    "sensitive_nested": Scenario(
        world=(
            put("thing-web", notes={"open": "moved", "shut": "CANARY-real"}, token="CANARY-real"),
        )
    ),
    "sensitivity_changes": Scenario(),
    "sensitivity_only": Scenario(),
    "sets_and_blocks": Scenario(
        world=(
            put("thing-reordered", labels=["a", "b", "e"], notes={"by": "hand"}),
            put("thing-web", labels=["c", "b", "a", "z"]),
        )
    ),
    "taint_and_drift": Scenario(
        commands=(("taint", "folder_server.web"), ("taint", "folder_server.gone")),
        world=(edit("server-web", cpus=8), delete("server-gone")),
    ),
    "targeted": Scenario(
        world=(edit("server-web", cpus=8),), arguments=("-target=folder_bucket.assets",)
    ),
    "texts": Scenario(),
    "unknown": Scenario(),
    "unknown_nested": Scenario(),
}


@dataclass(frozen=True)
class Engine:
    family: str
    version: str
    argv: tuple[str, ...]
    experimental: bool = False

    def run(self, work: Path, *arguments: str, may_fail: bool = False) -> str:
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TF_") or name.startswith("TF_PLUGIN")
        }
        environ |= {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(work / "engine.tfrc")}
        done = subprocess.run(
            [*self.argv, *arguments], cwd=work, env=environ, capture_output=True, text=True
        )
        if done.returncode and not may_fail:
            raise SystemExit(f"{self} {arguments}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def can(self, scenario: Scenario) -> bool:
        here = tuple(int(part) for part in self.version.split(".")[:2])
        return self.experimental == scenario.experimental and all(
            here >= since for family, since in scenario.since if family == self.family
        )


def engines() -> list[Engine]:
    found = []
    named = (sys.executable, "-m", "driftctl_py.embedded"), ("terraform",), ("tofu",), ("",)
    variables = ("", "DRIFTCTL_TEST_TERRAFORM", "DRIFTCTL_TEST_TOFU", "DRIFTCTL_TEST_EXPERIMENTAL")
    for usual, variable in zip(named, variables, strict=True):
        argv = (os.environ[variable],) if variable in os.environ else usual
        if shutil.which(argv[0]) is None:
            continue
        with tempfile.TemporaryDirectory() as work:
            Path(work, "engine.tfrc").touch()
            said = json.loads(Engine("", "", argv).run(Path(work), "version", "-json"))
            name = Engine("", "", argv).run(Path(work), "version")
        family = "tofu" if name.startswith("OpenTofu") else "terraform"
        experimental = variable.endswith("EXPERIMENTAL")
        found.append(Engine(family, said["terraform_version"], argv, experimental))
    return found


def install_providers(work: Path) -> None:
    (work / "bin").mkdir()
    for name, module in PROVIDERS.items():
        program = work / "bin" / f"terraform-provider-{name}"
        program.write_text(
            f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(HERE.parents[2]))} "
            f'exec {shlex.quote(sys.executable)} -m {module} "$@"\n'
        )
        program.chmod(0o755)
    # With an override there is nothing to install, so no plan needs an init.
    overrides = "".join(
        f'    "demo.driftctl.example/driftctl/{name}" = "{work / "bin"}"\n' for name in PROVIDERS
    )
    (work / "engine.tfrc").write_text(
        f"provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n  direct {{}}\n}}\n"
    )


def remake(name: str, scenario: Scenario, engine: Engine, folder: Path = HERE) -> None:
    source, out = folder / name, folder / name / f"{engine.family}-{engine.version}.json"
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        (work / "cloud").mkdir()
        install_providers(work)
        (work / "other.tfstate").write_text(json.dumps(EMPTY_STATE))
        if (source / "modules").exists():
            shutil.copytree(source / "modules", work / "modules")
        for act in scenario.first:
            act(work)
        main = source / "main.tf"
        before, middle = (
            path if path.exists() else main for path in (source / "before.tf", source / "middle.tf")
        )
        if not scenario.from_nothing:
            write(before, work, engine)
            engine.run(work, "apply", "-auto-approve", "-input=false")
        for act in scenario.half_way:
            act(work)
        if scenario.half_way:
            write(middle, work, engine)
            engine.run(work, "apply", "-auto-approve", "-input=false", may_fail=True)
        write(main, work, engine)
        for command in scenario.commands:
            engine.run(work, *command)
        for act in scenario.world:
            act(work)
        engine.run(work, "plan", "-input=false", "-out=plan", *scenario.arguments, may_fail=True)
        keep(engine, work, out)


def keep(engine: Engine, work: Path, out: Path) -> None:
    """The plan in ``work``, as JSON and as people see it."""
    plan = engine.run(work, "show", "-json", "plan")
    # What differs from one making to the next says nothing.
    plan = re.sub(r'"timestamp":"[^"]*"', '"timestamp":"2026-11-23T00:00:00Z"', plan)
    # Not through Python's numbers, which would round some.
    out.write_bytes(msgspec.json.format(plan.encode(), indent=1) + b"\n")
    shown = engine.run(work, "show", "-no-color", "plan")
    out.with_suffix(".txt").write_text(shown.strip() + "\n")
    for file in (out, out.with_suffix(".txt")):
        if str(work) in file.read_text():
            raise SystemExit(f"{file} names a directory of this machine")


def write(code: Path, work: Path, engine: Engine) -> None:
    """The code that is planned next, with what it must say about the providers that it uses."""
    shutil.copy(code, work / "main.tf")
    modules = list((work / "modules").glob("*/main.tf"))
    for path in (work / "main.tf", *modules):
        text = path.read_text()
        used = [name for name in PROVIDERS if f"{name}_" in text]
        required = "".join(
            f'    {name} = {{ source = "demo.driftctl.example/driftctl/{name}" }}\n'
            for name in used
        )
        said = f"terraform {{\n  required_providers {{\n{required}  }}\n}}\n"
        if path.parent == work:
            said += "".join(f'\nprovider "{name}" {{\n  root = "cloud"\n}}\n' for name in used)
        path.with_name("provider.tf").write_text(said if used else "")
    if modules:
        engine.run(work, "get")


def main() -> None:
    names = sys.argv[1:] or sorted(SCENARIOS)
    found = engines()
    for name in names:
        scenario = SCENARIOS[name]
        able = [engine for engine in found if engine.can(scenario)]
        print(name, *(f"{each.family}-{each.version}" for each in able), flush=True)
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(partial(remake, name, scenario), able):
                pass


if __name__ == "__main__":
    main()
