"""One pass over one environment: what is asked of whom, in which order, and what is concluded."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from driftctl_py.app.check import Checker
from driftctl_py.app.preparation import Preparer, Settings
from driftctl_py.core.check import Assessed, EnvironmentCheck, Failed, Unknown, Verdict
from driftctl_py.core.checkout import Revision
from driftctl_py.core.environment import Credentials, EngineChoice, Environment, Source
from driftctl_py.core.masks import Mask
from driftctl_py.core.module_facts import Backend, ModuleCall, ModuleFacts
from driftctl_py.core.plan import Change, Joined, Kind, Plan
from driftctl_py.core.state import LockHolder, StateLook
from driftctl_py.errors import Diagnostic, EngineError, SourceError, StateError

from .fakes import (
    COMMIT,
    LOUD,
    QUIET,
    TERRAFORM,
    WARNING,
    FakeClock,
    FakeEngines,
    FakeIdentity,
    FakePlans,
    FakeProgress,
    FakeSources,
    FakeStates,
    FakeWorkdirs,
    failed,
    planned,
)

PROD = Environment("prod", "environments/prod")
REVISION = Revision("default", ".", "main", COMMIT)
S3 = ModuleFacts(backend=Backend("s3", {"bucket": "b", "key": "k"}))
RECORDED = json.dumps({"backend": {"type": "s3", "config": {"bucket": "b", "key": "k"}}}).encode()
CREATES = Plan(
    "1.11.4",
    joined=(Joined(Change("x.y", Kind.CREATE, None, {"a": 1}, actions=("create",)), None),),
    complete=True,
    applyable=True,
)


class Bench:
    """A checker on a bench, its outside world in reach."""

    def __init__(self) -> None:
        self.workdirs = FakeWorkdirs(module=S3, recorded=RECORDED)
        self.engines = FakeEngines()
        self.states = FakeStates()
        self.progress = FakeProgress()
        self.plans = FakePlans()
        self.settings = Settings(
            environ={"PATH": "/bin"},
            candidates=(TERRAFORM,),
            sources={"default": Source("default")},
            dropped=frozenset({"TF_VAR_size"}),
            secrets=frozenset({"hunter2!!"}),
        )

    def check(
        self, environment: Environment = PROD, revision: Revision = REVISION
    ) -> EnvironmentCheck:
        clock = FakeClock()
        preparer = Preparer(
            sources=FakeSources({}),
            workdirs=self.workdirs,
            engines=self.engines,
            states=self.states,
            identity=FakeIdentity(),
            clock=clock,
            progress=self.progress,
            settings=self.settings,
        )
        checker = Checker(
            preparer,
            workdirs=self.workdirs,
            engines=self.engines,
            states=self.states,
            plans=self.plans,
            clock=clock,
            progress=self.progress,
            settings=self.settings,
        )
        return checker.check(checker.prepare(environment, revision))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_clean_environment_costs_one_engine_process(bench: Bench) -> None:
    bench.check()
    bench.engines.calls.clear()

    check = bench.check()

    assert bench.engines.calls == ["plan"]
    assert check.verdict is Verdict.IN_SYNC
    assert isinstance(check.outcome, Assessed)
    assert check.outcome.quiet
    assert (check.revision, str(check.engine)) == (REVISION, "terraform 1.11.4")


def test_the_first_check_inits_and_remembers_it(bench: Bench) -> None:
    bench.check()

    assert bench.engines.calls == ["init", "plan"]
    assert bench.workdirs.memory[Path("/data/prod")].family == "terraform"


def test_anything_to_show_is_shown_and_the_files_with_secrets_are_removed(bench: Bench) -> None:
    bench.engines.plans = [planned(2, LOUD)]
    bench.plans.plan = CREATES

    check = bench.check()

    assert bench.engines.calls == ["init", "plan", "show"]
    assert check.verdict is Verdict.PENDING
    assert {path.name for path in bench.workdirs.removed} >= {"plan.tfplan", "plan.json"}


def test_masks_reach_the_plan_and_void_what_was_kept_without_them(bench: Bench) -> None:
    bench.engines.plans = [planned(2, LOUD) for _ in range(3)]
    bench.plans.bytes_of_it = "the same"
    bench.check()
    mask = Mask(attribute="tags.*", pattern=re.compile("x"))
    bench.settings = replace(bench.settings, masks=(mask,))
    bench.engines.calls.clear()

    bench.check()
    bench.check()

    assert bench.plans.masks == [(), (mask,)]
    assert bench.engines.calls == ["plan", "show", "plan"]


def test_files_with_secrets_are_removed_when_things_go_wrong_too(bench: Bench) -> None:
    bench.engines.plans = [planned(2, LOUD)]
    bench.engines.fails = {"show": EngineError("show failed")}

    with pytest.raises(EngineError, match="show failed"):
        bench.check()

    assert {path.name for path in bench.workdirs.removed} >= {"plan.tfplan", "plan.json"}


EQUIVALENT = Plan(
    "1.11.4",
    joined=(
        Joined(
            Change("x.y", Kind.NO_OP, {"tags": {}}, {"tags": {}}, actions=("no-op",)),
            Change("x.y", Kind.UPDATE, {"tags": None}, {"tags": {}}, actions=("update",)),
        ),
    ),
    complete=True,
    applyable=False,
)


def test_a_plan_that_was_read_as_in_sync_is_not_read_again(bench: Bench) -> None:
    bench.plans = FakePlans(EQUIVALENT, "the same bytes")
    bench.engines.plans = [planned(0, LOUD), planned(0, LOUD)]

    first, second = bench.check(), bench.check()

    assert bench.engines.calls == ["init", "plan", "show", "plan"]
    assert first.outcome == second.outcome
    assert isinstance(second.outcome, Assessed)
    assert second.outcome.assessment.equivalents == 1


@pytest.mark.parametrize(
    "second",
    [
        FakePlans(EQUIVALENT, "other bytes"),
        FakePlans(EQUIVALENT, None),
    ],
)
def test_any_other_plan_is_read(bench: Bench, second: FakePlans) -> None:
    bench.plans = FakePlans(EQUIVALENT, "the same bytes")
    bench.engines.plans = [planned(0, LOUD), planned(0, LOUD)]
    bench.check()
    bench.plans = second

    bench.check()

    assert bench.engines.calls[-2:] == ["plan", "show"]


def test_what_holds_for_strict_is_no_answer_for_others(bench: Bench) -> None:
    bench.plans = FakePlans(EQUIVALENT, "the same bytes")
    bench.engines.plans = [planned(0, LOUD), planned(0, LOUD)]
    bench.check()
    bench.settings = replace(bench.settings, strict=True)

    assert bench.check().verdict is Verdict.DRIFTED


def test_drift_is_read_every_time(bench: Bench) -> None:
    bench.plans = FakePlans(CREATES, "the same bytes")
    bench.engines.plans = [planned(2, LOUD), planned(2, LOUD)]

    bench.check()
    bench.check()

    assert bench.engines.calls == ["init", "plan", "show", "plan", "show"]


def test_a_quiet_stream_with_another_exit_code_is_looked_at(bench: Bench) -> None:
    bench.engines.plans = [planned(2, QUIET)]

    bench.check()

    assert bench.engines.calls[-1] == "show"


def test_a_plan_that_wants_an_init_gets_one(bench: Bench) -> None:
    bench.check()
    bench.engines.calls.clear()
    bench.engines.plans = [planned(1, saved=False, needs_init=True), planned(0, QUIET)]

    check = bench.check()

    assert bench.engines.calls == ["plan", "init", "plan"]
    assert check.verdict is Verdict.IN_SYNC


def test_floating_modules_are_fetched_again_and_said(bench: Bench) -> None:
    call = ModuleCall("vpc", "git::https://git.example.com/vpc.git")
    bench.workdirs.module = replace(S3, modules=(call,))
    bench.check()
    bench.engines.calls.clear()

    check = bench.check()

    assert bench.engines.calls == ["get", "plan"]
    assert "module.vpc: the source is not pinned" in check.warnings[0]


@pytest.mark.parametrize("looks", [["held"], ["free", "held"]])
def test_a_lock_makes_it_unknown_and_names_the_holder(bench: Bench, looks: list[str]) -> None:
    lock = LockHolder("3b1c", "ada@build-7")
    bench.states.looks = [StateLook("1", lock if look == "held" else None) for look in looks]

    check = bench.check()

    assert check.verdict is Verdict.UNKNOWN
    assert isinstance(check.outcome, Unknown)
    assert "locked by ada@build-7, lock 3b1c" in check.outcome.reason


def test_a_state_that_moved_meanwhile_makes_it_unknown(bench: Bench) -> None:
    bench.states.looks = [StateLook("1"), StateLook("2")]

    check = bench.check()

    assert isinstance(check.outcome, Unknown)
    assert "changed while the plan was made" in check.outcome.reason


def test_a_plan_that_failed_half_way_is_unknown_with_what_it_found(bench: Bench) -> None:
    error = b'{"type":"diagnostic","diagnostic":{"severity":"error","summary":"no hunter2!! left"}}'
    bench.engines.plans = [planned(1, error)]
    bench.plans.plan = replace(CREATES, errored=True, complete=False)

    check = bench.check()

    assert isinstance(check.outcome, Unknown)
    assert check.outcome.assessment is not None
    assert check.outcome.diagnostics == (Diagnostic("error", "no (hidden) left"),)


def test_a_plan_that_failed_half_way_may_not_be_showable(bench: Bench) -> None:
    bench.engines.plans = [planned(1)]
    bench.engines.fails = {"show": EngineError("cannot show")}

    check = bench.check()

    assert isinstance(check.outcome, Unknown)
    assert check.outcome.assessment is None


def test_a_plan_that_says_it_is_incomplete_is_unknown(bench: Bench) -> None:
    bench.engines.plans = [planned(2, LOUD)]
    bench.plans.plan = replace(CREATES, complete=False)

    assert bench.check().verdict is Verdict.UNKNOWN


def test_no_plan_is_a_failure_in_the_engines_words(bench: Bench) -> None:
    bench.engines.plans = [failed("Invalid reference", "hunter2!! is not declared")]

    check = bench.check()

    assert check.outcome == Failed(
        "No plan came about: Invalid reference.",
        diagnostics=(Diagnostic("error", "Invalid reference", "(hidden) is not declared"),),
    )


def test_an_error_that_we_know_comes_with_a_remedy(bench: Bench) -> None:
    bench.engines.plans = [failed("No value for required variable", 'variable "size" is not set')]

    check = bench.check()

    assert isinstance(check.outcome, Failed)
    assert "TF_VAR_size is set here but not passed on" in check.outcome.todo


@pytest.mark.parametrize("there", [True, False])
def test_a_var_file_has_to_be_in_the_source(bench: Bench, there: bool) -> None:
    bench.workdirs.there = frozenset({"common.tfvars"} if there else set())
    environment = replace(PROD, var_files=("common.tfvars",))

    if there:
        assert bench.check(environment).verdict is Verdict.IN_SYNC
    else:
        with pytest.raises(SourceError, match=r"var-file common\.tfvars of prod is not in"):
            bench.check(environment)


def test_the_engines_warnings_are_told_without_secrets(bench: Bench) -> None:
    bench.engines.plans = [planned(0, QUIET, WARNING)]

    assert bench.check().warnings == ("x.y: Deprecated (hidden) (main.tf:3)",)


def test_a_failed_init_hides_secrets_too(bench: Bench) -> None:
    bench.engines.fails = {
        "init": EngineError("said hunter2!!", diagnostics=(Diagnostic("error", "hunter2!!"),))
    }

    with pytest.raises(EngineError, match=r"said \(hidden\)") as raised:
        bench.check()

    assert raised.value.diagnostics == (Diagnostic("error", "(hidden)"),)


def test_an_init_that_failed_is_due_again(bench: Bench) -> None:
    bench.engines.fails = {"init": EngineError("no network")}
    with pytest.raises(EngineError):
        bench.check()
    bench.engines.fails = {}

    bench.check()

    assert bench.engines.calls == ["init", "init", "plan"]


def test_a_local_state_in_a_pinned_checkout_is_refused(bench: Bench) -> None:
    bench.workdirs.module, bench.workdirs.recorded = ModuleFacts(), None

    with pytest.raises(StateError, match="keeps its state in a local file"):
        bench.check()
    check = bench.check(revision=replace(REVISION, in_place=True))

    assert check.verdict is Verdict.IN_SYNC


def test_what_init_recorded_can_be_lost(bench: Bench) -> None:
    bench.check()
    bench.engines.calls.clear()
    bench.workdirs.recorded = b"{"
    with pytest.raises(StateError):
        bench.check()
    bench.workdirs.recorded = RECORDED

    bench.check()

    assert bench.engines.calls == ["init", "plan"]


def test_a_local_state_is_copied_and_dropped_again(bench: Bench) -> None:
    bench.workdirs.module, bench.workdirs.recorded = ModuleFacts(), None

    bench.check(revision=replace(REVISION, in_place=True))

    assert bench.workdirs.laid == ["prod", "terraform.tfstate"]
    assert bench.workdirs.copied == []


def test_another_backend_than_meant_is_refused(bench: Bench) -> None:
    bench.workdirs.recorded = RECORDED.replace(b'"k"', b'"other"')

    with pytest.raises(StateError, match="was set up for s3://b/other"):
        bench.check()

    assert "plan" not in bench.engines.calls


def test_a_workspace_that_is_not_there_is_never_created(bench: Bench) -> None:
    bench.states.looks = [StateLook(None, exists=False)]

    with pytest.raises(StateError, match="workspace blue does not exist"):
        bench.check(replace(PROD, workspace="blue"))

    assert bench.engines.calls == ["init"]


def test_a_workspace_is_pinned_for_the_plan_alone(bench: Bench) -> None:
    bench.check(replace(PROD, workspace="blue"))

    selected = [environ.get("TF_WORKSPACE") for environ in bench.engines.environs]
    assert dict(zip(bench.engines.calls, selected, strict=True)) == {"init": None, "plan": "blue"}


@pytest.mark.parametrize("there", [True, False])
def test_workspaces_of_other_backends_are_asked_of_the_engine(bench: Bench, there: bool) -> None:
    bench.workdirs.module = ModuleFacts(backend=Backend("gcs"))
    bench.workdirs.recorded = b'{"backend":{"type":"gcs","config":{}}}'
    bench.engines.there = frozenset({"default", "blue"} if there else {"default"})
    environment = replace(PROD, workspace="blue")

    if there:
        assert "Locks of the gcs backend cannot be seen" in bench.check(environment).warnings[0]
    else:
        with pytest.raises(StateError, match="does not exist in the gcs backend"):
            bench.check(environment)


def test_a_state_that_the_other_engine_wrote_is_not_planned(bench: Bench) -> None:
    bench.states.state = json.dumps(
        {"resources": [{"provider": 'provider["registry.opentofu.org/hashicorp/aws"]'}]}
    ).encode()

    with pytest.raises(EngineError, match="was written by OpenTofu"):
        bench.check()
    check = bench.check(replace(PROD, engine=EngineChoice("terraform")))

    assert check.verdict is Verdict.IN_SYNC


def test_variables_and_identity_reach_the_engine(bench: Bench) -> None:
    environment = replace(
        PROD,
        variables={"size": 2},
        env={"EXTRA": "1"},
        plan_credentials=Credentials(profile="plan"),
    )

    bench.check(environment)

    assert bench.workdirs.written[Path("/data/prod/driftctl.tfvars.json")] == b'{"size": 2}'
    environ = bench.engines.environs[-1]
    assert (environ["EXTRA"], environ["AWS_PROFILE"]) == ("1", "plan")
    assert environ["TF_DATA_DIR"] == "/data/prod/terraform"


def test_progress_is_told(bench: Bench) -> None:
    bench.check()

    assert bench.progress.seen == ["prod: init", "prod: plan", "prod: 2 refreshed"]
