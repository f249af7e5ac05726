"""Which providers may be run: asked of what `init` installed, before anything of it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.core.environment import Mode
from driftctl_py.core.run import State
from driftctl_py.errors import EngineError

from .reconciling import Bench, order, prod

FREE = prod(Mode.AUTO, Mode.AUTO)
AWS = "registry.terraform.io/hashicorp/aws"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path / "memory", now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> Bench:
    made = Bench(tmp_path, store)
    made.workdirs.providers = frozenset({AWS, "evil.example.com/a/b"})
    return made


def allow(bench: Bench, *providers: str) -> None:
    bench.settings = replace(bench.settings, providers=providers)


def test_an_environment_that_needs_another_provider_is_not_planned(bench: Bench) -> None:
    allow(bench, "hashicorp/*")

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert isinstance(outcome.error, EngineError)
    assert "prod needs evil.example.com/a/b, which `providers` does not allow" in outcome.error.what
    assert outcome.run.state is State.FAILED
    assert bench.engine.calls == ["init"]


def test_what_is_installed_already_is_asked_again_when_the_list_changes(bench: Bench) -> None:
    allow(bench, "hashicorp/*", "evil.example.com/a/b")
    first = bench.reconciler.plan(order(environment=FREE))
    allow(bench, "hashicorp/*")
    bench.engine.calls.clear()

    second = bench.reconciler.plan(order(environment=FREE))

    assert (first.run.state, second.run.state) == (State.ALLOWED, State.FAILED)
    assert "plan to apply" not in bench.engine.calls


def test_what_an_earlier_init_installed_and_nobody_needs_any_more_is_not_asked(
    bench: Bench,
) -> None:
    allow(bench, "hashicorp/*", "evil.example.com/*/b")

    bench.reconciler.plan(order(environment=FREE))

    (removed,) = (each for each in bench.workdirs.removed if each.name == "providers")
    assert removed.parent.name == "terraform"


def test_without_a_list_nothing_is_asked_and_nothing_removed(bench: Bench) -> None:
    outcome = bench.reconciler.plan(order(environment=FREE))

    assert outcome.run.state is State.ALLOWED
    assert not any(each.name == "providers" for each in bench.workdirs.removed)
