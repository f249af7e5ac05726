"""`driftctl-py check`, whole: real git, the real engines, a real S3.

What it finds, what it prints, how it ends, and that it leaves no trace: neither in the user's
directory nor in the state.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from driftctl_py.core.check import Assessed
from tests.e2e.support import DATA, Site, found, new_site, said, verdicts
from tests.engines import Engine, embedded, engines

COUNTING = """\
#!/bin/sh
# Notes each command, then is the real engine.
echo "$1" >> {log}
exec @ENGINE@ "$@"
"""


def _counting(site: Site) -> Path:
    """Make the site's engine one that notes its commands; the file they are noted in."""
    log = site.root / "commands"
    program = site.program("counting-engine", COUNTING.format(log=log))
    site.settings["engine"] = str(program)
    return log


def _commands(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


# What it finds.


@pytest.mark.engine
def test_what_is_applied_is_in_sync_and_what_is_not_is_pending(site: Site) -> None:
    site.environment("dev")
    site.environment("prod")
    site.configure()
    site.commit()
    site.apply("dev")
    ran = site.main("check", "--format", "json")
    only_dev = site.main("check", "dev", "--format", "json")

    assert ran.code == 2
    assert {item["environment"]: item["status"] for item in ran.json["environments"]} == {
        "dev": "in sync",
        "prod": "pending",
    }
    assert only_dev.code == 0
    assert [item["environment"] for item in only_dev.json["environments"]] == ["dev"]


@pytest.mark.engine
def test_an_environment_without_a_backend_block_is_looked_for_in_the_bucket(site: Site) -> None:
    # With a local state, which is what `-backend-config` without a block comes to, everything
    # would be planned to be created a second time.
    site.environment("prod")
    site.configure()
    site.commit()
    site.apply("prod")
    first, second = site.check(), site.check()

    assert verdicts(first) == {"prod": "in sync"}
    assert verdicts(second) == {"prod": "in sync"}
    assert not list(site.data.rglob("tree/**/terraform.tfstate"))


@pytest.mark.engine
def test_an_environment_that_declares_its_backend_completely_is_left_alone(site: Site) -> None:
    site.environment("prod", site.backend_block("elsewhere/of-its-own.tfstate") + DATA)
    site.configure(state={"s3": {**site.s3, "bucket": "not-this-bucket"}})
    site.commit()
    directory = site.root / "by-hand"
    shutil.copytree(site.repo / "environments/prod", directory)
    site.run_engine(directory, "init")
    site.run_engine(directory, "apply", "-auto-approve")
    report = site.check()

    assert verdicts(report) == {"prod": "in sync"}


@pytest.mark.engine
def test_a_partial_backend_block_is_completed(site: Site) -> None:
    site.environment("prod", 'terraform {\n  backend "s3" {\n    encrypt = true\n  }\n}\n' + DATA)
    site.configure()
    site.commit()
    site.apply("prod")
    report = site.check()

    assert verdicts(report) == {"prod": "in sync"}


@pytest.mark.engine
def test_variables_and_var_files_reach_the_plan_and_later_ones_win(local_site: Site) -> None:
    site = local_site
    site.environment(
        "prod",
        """\
        variable "one" { type = string }
        variable "two" { type = list(number) }
        variable "three" { type = string }
        resource "terraform_data" "all" { input = "${var.one} ${jsonencode(var.two)} ${var.three}" }
        """,
    )
    site.write("common.tfvars", 'one = "of the file"\nthree = "of the file"\n')
    site.configure(
        defaults={"var_files": ["common.tfvars"], "variables": {"two": [1, 2]}},
        overrides={"prod": {"variables": {"three": "of the override"}}},
    )
    site.commit()
    outcome = found(site.check(), "prod").outcome

    assert isinstance(outcome, Assessed)
    assert [item.planned for item in outcome.assessment.findings[0].attributes] == [
        "of the file [1,2] of the override"
    ]


@pytest.mark.engine
def test_modules_beside_the_environments_and_file_sets_are_found(local_site: Site) -> None:
    site = local_site
    site.write("modules/net/main.tf", 'resource "terraform_data" "net" { input = "net" }\n')
    site.write("environments/prod/files/deep/er/a.txt", "a")
    site.write("environments/prod/files/b.txt", "b")
    site.environment(
        "prod",
        """\
        module "net" { source = "../../modules/net" }
        resource "terraform_data" "files" {
          input = join(" ", fileset("${path.module}/files", "**"))
        }
        resource "terraform_data" "shared" { input = file("${path.module}/../../LICENCE") }
        """,
    )
    site.write("LICENCE", "free")
    site.configure()
    site.commit()
    outcome = found(site.check(), "prod").outcome

    assert isinstance(outcome, Assessed)
    planned = {item.address: item.attributes[0].planned for item in outcome.assessment.findings}
    assert planned == {
        "module.net.terraform_data.net": "net",
        "terraform_data.files": "b.txt deep/er/a.txt",
        "terraform_data.shared": "free",
    }


# Where it is read from.


@pytest.mark.engine
def test_a_remote_source_is_checked_at_the_commit_of_its_ref(site: Site) -> None:
    origin = site.root / "origin"
    site.environment("prod")
    commit = site.commit()
    site.git("clone", "--quiet", "--bare", str(site.repo), str(origin))
    site.apply("prod")
    # What lies here afterwards is nobody's business: the source is the other repository.
    shutil.rmtree(site.repo / "environments")
    site.configure(sources={"infra": {"url": f"file://{origin}", "ref": "main"}})
    report = site.check()
    check = found(report, "prod")

    assert verdicts(report) == {"prod": "in sync"}
    assert check.revision is not None
    assert (check.revision.commit, check.revision.dirty) == (commit, False)


@pytest.mark.engine
def test_a_new_commit_of_a_remote_source_is_what_the_next_check_plans(site: Site) -> None:
    site.environment("prod")
    site.commit()
    site.apply("prod")
    origin = site.root / "origin"
    site.git("clone", "--quiet", "--bare", str(site.repo), str(origin))
    site.configure(sources={"infra": f"file://{origin}"})
    before = site.check()
    site.environment("prod", DATA.replace("first", "second"))
    commit = site.commit()
    site.git("push", "--quiet", str(origin), "main")
    after = site.check()
    revision = found(after, "prod").revision

    assert verdicts(before) == {"prod": "in sync"}
    assert verdicts(after) == {"prod": "pending"}
    assert revision is not None
    assert revision.commit == commit


def test_a_local_state_in_a_remote_source_is_refused(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("prod")
    site.commit()
    origin = site.root / "origin"
    site.git("clone", "--quiet", "--bare", str(site.repo), str(origin))
    site.configure(sources={"infra": f"file://{origin}"})
    report = site.check()

    assert verdicts(report) == {"prod": "failed"}
    assert "prod keeps its state in a local file" in said(report, "prod")
    assert "everything would be planned as new" in said(report, "prod")


@pytest.mark.engine
def test_a_dirty_directory_is_planned_as_it_lies_and_says_so(local_site: Site) -> None:
    site = local_site
    site.environment("prod")
    site.configure()
    commit = site.commit()
    site.environment("prod", DATA.replace("first", "not committed"))
    report = site.check()
    check = found(report, "prod")

    assert check.revision is not None
    assert check.revision.short == f"{commit[:7]}+dirty"
    assert isinstance(check.outcome, Assessed)
    assert check.outcome.assessment.findings[0].attributes[0].planned == "not committed"
    assert f"{commit[:7]}+dirty" in site.main("check").out


# What it leaves behind: nothing.


@pytest.mark.engine
def test_nothing_is_written_into_the_users_directory(local_site: Site) -> None:
    site = local_site
    site.environment("dev")
    site.environment("prod")
    # Without these lines an `init` of the user's own would be ignored, and so would ours.
    site.write(".gitignore", ".terraform/\n*.tfstate*\n.terraform.lock.hcl\n")
    site.configure()
    site.commit()
    before = site.listing()
    report = site.check()
    site.check()

    assert verdicts(report) == {"dev": "pending", "prod": "pending"}
    assert site.listing() == before
    assert site.git("status", "--porcelain", "--ignored") == ""


@pytest.mark.engine
def test_the_bucket_is_the_same_before_and_after_byte_for_byte(site: Site) -> None:
    for name in ("dev", "prod"):
        site.environment(name)
    site.configure()
    site.commit()
    site.apply("prod")
    before = site.snapshot()
    first = site.check()
    site.environment("prod", DATA.replace("first", "second"))
    second = site.check()

    assert verdicts(first) == {"dev": "pending", "prod": "in sync"}
    assert verdicts(second) == {"dev": "pending", "prod": "pending"}
    assert site.snapshot() == before


@pytest.mark.engine
def test_no_plan_and_no_secret_is_left_in_the_data_directory(local_site: Site) -> None:
    site = local_site
    site.environment(
        "prod",
        """\
        variable "password" {
          type      = string
          sensitive = true
        }
        resource "terraform_data" "db" { input = var.password }
        """,
    )
    site.settings["pass_env"] = ["TF_VAR_password"]
    site.environ["TF_VAR_password"] = "hunter2-of-grace"
    site.configure()
    site.commit()
    report = site.check()
    holding = [
        path
        for path in site.data.rglob("*")
        if path.is_file() and not path.is_symlink() and b"hunter2-of-grace" in path.read_bytes()
    ]

    assert verdicts(report) == {"prod": "pending"}
    assert holding == []
    assert not list(site.data.rglob("plan.*"))


# Workspaces.


@pytest.mark.engine
def test_a_workspace_that_exists_is_planned(site: Site) -> None:
    site.environment("prod")
    site.configure(overrides={"prod": {"workspace": "blue"}})
    site.commit()
    site.create_workspace("prod", "blue")
    site.apply("prod", workspace="blue")
    before = site.snapshot()
    report = site.check()

    assert verdicts(report) == {"prod": "in sync"}
    assert site.snapshot() == before


@pytest.mark.engine
def test_a_workspace_that_does_not_exist_is_never_created(site: Site) -> None:
    site.environment("dev")
    site.environment("prod")
    site.configure(overrides={"prod": {"workspace": "bleu"}})
    site.commit()
    before = site.snapshot()
    report = site.check()

    assert verdicts(report) == {"dev": "pending", "prod": "failed"}
    assert "The workspace bleu does not exist" in said(report, "prod")
    assert site.snapshot() == before


@pytest.mark.engine
def test_a_local_workspace_that_does_not_exist_is_never_created(local_site: Site) -> None:
    site = local_site
    site.environment("prod")
    site.configure(overrides={"prod": {"workspace": "bleu"}})
    site.commit()
    before = site.listing()
    report = site.check()

    assert "The workspace bleu does not exist" in said(report, "prod")
    assert site.listing() == before


# Two environments on one state.


def test_two_environments_on_one_state_are_an_error_for_both_and_no_other(s3_site: Site) -> None:
    site = s3_site
    for name in ("blue", "green"):
        site.environment(name, site.backend_block("one.tfstate") + DATA)
    site.environment("prod")
    site.configure()
    site.commit()
    report = site.check()

    assert verdicts(report) == {"blue": "failed", "green": "failed", "prod": "pending"}
    assert "blue and green share one state" in said(report, "blue")
    assert "green and blue share one state" in said(report, "green")
    assert f"s3://{site.bucket}/one.tfstate" in said(report, "green")


def test_two_spellings_of_one_local_state_are_one(embedded_site: Site) -> None:
    site = embedded_site
    for name, path in (("blue", "../shared.tfstate"), ("green", "../green/../shared.tfstate")):
        backend = f'terraform {{\n  backend "local" {{\n    path = "{path}"\n  }}\n}}\n'
        site.environment(name, backend + DATA)
    site.configure()
    site.commit()
    report = site.check()

    assert verdicts(report) == {"blue": "failed", "green": "failed"}


# What it costs, and when `init` is due.


@pytest.mark.engine
def test_an_unchanged_environment_costs_one_engine_process(site: Site) -> None:
    site.environment("prod")
    log = _counting(site)
    site.configure()
    site.commit()
    site.apply("prod")
    first = site.check()
    log.unlink()
    second = site.check()

    assert verdicts(first) == verdicts(second) == {"prod": "in sync"}
    assert _commands(log) == ["plan"]


@pytest.mark.engine
def test_init_runs_again_when_a_module_a_backend_or_a_lock_file_changes(site: Site) -> None:
    site.write("modules/net/main.tf", DATA)
    site.write("modules/other/main.tf", DATA)
    module = 'module "net" {{ source = "../../modules/{}" }}\n'
    site.environment("prod", module.format("net"))
    log = _counting(site)
    site.configure()
    site.commit()
    runs = []

    def check() -> list[str]:
        log.unlink(missing_ok=True)
        assert verdicts(site.check()) == {"prod": "pending"}
        return [command for command in _commands(log) if command == "init"]

    runs.append(check())
    runs.append(check())
    site.environment("prod", module.format("other"))
    runs.append(check())
    site.configure(state={"s3": {**site.s3, "key": "moved/{environment}.tfstate"}})
    runs.append(check())
    site.write("environments/prod/.terraform.lock.hcl", "# no provider needed\n")
    runs.append(check())
    runs.append(check())

    assert runs == [["init"], [], ["init"], ["init"], ["init"], []]


@pytest.mark.engine
def test_a_floating_module_is_fetched_again_and_warned_of(local_site: Site) -> None:
    site = local_site
    module = site.root / "module"
    module.mkdir()
    (module / "main.tf").write_text('resource "terraform_data" "m" { input = "old" }\n')
    site.git("init", "--quiet", "--initial-branch=main", at=module)
    site.git("add", "--all", at=module)
    site.git("commit", "--quiet", "--message=Old", at=module)
    site.environment("prod", f'module "far" {{ source = "git::file://{module}" }}\n')
    site.configure()
    site.commit()
    old = found(site.check(), "prod")
    (module / "main.tf").write_text('resource "terraform_data" "m" { input = "new" }\n')
    site.git("commit", "--quiet", "--all", "--message=New", at=module)
    new = found(site.check(), "prod")
    planned = [
        check.outcome.assessment.findings[0].attributes[0].planned
        for check in (old, new)
        if isinstance(check.outcome, Assessed)
    ]

    assert planned == ["old", "new"]
    assert "module.far: the source is not pinned" in new.warnings[0]


# Which engine.


def test_an_engine_is_never_switched_silently(
    tmp_path: Path, s3_site: Site, engine: Engine
) -> None:
    site = s3_site
    site.engine = engine
    other = "registry.opentofu.org" if engine.family == "terraform" else "registry.terraform.io"
    (site.bin / engine.family).symlink_to(engine.path)
    site.environment("prod")
    site.configure(engine="auto", state={"s3": site.s3})
    site.commit()
    state = {
        "version": 4,
        "terraform_version": "1.9.0",
        "serial": 1,
        "lineage": "3f8b3c5e-0000-4000-8000-000000000000",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": "null_resource",
                "name": "old",
                "provider": f'provider["{other}/hashicorp/null"]',
                "instances": [{"schema_version": 0, "attributes": {"id": "1"}}],
            }
        ],
    }
    site.put(site.key("prod"), json.dumps(state).encode())
    before = site.snapshot()
    first = site.check()
    again = site.check()

    assert "The state was written by" in said(first, "prod")
    assert "The state was written by" in said(again, "prod")
    assert site.snapshot() == before


