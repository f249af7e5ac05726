"""The commands that plan, approve, apply and remember, as they are typed.

The configuration, Git, the store and the artifacts are real. What an engine would take seconds for
is in `tests/e2e`: here a run comes out as it is told to.
"""

from __future__ import annotations

import getpass
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py import compose
from driftctl_py.adapters.store import open_store
from driftctl_py.app.reconcile import Outcome
from driftctl_py.cli.holding import moment
from driftctl_py.cli.main import main
from driftctl_py.core.audit import Event
from driftctl_py.core.decision import Apply, Hold, Nothing
from driftctl_py.core.restraint import Restraint
from driftctl_py.core.run import Run, State
from driftctl_py.errors import Diagnostic, DriftctlError, EngineError, Interrupted, UsageError
from tests.report import plan_reports
from tests.report.run_examples import (
    APPLIED,
    ASKED,
    BLOCKED,
    HALF,
    JUDGEMENT,
    PINNED,
    REQUIREMENT,
    bare,
    run,
)

ME = f"os:{getpass.getuser()}"
NOW = datetime.now(UTC)
CONFIG = f"""\
environments: [environments/*]
engine: terraform
defaults:
  apply: gate
  approval: {{unverified: true, groups: [dba]}}
people:
  ada: ["{ME}", ada@example.com]
  grace: [key:grace, grace@example.com]
groups:
  dba: [ada, grace]
"""


class Shell:
    """A data directory, and the command line in this process."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = directory / "data"
        self.data.mkdir(mode=0o700)
        self._capsys = capsys

    def run(self, *argv: str) -> tuple[int, str, str]:
        code = main(argv)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    def keep(self, made: Run) -> Run:
        """Into the store, as if it had been made just now."""
        made = replace(made, started_at=datetime.now(UTC) - timedelta(minutes=2))
        with open_store(None, self.data, now=lambda: datetime.now(UTC)) as store:
            store.save(made, Event("decided", NOW, "os:ada", made.environment, made.id))
        return made


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One environment and a configuration, committed."""
    directory = tmp_path_factory.mktemp("infra")
    main_tf = directory / "environments" / "prod" / "main.tf"
    main_tf.parent.mkdir(parents=True)
    main_tf.write_text('resource "terraform_data" "one" {}\n')
    (directory / "driftctl.yaml").write_text(CONFIG)
    who = ["-c", "user.name=linus", "-c", "user.email=linus@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-qm", "One"]):
        subprocess.run(["git", *words], cwd=directory, check=True)
    return directory


@pytest.fixture
def shell(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    shutil.copytree(repository, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DRIFTCTL_APPROVER_KEY", "DRIFTCTL_FINGERPRINT_KEY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Shell(tmp_path, capsys)


@pytest.fixture
def comes_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome], list[dict[str, Any]]]:
    """What the next run comes to, whoever makes it; what was asked for."""

    def set_outcome(outcome: Outcome) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        # Any: whatever the command passes on.
        def made(options: compose.Options, environment: str, **more: Any) -> Outcome:
            more["progress"].started(environment, "plan")
            asked.append({"environment": environment, **more})
            return outcome

        for name in ("plan", "apply", "accept", "rollback"):
            monkeypatch.setattr(compose, name, made)
        return asked

    return set_outcome


HELD = Outcome(run(), Hold(JUDGEMENT, REQUIREMENT, ASKED), plan_reports.of("drift_reverted"))


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.IN_SYNC, 0),
        (State.APPLIED, 0),
        (State.ALLOWED, 2),
        (State.HELD, 2),
        (State.NOT_CONVERGED, 2),
        (State.UNVERIFIED, 1),
        (State.REFUSED, 1),
        (State.PARTLY_APPLIED, 1),
        (State.FAILED, 1),
        (State.UNKNOWN, 1),
        (State.REJECTED, 1),
        (State.INTERRUPTED, 130),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_the_exit_code_says_how_it_stands(
    shell: Shell,
    comes_to: Callable[[Outcome], list[dict[str, Any]]],
    command: str,
    state: State,
    code: int,
) -> None:
    comes_to(Outcome(run(state)))

    assert shell.run(command, "prod")[0] == code


def test_something_is_left_to_do_where_the_code_wants_otherwise_than_was_accepted(
    shell: Shell, comes_to: Callable[[Outcome], list[dict[str, Any]]]
) -> None:
    comes_to(Outcome(run(State.APPLIED, todo="driftctl-py plan prod")))

    assert shell.run("accept", "prod", "--reason", "It is fine.")[0] == 2


