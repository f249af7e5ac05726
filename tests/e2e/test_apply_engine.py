"""Real engines that apply: with their states in S3, their locks, their failures; and without us."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from driftctl_py.adapters.applying import Appliers
from driftctl_py.adapters.plan_file import PlanFiles
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.apply_log import ApplyEnd, ApplyLog
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import EngineRun, Planned
from driftctl_py.core.run import Applied
from driftctl_py.errors import EngineError, Interrupted, Unavailable
from tests.e2e.aws_support import REGION, Moto
from tests.e2e.support import Site, new_site, wait_until
from tests.engines import embedded

pytestmark = pytest.mark.engine

# Waits for a file, so that a test says how long an apply takes; the resource says where.
SLOW = """\
resource "terraform_data" "slow" {
  input = terraform_data.quick.output
  provisioner "local-exec" { command = "touch begun; until [ -e go ]; do sleep 0.05; done" }
}
"""
FAILING = """\
resource "terraform_data" "failing" {
  provisioner "local-exec" { command = "false" }
}
"""
QUICK = 'resource "terraform_data" "quick" { input = 1 }\n'

# What `Appliers` does, in a process that may be killed.
DRIVER = """
import json, os, sys
from pathlib import Path
from driftctl_py.adapters.applying import Appliers
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import EngineRun

given = json.loads(sys.argv[1])
candidate = Candidate(given["family"], given["version"], given["path"])
run = EngineRun(candidate, Path(given["directory"]), dict(os.environ), 60)
appliers = Appliers(search_path=None, cache=Path(given["cache"]), stop=Stop())
if given["log"]:
    appliers.apply(run, plan=Path(given["plan"]), log=Path(given["log"]), grace_seconds=60,
                   on_event=lambda log: None)
else:
    appliers.plan_to_apply(run, out=Path(given["plan"]), refresh_only=False,
                           lock_timeout_seconds=0, on_event=lambda log: None)
