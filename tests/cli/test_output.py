"""The report reaches where it was sent, and is never lost on the way."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from driftctl_py import compose
from driftctl_py.cli.output import tell, write_output
from driftctl_py.errors import Unavailable

REPORT = "prod: 1 drifted …"
CODE = (
    "import argparse, sys; from driftctl_py.cli.output import tell, write_output;"
    "print('before');"
    "write_output(sys.argv[1], argparse.Namespace(output=sys.argv[2] if sys.argv[2:] else None))"
)


def _write(path: Path | str) -> None:
    write_output(REPORT, argparse.Namespace(output=str(path)))


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("an old and much longer report that is to go away")

    _write(target)

    assert target.read_text("utf-8") == f"{REPORT}\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = Thread(target=lambda: got.append(pipe.read_text("utf-8")), daemon=True)
    reader.start()

    _write(pipe)
    reader.join(10)

    assert got == [f"{REPORT}\n"]
    assert pipe.is_fifo()


def test_a_device_is_written_into_and_stays_a_device(tmp_path: Path) -> None:
    link = tmp_path / "nowhere"
    link.symlink_to("/dev/null")

    _write("/dev/null")
    _write(link)

    assert Path("/dev/null").is_char_device()
    assert link.is_symlink()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path, there: bool) -> None:
    (tmp_path / "reports").mkdir()
    target = tmp_path / "reports" / "latest.txt"
    if there:
        target.write_text("old")
    link = tmp_path / "report.txt"
    link.symlink_to("reports/latest.txt")

    _write(link)

    assert link.is_symlink()
    assert target.read_text("utf-8") == f"{REPORT}\n"
    assert list(target.parent.iterdir()) == [target]


def test_dev_stdout_is_standard_output_as_a_pipe_and_as_a_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("earlier\n")
    command = [sys.executable, "-c", CODE, "report", "/dev/stdout"]

    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    with log.open("a") as file:
        subprocess.run(command, stdout=file, check=True)

    assert piped.stdout == "before\nreport\n"
    assert log.read_text() == "earlier\nbefore\nreport\n"


@pytest.mark.parametrize("where", ["missing/report.txt", "file/report.txt", ".", "f" * 252])
def test_a_report_that_cannot_be_written_goes_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="could not be written to") as caught:
        _write(tmp_path / where)

    assert capsys.readouterr().out == f"{REPORT}\n"
    assert "standard output" in caught.value.todo
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_device_that_is_full_does_not_lose_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unavailable, match="No space left"):
        _write("/dev/full")

    assert capsys.readouterr().out == f"{REPORT}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_report_that_fits_nowhere_is_not_said_to_be_on_standard_output(tmp_path: Path) -> None:
    code = (
        "import argparse, sys; from driftctl_py.cli.output import tell, write_output;"
        "from driftctl_py.errors import Unavailable\n"
        "try: write_output('report', argparse.Namespace(output=sys.argv[1]))\n"
        "except Unavailable as error: sys.stderr.write(f'{error.what} {error.todo}')"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )

    assert done.stderr == (
        f"The report could not be written to {tmp_path}: Is a directory. "
        "Check the directory and its permissions."
    )


def test_standard_output_that_is_not_utf_8_gets_what_it_can_hold() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", CODE, "prod … ✓"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )

    assert printed.stdout == "before\nprod \\u2026 \\u2713\n"


def test_the_default_data_directory_is_where_the_documentation_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (Path(__file__).parents[2] / "docs/configuration.md").read_text("utf-8")
    documented = re.search(r"Default: `(\S+)`, else\s+`(\S+)`, else\s+`(\S+)`", page)
    assert documented is not None
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", "/own")

    for place, variable in zip(
        documented.groups(), ["DRIFTCTL_DATA_DIR", "XDG_DATA_HOME", "HOME"], strict=True
    ):
        wanted = Path(os.path.expandvars(place)).expanduser()
        assert compose.data_dir(None, None, Path("/here")) == wanted
        monkeypatch.delenv(variable)


def test_what_is_told_beside_the_result_commands_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    # As a file may be called, or the source of a module.
    tell("warning: prod: a\n  ::set-output name=b::c, and ##[error]\x1b[2J")

    assert capsys.readouterr().err == (
        "warning: prod: a\n  \\u003a:set-output name=b::c, and ##\\u005berror]\\u001b[2J\n"
    )
