"""Many environments at once: none stops another, and what is not known is not called in sync."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from driftctl_py.app.check import Checker
from driftctl_py.app.fleet import Fleet
from driftctl_py.app.preparation import Preparer, Settings
from driftctl_py.core.check import CheckReport, Failed, Verdict
from driftctl_py.core.config import decode_config
from driftctl_py.core.config_model import Config
from driftctl_py.core.environment import Environment
from driftctl_py.core.module_facts import Backend, ModuleFacts
from driftctl_py.errors import Interrupted, SourceError, Unavailable, UsageError

from .fakes import (
    TERRAFORM,
    FakeClock,
    FakeEngines,
    FakeIdentity,
    FakePlans,
    FakeProgress,
    FakeSources,
    FakeStates,
    FakeStop,
    FakeWorkdirs,
    failed,
)

FILES = frozenset(f"environments/{name}/main.tf" for name in ("dev", "prod", "staging"))
CONFIG = b"version: 1\nenvironments: [environments/*]\n"
TWO_SOURCES = b"""\
version: 1
sources:
  infra: {url: https://git.example.com/infra.git}
  other: {url: https://git.example.com/other.git}
environments:
  - {path: environments/*, source: infra}
  - {path: live/*, source: other, needs: [dev]}
overrides:
  dev: {interval: 5m, needs: [prod]}
  live: {interval: 5m}
"""


class Bench:
    def __init__(self, config: bytes = CONFIG) -> None:
        self.config: Config = decode_config(config, filename="driftctl.yaml")
        self.sources = FakeSources({"default": FILES}, in_place=True)
        self.workdirs = FakeWorkdirs()
        self.engines = FakeEngines()
        self.progress = FakeProgress()
        self.stop = FakeStop()
        self.clock = FakeClock()

    def check(self, *names: str) -> CheckReport:
        return self.fleet().check(names)

    def fleet(self) -> Fleet:
        return Fleet(
            self.config,
            sources=self.sources,
            make_checker=self._checker,
            jobs=2,
            stop=self.stop,
            clock=self.clock,
            progress=self.progress,
        )

    def _checker(self, _selected: Sequence[Environment]) -> Checker:
        settings = Settings({}, (TERRAFORM,), self.config.sources)
        states = FakeStates()
        preparer = Preparer(
            sources=self.sources,
            workdirs=self.workdirs,
            engines=self.engines,
            states=states,
            identity=FakeIdentity(),
            clock=self.clock,
            progress=self.progress,
            settings=settings,
        )
        return Checker(
            preparer,
            workdirs=self.workdirs,
            engines=self.engines,
            states=states,
            plans=FakePlans(),
            clock=self.clock,
            progress=self.progress,
            settings=settings,
        )


def _verdicts(report: CheckReport) -> dict[str, Verdict]:
    return {check.environment: check.verdict for check in report.checks}


def test_all_environments_are_checked_in_the_order_of_the_configuration() -> None:
    bench = Bench()

    report = bench.check()

    assert list(_verdicts(report)) == ["dev", "prod", "staging"]
    assert report.exit_code == 0
    assert bench.progress.seen[0] == "begin 3"
    # Once more at the end: a tree that is planned as it lies may have changed meanwhile.
    assert bench.sources.resolved == [("default", None)] * 2
    assert len(bench.sources.pruned) == 1


def test_only_the_named_ones_are_checked_and_nothing_is_pruned() -> None:
    bench = Bench()

    assert list(_verdicts(bench.check("staging", "dev"))) == ["dev", "staging"]
    assert bench.sources.pruned == []


def test_a_name_that_is_not_there_is_a_usage_error_with_a_guess() -> None:
    with pytest.raises(UsageError, match="no environment prd") as raised:
        Bench().check("prd")

    assert raised.value.todo == "Did you mean prod? Known: dev, prod, staging."


def test_one_failure_never_stops_another() -> None:
    bench = Bench()
    bench.workdirs.refused["dev"] = SourceError("dev is not there", todo="add it")
    bench.engines.plans = [failed("Invalid reference")]

    report = bench.check()

    verdicts = _verdicts(report)
    assert list(verdicts) == ["dev", "prod", "staging"]
    assert verdicts["dev"] is Verdict.FAILED
    assert sorted(verdict.value for verdict in verdicts.values()) == ["failed", "failed", "in sync"]
    assert report.exit_code == 1
    assert all(check.revision is not None for check in report.checks)


def test_a_source_that_is_down_fails_its_own_environments_only() -> None:
    bench = Bench(TWO_SOURCES)
    bench.sources = FakeSources(
        {"infra": FILES, "other": Unavailable("other did not answer")}, in_place=True
    )

    report = bench.check()

    assert _verdicts(report) == {
        "live/* (other)": Verdict.FAILED,
        "dev": Verdict.IN_SYNC,
        "prod": Verdict.IN_SYNC,
        "staging": Verdict.IN_SYNC,
    }
    assert bench.sources.pruned == []


def test_sources_that_are_all_down_are_reported_too() -> None:
    bench = Bench(TWO_SOURCES)
    down = Unavailable("did not answer")
    bench.sources = FakeSources({"infra": down, "other": down})

    report = bench.check()

    assert [check.verdict for check in report.checks] == [Verdict.FAILED, Verdict.FAILED]
    assert report.exit_code == 1
    with pytest.raises(Unavailable):
        bench.fleet().environments()


def test_a_name_that_may_be_in_a_lost_source_says_so() -> None:
    bench = Bench(TWO_SOURCES)
    bench.sources = FakeSources({"infra": FILES, "other": Unavailable("down")}, in_place=True)

    with pytest.raises(UsageError, match="a source could not be read"):
        bench.check("live")


def test_two_environments_on_one_state_are_an_error_for_both() -> None:
    bench = Bench()
    bench.workdirs.module = ModuleFacts(backend=Backend("s3", {"bucket": "b", "key": "k"}))

    report = bench.check("dev", "prod")

    assert _verdicts(report) == {"dev": Verdict.FAILED, "prod": Verdict.FAILED}
    reasons = [check.outcome.reason for check in report.checks]  # type: ignore[union-attr]  # Failed
    assert "dev and prod share one state, s3://b/k" in reasons[0]
    assert bench.engines.calls == []


def test_an_interruption_leaves_nothing_in_sync() -> None:
    bench = Bench()
    bench.stop.ask()

    report = bench.check()

    assert set(_verdicts(report).values()) == {Verdict.UNKNOWN}
    assert report.exit_code == 130


def test_a_plan_that_is_interrupted_is_unknown() -> None:
    bench = Bench()
    bench.engines.plans = [Interrupted("The plan was interrupted")]

    assert _verdicts(bench.check("prod")) == {"prod": Verdict.UNKNOWN}


def test_a_ref_of_its_own_is_resolved_once() -> None:
    bench = Bench(CONFIG + b"overrides:\n  dev: {ref: v1}\n  prod: {ref: v1}\n")

    bench.check()

    assert sorted(set(bench.sources.resolved), key=str) == [("default", "v1"), ("default", None)]
    assert bench.sources.resolved.count(("default", "v1")) == 1
    assert bench.sources.pruned == []


def test_a_tree_that_changed_meanwhile_is_not_called_in_sync() -> None:
    bench = Bench()
    bench.sources.becomes_dirty = True

    report = bench.check()

    assert set(_verdicts(report).values()) == {Verdict.UNKNOWN}


def test_a_bug_in_one_environment_never_stops_another() -> None:
    bench = Bench()
    bench.workdirs.bugs = frozenset({"dev"})
    bench.engines.bug_once = True

    report = bench.check()

    verdicts = sorted(verdict.value for verdict in _verdicts(report).values())
    assert verdicts == ["failed", "failed", "in sync"]
    failures = [check.outcome for check in report.checks if isinstance(check.outcome, Failed)]
    assert all("This is a bug in driftctl_py" in failure.reason for failure in failures)