def test_a_plan_is_shown_and_then_the_decision(
    shell: Shell, comes_to: Callable[[Outcome], list[dict[str, Any]]]
) -> None:
    comes_to(replace(HELD, warnings=("modules/net floats.",)))

    code, out, err = shell.run("plan", "prod")

    assert code == 2
    assert out.index("Changed outside Git") < out.index("\nprod: held\n")
    assert "needs 1 of: dba (ada, grace)" in out
    assert err == "warning: modules/net floats.\n"


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_markdown_and_a_file(
    shell: Shell,
    comes_to: Callable[[Outcome], list[dict[str, Any]]],
    tmp_path: Path,
    command: str,
) -> None:
    comes_to(HELD)

    printed = shell.run(command, "prod", "--format", "markdown")
    written = shell.run(command, "prod", "--format", "markdown", "-o", "held.md")

    assert printed[1].startswith("### 🟡 prod: held\n")
    assert written[:2] == (2, "")
    assert (tmp_path / "held.md").read_text("utf-8") == printed[1]


def test_json_is_one_document_and_nothing_else(
    shell: Shell, comes_to: Callable[[Outcome], list[dict[str, Any]]]
) -> None:
    before = plan_reports.of("drift_and_pending")
    comes_to(replace(HELD, before=before, again="The state moved."))

    code, out, _ = shell.run("apply", "prod", "--format", "json")

    document = json.loads(out)
    assert [document["document"], document["exit_code"], code] == ["outcome", 2, 2]
    assert document["planned_again_because"] == "The state moved."
    assert document["difference"]["same"] is False


def test_an_apply_says_how_long_it_took_and_what_it_did(
    shell: Shell, comes_to: Callable[[Outcome], list[dict[str, Any]]]
) -> None:
    comes_to(Outcome(run(State.APPLIED, applied=APPLIED), Apply(JUDGEMENT)))

    code, out, _ = shell.run("apply", "prod", "-v")

    assert code == 0
    assert out.startswith("prod: applied 2 changes in ")


def test_a_partial_apply_ends_in_what_to_do(
    shell: Shell, comes_to: Callable[[Outcome], list[dict[str, Any]]]
) -> None:
    todo = "Look at what is left: driftctl-py plan prod"
    comes_to(Outcome(run(State.PARTLY_APPLIED, applied=HALF, todo=todo)))

    code, out, _ = shell.run("apply", "prod")

    assert code == 1
    assert out.endswith(f"\nnext: {todo}\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineError("It failed.", diagnostics=(Diagnostic("error", "Bad reference"),)), 1),
        (Interrupted("Stopped."), 130),
    ],
)
def test_an_error_goes_to_standard_error_and_names_the_run(
    shell: Shell,
    comes_to: Callable[[Outcome], list[dict[str, Any]]],
    error: DriftctlError,
    code: int,
) -> None:
    comes_to(Outcome(bare(State.FAILED), error=error))

    as_text = shell.run("plan", "prod")
    as_json = shell.run("plan", "prod", "--format", "json")

    assert as_text[:2] == (code, "")
    assert as_text[2].startswith(f"error: {error.what}\n")
    assert as_text[2].endswith("driftctl-py show 20261124T091200-3f2a\n")
    assert as_json[0] == code
    assert json.loads(as_json[1])["error"]["what"] == error.what


def test_each_command_asks_for_what_was_typed(
    shell: Shell, comes_to: Callable[[Outcome], list[dict[str, Any]]]
) -> None:
    asked = comes_to(Outcome(run(State.IN_SYNC, drifted=0), Nothing("In sync.")))

    shell.run("apply", "prod", "--run", "2026")
    shell.run("apply", "prod", "--require-plan")
    shell.run("accept", "prod", "--reason", " It is fine. ")
    shell.run("rollback", "prod", "--to", "3f2a91c", "--reason", "It broke.")

    for each in asked:
        del each["progress"], each["stop"]
    assert asked == [
        {"environment": "prod", "run": "2026", "reviewed": False},
        {"environment": "prod", "run": None, "reviewed": True},
        {"environment": "prod", "reason": "It is fine."},
        {"environment": "prod", "commit": "3f2a91c", "reason": "It broke."},
    ]


@pytest.mark.parametrize("command", ["approve", "reject", "accept", "suspend", "release"])
def test_an_empty_reason_is_none(shell: Shell, command: str) -> None:
    code, out, err = shell.run(command, "prod", "--reason", "  ")

    assert (code, out) == (1, "")
    assert "The reason is empty" in err


@pytest.mark.parametrize("reason", ["…", "...", "-"])
def test_a_command_that_was_pasted_with_its_placeholder_gives_no_reason(
    shell: Shell, reason: str
) -> None:
    code, out, err = shell.run("approve", "prod", f"--reason={reason}")

    assert (code, out) == (1, "")
    assert f"The reason is '{reason}', which tells" in err


