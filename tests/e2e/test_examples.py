"""The examples that users copy: formatted, valid for every engine, and read by driftctl-py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.terraform import cli_config
from driftctl_py.cli.main import main
from tests.e2e.aws_support import provider_mirror, registries_answer
from tests.engines import Engine, embedded, engines, label

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")

# One value each that must be refused, with the beginning of what a person then reads.
_REFUSED = {
    "bucket": ('name = "Receipts.of.Ada"', "A bucket name has 3 to 63"),
    "days": ('name = "receipts"\n noncurrent_version_days = 0', "Give a whole number of days"),
    "key": ('name = "receipts"\n kms_key_arn = "alias/orders"', "Give the key's full ARN"),
    "queue": ('name = "new orders"', "A queue name has 1 to 67"),
    "attempts": ('name = "orders"\n max_receive_count = 0', "SQS allows 1 to 1000 attempts"),
    "secret": (
        'prefix = "/orders"\n settings = { db_password = { value = "x", description = "x" } }',
        "A name here looks like a secret",
    ),
    "empty": (
        'prefix = "/orders"\n settings = { level = { value = "", description = "x" } }',
        "A value has 1 to 4096 characters",
    ),
    "prefix": ('prefix = "orders/"\n settings = {}', "A prefix begins with a slash"),
    "trust": (
        'name = "orders"\n description = "x"\n trusted_services = ["*"]',
        "Name at least one service principal",
    ),
}
_MODULES = {
    **dict.fromkeys(("bucket", "days", "key"), "bucket"),
    **dict.fromkeys(("queue", "attempts"), "queue"),
    **dict.fromkeys(("secret", "empty", "prefix"), "parameters"),
    "trust": "role",
}


@dataclass(frozen=True, slots=True)
class Examples:
    """A copy of them in which `init` may write."""

    root: Path
    environ: dict[str, str]

    def validate(self, engine: Engine, directory: Path) -> dict[str, Any]:
        """`init` without a backend, and what `validate -json` says."""
        self._run(engine, directory, "init", "-backend=false", "-input=false", "-no-color")
        said = self._run(engine, directory, "validate", "-json", may_fail=True)
        shutil.rmtree(directory / ".terraform")
        # The lock files of Terraform and OpenTofu name different registries.
        (directory / ".terraform.lock.hcl").unlink()
        found: dict[str, Any] = json.loads(said)
        return found

    def _run(self, engine: Engine, directory: Path, *arguments: str, may_fail: bool = False) -> str:
        done = subprocess.run(
            [engine.path, *arguments],
            cwd=directory,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert may_fail or done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    mirror = provider_mirror(tmp_path / "mirror", os.environ)
    if mirror is None and not registries_answer():
        pytest.skip(
            "needs the AWS provider: no mirror on this machine (DRIFTCTL_TEST_PROVIDER_MIRROR "
            "names one), and the registries cannot be reached"
        )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environ["CHECKPOINT_DISABLE"] = "1"
    if mirror is not None:
        config = tmp_path / "mirror.tfrc"
        config.write_text(cli_config(mirror))
        environ["TF_CLI_CONFIG_FILE"] = str(config)
    left_behind = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")
    for part in ("modules", "environments"):
        shutil.copytree(ROOT / part, tmp_path / "infra" / part, ignore=left_behind)
    return Examples(tmp_path / "infra", environ)


@pytest.mark.engine
@pytest.mark.parametrize("engine", engines(), ids=label)
@pytest.mark.parametrize("part", ["modules", "environments"])
def test_the_examples_are_formatted(engine: Engine, part: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [engine.path, "fmt", "-check", "-diff", "-recursive", "-no-color", part],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_are_the_environments_that_driftctl_py_finds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = str(ROOT / "environments" / "driftctl.yaml")
    where = ["--config", config, "--data-dir", str(tmp_path)]
    code = main(["config", "show", *where, "--format", "json"])

    assert code == 0
    found = json.loads(capsys.readouterr().out)["environments"]
    assert {each["name"]: each["path"] for each in found} == {
        name: f"environments/{name}" for name in ENVIRONMENTS
    }


@pytest.mark.aws
@pytest.mark.engine
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", engines(), ids=label)
def test_the_examples_are_valid(examples: Examples, engine: Engine) -> None:
    for name in ENVIRONMENTS:
        said = examples.validate(engine, examples.root / "environments" / name)

        assert said["diagnostics"] == []
        assert said["valid"] is True


@pytest.mark.aws
@pytest.mark.engine
@pytest.mark.timeout(300)
def test_the_modules_refuse_what_aws_would_refuse_later(examples: Examples) -> None:
    root = examples.root / "environments" / "refused"
    root.mkdir()
    calls = [
        f'module "{name}" {{\n source = "../../modules/{_MODULES[name]}"\n {arguments}\n}}\n'
        for name, (arguments, _) in _REFUSED.items()
    ]
    (root / "main.tf").write_text('provider "aws" { region = "eu-central-1" }\n' + "".join(calls))
    said = examples.validate(embedded(), root)

    errors = [each["detail"] for each in said["diagnostics"] if each["severity"] == "error"]
    for name, (_, message) in _REFUSED.items():
        assert any(error.startswith(message) for error in errors), f"{name}: {errors}"
    assert len(errors) == len(_REFUSED)
