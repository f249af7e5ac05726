"""When `init` is due."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import Workdir, init_key
from driftctl_py.core.module_facts import Backend, ModuleCall, ModuleFacts
from driftctl_py.core.state import BackendPlan, LocalAddress, S3Address

ENGINE = Candidate("terraform", "1.11.4", "/bin/terraform")
BACKEND = BackendPlan(S3Address("b", "k"), {"bucket": "b"})
FACTS = {".": ModuleFacts(backend=Backend("s3"))}


def _key(
    engine: Candidate = ENGINE,
    backend: BackendPlan = BACKEND,
    facts: dict[str, ModuleFacts] = FACTS,
    lock_file: str | None = "lock",
    environ: dict[str, str] | None = None,
) -> str:
    return init_key(engine, backend, facts, lock_file, environ or {})


@pytest.mark.parametrize(
    "changed",
    [
        _key(engine=Candidate("terraform", "1.12.0", "/bin/terraform")),
        _key(backend=BackendPlan(S3Address("b", "k"), {"bucket": "c"})),
        _key(backend=BackendPlan(LocalAddress("x"), {})),
        _key(facts={".": ModuleFacts(modules=(ModuleCall("m", "./m"),))}),
        _key(facts={**FACTS, "m": ModuleFacts(required_providers=("aws",))}),
        _key(lock_file=None),
        _key(environ={"TF_CLI_CONFIG_FILE": "/x"}),
    ],
)
def test_everything_that_init_depends_on_makes_it_due(changed: str) -> None:
    assert changed != _key()


def test_nothing_else_does() -> None:
    assert _key(environ={"AWS_PROFILE": "plan"}) == _key()


def test_a_workdir_keeps_everything_in_its_home() -> None:
    workdir = Workdir(Path("/h"), Path("/h/tree/e"), Path("/c/e"), Path("/c"))

    places = (workdir.tree, workdir.data, workdir.plan_file, workdir.plan_json)
    assert all(place.is_relative_to("/h") for place in places)
