"""Fingerprints of what the real engines plan."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from driftctl_py.core.fingerprint import fingerprint
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import Secrets
from tests.engines import Engine

pytestmark = pytest.mark.engine

CODE = """
variable "password" {
  sensitive = true
  default   = "hunter22"
}

resource "terraform_data" "web" {
  count            = 3
  input            = { image = "debian-13", nth = count.index, password = var.password }
  triggers_replace = ["a"]

  provisioner "local-exec" {
    command = "true"
  }
}

resource "terraform_data" "after" {
  input = [for each in terraform_data.web : each.id]
}

output "ids" {
  value = terraform_data.web[*].id
}
"""


def test_one_thing_planned_twice_has_one_fingerprint_and_another_has_another(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text(CODE)
    run(engine, tmp_path, ["init", "-input=false"])
    run(engine, tmp_path, ["apply", "-auto-approve", "-input=false"])

    taken = {}
    for name, old, new in [
        ("nothing", "", ""),
        ("update", "debian-13", "debian-14"),
        ("replace", '["a"]', '["b"]'),
        ("create", "count            = 3", "count            = 4"),
        ("create and command", "= 3\n", "= 4\n"),
        ("secret", "hunter22", "hunter23"),
        ("output", "[*].id", "[0].id"),
        ("delete", CODE, ""),
    ]:
        code = CODE.replace(old, new) if old else CODE
        if name == "create and command":
            code = code.replace('"true"', '"true # again"')
        (tmp_path / "main.tf").write_text(code)
        once, again = (planned(engine, tmp_path, f"{name} {nth}") for nth in "12")
        assert once == again, name
        taken[name] = once

    assert len(set(taken.values())) == len(taken)


def planned(engine: Engine, work: Path, name: str) -> str:
    run(engine, work, ["plan", "-input=false", f"-out={name}.plan"])
    shown = run(engine, work, ["show", "-json", f"{name}.plan"])
    plan = decode_plan(shown, secrets=Secrets(b"k" * 32), settings=True)
    return str(fingerprint(plan, keyed=True))


def run(engine: Engine, work: Path, arguments: Iterable[str]) -> bytes:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [engine.path, *arguments],
        cwd=work,
        env={**env, "CHECKPOINT_DISABLE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout
