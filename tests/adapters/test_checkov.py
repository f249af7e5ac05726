"""Checkov itself, asked as a configuration asks it: `run`, with the plan that policies see.

What its JSON means in each odd case is ``tests/core/test_check_answer.py``'s business. This holds
that the words of ``docs/policy.md`` start the real one, and that what it prints is understood.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.checks import CheckRunner
from driftctl_py.adapters.plan_file import PlanFiles
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.policy import CheckProgram
from driftctl_py.core.rule import Effect
from driftctl_py.core.values import Secrets
from tests.data import plans

PUBLIC = "aws_s3_bucket.assets"
# "S3 Bucket has an ACL defined which allows public READ access." One of its thousands, so that the
# answer stays the same whatever it learns.
ASKED = "CKV_AWS_20"


def checkov() -> str | None:
    """Where ``DRIFTCTL_TEST_CHECKOV`` says, where ``.ci/setup`` puts it, or on PATH."""
    named = os.environ.get("DRIFTCTL_TEST_CHECKOV")
    if named:
        return named
    own = Path(__file__).parents[2] / ".venv-checkov/bin/checkov"
    return str(own) if own.exists() else shutil.which("checkov")


def opened_to_all(plan: bytes) -> bytes:
    """A plan of the real provider, in which one bucket gets another ACL than it had."""
    document: dict[str, Any] = json.loads(plan)
    (change,) = (each for each in document["resource_changes"] if each["address"] == PUBLIC)
    change["change"]["after"]["acl"] = "public-read"
    (planned,) = (
        each
        for each in document["planned_values"]["root_module"]["resources"]
        if each["address"] == PUBLIC
    )
    planned["values"]["acl"] = "public-read"
    return json.dumps(document).encode()


@pytest.mark.skipif(
    checkov() is None,
    reason="there is no checkov: neither DRIFTCTL_TEST_CHECKOV, .venv-checkov nor PATH has one",
)
def test_a_public_bucket_is_found_by_the_real_one(tmp_path: Path) -> None:
    whole, redacted = tmp_path / "whole.json", tmp_path / "plan.json"
    whole.write_bytes(opened_to_all(plans.of("aws_estate")))
    PlanFiles().redact(whole, redacted, masks=(), secrets=Secrets(b"k"))
    check = CheckProgram(
        "scan",
        (
            *(str(checkov()), "--file", "{plan}", "--framework", "terraform_plan"),
            *("--output", "json", "--quiet", "--compact", "--skip-download", "--check", ASKED),
        ),
        {1: Effect.APPROVE},
        timeout_seconds=300,
    )
    runner = CheckRunner(here=tmp_path, environ={"PATH": os.environ["PATH"]}, stop=Stop())

    [found] = runner.verdicts(check, plan=redacted)

    assert (found.address, found.effect) == (PUBLIC, Effect.APPROVE)
    assert ASKED in found.message
