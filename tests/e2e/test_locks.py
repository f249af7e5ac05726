"""Somebody else is at work: locks that are held, and states that move while they are looked at.

A plan that takes no lock does not notice either; so both are looked at before and after, and what
was planned meanwhile is never called in sync. The holders here are real applies where it can be.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.aws_support import Moto
from tests.e2e.support import DATA, Site, said, verdicts, wait_until

LOCK = {
    "ID": "3b1c6a1e-7a6d-4e0f-9d0c-5f1f2c3d4e07",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "ada@build-7",
    "Version": "1.11.4",
    "Created": "2026-11-23T09:14:05.123456789Z",
    "Path": "states/prod/terraform.tfstate",
}

# An apply that has begun and goes on until it is told to end.
APPLYING = """\
resource "terraform_data" "one" {
  input = "first"
}
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "cd ../.. && touch begun; until [ -e end ]; do sleep 0.1; done"
  }
}
"""


@contextlib.contextmanager
def _applying(site: Site, directory: Path) -> Iterator[None]:
    """A real apply in ``directory`` that holds its lock for as long as the block lasts."""
    root = directory.parent.parent
    process = subprocess.Popen(
        [site.engine.path, "apply", "-auto-approve", "-no-color"],
        cwd=directory,
        env={**site.environ, "TF_INPUT": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert wait_until((root / "begun").exists), process.poll()
        yield
    finally:
        (root / "end").touch()
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out


def _table(cloud: Moto) -> str:
    name = f"locks-{uuid.uuid4().hex[:8]}"
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def _hand_copy(site: Site, name: str, block: str = "") -> Path:
    """The environment in a copy of its own, initialised, as a colleague has it."""
    directory = site.root / "colleague" / "environments" / name
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text(block + APPLYING)
    site.run_engine(directory, "init")
    return directory


@pytest.mark.engine
def test_an_apply_that_runs_makes_it_unknown_and_its_end_makes_it_known(
    site: Site, cloud: Moto
) -> None:
    if site.engine.has_native_locks:
        site.settings["state"] = {"s3": {**site.s3, "lock": "native"}}
        block = site.backend_block(site.key("prod")).replace("  }\n}", "use_lockfile = true\n}\n}")
    else:
        table = _table(cloud)
        site.environ["AWS_ENDPOINT_URL_DYNAMODB"] = cloud.endpoint
        site.settings["state"] = {"s3": {**site.s3, "lock": "dynamodb", "dynamodb_table": table}}
        block = site.backend_block(site.key("prod"), dynamodb_table=table)
    site.environment("dev")
    site.environment("prod", APPLYING)
    site.configure()
    site.commit()
    colleague = _hand_copy(site, "prod", block)
    with _applying(site, colleague):
        during = site.main("check", "--format", "json")
        held = site.check()
    after = site.check()

    assert during.code == 1
    assert verdicts(held) == {"dev": "pending", "prod": "unknown"}
    assert "The state is locked by " in said(held, "prod")
    assert "for OperationTypeApply" in said(held, "prod")
    assert "driftctl-py check prod" in said(held, "prod")
    assert verdicts(after) == {"dev": "pending", "prod": "in sync"}


@pytest.mark.engine
def test_an_apply_on_a_local_state_is_seen(local_site: Site) -> None:
    site = local_site
    site.environment("prod", APPLYING)
    site.configure()
    site.commit()
    site.run_engine(site.repo / "environments/prod", "init")
    with _applying(site, site.repo / "environments/prod"):
        held = site.check()
    after = site.check()

    assert verdicts(held) == {"prod": "unknown"}
    assert "for OperationTypeApply" in said(held, "prod")
    assert verdicts(after) == {"prod": "in sync"}


def test_the_lock_object_of_s3_names_its_holder_and_is_left_alone(s3_site: Site) -> None:
    site = s3_site
    site.environment("dev")
    site.environment("prod")
    site.configure()
    site.commit()
    site.put(f"{site.key('prod')}.tflock", json.dumps(LOCK).encode())
    before = site.snapshot()
    report = site.check()
    ran = site.main("check", "prod")

    assert verdicts(report) == {"dev": "pending", "prod": "unknown"}
    assert said(report, "prod").startswith(
        "The state is locked by ada@build-7, since 2026-11-23T09:14:05"
    )
    assert f"lock {LOCK['ID']}" in said(report, "prod")
    assert ran.code == 1
    assert "ada@build-7" in ran.out
    assert site.snapshot() == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1, 2]", b'{"ID": 7}'])
def test_a_lock_that_cannot_be_read_is_still_a_lock(s3_site: Site, body: bytes) -> None:
    site = s3_site
    site.environment("prod")
    site.configure()
    site.commit()
    site.put(f"{site.key('prod')}.tflock", body)
    report = site.check()

    assert verdicts(report) == {"prod": "unknown"}
    assert "The state is locked by somebody" in said(report, "prod")


@pytest.mark.parametrize("declared", [False, True], ids=["configured", "declared"])
def test_a_lock_in_dynamodb_names_its_holder(s3_site: Site, cloud: Moto, declared: bool) -> None:
    site, table = s3_site, _table(cloud)
    if declared:
        # The environment's own backend says where its table is.
        block = site.backend_block(site.key("prod"), dynamodb_table=table).replace(
            "endpoints = {", f'endpoints = {{ dynamodb = "{cloud.endpoint}",'
        )
        site.environment("prod", block + DATA)
    else:
        site.environment("prod")
        site.environ["AWS_ENDPOINT_URL_DYNAMODB"] = cloud.endpoint
        site.settings["state"] = {"s3": {**site.s3, "lock": "dynamodb", "dynamodb_table": table}}
    site.configure()
    site.commit()
    free = site.check()
    cloud.client("dynamodb").put_item(
        TableName=table,
        Item={
            "LockID": {"S": f"{site.bucket}/{site.key('prod')}"},
            "Info": {"S": json.dumps(LOCK)},
        },
    )
    held = site.check()

    assert verdicts(free) == {"prod": "pending"}
    assert verdicts(held) == {"prod": "unknown"}
    assert "The state is locked by ada@build-7" in said(held, "prod")


def test_a_lock_table_that_does_not_exist_is_an_error(s3_site: Site, cloud: Moto) -> None:
    site = s3_site
    site.environment("prod")
    site.environ["AWS_ENDPOINT_URL_DYNAMODB"] = cloud.endpoint
    site.configure(state={"s3": {**site.s3, "lock": "dynamodb", "dynamodb_table": "no-such"}})
    site.commit()
    report = site.check()

    assert verdicts(report) == {"prod": "failed"}
    assert "The lock table no-such does not exist" in said(report, "prod")


AFTER_THE_PLAN = """\
#!/bin/sh
@ENGINE@ "$@"
code=$?
case "$*" in plan*-out=*) {python} -c '{code}' >&2 || exit 99 ;; esac
exit $code
"""


def _somebody_puts(site: Site, key: str, body: bytes) -> None:
    """Make the site's engine one during whose plan an object appears in the bucket."""
    assert site.moto is not None
    code = (
        f'import boto3; boto3.client("s3", region_name="eu-central-1", '
        f'endpoint_url="{site.moto.endpoint}").put_object(Bucket="{site.bucket}", '
        f'Key="{key}", Body=bytes.fromhex("{body.hex()}"))'
    )
    program = site.program("busy", AFTER_THE_PLAN.format(python=sys.executable, code=code))
    site.settings["engine"] = str(program)


