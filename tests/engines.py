"""The engines that tests run on: every one that this machine has.

The embedded Terraform always; a terraform and a tofu where ``DRIFTCTL_TEST_TERRAFORM`` or
``DRIFTCTL_TEST_TOFU`` names one, or one is on PATH or where `go install` puts programs. Not how
driftctl-py itself finds engines: that is what the tests are about.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EMBEDDED = str(Path(sys.executable).with_name("driftctl-py-terraform"))


@dataclass(frozen=True, slots=True)
class Engine:
    """A real engine. ``label`` is ``embedded``, ``terraform`` or ``tofu``."""

    label: str
    path: str
    version: str

    @property
    def family(self) -> str:
        return "tofu" if self.label == "tofu" else "terraform"

    @property
    def registry(self) -> str:
        """Where its providers come from when nobody says otherwise."""
        return "registry.opentofu.org" if self.family == "tofu" else "registry.terraform.io"

    @property
    def has_native_locks(self) -> bool:
        """S3 locks without a table came with 1.10, in both families."""
        major, minor = self.version.split(".")[:2]
        return (int(major), int(minor)) >= (1, 10)


@functools.cache
def engines() -> tuple[Engine, ...]:
    """All that there are, each asked for its version once."""
    named = {
        "embedded": EMBEDDED,
        "terraform": _named_or_found("terraform"),
        "tofu": _named_or_found("tofu"),
    }
    return tuple(Engine(label, path, _version(path)) for label, path in named.items() if path)


def embedded() -> Engine:
    """The one that is always there."""
    return next(engine for engine in engines() if engine.label == "embedded")


def label(engine: Engine) -> str:
    """What a test's id says."""
    return engine.label


def _named_or_found(name: str) -> str | None:
    go = Path(os.environ.get("GOPATH", Path.home() / "go"), "bin")
    named = os.environ.get(f"DRIFTCTL_TEST_{name.upper()}")
    found = named or shutil.which(name) or shutil.which(name, path=str(go))
    return None if found is None else str(Path(found).absolute())


def _version(path: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [path, "version", "-json"],
        env={**env, "CHECKPOINT_DISABLE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return str(json.loads(done.stdout)["terraform_version"])
