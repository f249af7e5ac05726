"""The engine's argument lists, its environment, and what is done when it misbehaves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from driftctl_py.adapters.process import Stop
from driftctl_py.adapters.terraform import (
    Engines,
    cli_config,
    embedded_program,
    engine_environ,
)
from driftctl_py.adapters.terraform_argv import (
    apply_argv,
    get_argv,
    init_argv,
    locked_plan_argv,
    plan_argv,
    show_argv,
    workspace_list_argv,
)
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import EngineRun
from driftctl_py.core.events import EventLog
from driftctl_py.errors import Diagnostic, EngineError, Interrupted

PASSED = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def _nothing(_log: EventLog) -> None:
    pass


def test_a_plan_takes_no_lock_and_asks_nothing() -> None:
    argv = plan_argv("tofu", out=Path("/x/plan"), var_files=[Path("/a"), Path("/b")], parallelism=3)

    assert argv == [
        "tofu",
        "plan",
        "-json",
        "-input=false",
        "-lock=false",
        "-detailed-exitcode",
        "-out=/x/plan",
        "-var-file=/a",
        "-var-file=/b",
        "-parallelism=3",
    ]


def test_a_plan_that_is_to_be_applied_holds_the_state_lock() -> None:
    argv = locked_plan_argv("tofu", out=Path("/p"), var_files=[Path("/a")], lock_timeout_seconds=9)

    assert argv == [
        "tofu",
        "plan",
        "-json",
        "-input=false",
        "-lock=true",
        "-lock-timeout=9s",
        "-detailed-exitcode",
        "-out=/p",
        "-var-file=/a",
    ]
    assert "-refresh-only" in locked_plan_argv(
        "t", out=Path("/p"), var_files=(), lock_timeout_seconds=0, refresh_only=True
    )


def test_an_apply_is_of_a_saved_plan_and_asks_nobody() -> None:
    argv = apply_argv(
        "terraform", Path("/p"), var_files=[Path("/a")], lock_timeout_seconds=60, parallelism=3
    )

    assert argv == [
        "terraform",
        "apply",
        "-json",
        "-input=false",
        "-lock=true",
        "-lock-timeout=60s",
        "-var-file=/a",
        "-parallelism=3",
        "/p",
    ]


def test_an_init_upgrades_nothing_and_leaves_the_lock_file_alone() -> None:
    argv = init_argv("terraform", readonly_lock_file=True, backend_config=Path("/x.tfbackend"))

    assert argv == [
        "terraform",
        "init",
        "-json",
        "-input=false",
        "-lock=false",
        "-reconfigure",
        "-lockfile=readonly",
        "-backend-config=/x.tfbackend",
    ]
    assert init_argv("t", readonly_lock_file=False, backend_config=None, json=False) == [
        "t",
        "init",
        "-no-color",
        "-input=false",
        "-lock=false",
        "-reconfigure",
    ]


def test_the_other_commands() -> None:
    assert show_argv("t", Path("/p")) == ["t", "show", "-json", "/p"]
    assert get_argv("t") == ["t", "get", "-update", "-no-color"]
    assert workspace_list_argv("t") == ["t", "workspace", "list", "-no-color"]


def test_no_variable_that_changes_the_plan_leaks_into_the_engine() -> None:
    environ = engine_environ(
        {
            "PATH": "/bin",
            "TF_WORKSPACE": "other",
            "TF_CLI_ARGS_plan": "-destroy",
            "TF_VAR_size": "1",
            "TF_CLI_CONFIG_FILE": "/nowhere",
            "TF_TOKEN_app_terraform_io": "t",
            "AWS_PROFILE": "plan",
            "GOOGLE_PROJECT": "p",
            "GIT_TOKEN": "s",
        },
        pass_env=["TF_VAR_*", "GIT_*"],
        extra={"AWS_REGION": "eu-central-1"},
        never=["GIT_TOKEN"],
    )

    assert environ == {
        "PATH": "/bin",
        "TF_VAR_size": "1",
        "TF_TOKEN_app_terraform_io": "t",
        "AWS_PROFILE": "plan",
        "AWS_REGION": "eu-central-1",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }


def test_a_mirror_is_asked_only_for_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "registry.example.com/acme/folder/1.0.0").mkdir(parents=True)
    (tmp_path / "registry.example.com/README").write_text("not a namespace")

    text = cli_config(tmp_path)

    assert text.count('["registry.example.com/acme/folder"]') == 2
    assert f'path    = "{tmp_path}"' in text


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    return Engines(search_path=str(tmp_path / "bin"), cache=tmp_path / "engines.json", stop=Stop())


def _script(path: Path, body: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def _event(**values: object) -> str:
    return f"echo '{json.dumps(values)}'"


TERRAFORM = _event(type="version", terraform="1.11.4", ui="1.2")


def test_engines_on_path_and_named_ones_are_found(engines: Engines, tmp_path: Path) -> None:
    terraform = _script(tmp_path / "bin/terraform", TERRAFORM)
    named = _script(tmp_path / "my-engine", _event(type="version", tofu="1.10.0", ui="1.2"))
    liar = _script(tmp_path / "liar", "echo hello")

    found = engines.candidates([named, liar, str(tmp_path / "gone")], PASSED)

    assert [item for item in found if item.origin != "embedded"] == [
        Candidate("terraform", "1.11.4", terraform, "PATH"),
        Candidate("tofu", "1.10.0", named, "configured"),
    ]


def test_a_version_is_asked_for_once(engines: Engines, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    program = _script(tmp_path / "bin/terraform", f"echo x >> {log}\n{TERRAFORM}")

    engines.candidates([], PASSED)
    engines.candidates([], PASSED)
    once = log.read_text()
    _script(Path(program), f"echo x >> {log}\n{TERRAFORM} # another build")
    engines.candidates([], PASSED)

    assert once == "x\n"
    assert log.read_text() == "x\nx\n"


def test_the_embedded_engine_is_one_of_them(tmp_path: Path) -> None:
    engines = Engines(search_path="", cache=tmp_path / "engines.json", stop=Stop())

    found = engines.candidates([], PASSED)

    assert [(item.family, item.origin) for item in found] == [("terraform", "embedded")]
    assert found[0].path == embedded_program()


def _run(program: str, directory: Path, timeout_seconds: float = 30) -> EngineRun:
    candidate = Candidate("terraform", "1.11.4", program)
    return EngineRun(candidate, directory, PASSED, timeout_seconds)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo garbage; exit 1", "printed no event stream"),
        ("head -c 300000 /dev/urandom; exit 0", "printed no event stream"),
        ("exit 7", "failed with exit code 7"),
        ("kill -9 $$", "was ended by signal 9"),
        (_event(type="version", tofu="1.6.0", ui="1.2"), "it says that it is tofu 1.6.0"),
        (_event(type="version", terraform="9.0.0", ui="3.0"), "printed no event stream"),
        ("echo 'no such thing' >&2; exit 3", "It said: no such thing"),
    ],
)
def test_what_is_no_engine_is_an_error(
    engines: Engines, tmp_path: Path, body: str, message: str
) -> None:
    program = _script(tmp_path / "bin/terraform", body)

    with pytest.raises(EngineError, match=message):
        engines.plan(_run(program, tmp_path), out=tmp_path / "plan", on_event=_nothing)


def test_a_plan_that_takes_too_long_is_stopped(engines: Engines, tmp_path: Path) -> None:
    program = _script(tmp_path / "bin/terraform", f"{TERRAFORM}\nexec sleep 60")

    with pytest.raises(EngineError, match=r"longer than 0.5 seconds") as raised:
        engines.plan(_run(program, tmp_path, 0.5), out=tmp_path / "plan", on_event=_nothing)

    assert "timeout" in raised.value.todo


def test_an_init_that_takes_too_long_is_stopped(engines: Engines, tmp_path: Path) -> None:
    program = _script(tmp_path / "bin/terraform", "exec sleep 60")

    with pytest.raises(EngineError, match="`init` took longer"):
        engines.init(
            _run(program, tmp_path, 0.5),
            readonly_lock_file=False,
            backend_config=None,
            on_event=_nothing,
        )


def test_a_wish_to_stop_is_an_interruption(tmp_path: Path) -> None:
    stop = Stop()
    stop.ask()
    engines = Engines(search_path="", cache=tmp_path / "engines.json", stop=stop)
    program = _script(tmp_path / "bin/terraform", "exec sleep 60")

    with pytest.raises(Interrupted):
        engines.plan(_run(program, tmp_path), out=tmp_path / "plan", on_event=_nothing)
    with pytest.raises(Interrupted):
        engines.get(_run(program, tmp_path))


def test_a_program_that_is_not_there_is_an_error(engines: Engines, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="could not be started"):
        engines.get(_run(str(tmp_path / "gone"), tmp_path))


def test_an_init_that_is_due_is_noticed(engines: Engines, tmp_path: Path) -> None:
    problem = _event(
        type="diagnostic",
        diagnostic={"severity": "error", "summary": "Backend initialization required: please run"},
    )
    program = _script(tmp_path / "bin/terraform", f"{TERRAFORM}\n{problem}\nexit 1")

    planned = engines.plan(_run(program, tmp_path), out=tmp_path / "plan", on_event=_nothing)

    assert planned.needs_init
    assert not planned.saved


def test_a_failed_init_brings_the_engines_own_words(engines: Engines, tmp_path: Path) -> None:
    box = (
        "printf '\\033[31m╷\\n│ Error: no such provider\\n│ \\n│   on main.tf line 3:\\n"
        "│ It is gone.\\n╵\\033[0m\\n╷\\n│ Error: another\\n╵\\n' >&2; exit 1"
    )
    program = _script(tmp_path / "bin/terraform", box)

    with pytest.raises(EngineError, match="`terraform init` failed") as raised:
        engines.init(
            _run(program, tmp_path),
            readonly_lock_file=False,
            backend_config=None,
            on_event=_nothing,
        )

    assert raised.value.diagnostics == (
        Diagnostic("error", "no such provider", "on main.tf line 3:\nIt is gone.", "", "main.tf:3"),
        Diagnostic("error", "another", ""),
    )


def test_what_show_prints_is_private(engines: Engines, tmp_path: Path) -> None:
    program = _script(tmp_path / "bin/terraform", "echo '{}'")
    out = tmp_path / "plan.json"

    engines.show(_run(program, tmp_path), plan=tmp_path / "plan", out=out)

    assert out.read_text() == "{}\n"
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_show_that_fails_is_an_error(engines: Engines, tmp_path: Path) -> None:
    program = _script(tmp_path / "bin/terraform", "echo 'no schema' >&2; exit 1")

    with pytest.raises(
        EngineError, match=r"`terraform show` failed with exit code 1\. It said: no"
    ):
        engines.show(_run(program, tmp_path), plan=tmp_path / "plan", out=tmp_path / "j")


def test_workspaces_are_listed(engines: Engines, tmp_path: Path) -> None:
    program = _script(tmp_path / "bin/terraform", "printf '  default\\n* blue\\n\\n'")

    assert engines.workspaces(_run(program, tmp_path)) >= {"default", "blue"}