def test_a_lock_that_appears_during_the_plan_makes_it_unknown(s3_site: Site) -> None:
    site = s3_site
    site.environment("prod")
    _somebody_puts(site, f"{site.key('prod')}.tflock", json.dumps(LOCK).encode())
    site.configure()
    site.commit()
    site.apply("prod")
    report = site.check()

    assert verdicts(report) == {"prod": "unknown"}
    assert "The state is locked by ada@build-7" in said(report, "prod")


def test_a_state_that_moves_during_the_plan_makes_it_unknown(s3_site: Site) -> None:
    site = s3_site
    site.environment("prod")
    site.configure()
    site.commit()
    site.apply("prod")
    state = json.loads(site.snapshot()[0][site.key("prod")])
    moved = {**state, "serial": state["serial"] + 1}
    _somebody_puts(site, site.key("prod"), json.dumps(moved).encode())
    site.configure()
    report = site.check()

    assert verdicts(report) == {"prod": "unknown"}
    assert "The state changed while the plan was made" in said(report, "prod")
    assert "driftctl-py check prod" in said(report, "prod")


def test_a_first_state_that_appears_during_the_plan_makes_it_unknown(s3_site: Site) -> None:
    site = s3_site
    site.environment("prod")
    _somebody_puts(site, site.key("prod"), b'{"version": 4, "serial": 1, "lineage": "x"}')
    site.configure()
    site.commit()
    report = site.check()

    assert verdicts(report) == {"prod": "unknown"}
    assert "The state changed while the plan was made" in said(report, "prod")


def test_a_local_state_that_moves_during_the_plan_makes_it_unknown(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("prod")
    site.configure()
    site.commit()
    directory = site.repo / "environments/prod"
    site.run_engine(directory, "init")
    site.run_engine(directory, "apply", "-auto-approve")
    state = directory / "terraform.tfstate"
    code = f'open("{state}", "a").write(" ")'
    program = site.program("busy", AFTER_THE_PLAN.format(python=sys.executable, code=code))
    site.configure(engine=str(program))
    report = site.check()

    assert verdicts(report) == {"prod": "unknown"}
    assert "The state changed while the plan was made" in said(report, "prod")


def test_an_engine_without_native_locks_says_so(s3_site: Site) -> None:
    # OpenTofu 1.9 by its own word; nothing of it is run that could tell.
    site = s3_site
    program = site.program(
        "tofu", '#!/bin/sh\necho \'{"type":"version","tofu":"1.9.0","ui":"1.2"}\'\nexit 1\n'
    )
    site.environment("prod")
    site.configure(engine=str(program), state={"s3": {**site.s3, "lock": "native"}})
    site.commit()
    report = site.check()

    assert verdicts(report) == {"prod": "failed"}
    assert "has no native S3 locks (use_lockfile came with 1.10)" in said(report, "prod")
    assert "set state.s3.lock to dynamodb or none" in said(report, "prod")
