"""The example estate on the real AWS provider: what a person changed is all that is reported.

One scenario, since applying an estate is slow (the provider waits until a queue has been the same
for 25 seconds). Each of the three environments is planned by another engine, as far as there are
several here: embedded, Terraform and OpenTofu.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftctl_py.adapters.terraform import cli_config
from driftctl_py.cli.main import main
from tests.e2e.aws_support import (
    REGION,
    Moto,
    fingerprint,
    moto_server,
    provider_mirror,
    registries_answer,
)
from tests.engines import Engine, engines

pytestmark = [pytest.mark.aws, pytest.mark.engine, pytest.mark.timeout(900)]

ENVIRONMENTS = ("dev", "staging", "prod")
ROOT = Path(__file__).parents[2]
STATES = "example-terraform-states"
LOCKS = "example-terraform-locks"
BUCKET = "module.assets.aws_s3_bucket.this"
PARAMETER = 'module.settings.aws_ssm_parameter.this["log-level"]'


@dataclass(frozen=True, slots=True)
class Estate:
    """A user's repository, applied; ``engines`` by environment."""

    repository: Path
    data_dir: Path
    mirror: Path | None
    moto: Moto
    engines: dict[str, Engine]
    environ: dict[str, str]

    def apply(self, environment: str, *options: str) -> None:
        """What a person or a pipeline runs; nothing of ours is in it."""
        self._engine(environment, "apply", "-auto-approve", "-input=false", *options)

    def init(self, environment: str) -> None:
        lock = (
            "use_lockfile=true"
            if self.engines[environment].has_native_locks
            else f"dynamodb_table={LOCKS}"
        )
        settings = {
            "bucket": STATES,
            "region": REGION,
            "key": f"orders/{environment}/terraform.tfstate",
        }
        backend = [f"-backend-config={key}={value}" for key, value in settings.items()]
        self._engine(environment, "init", "-input=false", *backend, f"-backend-config={lock}")

    def check(self, output: Path, *options: str) -> tuple[int, dict[str, Any]]:
        """`driftctl-py check --format json`, and the document by environment."""
        config = str(self.repository / "driftctl.yaml")
        where = ["--config", config, "--data-dir", str(self.data_dir)]
        code = main(["check", *where, "--format", "json", "--output", str(output), *options])
        document = json.loads(output.read_text())
        return code, {each["environment"]: each for each in document["environments"]}

    def git(self, *arguments: str) -> str:
        return _run(["git", *arguments], self.repository, dict(os.environ))

    def bucket(self, environment: str) -> str:
        return f"example-orders-{environment}-assets-123456789012"

    def _engine(self, environment: str, *arguments: str) -> None:
        directory = self.repository / "environments" / environment
        _run([self.engines[environment].path, *arguments, "-no-color"], directory, self.environ)


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    mirror = provider_mirror(tmp_path / "mirror", os.environ)
    if mirror is None and not registries_answer():
        pytest.skip(
            "needs the AWS provider: no mirror on this machine (DRIFTCTL_TEST_PROVIDER_MIRROR "
            "names one), and the registries cannot be reached"
        )
    for name in [name for name in os.environ if name.startswith(("AWS_", "TF_"))]:
        monkeypatch.delenv(name)
    with moto_server(tmp_path / "moto.log") as moto:
        for name, value in moto.settings(tmp_path).items():
            monkeypatch.setenv(name, value)
        environ = {**os.environ, "CHECKPOINT_DISABLE": "1"}
        if mirror is not None:
            config = tmp_path / "mirror.tfrc"
            config.write_text(cli_config(mirror))
            environ["TF_CLI_CONFIG_FILE"] = str(config)
        chosen = dict(zip(ENVIRONMENTS, itertools.cycle(engines()), strict=False))
        made = Estate(
            _copy_of_the_examples(tmp_path / "infra"),
            tmp_path / "data",
            mirror,
            moto,
            chosen,
            environ,
        )
        _make_state_bucket(moto)
        _configure(made)
        with ThreadPoolExecutor() as people:
            list(people.map(lambda name: _first_apply(made, name), ENVIRONMENTS))
        # The lock files of `init` belong to the repository, like everything else in it.
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message", "Apply")
        yield made


