"""The command line's manners: exit codes, help, and what a stranger reads first."""

from __future__ import annotations

import gc
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from driftctl_py import __version__
from driftctl_py.cli.main import main, parser, print_error
from driftctl_py.errors import Diagnostic, EngineError

PROGRAM = [sys.executable, "-m", "driftctl_py"]
HERE = Path(__file__).parent
COMMANDS = [
    "check",
    "plan",
    "apply",
    "approve",
    "reject",
    "status",
    "runs",
    "show",
    "accept",
    "rollback",
    "release",
    "suspend",
    "resume",
    "unblock",
    "controller",
    "audit",
    "key",
    "render",
    "diff",
    "config",
    "init",
    "demo",
    "completion",
]


def test_version_and_help_import_nothing_heavy() -> None:
    code = (
        "import sys; from driftctl_py.cli.main import parser; parser().format_help();"
        "print(sorted(set(sys.modules) & {'git', 'boto3', 'yaml', 'msgspec', 'rich', 'tabulate',"
        "'python_terraform', 'shtab', 'asyncio', 'concurrent.futures'}))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert printed.stdout == "[]\n"


def test_it_runs_as_a_module() -> None:
    printed = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)

    assert printed.stdout == f"driftctl-py {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_same_alone_as_among_all(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for whole in (parser(), parser(name)):
        with pytest.raises(SystemExit, match="0"):
            whole.parse_args([name, "--help"])
        said.append(capsys.readouterr().out)

    assert said[0] == said[1]
    assert f"usage: driftctl-py {name}" in said[0]


def test_a_process_that_ends_soon_spares_itself_looking_for_cycles() -> None:
    plan = HERE.parent / "data" / "plans" / "clean" / "terraform-1.15.5.json"
    code = "import gc; from driftctl_py.cli.main import main; main(); print('gc', gc.isenabled())"

    said = {
        words: subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        ).stdout.splitlines()[-1]
        for words in (("render", str(plan)), ("config", "schema"))
    }

    assert list(said.values()) == ["gc False", "gc True"]


def test_whoever_calls_it_with_words_keeps_the_collector(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = HERE.parent / "data" / "plans" / "clean" / "terraform-1.15.5.json"

    assert main(["render", str(plan)]) == 0
    assert gc.isenabled()


@pytest.mark.parametrize("argv", [["chekc"], ["check", "--jobs", "0"], ["config"], ["--nope"]])
def test_a_usage_error_does_not_read_as_drift(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(argv)

    assert raised.value.code == 1
    assert "error: " in capsys.readouterr().err


def test_nothing_said_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "exit codes: 0 all in sync, 2 something was found" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_can_complete_it(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "driftctl-py" in capsys.readouterr().out


def test_a_missing_configuration_says_how_to_write_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["check"]) == 1
    assert "Write one with: driftctl-py init" in capsys.readouterr().err


def test_an_error_brings_the_engines_words_and_the_way_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Diagnostic("error", "Invalid reference", where="main.tf:3")

    print_error(EngineError("It failed.", todo="Mend it.", diagnostics=(found,)))

    assert capsys.readouterr().err == (
        "error: It failed.\n  Invalid reference main.tf:3\n  Mend it.\n"
    )


def test_the_engines_words_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = (Diagnostic("error", "No bucket."), Diagnostic("error", "No bucket", where="main.tf:3"))

    print_error(EngineError("No plan came about: No bucket.", diagnostics=said))

    assert capsys.readouterr().err == (
        "error: No plan came about: No bucket.\n  No bucket main.tf:3\n"
    )


def test_an_error_gives_a_terminal_nothing_to_obey(capsys: pytest.CaptureFixture[str]) -> None:
    found = Diagnostic("error", "\x1b]0;title\x07 and \u202ereversed")

    print_error(EngineError("There is no \x1b[31mfile.\nAnd no other.", diagnostics=(found,)))

    said = capsys.readouterr().err
    assert [line for line in said.splitlines() if not line.isprintable()] == []
    assert said.splitlines()[1] == "And no other."


def test_an_error_gives_no_runner_of_jobs_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(EngineError("It failed.\n::stop-commands::it"))

    assert not any(line.startswith("::") for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize("closed", [True, False])
def test_an_error_that_nobody_hears_is_no_other(
    closed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = StringIO()
    stream.close()
    monkeypatch.setattr("sys.stderr", stream if closed else None)

    print_error(EngineError("It failed."))

    assert capsys.readouterr().out == ""


def test_the_schema_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert '"$schema"' in capsys.readouterr().out
