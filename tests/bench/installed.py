"""The programs that are measured: this package as users install it, and the engines found.

An editable install is not what users run: with PYTHONDONTWRITEBYTECODE set, as on many build
machines, every start compiles the package anew. So a wheel is built and installed, with
bytecode, into an environment of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Engine:
    """``use`` is what driftctl.yaml calls it."""

    use: str
    path: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What all benchmarks take."""
    parser.add_argument(
        "--program", type=Path, help="an installed driftctl-py (default: build and install one)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="measured rounds (default: 7)")


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory for everything, gone afterwards. A plan holds absolute paths, so it is real."""
    with tempfile.TemporaryDirectory(prefix="driftctl-bench-") as name:
        yield Path(name).resolve()


def program(given: Path | None, work: Path) -> Path:
    """The ``driftctl-py`` to measure."""
    if given is not None:
        return given.absolute()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    home = work / "installed"
    print("installing a wheel of this checkout ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, env=environ)
    python = str(home / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--compile", f"{ROOT}[embedded]"]
    subprocess.run(pip, check=True, env=environ)
    return home / "bin" / "driftctl-py"


def bare_environ(work: Path) -> dict[str, str]:
    """What both sides get: nothing of the caller's that would make an engine behave otherwise."""
    home = work / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }


def engines(driftctl: Path, wanted: Sequence[str] = ()) -> list[Engine]:
    """The engines on PATH (or in DRIFTCTL_TEST_TERRAFORM, DRIFTCTL_TEST_TOFU) and the embedded
    one beside the program."""
    found = []
    for name in ("terraform", "tofu"):
        path = os.environ.get(f"DRIFTCTL_TEST_{name.upper()}") or shutil.which(name)
        if path:
            found.append(Engine(name, path))
    embedded = driftctl.with_name("driftctl-py-terraform")
    if embedded.exists():
        found.append(Engine("embedded", str(embedded)))
    return [engine for engine in found if not wanted or engine.use in wanted]


def git(directory: Path, *words: str) -> None:
    """Run git in a repository of the benchmark."""
    who = ["-c", "user.name=Grace Hopper", "-c", "user.email=grace@example.com"]
    subprocess.run(["git", "-C", str(directory), *who, *words], check=True, capture_output=True)
