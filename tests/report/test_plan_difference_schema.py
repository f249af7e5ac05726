"""What `diff --format json` prints is what its schema promises."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from driftctl_py.core.consequences import About, Fact
from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import Secrets
from driftctl_py.report.plan_diff import render_plan_diff_json
from tests.data import plans
from tests.report.plan_reports import EVIL, evil_plan, plan

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "plan-difference.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def compared(a: bytes, b: bytes) -> dict[str, Any]:
    secrets = Secrets(b"k" * 32)
    one, other = (decode_plan(each, secrets=secrets, settings=True) for each in (a, b))
    document: dict[str, Any] = json.loads(
        render_plan_diff_json(compare_plans(one, other), "a.json", "-")
    )
    return document


@pytest.mark.parametrize(("one", "other"), list(pairwise(plans.scenarios())))
def test_real_plans_differ_as_promised(one: str, other: str) -> None:
    VALIDATOR.validate(compared(plans.of(one), plans.of(other)))


@pytest.mark.parametrize("text", EVIL)
def test_what_a_plan_holds_changes_no_key(text: str) -> None:
    document = compared(evil_plan(text), plan())

    VALIDATOR.validate(document)
    assert document["differing"] == len(document["differences"]) > 0


def test_the_schema_is_one_and_promises_nothing_that_is_not_there() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    difference = SCHEMA["properties"]["differences"]["items"]["properties"]
    fact = difference["facts"]["items"]["properties"]

    assert set(difference["about"]["enum"]) == {each.value for each in About}
    assert set(fact["fact"]["enum"]) == {each.value for each in Fact}
    document = compared(plans.of("rich"), plans.of("clean"))
    del document["same"]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)