def test_a_yes_that_is_enough(shell: Shell) -> None:
    kept = shell.keep(run(requirement=replace(REQUIREMENT, unverified=True)))

    code, out, err = shell.run("approve", "prod", "--reason", "It is ours.", "--as", "os")

    assert (code, err) == (0, "")
    assert out.startswith(f"prod: ada ({ME}), unverified, approved k7qm-2d4x\n")
    assert out.endswith("\nnext: driftctl-py apply prod\n")
    assert kept.id in out


def test_a_yes_that_is_not_enough_yet_as_json(shell: Shell) -> None:
    shell.keep(run(requirement=replace(REQUIREMENT, unverified=True, count=2)))

    code, out, _ = shell.run("approve", "2026", "--reason", "Mine.", "--format", "json")

    document = json.loads(out)
    assert [code, document["person"], document["standing"]["missing"]] == [2, "ada", 1]


def test_a_yes_with_a_key_of_the_store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.keep(run())
    code, secret, told = shell.run("key", "add", "grace")
    monkeypatch.setenv("DRIFTCTL_APPROVER_KEY", secret.strip())

    approved = shell.run("approve", "prod", "--reason", "Mine.")

    assert (code, secret.count("\n")) == (0, 1)
    assert "shown this once" in told
    assert secret.strip() not in told
    assert approved[1].startswith("prod: grace (key:grace) approved")


def test_a_yes_that_would_not_count_is_not_taken(shell: Shell) -> None:
    shell.keep(run())

    code, out, err = shell.run("approve", "prod", "--reason", "Mine.", "--as", "os")

    assert (code, out) == (1, "")
    assert "Nothing was approved" in err


def test_a_no(shell: Shell) -> None:
    shell.keep(run(requirement=replace(REQUIREMENT, unverified=True)))

    code, out, _ = shell.run("reject", "prod", "--reason", "Not on a Friday.", "--as", "os")
    shown = shell.run("show", "prod")

    assert code == 0
    assert f"prod: ada ({ME}), unverified, rejected" in out
    assert shown[1].startswith("prod: rejected\n")


def test_the_status_in_words_and_as_json(shell: Shell) -> None:
    empty = shell.run("status")
    shell.keep(run())

    code, out, _ = shell.run("status", "prod")
    as_json = shell.run("status", "--format", "json")

    assert (empty[0], empty[1].startswith("No run is stored")) == (0, True)
    assert code == 2
    assert out.startswith("1 environment: 1 waits for a yes\n")
    assert [each["needs"] for each in json.loads(as_json[1])["environments"]] == ["a yes"]
    assert shell.run("status", "dev")[0] == 1


def test_runs_are_listed_and_shown(shell: Shell) -> None:
    kept = [shell.keep(run(State.FAILED, id=f"2026112{at}-x")) for at in range(3)]

    _, out, _ = shell.run("runs", "prod", "--limit", "2")
    as_json = shell.run("runs", "--before", "20261121", "--format", "json")
    shown = shell.run("show", "20261120", "--format", "json")

    assert [line.split()[0] for line in out.splitlines()[2:]] == [kept[2].id, kept[1].id]
    assert [each["id"] for each in json.loads(as_json[1])["runs"]] == [kept[0].id]
    assert json.loads(shown[1])["run"]["id"] == kept[0].id
    assert shell.run("show", "1999")[0] == 1


def test_the_trail_is_verified_and_exported(shell: Shell, tmp_path: Path) -> None:
    shell.keep(run())
    shell.run("suspend", "prod", "--reason", "It runs.", "--until", "3d")

    code, out, _ = shell.run("audit", "verify")
    as_json = shell.run("audit", "verify", "--format", "json")
    lines = shell.run("audit", "export")[1]
    written = shell.run("audit", "export", "-o", "trail.jsonl")

    assert code == 0
    assert out.startswith("The audit trail is sound: 2 entries.\n")
    assert json.loads(as_json[1])["entries"] == 2
    assert [json.loads(line)["what"] for line in lines.splitlines()] == ["decided", "suspended"]
    assert written[:2] == (0, "")
    assert (tmp_path / "trail.jsonl").read_text() == lines


def test_a_trail_that_was_edited_fails(shell: Shell) -> None:
    shell.keep(run())
    # Somebody who owns the file can do that, whatever the database forbids.
    store = shell.data / "store.db"
    for path in shell.data.glob("store.db*"):
        path.write_bytes(path.read_bytes().replace(b"decided", b"decIded"))

    code, out, _ = shell.run("audit", "verify")

    assert store.exists()
    assert code == 1
    assert out.startswith("The audit trail is not what it was: ")


