from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from driftctl_py.core.masks import Mask, Masks
from driftctl_py.core.redacted_plan import redacted_document
from driftctl_py.core.values import Secrets
from tests.data import plans
from tests.report.test_secrets import (
    VALUES,
    marked_changes,
    mirror_of,
    plan_with,
    without_marks,
)


def redacted(plan: bytes, masks: Masks = ()) -> bytes:
    return redacted_document(plan, masks=masks, secrets=Secrets(b"k"))


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_no_secret_of_a_real_plan_is_left(path: Path) -> None:
    document = redacted(path.read_bytes())

    assert b"CANARY" not in document
    assert b"hunter2" not in document
    assert json.loads(document).keys() == json.loads(path.read_bytes()).keys()


def whole(change: dict[str, Any], drift: dict[str, Any], output: Any, *, marked: bool) -> bytes:
    values = change["before"]
    resource = {
        "address": "x.y",
        "values": values,
        "sensitive_values": mirror_of(values) if marked else {},
    }
    prior = {"values": {"root_module": {"child_modules": [{"resources": [resource]}]}}}
    return json.dumps(plan_with(change, drift, output) | {"prior_state": prior}).encode()


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(marked_changes(), VALUES)
def test_nothing_that_is_marked_anywhere_is_left(
    entries: tuple[dict[str, Any], dict[str, Any]], output: Any
) -> None:
    assert b"CANARY" not in redacted(whole(*entries, output, marked=True))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(marked_changes(), VALUES)
def test_what_only_a_mask_hides_is_not_left_either(
    entries: tuple[dict[str, Any], dict[str, Any]], output: Any
) -> None:
    change, drift = map(without_marks, entries)
    plan = whole(change, drift, output, marked=False)

    assert b"CANARY" not in redacted(plan, [Mask(pattern=re.compile("CANARY"))])


def test_what_nothing_hides_stays() -> None:
    plan = plans.of("clean")

    assert json.loads(redacted(plan)) == json.loads(plan)


def test_what_this_version_does_not_know_is_not_passed_on() -> None:
    entry = {"address": "x.y", "new": 1, "change": {"actions": ["no-op"], "newer": 2}}
    plan = {"format_version": "1.2", "newest": 3, "resource_changes": [entry]}

    found = json.loads(redacted(json.dumps(plan).encode()))

    assert "newest" not in found
    assert "new" not in found["resource_changes"][0]
    assert "newer" not in found["resource_changes"][0]["change"]