"""


class Ground:
    """One root module that is planned and applied, with no more than an engine."""

    def __init__(self, site: Site, backend: str) -> None:
        self.site = site
        self.stop = Stop()
        self.directory = site.root / "module"
        self.directory.mkdir()
        self.write("backend.tf", backend)
        candidate = Candidate(site.engine.family, site.engine.version, site.engine.path)
        self.run = EngineRun(candidate, self.directory, site.environ, 60)

    @property
    def appliers(self) -> Appliers:
        return Appliers(search_path=None, cache=self.site.root / "engines.json", stop=self.stop)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(dedent(text))
        return path

    def ready(self, text: str) -> Ground:
        self.write("main.tf", text)
        self.site.run_engine(self.directory, "init")
        return self

    def plan(
        self, out: str = "plan", *, refresh_only: bool = False, lock_timeout_seconds: int = 0
    ) -> Planned:
        return self.appliers.plan_to_apply(
            self.run,
            out=self.site.root / out,
            refresh_only=refresh_only,
            lock_timeout_seconds=lock_timeout_seconds,
            on_event=_nothing,
        )

    def apply(
        self,
        plan: str = "plan",
        *,
        log: str = "apply.jsonl",
        grace_seconds: float = 60.0,
        on_event: Callable[[ApplyLog], None] | None = None,
    ) -> ApplyEnd:
        return self.appliers.apply(
            self.run,
            plan=self.site.root / plan,
            log=self.site.root / log,
            grace_seconds=grace_seconds,
            on_event=on_event or _nothing,
        )

    def left(self) -> ApplyEnd | None:
        return self.appliers.left(self.site.root / "apply.jsonl", on_event=_nothing)

    def begun(self) -> bool:
        return (self.directory / "begun").exists()

    def go(self) -> None:
        (self.directory / "go").touch()

    def recorded(self) -> set[str]:
        """The addresses in the state."""
        return set(self.site.run_engine(self.directory, "state", "list").split())

    @contextmanager
    def another(self, *, applies: bool) -> Iterator[subprocess.Popen[bytes]]:
        """Another process that plans or applies."""
        given = {
            "family": self.run.candidate.family,
            "version": self.run.candidate.version,
            "path": self.run.candidate.path,
            "directory": str(self.directory),
            "cache": str(self.site.root / "engines.json"),
            "plan": str(self.site.root / "plan"),
            "log": str(self.site.root / "apply.jsonl") if applies else "",
        }
        argv = [sys.executable, "-c", DRIVER, json.dumps(given)]
        with subprocess.Popen(argv, env=self.site.environ, start_new_session=True) as process:
            try:
                yield process
            finally:
                self.go()
                process.kill()


def _asks_when(condition: Callable[[], bool], stop: Stop) -> threading.Thread:
    """Asks to stop as soon as it is true."""

    def wait() -> None:
        wait_until(condition)
        stop.ask()

    asker = threading.Thread(target=wait)
    asker.start()
    return asker


def _nothing(_: object) -> None:
    pass


@pytest.fixture
def ground(site: Site) -> Ground:
    """A state with a lock: in a bucket where the engine locks one without a table, else local."""
    if site.engine.has_native_locks:
        backend = site.backend_block("prod/terraform.tfstate")
        return Ground(site, backend.replace("  }\n}\n", "    use_lockfile = true\n  }\n}\n"))
    path = json.dumps(str(site.root / "states" / "terraform.tfstate"))
    return Ground(site, f'terraform {{\n  backend "local" {{ path = {path} }}\n}}\n')


@pytest.fixture
def one(tmp_path: Path) -> Ground:
    """Where engines do not differ."""
    site = new_site(tmp_path, embedded())
    path = json.dumps(str(tmp_path / "states" / "terraform.tfstate"))
    return Ground(site, f'terraform {{\n  backend "local" {{ path = {path} }}\n}}\n')


def test_a_saved_plan_is_applied_once_and_what_was_planned_beside_it_is_stale(
    ground: Ground,
) -> None:
    ground.ready(QUICK)
    first, second = ground.plan("first"), ground.plan("second")
    seen: list[Applied] = []

    assert PlanFiles().state_of(ground.site.root / "first") is None
    applied = ground.apply("first", on_event=lambda log: seen.append(log.applied))
    refused = ground.apply("second", log="second.jsonl")

    assert (first.exit_code, second.exit_code) == (2, 2)
    assert applied == ApplyEnd(0, Applied(finished=True, done=("create terraform_data.quick",)))
    assert applied.succeeded
    assert Applied(finished=False, unfinished=("create terraform_data.quick",)) in seen
    assert (refused.stale, refused.began, refused.succeeded) == (True, False, False)
    assert refused.applied == Applied(finished=False)
    # The lock is free again, and the state is what the code says.
    assert ground.plan().exit_code == 0
    state = json.loads(ground.site.run_engine(ground.directory, "state", "pull"))
    made_on = PlanFiles().state_of(ground.site.root / "plan")
    assert made_on == (state["lineage"], state["serial"])
    assert ground.plan(refresh_only=True).exit_code == 0
    kept = sorted(ground.site.root.glob("apply.*"))
    assert [path.suffix for path in kept] == [".err", ".exit", ".jsonl", ".pid"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_of_an_apply_that_failed_it_is_known_what_was_done_and_what_was_not(
    ground: Ground,
) -> None:
    ground.ready(
        QUICK
        + """
        resource "terraform_data" "bad" {
          input = terraform_data.quick.output
          provisioner "local-exec" { command = "echo hunter2 >&2; exit 3" }
        }
        resource "terraform_data" "after" { input = terraform_data.bad.output }
        data "terraform_remote_state" "read" {
          backend = "local"
          config  = { path = "../${terraform_data.quick.output}.tfstate" }
        }
        """
    )
    (ground.site.root / "1.tfstate").write_text('{"version": 4, "serial": 1, "lineage": "x"}')
    ground.plan()

    end = ground.apply()

    assert end.exit_code == 1
    assert end.applied == Applied(
        finished=False,
        done=("create terraform_data.quick",),
        failed=("create terraform_data.bad",),
    )
    assert [error.summary for error in end.errors] == ["local-exec provisioner error"]
    assert end.errors[0].address == "terraform_data.bad"
    assert "hunter2" not in str(end)
    assert (end.stale, end.began, end.interrupted, end.succeeded) == (False, True, False, False)
    assert {"terraform_data.quick", "terraform_data.bad"} <= ground.recorded()
    assert ground.plan().exit_code == 2


def test_an_engine_that_is_asked_to_stop_keeps_its_state_and_lets_go_of_its_lock(
    ground: Ground,
) -> None:
    ground.ready(QUICK + SLOW)
    ground.plan()

    def ask(log: ApplyLog) -> None:
        if log.applied.unfinished == ("create terraform_data.slow",) and ground.begun():
            # Twice, as by two signals: the second changes nothing.
            ground.stop.ask()

    asker = _asks_when(ground.begun, ground.stop)
    end = ground.apply(grace_seconds=0.0, on_event=ask)
    asker.join()

    assert (end.exit_code, end.interrupted, end.applied.finished) == (1, True, False)
    assert end.applied.done == ("create terraform_data.quick",)
    assert end.applied.failed == ("create terraform_data.slow",)
    assert "terraform_data.quick" in ground.recorded()
    ground.stop = Stop()
    assert ground.plan().exit_code == 2
    assert not (ground.directory / "errored.tfstate").exists()


def test_an_apply_that_ends_in_its_time_of_grace_is_not_interrupted(one: Ground) -> None:
    ground = one.ready(QUICK + SLOW)
    ground.plan()

    def ask_and_let_it_go() -> None:
        wait_until(ground.begun)
        ground.stop.ask()
        ground.stop.ask()
        ground.go()

    asker = threading.Thread(target=ask_and_let_it_go)
    asker.start()
    end = ground.apply()
    asker.join()

    assert end.succeeded
    assert not end.interrupted


def test_killed_ourselves_the_engine_comes_to_its_end_and_who_comes_later_knows(
    ground: Ground,
) -> None:
    ground.ready(QUICK + SLOW)
    ground.plan()

    with ground.another(applies=True) as us:
        assert wait_until(ground.begun)
        us.kill()
        us.wait()
        # It goes on, with the lock, of which it is said who has it.
        with pytest.raises(Unavailable) as locked:
            ground.plan("another")
        asked = Stop()
        asked.ask()
        ground.stop = asked
        assert ground.left() is None
        ground.stop = Stop()
    end = ground.left()

    assert "OperationTypeApply" in locked.value.what
    assert f"{ground.run.candidate.family} force-unlock" in locked.value.todo
    assert "LOCK_ID" not in locked.value.todo
    assert end == ApplyEnd(
        None,
        Applied(finished=True, done=("create terraform_data.quick", "create terraform_data.slow")),
    )
    assert end.succeeded
    assert ground.recorded() == {"terraform_data.quick", "terraform_data.slow"}
    assert ground.plan().exit_code == 0


def test_a_killed_engine_is_not_said_to_have_finished(one: Ground) -> None:
    ground = one.ready(QUICK + SLOW)
    ground.plan()

    with ground.another(applies=True) as us:
        assert wait_until(ground.begun)
        pid = int(json.loads((ground.site.root / "apply.pid").read_text())["pid"])
        us.kill()
        us.wait()
        os.kill(pid, signal.SIGKILL)
        end = ground.left()

    assert end == ApplyEnd(
        None,
        Applied(
            finished=False,
            done=("create terraform_data.quick",),
            unfinished=("create terraform_data.slow",),
        ),
        torn=True,
    )
    assert not end.succeeded


def test_an_engine_that_fails_when_nobody_looks_came_to_its_end(ground: Ground) -> None:
    ground.ready(FAILING + QUICK + SLOW)
    ground.plan()

    with ground.another(applies=True) as us:
        assert wait_until(ground.begun)
        us.kill()
        us.wait()
    end = ground.left()

    assert end is not None
    assert (end.exit_code, end.torn, end.succeeded) == (None, False, False)
    assert end.applied.done == ("create terraform_data.quick", "create terraform_data.slow")
    assert end.applied.failed == ("create terraform_data.failing",)
    assert [each.address for each in end.errors] == ["terraform_data.failing"]
    assert "terraform_data.slow" in ground.recorded()


def test_a_state_that_could_not_be_saved_is_found(site: Site, cloud: Moto) -> None:
    ground, lose = _about_to_lose_its_bucket(site, cloud)
    lost = ground.directory / "errored.tfstate"

    end = ground.apply(on_event=lose)

    assert end.errored_state == str(lost)
    assert stat.S_IMODE(lost.stat().st_mode) == 0o600
    assert _names_in(lost) == {"quick", "slow"}
    assert not end.succeeded
    assert end.errors
    # Who comes later finds the same.
    assert ground.left() == end


def _names_in(state: Path) -> set[str]:
    return {item["name"] for item in json.loads(state.read_text())["resources"]}


def _about_to_lose_its_bucket(site: Site, cloud: Moto) -> tuple[Ground, Callable[[ApplyLog], None]]:
    """With a plan of two more resources; and what takes the bucket away while they are made."""
    bucket = f"lost-{uuid.uuid4().hex[:12]}"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    backend = site.backend_block("prod/terraform.tfstate").replace(site.bucket, bucket)
    ground = Ground(site, backend).ready(QUICK + SLOW)
    ground.plan()

    def lose(log: ApplyLog) -> None:
        if log.applied.done and not (ground.directory / "go").exists():
            wait_until(ground.begun)
            _delete(s3, bucket)
            ground.go()

    return ground, lose


def _delete(s3: Any, bucket: str) -> None:
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=item["Key"])
    s3.delete_bucket(Bucket=bucket)


def test_a_state_that_could_be_saved_nowhere_is_taken_from_what_the_engine_said(
    s3_site: Site, cloud: Moto
) -> None:
    ground, lose = _about_to_lose_its_bucket(s3_site, cloud)
    # It reads what lies there before it writes, and cannot.
    older = ground.write("errored.tfstate", "{}")

    end = ground.apply(on_event=lose)

    rescued = ground.site.root / "apply.tfstate"
    assert end.errored_state == str(rescued)
    assert stat.S_IMODE(rescued.stat().st_mode) == 0o600
    assert _names_in(rescued) == {"quick", "slow"}
    assert older.read_text() == "{}"
    assert ground.left() == end


def test_a_lost_state_of_another_apply_is_neither_ours_nor_touched(one: Ground) -> None:
    one.ready(QUICK)
    older = one.write("errored.tfstate", "{}")
    one.plan()

    end = one.apply()

    assert (end.succeeded, end.errored_state, older.read_text()) == (True, None, "{}")


def test_variables_that_no_plan_holds_are_given_again(ground: Ground) -> None:
    ephemeral = ground.site.engine.family == "terraform"
    ground.ready(
        f"""
        variable "word" {{
          type      = string
          {"ephemeral = true" if ephemeral else ""}
        }}
        resource "terraform_data" "quick" {{
          provisioner "local-exec" {{
            command     = "printf %s \\"$WORD\\" > word"
            environment = {{ WORD = var.word }}
          }}
        }}
        """
    )
    file = ground.write("given.auto", 'word = "hunter2"\n')
    ground.run = replace(ground.run, var_files=(file,))
    ground.plan()

    assert ground.apply().succeeded
    assert (ground.directory / "word").read_text() == "hunter2"


# Where engines do not differ.


def test_nothing_is_begun_for_who_wishes_to_stop(one: Ground) -> None:
    one.stop.ask()

    with pytest.raises(Interrupted, match="nothing was changed"):
        one.apply()
    assert not (one.site.root / "apply.jsonl").exists()


def test_an_apply_that_was_never_begun_is_told_from_one_that_vanished(one: Ground) -> None:
    end = one.left()

    assert end == ApplyEnd(None, Applied(finished=False), began=False)


def test_an_engine_that_is_not_there_applied_nothing(one: Ground) -> None:
    one.ready(QUICK)
    one.plan()
    gone = replace(one.run.candidate, path=str(one.site.root / "terraform"))
    one.run = replace(one.run, candidate=gone)

    with pytest.raises(EngineError, match=r"Nothing was applied: .* could not be started"):
        one.apply()


def test_what_an_earlier_apply_said_is_not_written_over(one: Ground) -> None:
    one.ready(QUICK)
    one.plan()
    one.apply()

    with pytest.raises(EngineError, match="is not overwritten; nothing was applied"):
        one.apply()


def test_without_room_for_what_it_says_nothing_is_applied(one: Ground) -> None:
    one.ready(QUICK)
    one.plan()

    with pytest.raises(Unavailable, match="Nothing was applied: the engine's output cannot be"):
        one.apply(log="nowhere/apply.jsonl")
    assert not (one.site.root / "states" / "terraform.tfstate").exists()


def test_what_cannot_be_applied_is_an_error_that_changed_nothing(one: Ground) -> None:
    one.ready(QUICK)
    (one.site.root / "plan").write_text("no plan")

    end = one.apply()

    assert (end.exit_code, end.began, end.stale) == (1, False, False)
    assert end.errors


@contextmanager
def _slow_state() -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A state over HTTP that is answered when it may be: its address, asked for, may answer."""
    asked, may = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            may.wait(30)
            body = b'{"version": 4, "serial": 1, "lineage": "x", "outputs": {}, "resources": []}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked, may
        finally:
            may.set()
            server.shutdown()
            thread.join()


