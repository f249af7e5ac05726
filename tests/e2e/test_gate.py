"""The gate in the playground: what it refuses, holds and lets through, and how it says why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.playing import Playground, playing
from tests.rego_engines import needs

pytestmark = pytest.mark.engine
pytest.importorskip("tf")
pytest.importorskip("moto")

RULES = """
rules:
  - name: keep-buckets
    effect: deny
    message: Empty it first and remove it by hand.
    when: {types: [folder_bucket], actions: [delete, replace]}
  - preset: heal-tags
"""
REGO = """package main

import rego.v1

deny contains found if {
    some change in input.resource_changes
    change.change.after.cpus > 8
    found := {
        "msg": sprintf("%v cpus are too many", [change.change.after.cpus]),
        "address": change.address,
    }
}
"""
POLICIES = """
policies:
  - {name: sizes, rego: policies, rego_version: v1}
"""
WEB_1 = 'module.web.folder_server.web["web-1"]'


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """One for all tests here, which go through it in their order. Nothing is put back unasked but
    what a rule allows."""
    with playing(tmp_path_factory.mktemp("gate")) as playground:
        assert playground.runs("apply", "prod").returncode == 0
        text = playground.config.read_text()
        text = text.replace("apply: {drift: auto, git: gate}", "apply: {drift: gate, git: gate}")
        playground.config.write_text(text + RULES)
        playground.commit("Write rules")
        yield playground


def cloud(ground: Playground) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ground.file("prod").read_text())
    return found


def last_run(ground: Playground) -> str:
    return str(ground.history("prod")[0]["id"])


def test_a_commit_that_destroys_what_is_protected_is_refused(ground: Playground) -> None:
    module = ground.directory / "infra" / "modules" / "web" / "main.tf"
    whole = module.read_text()
    start = whole.index('resource "folder_bucket" "reports"')
    end = whole.index('resource "folder_secret"')
    module.write_text(whole[:start] + whole[end:])
    ground.commit("Drop the reports")

    done = ground.runs("apply", "prod")

    assert done.returncode == 1, done.stdout
    rule = 1 + ground.config.read_text()[: ground.config.read_text().index("keep-buckets")].count(
        "\n"
    )
    refused = f"module.web.folder_bucket.reports: denied by keep-buckets (driftctl.yaml:{rule})"
    assert refused in " ".join(done.stdout.split())
    assert ground.file("prod", "bucket-reports.json").exists()
    explained = ground.runs("policy", "explain", last_run(ground)).stdout
    assert "prod: would be refused" in explained
    assert "matches 1 of 1 change\n  yes module.web.folder_bucket.reports\n" in explained
    shown = ground.runs("show", "prod").stdout
    assert "denied by keep-buckets" in shown
    module.write_text(whole)
    ground.commit("Keep the reports")


def test_a_tag_is_healed_alone_and_a_size_waits(ground: Playground) -> None:
    before = cloud(ground)
    ground.drift("prod", tags={"team": "nobody"})

    healed = ground.runs("apply", "prod")

    assert healed.returncode == 0, healed.stdout
    assert cloud(ground) == before
    explained = ground.runs("policy", "explain", last_run(ground)).stdout
    assert "prod: would be applied" in explained
    assert f"matches 1 of 1 change\n  yes {WEB_1}\n" in explained

    ground.drift("prod", cpus=32)
    held = ground.runs("apply", "prod")

    assert held.returncode == 2, held.stdout
    assert cloud(ground)["cpus"] == 32
    assert "needs 1 of: owners (me)" in held.stdout
    explained = ground.runs("policy", "explain", last_run(ground)).stdout
    assert "prod: would be held" in explained
    assert f"no  {WEB_1}\n" in explained
    assert "this changes cpus" in explained


def test_a_freeze_holds_and_its_end_releases(ground: Playground) -> None:
    assert ground.runs("approve", "prod", "--reason", "It was me.").returncode == 0
    assert ground.runs("freeze", "--reason", "Release day").returncode == 0

    frozen = ground.runs("apply", "prod")

    assert frozen.returncode == 2, frozen.stdout
    assert "froze everything" in frozen.stdout
    assert "Release day" in frozen.stdout
    assert cloud(ground)["cpus"] == 32
    assert "froze everything" in ground.runs("status").stdout
    assert ground.runs("thaw", "--reason", "Out it is.").returncode == 0

    # The yes that was given before is still good.
    thawed = ground.runs("apply", "prod")

    assert thawed.returncode == 0, thawed.stdout
    assert cloud(ground)["cpus"] == 4


def test_a_replay_says_what_another_rule_would_have_changed(ground: Playground) -> None:
    proposed = ground.directory / "infra" / "proposed.yaml"
    text = ground.config.read_text().replace("effect: deny", "effect: approve")
    dev = "heal-tags\n    when: {environments: [dev]}"
    proposed.write_text(text.replace("heal-tags", dev))

    replayed = ground.runs("policy", "replay", "--config", "proposed.yaml")

    proposed.unlink()
    assert replayed.returncode == 2, replayed.stdout + replayed.stderr
    said = " ".join(replayed.stdout.split())
    assert "deny → approve no longer deny by keep-buckets" in said
    assert "allow → approve" in said
    # And by the rules that are, all is decided as it was.
    same = ground.runs("policy", "replay", "--since", "1h")
    assert same.stdout


def test_the_rules_are_tested_beside_themselves_and_found_in_order(ground: Playground) -> None:
    linted = ground.runs("policy", "lint")

    assert linted.returncode == 0, linted.stdout


def test_rego_denies_and_without_its_engine_everything_is_denied(ground: Playground) -> None:
    opa = needs("opa")
    programs = ground.directory.parent / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    (programs / "opa").symlink_to(opa)
    ground = replace(ground, environ={**ground.environ, "PATH": str(programs)})
    infra = ground.directory / "infra"
    (infra / "policies").mkdir()
    (infra / "policies" / "sizes.rego").write_text(REGO)
    ground.config.write_text(ground.config.read_text() + POLICIES)
    main = infra / "environments" / "prod" / "main.tf"
    main.write_text(main.read_text().replace("cpus = 4", "cpus = 16"))
    ground.commit("Sixteen")
    denied = ground.runs("apply", "prod")

    assert denied.returncode == 1, denied.stdout + denied.stderr
    assert "16 cpus are too many" in denied.stdout
    assert "denied by sizes" in " ".join(denied.stdout.split())
    main.write_text(main.read_text().replace("cpus = 16", "cpus = 6"))
    ground.commit("Six")
    held = ground.runs("apply", "prod")
    assert held.returncode == 2, held.stdout + held.stderr

    (programs / "opa").unlink()
    taken_away = ground.runs("apply", "prod")

    assert taken_away.returncode == 1, taken_away.stdout
    assert "there is none on PATH" in " ".join(taken_away.stdout.split())
    assert cloud(ground)["cpus"] == 4