def test_a_tag_edited_and_a_parameter_deleted_are_all_that_is_reported(
    estate: Estate, tmp_path: Path
) -> None:
    code, environments = estate.check(tmp_path / "clean.json")

    assert {name: each["status"] for name, each in environments.items()} == dict.fromkeys(
        ENVIRONMENTS, "in sync"
    )
    assert [each["findings"] for each in environments.values()] == [[], [], []]
    assert code == 0

    for name in ENVIRONMENTS:
        _edit_a_tag(estate, name)
        _delete_a_parameter(estate, name)
    states = estate.moto.objects(STATES)
    versions = estate.moto.versions(STATES)
    files = fingerprint(estate.repository)
    code, environments = estate.check(tmp_path / "drifted.json")

    assert code == 2
    for name, checked in environments.items():
        assert checked["status"] == "drifted"
        found = {each["address"]: each for each in checked["findings"]}
        assert found.keys() == {BUCKET, PARAMETER}, name
        tag = found[BUCKET]
        assert tag["kind"] == "update"
        assert tag["origin"] == "drift-reverted"
        recorded_and_real = {
            each["path"]: (each["recorded"], each["real"]) for each in tag["attributes"]
        }
        assert recorded_and_real["tags.team"] == ("fulfilment", "growth")
        parameter = found[PARAMETER]
        assert parameter["kind"] == "create"
        assert parameter["outside"] == "delete"
    # Read-only: no state, no lock, no new version of either, and no file in the user's directory.
    assert estate.moto.objects(STATES) == states
    assert estate.moto.versions(STATES) == versions
    assert fingerprint(estate.repository) == files

    with ThreadPoolExecutor() as people:
        list(people.map(estate.apply, ENVIRONMENTS))
    code, environments = estate.check(tmp_path / "again.json")

    assert {name: each["status"] for name, each in environments.items()} == dict.fromkeys(
        ENVIRONMENTS, "in sync"
    )
    assert code == 0
    # The parameter was made anew, so its state says `tags = null` where AWS says `{}`. That is
    # another spelling of the same: counted, and never a finding.
    for checked in environments.values():
        assert checked["findings"] == []
        assert [each["address"] for each in checked["equivalent"]] == [PARAMETER]
        [spelling] = checked["equivalent"][0]["attributes"]
        assert (spelling["path"], spelling["recorded"], spelling["real"]) == ("tags", None, {})


def _edit_a_tag(estate: Estate, environment: str) -> None:
    s3 = estate.moto.client("s3")
    bucket = estate.bucket(environment)
    tags = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert tags["team"] == "fulfilment"
    tags["team"] = "growth"
    tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})


def _delete_a_parameter(estate: Estate, environment: str) -> None:
    estate.moto.client("ssm").delete_parameter(Name=f"/orders/{environment}/log-level")


def _first_apply(estate: Estate, environment: str) -> None:
    estate.init(environment)
    # Nobody else is there to be locked out, and OpenTofu's client of DynamoDB now and then loses
    # its own connection to moto ("use of closed network connection") while it takes the lock.
    estate.apply(environment, "-lock=false")
    # A bucket's policy, versioning and lifecycle are resources of their own and show up as
    # attributes of the bucket only afterwards; this records them (environments/README.md).
    estate.apply(environment, "-refresh-only", "-lock=false")


def _copy_of_the_examples(repository: Path) -> Path:
    left_behind = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")
    for part in ("modules", "environments"):
        shutil.copytree(ROOT / part, repository / part, ignore=left_behind)
    (repository / ".gitignore").write_text(".terraform/\n")
    who = ["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "-qm", "Begin"]):
        _run(["git", *command], repository, dict(os.environ))
    _run(["git", "config", "user.name", "Ada Lovelace"], repository, dict(os.environ))
    _run(["git", "config", "user.email", "ada@example.com"], repository, dict(os.environ))
    return repository


def _configure(estate: Estate) -> None:
    """The example's own driftctl.yaml with what is different here: engines, endpoint, mirror."""
    example = yaml.safe_load((ROOT / "environments" / "driftctl.yaml").read_text())
    s3 = {**example["state"]["s3"], "bucket": STATES, "endpoint": estate.moto.endpoint}
    overrides: dict[str, Any] = {}
    for name, engine in estate.engines.items():
        lock = (
            {"lock": "native"}
            if engine.has_native_locks
            else {"lock": "dynamodb", "dynamodb_table": LOCKS}
        )
        overrides[name] = {"engine": {"use": _use(engine)}, "state": {"s3": {**s3, **lock}}}
    example["engine"] = {} if estate.mirror is None else {"provider_mirror": str(estate.mirror)}
    config = {**example, "state": {"s3": s3}, "overrides": overrides}
    (estate.repository / "driftctl.yaml").write_text(yaml.safe_dump(config))


def _use(engine: Engine) -> str:
    """What driftctl.yaml calls it."""
    return "embedded" if engine.label == "embedded" else engine.path


def _make_state_bucket(moto: Moto) -> None:
    s3 = moto.client("s3")
    s3.create_bucket(Bucket=STATES, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=STATES, VersioningConfiguration={"Status": "Enabled"})
    moto.client("dynamodb").create_table(
        TableName=LOCKS,
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _run(argv: list[str], directory: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(
        argv,
        cwd=directory,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, (
        f"{argv} in {directory}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    )
    return done.stdout