def _reads(address: str) -> str:
    return (
        'data "terraform_remote_state" "slow" {\n  backend = "http"\n'
        f'  config  = {{ address = "{address}" }}\n}}\n'
    )


def test_killed_ourselves_a_plan_lets_go_of_the_state_lock(one: Ground) -> None:
    with _slow_state() as (address, asked, may):
        one.ready(QUICK + _reads(address))
        with one.another(applies=False) as us:
            assert asked.wait(20)
            us.kill()
            us.wait()
            with pytest.raises(Unavailable, match="OperationTypePlan"):
                one.plan("another")
            may.set()
        # It ends by itself: the file is whole, and the lock is free.
        planned = one.plan("another", lock_timeout_seconds=20)

    assert planned.exit_code == 2
    assert wait_until((one.site.root / "plan").exists)


def test_a_plan_that_takes_too_long_or_is_interrupted_lets_go_of_the_lock(one: Ground) -> None:
    with _slow_state() as (address, asked, may):
        one.ready(QUICK + _reads(address))
        release = threading.Timer(1.5, may.set)
        release.start()
        usual = one.run
        one.run = replace(usual, timeout_seconds=1.0)
        with pytest.raises(EngineError, match=r"took longer than 1 second .* let go of its lock"):
            one.plan()
        release.join()
        one.run = usual
        asked.clear()
        asker = _asks_when(asked.is_set, one.stop)
        may.clear()
        release = threading.Timer(1.0, may.set)
        release.start()
        with pytest.raises(Interrupted, match="The plan was interrupted; nothing was changed"):
            one.plan()
        asker.join()
        release.join()
        one.stop = Stop()
        assert one.plan().exit_code == 2