@pytest.mark.skipif(len(engines()) < 3, reason="needs both a terraform and a tofu")
def test_two_engines_and_nothing_that_decides_are_an_error_that_says_how(tmp_path: Path) -> None:
    site = new_site(tmp_path, embedded())
    for engine in engines():
        if engine.label != "embedded":
            (site.bin / engine.label).symlink_to(engine.path)
    site.environment("dev")
    site.environment("prod")
    site.write("environments/dev/.opentofu-version", f"{_version_of('tofu')}\n")
    site.configure(engine=None)
    site.commit()
    report = site.check()
    chosen = found(report, "dev").engine

    assert verdicts(report) == {"dev": "pending", "prod": "failed"}
    assert chosen is not None
    assert (chosen.family, chosen.why) == ("tofu", ".opentofu-version says so")
    assert "nothing says which one owns this state" in said(report, "prod")
    assert "engine: terraform or engine: tofu" in said(report, "prod")


def _version_of(label: str) -> str:
    return next(engine.version for engine in engines() if engine.label == label)


@pytest.mark.skipif(len(engines()) < 3, reason="needs both a terraform and a tofu")
def test_two_environments_may_each_name_a_program(tmp_path: Path) -> None:
    site = new_site(tmp_path, embedded())
    for engine in engines():
        if engine.label != "embedded":
            (site.root / f"my-{engine.label}").symlink_to(engine.path)
    site.environment("dev")
    site.environment("prod")
    site.configure(
        overrides={"dev": {"engine": "../my-tofu"}, "prod": {"engine": "../my-terraform"}}
    )
    site.commit()
    report = site.check()
    families = [check.engine.family for check in report.checks if check.engine is not None]

    assert verdicts(report) == {"dev": "pending", "prod": "pending"}
    assert families == ["tofu", "terraform"]