def test_a_long_trail_is_exported_piece_by_piece(shell: Shell) -> None:
    with open_store(None, shell.data, now=lambda: NOW) as store:
        store.note(*(Event("decided", NOW, f"os:{at}") for at in range(2500)))

    _, out, _ = shell.run("audit", "export")

    assert [json.loads(line)["number"] for line in out.splitlines()] == list(range(1, 2501))


def test_an_empty_trail_is_sound_and_exports_nothing(shell: Shell) -> None:
    assert shell.run("audit", "export")[:2] == (0, "")
    assert shell.run("audit", "verify")[0] == 0


def test_an_environment_is_held_back_and_let_go(shell: Shell) -> None:
    suspended = shell.run("suspend", "prod", "--reason", "It runs.", "--until", "2h")
    shown = shell.run("status")
    resumed = shell.run("resume", "prod", "--reason", "It is through.")
    again = shell.run("resume", "prod", "--reason", "It is through.")

    assert suspended[:2] == (0, "")
    assert "prod is suspended until " in suspended[2]
    assert "prod: suspended until " in shown[1]
    assert resumed[0] == 0
    assert again[0] == 1


def test_everything_is_frozen_and_thawed(shell: Shell) -> None:
    frozen = shell.run("freeze", "--reason", "Black Friday", "--until", "2h")
    for_ever = shell.run("freeze", "--reason", "An incident.")
    shown = shell.run("status")
    as_json = shell.run("status", "--format", "json")
    thawed = shell.run("thaw", "--reason", "It is over.")
    again = shell.run("thaw", "--reason", "It is over.")

    assert frozen[:2] == (0, "")
    assert re.search(r"Everything is frozen until .* UTC, or until somebody thaws it: ", frozen[2])
    assert "Everything is frozen until somebody thaws it: " in for_ever[2]
    assert shown[1].startswith("Nothing is applied anywhere: ")
    assert "An incident. It lasts until somebody thaws it." in " ".join(shown[1].split())
    assert [each["reason"] for each in json.loads(as_json[1])["frozen"]] == ["An incident."]
    assert thawed[0] == 0
    assert "Nothing is frozen any more." in thawed[2]
    assert again[0] == 1
    assert "Nothing is frozen, so there is nothing to take away." in again[2]


def test_without_a_moment_it_is_suspended_until_somebody_resumes_it(shell: Shell) -> None:
    _, _, err = shell.run("suspend", "prod", "--reason", "It runs.")

    assert "until somebody resumes it" in err


@pytest.mark.parametrize(("command", "held"), [("release", PINNED), ("unblock", BLOCKED)])
def test_what_was_pinned_or_blocked_is_let_go(shell: Shell, command: str, held: Restraint) -> None:
    with open_store(None, shell.data, now=lambda: NOW) as store:
        store.restrain(held)

    code, out, err = shell.run(command, "prod", "--reason", "It is over.")
    status = shell.run("status")

    assert (code, out) == (0, "")
    assert err.startswith(f"prod is {held.why.value} no more")
    assert held.why.value not in status[1]


@pytest.mark.parametrize("command", ["release", "unblock"])
def test_what_does_not_hold_cannot_be_lifted(shell: Shell, command: str) -> None:
    assert shell.run(command, "prod", "--reason", "It is over.")[0] == 1


def test_a_key_is_removed_once(shell: Shell) -> None:
    shell.run("key", "add", "grace")

    removed = shell.run("key", "remove", "grace")
    again = shell.run("key", "remove", "grace")

    assert (removed[0], removed[1]) == (0, "")
    assert again[0] == 1


AT_NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30m", AT_NOON + timedelta(minutes=30)),
        ("2h", AT_NOON + timedelta(hours=2)),
        ("3d", AT_NOON + timedelta(days=3)),
        ("1w", AT_NOON + timedelta(weeks=1)),
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T09:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01T09:00+01:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-12-01T09:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
    ],
)
def test_a_moment_to_come(text: str, at: datetime) -> None:
    assert moment(text, AT_NOON) == at


@pytest.mark.parametrize("text", ["", "tomorrow", "2", "h", "0h", "-1h", "2y", "99999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="neither a length of time nor a moment"):
        moment(text, AT_NOON)


@pytest.mark.parametrize("text", ["2026-11-24", "2026-11-24T12:00", "2020-01-01T00:00Z"])
def test_a_moment_that_is_over(text: str) -> None:
    with pytest.raises(UsageError, match="is over"):
        moment(text, AT_NOON)
