"""`render` and `diff` as they are typed: inputs, outputs, exit codes, keys and configurations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftctl_py.cli.main import main
from tests.data import plans

PROGRAM = [sys.executable, "-m", "driftctl_py"]
FORMATS = ["text", "markdown", "json", "html", "junit", "sarif", "github"]
KEY = "correct horse battery staple"


class Shell:
    """A directory with plans in it, and the command line in this process."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys

    def write(self, name: str, data: bytes) -> str:
        (self.directory / name).write_bytes(data)
        return name

    def run(self, *argv: str) -> tuple[int, str, str]:
        code = main(argv)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTCTL_FINGERPRINT_KEY", raising=False)
    shell = Shell(tmp_path, capsys)
    for name in ("rich", "clean", "create", "sensitive", "errored", "equivalent"):
        shell.write(f"{name}.json", plans.of(name))
    return shell


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rich plan on standard input."""
    out, into = os.pipe()
    os.write(into, plans.of("rich"))
    os.close(into)
    with os.fdopen(out) as end:
        monkeypatch.setattr(sys, "stdin", end)
        yield


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("view", ["summary", "changes", "full"])
def test_each_format_shows_each_view(shell: Shell, format_: str, view: str) -> None:
    code, out, err = shell.run("render", "rich.json", "--format", format_, "--view", view)

    assert (code, err) == (0, "")
    assert out.endswith("\n")
    # HTML says where a long address may be broken.
    assert "folder_server.batch" in out.replace("<wbr>", "")


def test_without_words_it_is_a_text_with_its_changes(shell: Shell) -> None:
    plain = shell.run("render", "rich.json")

    assert plain == shell.run("render", "rich.json", "--format", "text", "--view", "changes")
    assert "\x1b" not in plain[1]


@pytest.mark.usefixtures("piped")
@pytest.mark.parametrize("argv", [["render"], ["render", "-"]])
def test_a_pipe_needs_no_name(shell: Shell, argv: list[str]) -> None:
    code, out, _ = shell.run(*argv)

    assert code == 0
    assert out.startswith("standard input: ")


@pytest.mark.usefixtures("piped")
def test_a_plan_can_be_called_otherwise(shell: Shell) -> None:
    assert shell.run("render", "--name", "prod")[1].startswith("prod: ")


def test_a_terminal_is_not_waited_at(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    master, end = os.openpty()
    with os.fdopen(end) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)

        code, out, err = shell.run("render")
    os.close(master)

    assert (code, out) == (1, "")
    assert err == (
        "error: No plan was given to render.\n"
        "  Name one, or pipe it in: driftctl-py render PLANFILE, or "
        "terraform show -json PLANFILE | driftctl-py render\n"
    )


@pytest.mark.parametrize("argv", [["render"], ["render", "-"], ["diff", "rich.json", "-"]])
def test_a_closed_standard_input_is_said_to_be_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    code, out, err = shell.run(*argv)

    assert (code, out) == (1, "")
    assert "pipe it in" in err


@pytest.mark.parametrize(
    ("name", "code"), [("clean", 0), ("equivalent", 0), ("rich", 2), ("errored", 1)]
)
def test_the_exit_code_is_detailed_only_when_asked(shell: Shell, name: str, code: int) -> None:
    assert shell.run("render", f"{name}.json")[0] == 0
    assert shell.run("render", f"{name}.json", "--detailed-exitcode")[0] == code


def test_strict_counts_other_spellings(shell: Shell) -> None:
    strict = ["render", "equivalent.json", "--detailed-exitcode", "--strict"]
    assert shell.run(*strict)[0] == 2

    shell.write("driftctl.yaml", b"environments: [a]\nstrict: true\n")

    assert shell.run(*strict[:-1])[0] == 2
    assert shell.run(*strict[:-1], "--no-strict")[0] == 0


def test_a_report_goes_to_a_file(shell: Shell) -> None:
    code, out, err = shell.run("render", "rich.json", "-o", "report.html", "--format", "html")

    assert (code, out, err) == (0, "", "")
    assert (shell.directory / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_masks_come_from_the_configuration(shell: Shell) -> None:
    assert "growth" in shell.run("render", "rich.json")[1]
    shell.write("driftctl.yaml", b"environments: [a]\nredact: [{attribute: tags.*}]\n")
    shell.write("other.yaml", b"environments: [a]\n")

    assert "growth" not in shell.run("render", "rich.json")[1]
    assert "growth" in shell.run("render", "rich.json", "--config", "other.yaml")[1]
    assert "growth" not in shell.run("diff", "rich.json", "clean.json")[1]


@pytest.mark.parametrize("argv", [["render", "rich.json"], ["diff", "rich.json", "clean.json"]])
def test_a_broken_configuration_shows_nothing_that_it_might_hide(
    shell: Shell, argv: list[str]
) -> None:
    shell.write("driftctl.yaml", b"environments: [a]\nredcat: [{attribute: tags.*}]\n")

    code, out, err = shell.run(*argv)

    assert (code, out) == (1, "")
    assert 'driftctl.yaml:2: The key "redcat" is not known.' in err


def test_a_configuration_that_is_named_has_to_be_there(shell: Shell) -> None:
    code, out, err = shell.run("render", "rich.json", "--config", "gone.yaml")

    assert (code, out) == (1, "")
    assert "gone.yaml: There is no such file." in err


# The fingerprint.


def test_a_fingerprint_alone_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTCTL_FINGERPRINT_KEY", KEY)

    code, out, err = shell.run("render", "rich.json", "--fingerprint")

    assert (code, err) == (0, "")
    assert out.startswith("f2-")
    assert "unkeyed" not in out
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(("value", "why"), [(None, "is not set"), ("", "is empty")])
def test_an_unkeyed_fingerprint_says_why_it_is_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, value: str | None, why: str
) -> None:
    if value is not None:
        monkeypatch.setenv("DRIFTCTL_FINGERPRINT_KEY", value)

    code, out, err = shell.run("render", "rich.json", "--fingerprint")

    assert code == 0
    assert out.startswith("f2-unkeyed-")
    assert err == (
        f"unkeyed: DRIFTCTL_FINGERPRINT_KEY {why}, so this fingerprint leaves out what is "
        "sensitive and stays the same when a secret changes\n"
    )


def test_only_a_key_sees_that_a_secret_is_another(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.write("b.json", plans.of("sensitive").replace(b"CANARY", b"SPARROW"))

    def prints(name: str) -> str:
        return shell.run("render", name, "--fingerprint")[1]

    assert prints("sensitive.json") == prints("b.json")
    monkeypatch.setenv("DRIFTCTL_FINGERPRINT_KEY", KEY)
    first = prints("sensitive.json")
    assert first != prints("b.json")
    assert first == prints("sensitive.json")
    monkeypatch.setenv("DRIFTCTL_FINGERPRINT_KEY", KEY[::-1])
    assert first != prints("sensitive.json")


@pytest.mark.parametrize(
    "argv", [["render", "rich.json"], ["render", "rich.json", "--fingerprint"]]
)
def test_a_key_that_could_be_guessed_is_refused_and_not_repeated(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setenv("DRIFTCTL_FINGERPRINT_KEY", "hunter2")

    code, out, err = shell.run(*argv)

    assert (code, out) == (1, "")
    assert "DRIFTCTL_FINGERPRINT_KEY holds 7 characters, but a key has at least 16" in err
    assert "openssl rand -base64 32" in err
    assert "hunter2" not in err


# diff.


def test_a_plan_is_the_same_as_itself(shell: Shell) -> None:
    shell.write("later.json", plans.of("rich").replace(b"2026-11-23", b"2026-11-24"))

    assert shell.run("diff", "rich.json", "later.json")[0] == 0


@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_plans_that_differ_are_told_apart_in_each_format(shell: Shell, format_: str) -> None:
    code, out, err = shell.run("diff", "rich.json", "clean.json", "--format", format_)

    assert (code, err) == (2, "")
    assert "folder_server.batch" in out
    assert "rich.json" in out
    assert "clean.json" in out


def test_a_secret_that_is_another_differs_though_nobody_has_a_key(shell: Shell) -> None:
    shell.write("b.json", plans.of("sensitive").replace(b"CANARY", b"SPARROW"))

    code, out, _ = shell.run("diff", "sensitive.json", "b.json")

    assert code == 2
    assert "CANARY" not in out
    assert "SPARROW" not in out


@pytest.mark.usefixtures("piped")
def test_one_of_two_plans_may_come_through_a_pipe(shell: Shell) -> None:
    assert shell.run("diff", "-", "rich.json")[0] == 0


def test_two_plans_do_not_fit_through_one_pipe(shell: Shell) -> None:
    code, out, err = shell.run("diff", "-", "-")

    assert (code, out) == (1, "")
    assert "Both plans are to come from standard input, which holds one." in err


def test_a_difference_can_be_read_by_programs(shell: Shell) -> None:
    document = json.loads(shell.run("diff", "rich.json", "clean.json", "--format", "json")[1])

    assert document["same"] is False


# As a program of its own.


def test_a_reader_that_goes_away_is_no_error_to_tell(shell: Shell) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m driftctl_py render rich.json --format json | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("command", ["render", "render --format html", "diff clean.json"])
def test_a_reader_that_is_gone_already_is_no_error_to_tell(shell: Shell, command: str) -> None:
    # The pipe has no reader from the start, so even what would have fitted into it fails.
    out, into = os.pipe()
    os.close(out)
    done = subprocess.run(
        [sys.executable, "-m", "driftctl_py", *command.split(), "rich.json"],
        stdout=into,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(into)

    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("command", ["render", "render --fingerprint", "diff clean.json"])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        (">&-", "Standard output is closed, so the report could not be written."),
        ("> /dev/full", "The report could not be written to standard output: No space left"),
    ],
)
def test_a_result_that_cannot_be_printed_says_so(
    shell: Shell, command: str, where: str, said: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m driftctl_py {command} rich.json {where}"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"DRIFTCTL_FINGERPRINT_KEY": "k" * 32},
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {said}")
    assert len(done.stderr.splitlines()) == 2


def test_nobody_needs_standard_error(shell: Shell) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m driftctl_py render rich.json --fingerprint 2>&-"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stdout.startswith("f2-unkeyed-")


def test_a_small_plan_imports_nothing_heavy(shell: Shell) -> None:
    code = (
        "import sys; from driftctl_py.cli.main import main; main(['render', 'create.json']);"
        "print(sorted(set(sys.modules) & {'git', 'boto3', 'yaml', 'rich', 'tabulate', 'asyncio',"
        "'python_terraform', 'shtab', 'driftctl_py.adapters.terraform', 'jsonschema'}))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert printed.stdout.splitlines()[-1] == "[]"