# The command line.


def test_json_is_one_document_and_progress_goes_elsewhere(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("prod")
    site.configure()
    site.commit()
    ran = site.main("check", "--format", "json", "--jobs", "1")

    assert ran.json["schema_version"]
    assert "prod: pending" in ran.err
    assert "prod" not in ran.err.replace("[1/1] prod: pending", "")


def test_markdown_and_an_output_file(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("prod")
    site.configure()
    site.commit()
    target = site.root / "report.md"
    ran = site.main("check", "--format", "markdown", "--output", str(target))

    assert (ran.code, ran.out) == (2, "")
    assert "terraform_data.one" in target.read_text()
    assert [path.name for path in site.root.glob("*report*")] == ["report.md"]


def test_an_output_file_that_cannot_be_written_is_an_error(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("prod")
    site.configure()
    site.commit()
    ran = site.main("check", "--output", str(site.root / "no-such-directory/report.txt"))

    assert ran.code == 1
    assert "The report could not be written to" in ran.err


def test_an_unknown_name_is_an_error_that_suggests_the_near_one(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("staging")
    site.configure()
    site.commit()
    ran = site.main("check", "stagging")

    assert (ran.code, ran.out) == (1, "")
    assert "There is no environment stagging" in ran.err
    assert "Did you mean staging?" in ran.err


@pytest.mark.parametrize("words", [["--format", "xml"], ["--jobs", "0"], ["--no-such-option"]])
def test_a_usage_error_exits_1_since_2_means_drift(embedded_site: Site, words: list[str]) -> None:
    ran = embedded_site.main("check", *words)

    assert (ran.code, ran.out) == (1, "")
    assert "error: " in ran.err


@pytest.mark.engine
def test_many_environments_are_reported_in_the_order_of_the_configuration(s3_site: Site) -> None:
    site = s3_site
    names = [f"env-{number:02}" for number in range(8)]
    for name in names:
        site.environment(name)
    site.configure()
    site.commit()
    ran = site.main("check", "--jobs", "4", "--format", "json")

    assert [item["environment"] for item in ran.json["environments"]] == names
    assert {item["status"] for item in ran.json["environments"]} == {"pending"}


def test_the_data_directory_is_nobody_else_s_from_the_beginning(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("dev")
    site.configure()
    site.commit()
    before = os.umask(0o022)
    try:
        site.check()
    finally:
        os.umask(before)

    assert site.data.stat().st_mode & 0o777 == 0o700
