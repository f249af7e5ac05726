"""The plans of the benchmark have the engine's shape, and what is said to be in them is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.core.assessment import assess
from driftctl_py.core.plan_json import decode_plan
from tests.bench.plans import MEGABYTE, Made, write_plan
from tests.data import plans as real


@dataclass(frozen=True, slots=True)
class Plan:
    data: bytes
    made: Made

    def json(self) -> Any:  # Any: JSON.
        return json.loads(self.data)


@pytest.fixture(scope="module", params=[False, True], ids=["instances", "small"])
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    # All that can happen to a resource happens within eight modules.
    made = write_plan(path, 2 if request.param else 13, small=request.param)
    return Plan(path.read_bytes(), made)


def test_what_is_said_to_change_is_what_an_assessment_finds(plan: Plan) -> None:
    made = plan.made
    found = assess(decode_plan(plan.data))

    assert (found.totals.add, found.totals.change, found.totals.destroy, found.drifted) == (
        made.add,
        made.change,
        made.destroy,
        made.drifted,
    )
    assert found.complete
    assert len(found.findings) == made.changed
    assert found.managed == made.resources
    assert min(made.add, made.change, made.destroy, made.drifted) > 0
    assert made.changed / made.resources == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("megabytes", [1, 3])
def test_a_plan_is_as_large_as_asked(small: bool, megabytes: int, tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", megabytes, small=small)

    size = (tmp_path / "plan.json").stat().st_size
    assert size == pytest.approx(megabytes * MEGABYTE, rel=0.02)


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        write_plan(tmp_path / name, 1, seed=seed)

    one, same, other = ((tmp_path / name).read_bytes() for name in ("one", "same", "other"))
    assert one == same
    assert one != other


def test_keys_come_in_the_order_of_a_real_plan(plan: Plan) -> None:
    made = plan.json()
    found = json.loads(real.of("rich", "terraform-1.11.4"))
    (module, *_) = made["planned_values"]["root_module"]["child_modules"]

    _in_order(made, found)
    _in_order(made["prior_state"], found["prior_state"])
    _in_order(made["configuration"], found["configuration"])
    _in_order(module["resources"][0], found["planned_values"]["root_module"]["resources"][0])
    replaced = next(each for each in made["resource_changes"] if "action_reason" in each)
    like = next(each for each in found["resource_changes"] if "action_reason" in each)
    _in_order({**replaced, "module_address": ""}, {"address": "", "module_address": "", **like})
    _in_order(replaced["change"], like["change"])


def test_a_resource_is_in_every_part_that_an_engine_puts_it_in(plan: Plan) -> None:
    made = plan.json()

    before = {e["address"] for e in made["resource_changes"] if e["change"]["before"] is not None}
    after = {e["address"] for e in made["resource_changes"] if e["change"]["after"] is not None}
    assert _objects(made["prior_state"]["values"]) == before
    assert _objects(made["planned_values"]) == after


def _objects(values: dict[str, Any]) -> set[str]:
    return {
        each["address"]
        for module in values["root_module"]["child_modules"]
        for each in module["resources"]
    }


def _in_order(made: dict[str, Any], real_one: dict[str, Any]) -> None:
    known = [key for key in real_one if key in made]
    assert [key for key in made if key in real_one] == known
    assert len(known) > len(made) / 2
