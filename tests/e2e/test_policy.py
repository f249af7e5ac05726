"""Asking about rules through the command line: of a plan, of a run, of tests, of the rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.support import Site

pytestmark = pytest.mark.engine

RULES = [
    {
        "name": "no-destroys",
        "effect": "deny",
        "when": {"actions": ["delete", "replace"]},
    },
    {
        "name": "web-waits",
        "effect": "approve",
        "groups": ["dba"],
        "when": {"addresses": ["terraform_data.web"], "actions": ["create"]},
    },
]
TESTS = """\
tests:
  - name: nobody destroys
    change: {address: terraform_data.web, actions: [delete]}
    expect: deny
    rule: no-destroys
  - name: what lies there
    plan: plan.json
    expect: approve
    rule: web-waits
    groups: [dba]
"""


def test_rules_are_explained_replayed_tested_and_looked_through(
    local_site: Site, tmp_path: Path
) -> None:
    site = local_site
    state = tmp_path / "prod.tfstate"
    site.write(
        "environments/prod/main.tf",
        f'terraform {{\n  backend "local" {{ path = "{state}" }}\n}}\n'
        'resource "terraform_data" "web" {\n  input = "a"\n}\n',
    )
    site.configure(
        people={"ada": ["github:ada"]},
        groups={"dba": ["ada"]},
        defaults={"apply": {"git": "gate", "drift": "gate"}, "approval": {"groups": ["dba"]}},
        state="none",
        rules=RULES,
    )
    site.commit()
    assert site.main("plan", "prod").code == 2
    run = site.main("runs", "--format", "json").json["runs"][0]["id"]

    why = site.main("policy", "explain", run)
    assert why.code == 0
    assert why.out.startswith("prod: would be held until people say yes\n")
    assert "no  terraform_data.web  actions: asks for delete or replace; this is create" in why.out
    assert "approve  web-waits (driftctl.yaml:" in why.out

    # A plan that somebody brings.
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "complete": True,
        "applyable": True,
        "resource_changes": [
            {
                "address": "terraform_data.web",
                "mode": "managed",
                "type": "terraform_data",
                "name": "web",
                "provider_name": "terraform.io/builtin/terraform",
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": {"input": "a"},
                    "after_unknown": {"id": True, "output": True},
                },
            }
        ],
    }
    site.write("plan.json", json.dumps(document))
    of_plan = site.main("policy", "explain", "plan.json", "--format", "json")
    assert of_plan.code == 0
    assert [each["speaks"] for each in of_plan.json["rules"]] == [False, True]

    site.write("driftctl_test.yaml", TESTS)
    tested = site.main("policy", "test")
    assert (tested.code, tested.out.splitlines()[-1]) == (0, "2 tests passed.")
    site.write("driftctl_test.yaml", TESTS.replace("expect: deny", "expect: warn"))
    failed = site.main("policy", "test")
    assert failed.code == 1
    assert "Expected warn, and it is deny." in failed.out

    alike = site.main("policy", "replay")
    assert (alike.code, alike.out.split(" ")[0]) == (0, "1")
    denies = {"name": "web-waits", "effect": "deny", "when": RULES[1]["when"]}
    site.configure(rules=[RULES[0], denies])
    stricter = site.main("policy", "replay")
    assert stricter.code == 2
    assert "approve → deny" in stricter.out
    assert "now deny by web-waits" in stricter.out

    assert site.main("policy", "lint").code == 0
    site.configure(rules=[RULES[0], {"name": "dead", "effect": "warn", "when": {"types": ["a.b"]}}])
    found = site.main("policy", "lint")
    assert found.code == 2
    assert "The rule dead never matches: a.b is no type of a resource" in found.out
    site.configure(rules=[{"name": "x", "effect": "deny", "when": {"type": ["a"]}}])
    assert site.main("policy", "lint").code == 1
