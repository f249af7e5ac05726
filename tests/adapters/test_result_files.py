from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.adapters import result_files
from driftctl_py.adapters.result_files import SUFFIX, ResultFiles, file_name
from driftctl_py.errors import Unavailable, UsageError

FILES = ResultFiles(100)


def read(*directories: Path, missing_ok: bool = False) -> dict[str, bytes | str]:
    return {each.name: each.data for each in FILES.read(directories, missing_ok=missing_ok)}


def test_what_is_written_is_found_at_any_depth(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    FILES.make(deep)

    path = FILES.write(deep, "prod", b"{}")

    assert read(tmp_path) == {f"a/b/{path.name}": b"{}"}
    assert read(deep, tmp_path / "a") == {path.name: b"{}", f"b/{path.name}": b"{}"}


def test_only_we_can_read_it_and_nothing_else_is_left_there(tmp_path: Path) -> None:
    FILES.make(tmp_path)
    path = FILES.write(tmp_path, "prod", b"{}")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_git_sees_no_directory_that_was_made_for_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    FILES.make(tmp_path / "results")
    FILES.make(tmp_path / "results")
    FILES.write(tmp_path / "results", "prod", b"{}")

    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path, check=True, capture_output=True
    )

    assert status.stdout == b""
    # In a directory of somebody else's we hide nothing.
    FILES.make(tmp_path)
    assert not (tmp_path / ".gitignore").exists()


def test_two_jobs_never_take_one_name(tmp_path: Path) -> None:
    first, second = (FILES.write(tmp_path, "prod", b"{}") for _ in range(2))

    assert first != second
    assert len(read(tmp_path)) == 2


@given(st.text())
def test_any_environment_has_a_name_that_uploads_take(environment: str) -> None:
    name = file_name(environment, "0" * 12)

    assert re.fullmatch(r"driftctl-[A-Za-z0-9_-]*\.result\.json", name)
    assert len(name) < 120


def test_names_that_look_alike_are_told_apart() -> None:
    assert file_name("a/b", "0") != file_name("a_b", "0")
    assert file_name("Prod", "0").lower() != file_name("prod", "0").lower()


def test_a_directory_that_cannot_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="would be known to nobody else"):
        FILES.make(tmp_path / "file")
    with pytest.raises(Unavailable, match=r"The result of prod could not be written"):
        FILES.write(tmp_path / "gone", "prod", b"{}")


def test_other_files_are_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text("<a/>")
    (tmp_path / "prod.json").write_text("{}")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "prod.json")

    assert read(tmp_path) == {}


def test_no_link_is_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / f"x{SUFFIX}").write_text("{}")
    below = tmp_path / "results"
    below.mkdir()
    (below / f"a{SUFFIX}").symlink_to(secret / f"x{SUFFIX}")
    (below / f"gone{SUFFIX}").symlink_to(tmp_path / "nowhere")
    (below / "directory").symlink_to(secret)

    found = read(below)

    assert set(found) == {f"a{SUFFIX}", f"gone{SUFFIX}", "directory"}
    assert set(found.values()) == {"it is a link, and none is followed"}


def test_a_link_that_takes_a_files_place_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    link = tmp_path / f"a{SUFFIX}"
    link.symlink_to(tmp_path / "secret")

    # As if it had been a file when the directory was listed.
    assert "cannot be read" in str(FILES._content(link))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"pipe{SUFFIX}")
    (tmp_path / f"directory{SUFFIX}").mkdir()

    assert read(tmp_path) == {f"pipe{SUFFIX}": "it is not a regular file"}


def test_of_a_large_file_no_more_is_read_than_shows_that_it_is(tmp_path: Path) -> None:
    path = tmp_path / f"large{SUFFIX}"
    with path.open("wb") as file:
        file.truncate(10**11)

    assert read(tmp_path) == {path.name: b"\0" * 101}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIX}"
    path.touch(0o000)
    (tmp_path / "closed").mkdir(0o000)

    assert set(read(tmp_path)) == {path.name, "closed"}


def test_names_that_are_no_characters_are_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff" + SUFFIX.encode())
    (tmp_path / name).write_text("{}")

    assert read(tmp_path) == {name: b"{}"}


def test_a_directory_that_is_not_there_is_fine_only_where_nothing_is_expected(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")

    assert read(tmp_path / "gone", missing_ok=True) == {}
    with pytest.raises(UsageError, match="is not a directory"):
        read(tmp_path / "gone")
    with pytest.raises(UsageError, match="is not a directory"):
        read(tmp_path / "file", missing_ok=True)
    with pytest.raises(UsageError, match="is not a directory"):
        read(tmp_path / "dangling", missing_ok=True)


def test_a_directory_that_goes_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    found = FILES._below(tmp_path / "a")
    (tmp_path / "a").rmdir()

    assert [each.data for each in found] == ["it cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ("_MOST_FILES", "it holds more"),
        ("_MOST_BYTES_IN_ALL", "it holds more"),
        ("_MOST_ENTRIES", "there is more"),
    ],
)
def test_more_than_any_report_is_made_of_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, words: str
) -> None:
    for _ in range(5):
        FILES.write(tmp_path, "prod", b"{}")
    monkeypatch.setattr(result_files, bound, 4)

    *_, last = FILES.read([tmp_path], missing_ok=False)

    assert isinstance(last.data, str)
    assert words in last.data
