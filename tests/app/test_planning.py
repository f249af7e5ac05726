"""Of what in a repository a plan is made: a real one, read as it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftctl_py.adapters.module_source import ModuleSource
from driftctl_py.app.planning import content_paths, reads_anything
from driftctl_py.core.affected import Closure, closure_of
from driftctl_py.core.environment import Environment

PROD = Environment("prod", "environments/prod", var_files=("vars/prod.tfvars",))
OWN = frozenset({"environments/prod", "modules/web", "vars/prod.tfvars"})
MODULES = (".", "../../modules/web")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("environments/prod", "modules/web", "shared"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shared/main.tf").write_text("")
    (tmp_path / "modules/web/main.tf").write_text('x = file("${path.module}/files/a.json")\n')
    return tmp_path


def closure(root: Path, code: str) -> Closure:
    called = 'module "web" {\n  source = "../../modules/web"\n}\n'
    (root / "environments/prod/main.tf").write_text(called + code)
    return closure_of("environments/prod", ModuleSource(root).of)


def paths(root: Path, code: str) -> frozenset[str]:
    return content_paths(PROD, MODULES, closure(root, code))


@pytest.mark.parametrize(
    ("code", "beside"),
    [
        ("", set()),
        ('x = file("${path.module}/own.json")', set()),
        ('x = file("own.json")', set()),
        ('x = templatefile("../../shared/user-data.tftpl", {})', {"shared/user-data.tftpl"}),
        ('x = file("${path.module}/../../shared/${var.name}.json")', {"shared"}),
        ('x = file("../../modules/web/own.json")', set()),
        # It does not say, so it may be any.
        ("x = file(var.name)", {"."}),
    ],
)
def test_what_a_module_reads_beside_its_own_is_part_of_what_a_plan_is_made_of(
    root: Path, code: str, beside: set[str]
) -> None:
    assert paths(root, f"{code}\n") == OWN | beside


def test_what_a_source_file_is_a_link_to_is_too(root: Path) -> None:
    (root / "environments/prod/shared.tf").symlink_to("../../shared/main.tf")

    assert paths(root, "") == OWN | {"shared/main.tf"}


def test_an_environment_that_is_the_whole_repository_needs_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("x = file(var.name)\n")

    whole, read = Environment("all", "."), closure_of("", ModuleSource(tmp_path).of)

    assert content_paths(whole, ["."], read) == {"."}
    assert reads_anything(whole, read) == ()


def test_where_any_commit_may_change_the_plan_that_is_told(root: Path) -> None:
    (warning,) = reads_anything(PROD, closure(root, "x = file(var.name)\n"))

    assert warning.startswith("environments/prod/main.tf: a file is read whose name is not said")
    assert reads_anything(PROD, closure(root, 'x = file("../../shared/a")\n')) == ()
