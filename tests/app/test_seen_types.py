"""Which types there are: of real repositories, and of plans that lie in a real store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from driftctl_py.adapters.git import GitSources
from driftctl_py.app.seen_types import seen_in_code, seen_in_plans
from driftctl_py.core.environment import Source
from tests.adapters.test_git import Repository, environ, here
from tests.app.test_policy import BUCKET, DB, Memory, memory, plan, prod

__all__ = ["environ", "here", "memory"]  # fixtures


def read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def test_the_code_of_a_repository_names_its_types(here: Repository, tmp_path: Path) -> None:
    here.write("environments/prod/main.tf", 'resource "aws_vpc" "a" {}\n')
    here.write("modules/web/odd.tofu.json", '{"resource": {"aws_eip": {"b": {}}}}')
    here.write("README.md", 'resource "aws_db_instance" "no_code" {}\n')
    (here.path / "no_utf8.tf").write_bytes(b'# \xff\nresource "aws_s3_bucket" "c" {}\n')
    here.commit("gone.tf", 'resource "aws_sqs_queue" "gone" {}\n')
    (here.path / "gone.tf").unlink()
    sources = GitSources(tmp_path / "data", here=here.path, environ=here.environ)

    assert seen_in_code([Source("default")], sources, read) == {
        "aws_vpc",
        "aws_eip",
        "aws_s3_bucket",
    }
    assert seen_in_code([Source("default")], sources, lambda _: None) == frozenset()


def test_the_latest_plans_of_each_environment_name_theirs(memory: Memory) -> None:
    memory.add(plan("aws_vpc.too_old"))
    for _ in range(3):
        memory.add(plan(DB))
    for number in range(4):
        memory.add(plan(f"module.a.aws_s3_bucket.it[{number}]"))
    memory.add(None)
    memory.add(plan("aws_eip.it"), environment="dev")

    def seen(*names: str) -> frozenset[str]:
        environments = [prod(name=name) for name in names]
        return seen_in_plans(environments, memory.store, memory.artifacts)

    assert seen("prod") == {"aws_db_instance", "aws_s3_bucket"}
    assert seen("prod", "dev") == {"aws_db_instance", "aws_s3_bucket", "aws_eip"}
    assert seen("other") == frozenset()


def test_a_plan_that_is_gone_hides_no_other(memory: Memory) -> None:
    memory.add(plan(BUCKET))
    gone = memory.add(plan(DB))
    memory.store.save(replace(gone, artifacts={"plan.json": "sha256-" + "0" * 64}))

    assert seen_in_plans([prod()], memory.store, memory.artifacts) == {"aws_s3_bucket"}
