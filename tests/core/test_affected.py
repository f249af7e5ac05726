"""Which environments a change concerns, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from driftctl_py.core.affected import (
    Affected,
    Closure,
    Reason,
    Sources,
    affected,
    all_affected,
    closure_of,
)
from driftctl_py.core.environment import Environment
from driftctl_py.core.file_references import FileReference
from driftctl_py.core.policy import CheckProgram, RegoPolicy

WEB = 'module "web" {\n  source = "../../modules/web"\n}\n'
TREE: Mapping[str, Mapping[str, str]] = {
    "environments/dev": {"main.tf": ""},
    "environments/prod": {"main.tf": WEB},
    "modules/web": {
        "main.tf": 'module "dns" {\n  source = "../dns"\n}\n'
        'a = file("${path.module}/../../shared/banner.txt")\n'
    },
    "modules/dns": {"main.tf": 'module "back" {\n  source = "../web"\n}\n'},
    "modules/other": {"main.tf": ""},
}
DEV = Environment("dev", "environments/dev")
PROD = Environment("prod", "environments/prod", var_files=("common.tfvars",))


def closures(tree: Mapping[str, Mapping[str, str]] = TREE) -> dict[str, Closure]:
    def sources_of(directory: str) -> Sources:
        return Sources(tree.get(directory, {}))

    return {each.name: closure_of(each.path, sources_of) for each in (DEV, PROD)}


def why(path: str, tree: Mapping[str, Mapping[str, str]] = TREE) -> dict[str, str]:
    """Of a change of one file: for each environment that it concerns, why."""
    found = affected((DEV, PROD), (DEV, PROD), {path}, closures(tree))
    assert all(each.path == path for given in found.reasons.values() for each in given)
    return {name: given[0].because for name, given in found.reasons.items()}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("environments/dev/main.tf", {"dev": "it lies in the environment"}),
        ("environments/dev/.terraform.lock.hcl", {"dev": "it lies in the environment"}),
        ("environments/dev/files/a.zip", {"dev": "it lies in the environment"}),
        ("modules/web/main.tf", {"prod": "it lies in modules/web, a module that it uses"}),
        (
            "modules/dns/gone.tf",
            {"prod": "it lies in modules/dns, a module that it uses through modules/web"},
        ),
        ("modules/other/main.tf", {}),
        ("modules/README.md", {}),
        ("environments/dev/README.md", {}),
        ("environments/dev/CODEOWNERS", {}),
        ("shared/banner.txt", {"prod": "modules/web/main.tf reads it"}),
        ("shared/else.txt", {}),
        ("common.tfvars", {"prod": "it is one of its var-files"}),
        (".terraform-version", dict.fromkeys(("dev", "prod"), "it chooses its engine")),
        ("environments/dev/.opentofu-version", {"dev": "it chooses its engine"}),
        ("modules/web/.terraform-version", {}),
        # A submodule, or a link, is one name to Git.
        ("modules", {"prod": "modules/web lies in it"}),
        ("modules/web", {"prod": "modules/web lies in it"}),
        ("package.json", {}),
    ],
)
def test_a_file_concerns_whoever_may_read_it(path: str, expected: dict[str, str]) -> None:
    assert why(path) == expected


def test_a_file_for_people_concerns_a_module_that_speaks_of_such_files() -> None:
    tree = {**TREE, "environments/dev": {"main.tf": 'a = [for f in local.all : "${f}.md"]'}}

    assert why("environments/dev/README.md", tree) == {"dev": "it lies in the environment"}


def test_whoever_reads_files_by_names_that_are_not_said_is_concerned_by_all() -> None:
    tree = {**TREE, "modules/dns": {"main.tf": "a = file(var.path)"}}

    found = why("package.json", tree)

    assert found == {"prod": "modules/dns/main.tf reads files whose names it does not say"}


def test_a_module_whose_source_is_no_literal_may_be_anywhere() -> None:
    tree = {**TREE, "environments/dev": {"main.tf": 'module "m" {\n  source = local.where\n}\n'}}

    assert why("package.json", tree) == {
        "dev": "environments/dev/m reads files whose names it does not say"
    }


def test_modules_from_elsewhere_are_followed_to_nowhere() -> None:
    code = 'module "a" {\n  source = "../../../out"\n}\nmodule "b" {\n  source = "org/b/aws"\n}\n'

    found = closure_of("environments/dev", lambda _directory: Sources({"main.tf": code}))

    assert list(found.directories) == ["environments/dev"]


def test_a_module_at_the_root_holds_what_lies_in_no_other() -> None:
    calls = 'module "a" {\n  source = "./a"\n}\nmodule "r" {\n  source = "./a/.."\n}\n'

    def sources_of(directory: str) -> Sources:
        return Sources({} if directory else {"main.tf": calls})

    root = Environment("root", ".")
    found = closure_of("", sources_of)
    changed = {"main.tf", "scripts/x.sh", "a/main.tf"}

    reasons = affected((root,), (root,), changed, {"root": found}).reasons["root"]

    assert reasons == (
        Reason("it lies in a, a module that it uses", "a/main.tf"),
        Reason("it lies in the environment", "main.tf"),
        Reason("it lies in the environment", "scripts/x.sh"),
    )


def test_what_a_link_in_a_module_leads_to_concerns_it() -> None:
    links = {"providers.tf": "shared/providers.tf", "out.tf": None}
    found = closure_of("environments/dev", lambda _directory: Sources({}, links))

    assert found.references == (
        FileReference("shared/providers.tf", False, "environments/dev/providers.tf"),
    )


def test_policies_concern_those_who_are_asked_about() -> None:
    rego = RegoPolicy("p", ("policies/all",), "v1")
    check = CheckProgram("c", ("./checks/size.sh", "{plan}", "../../out"))
    dev, prod = replace(DEV, policies=(rego,)), replace(PROD, policies=(check,))
    changed = {"infra/policies/all/x.rego", "infra/checks/size.sh", "policies/all/y.rego"}

    found = affected((dev, prod), (dev, prod), changed, closures(), here="infra")

    assert found.reasons == {
        "dev": (Reason("it is one of its policies", "infra/policies/all/x.rego"),),
        "prod": (Reason("it is one of its policies", "infra/checks/size.sh"),),
    }


def test_settings_that_change_concern_the_environment() -> None:
    others = replace(PROD, interval_seconds=7, needs=("dev",))
    before = (replace(DEV, variables={"size": 1}), others)

    found = affected((DEV, PROD), before, (), closures())

    assert found == Affected(
        {"dev": (Reason("the configuration says something else of it"),)}, others=("prod",)
    )


def test_settings_of_all_concern_all() -> None:
    found = affected((DEV, PROD), (DEV, PROD), (), closures(), of_all=True)

    assert found.names == ("dev", "prod")


def test_environments_that_are_new_or_gone_are_said_to_be() -> None:
    found = affected((DEV,), (PROD,), (), {})

    assert found == Affected({"dev": (Reason("it is new"),)}, removed=("prod",))


def test_an_environment_of_another_repository_is_concerned_by_no_file() -> None:
    assert affected((DEV,), (DEV,), {"environments/dev/main.tf"}, {}).names == ()


def test_where_nobody_can_tell_all_are_concerned() -> None:
    found = all_affected((DEV, PROD), "It is so.")

    assert (found.names, found.unsure) == (("dev", "prod"), "It is so.")
