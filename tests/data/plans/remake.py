"""Make the plans in this folder again, with every engine at hand.

    python tests/data/plans/remake.py [NAME ...]

Each folder holds a ``main.tf``, what it was before (``before.tf``, where it differs), and one JSON
per engine that planned it, as ``terraform-1.11.4.json``. What happens to the world in between is
written in ``SCENARIOS`` below. The provider is the demo's: its cloud is a folder, so somebody's
edit behind the engine's back is an edit of a file.

The embedded engine always takes part, ``terraform`` and ``tofu`` where they are on PATH or named
by ``DRIFTCTL_TEST_TERRAFORM`` and ``DRIFTCTL_TEST_TOFU``. An engine that lacks what a scenario
needs is left out of it.
"""

from __future__ import annotations

import json
import os
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

HERE = Path(__file__).parent
PROVIDER = """\
terraform {
  required_providers {
    folder = { source = "demo.driftctl.example/driftctl/folder" }
  }
}

provider "folder" {
  root = "cloud"
}
"""
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
    ``main.tf`` is applied too, which has to fail. ``since`` is the oldest version per family.
    """

    world: tuple[Callable[[Path], None], ...] = ()
    first: tuple[Callable[[Path], None], ...] = ()
    arguments: tuple[str, ...] = ()
    from_nothing: bool = False
    half_way: tuple[Callable[[Path], None], ...] = ()
    since: tuple[tuple[str, tuple[int, int]], ...] = ()


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:*"], "Resource": "*"}],
}
FORGET = (("terraform", (1, 7)), ("tofu", (1, 7)))

SCENARIOS = {
    "check_fails": Scenario(),
    "check_passes": Scenario(),
    "clean": Scenario(),
    "create": Scenario(from_nothing=True),
    "data_read": Scenario(),
    "delete": Scenario(),
    "deposed": Scenario(half_way=(refuse("server-old"),), world=(allow,)),
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
    "equivalent": Scenario(world=(edit("bucket-assets", tags={}),)),
    "equivalent_applied": Scenario(world=(edit("bucket-assets", tags={}),)),
    "errored": Scenario(),
    "forget": Scenario(since=FORGET),
    "import": Scenario(
        from_nothing=True,
        first=(put("bucket-assets", name="assets", arn="folder:bucket:assets", expire_days=30),),
    ),
    "move": Scenario(),
    "move_drifted": Scenario(world=(edit("bucket-assets", expire_days=7),)),
    "nested": Scenario(),
    "outputs": Scenario(),
    "refresh_only": Scenario(
        world=(edit("bucket-assets", expire_days=7),), arguments=("-refresh-only",)
    ),
    "replace": Scenario(),
    "replace_create_first": Scenario(),
    "replace_requested": Scenario(arguments=("-replace=folder_server.web",)),
    "replace_triggered": Scenario(),
    "rich": Scenario(
        world=(
            edit("bucket-assets", tags={"team": "growth", "env": "prod"}),
            edit("bucket-logs", policy=POLICY),
            edit("secret-database", value="hunter2-rotated-by-hand"),
            delete("bucket-exports"),
            put("bucket-legacy", name="legacy", arn="folder:bucket:legacy", expire_days=30),
        ),
    ),
    "sensitive": Scenario(
        world=(
            edit("secret-database", value="CANARY-recorded-to-real"),
            edit("bucket-assets", tags={"password": "CANARY-real-tag", "team": "platform"}),
        )
    ),
    "sensitivity_only": Scenario(),
    "targeted": Scenario(
        world=(edit("server-web", cpus=8),), arguments=("-target=folder_bucket.assets",)
    ),
    "unknown": Scenario(),
}


@dataclass(frozen=True)
class Engine:
    family: str
    version: str
    argv: tuple[str, ...]

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
        return all(here >= since for family, since in scenario.since if family == self.family)


def engines() -> list[Engine]:
    found = []
    for argv in (
        (sys.executable, "-m", "driftctl_py.embedded"),
        (os.environ.get("DRIFTCTL_TEST_TERRAFORM", "terraform"),),
        (os.environ.get("DRIFTCTL_TEST_TOFU", "tofu"),),
    ):
        if shutil.which(argv[0]) is None:
            continue
        with tempfile.TemporaryDirectory() as work:
            Path(work, "engine.tfrc").touch()
            said = json.loads(Engine("", "", argv).run(Path(work), "version", "-json"))
        named = Engine("", "", argv).run(Path(tempfile.gettempdir()), "version", may_fail=True)
        family = "tofu" if named.startswith("OpenTofu") else "terraform"
        found.append(Engine(family, said["terraform_version"], argv))
    return found


def install_provider(work: Path) -> None:
    program = work / "bin" / "terraform-provider-folder"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m driftctl_py.demo.provider "$@"\n'
    )
    program.chmod(0o755)
    # With an override there is nothing to install, so no plan needs an init.
    (work / "engine.tfrc").write_text(
        "provider_installation {\n  dev_overrides {\n"
        f'    "demo.driftctl.example/driftctl/folder" = "{program.parent}"\n'
        "  }\n  direct {}\n}\n"
    )


def remake(name: str, scenario: Scenario, engine: Engine, here: Path = HERE) -> None:
    source, out = here / name, here / name / f"{engine.family}-{engine.version}.json"
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        (work / "cloud").mkdir()
        install_provider(work)
        (work / "provider.tf").write_text(PROVIDER)
        (work / "other.tfstate").write_text(json.dumps(EMPTY_STATE))
        before, main = source / "before.tf", source / "main.tf"
        for act in scenario.first:
            act(work)
        if not scenario.from_nothing:
            shutil.copy(before if before.exists() else main, work / "main.tf")
            engine.run(work, "apply", "-auto-approve", "-input=false")
        shutil.copy(main, work / "main.tf")
        for act in scenario.half_way:
            act(work)
        if scenario.half_way:
            engine.run(work, "apply", "-auto-approve", "-input=false", may_fail=True)
        for act in scenario.world:
            act(work)
        engine.run(work, "plan", "-input=false", "-out=plan", *scenario.arguments, may_fail=True)
        plan = json.loads(engine.run(work, "show", "-json", "plan"))
        # What differs from one making to the next says nothing.
        plan["timestamp"] = "2026-11-23T00:00:00Z"
        out.write_text(json.dumps(plan, indent=1, ensure_ascii=False, sort_keys=False) + "\n")


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
