"""Plans in files, in pipes, and in what only looks like one; and what is left of them behind."""

from __future__ import annotations

import io
import json
import os
import resource
import stat
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from driftctl_py.adapters.plan_file import PlanFiles
from driftctl_py.core.masks import Mask
from driftctl_py.core.saved_plan import Form, Opened
from driftctl_py.core.values import Secrets, Sensitive
from driftctl_py.errors import Interrupted, PlanError, Unavailable, UsageError
from tests.data import plans

RICH = plans.of("rich")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


@contextmanager
def pipe(*chunks: bytes, close: bool = True) -> Iterator[int]:
    """The end to read from; the other is written to meanwhile."""
    out, into = os.pipe()

    def write() -> None:
        try:
            for chunk in chunks:
                os.write(into, chunk)
            if close:
                os.close(into)
        except BrokenPipeError:
            os.close(into)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield out
    finally:
        os.close(out)
        writer.join()
        if not close:
            os.close(into)


def test_a_file_is_opened_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.json").write_bytes(RICH)
    monkeypatch.chdir(tmp_path)

    with PlanFiles().opened(Path("plan.json")) as opened:
        assert opened.data == RICH
        assert (opened.place, opened.inherit) == (tmp_path / "plan.json", ())
        assert opened.form is Form.JSON


def test_what_comes_through_a_pipe_is_kept_without_a_name(temporary: Path) -> None:
    with (
        pipe(RICH[:5000], RICH[5000:]) as end,
        PlanFiles().opened(end) as opened,
    ):
        (number,) = opened.inherit

        assert opened.data == RICH
        assert opened.place.read_bytes() == RICH
        assert opened.place == Path(f"/dev/fd/{number}")
        assert list(temporary.iterdir()) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_file_that_the_shell_opened_is_not_copied(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(RICH)

    with path.open("rb") as file, PlanFiles().opened(file.fileno()) as opened:
        (number,) = opened.inherit

        assert opened.data == RICH
        assert number != file.fileno()
        assert os.path.sameopenfile(number, file.fileno())


def test_of_a_file_that_was_begun_only_the_rest_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"first line\n" + RICH)

    with path.open("rb", buffering=0) as file:
        file.readline()
        with PlanFiles().opened(file.fileno()) as opened:
            assert opened.data == RICH


def test_nothing_is_opened_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    with PlanFiles().opened(tmp_path / "empty") as opened:
        assert (bytes(opened.data), opened.form) == (b"", Form.JSON)
    with pipe() as end, PlanFiles().opened(end) as opened:
        assert bytes(opened.data) == b""


def test_an_endless_stream_of_something_else_ends_at_once() -> None:
    with Path("/dev/zero").open("rb") as zero, PlanFiles().opened(zero.fileno()) as opened:
        assert 0 < len(opened.data) <= 2**20


def test_waiting_for_a_pipe_can_be_stopped() -> None:
    answers = iter([False, True])

    with (
        pipe(b'{"format_version":', close=False) as end,
        pytest.raises(Interrupted, match="nothing was changed"),
        PlanFiles(stopped=lambda: next(answers)).opened(end),
    ):
        pytest.fail("there is no plan yet")


def test_waiting_for_somebody_to_open_a_named_pipe_can_be_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan")
    answers = iter([False, True])

    with (
        pytest.raises(Interrupted, match="nothing was changed"),
        PlanFiles(stopped=lambda: next(answers)).opened(tmp_path / "plan"),
    ):
        pytest.fail("there is no plan yet")


def test_a_named_pipe_is_read_once_somebody_writes_into_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan")
    # More than a pipe holds at once, and with a pause in the middle.
    text = b"{" + b" " * 200_000

    def write() -> None:
        time.sleep(0.3)
        with (tmp_path / "plan").open("wb") as into:
            into.write(text)
            into.flush()
            time.sleep(0.3)
            into.write(b"}")

    writer = threading.Thread(target=write)
    writer.start()
    with PlanFiles().opened(tmp_path / "plan") as opened:
        assert bytes(opened.data) == text + b"}"
    writer.join()


@pytest.mark.parametrize(
    ("name", "what", "todo"),
    [
        ("missing", "There is no file {}.", "To look at an environment: driftctl-py check"),
        ("directory", "{} is a directory, and a plan is a file.", "driftctl-py render {}/PLANFILE"),
        ("file/plan", "{} cannot be read: Not a directory.", "cat PLANFILE | driftctl-py render"),
    ],
)
def test_what_cannot_be_opened_says_why(tmp_path: Path, name: str, what: str, todo: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / name

    with pytest.raises(UsageError) as raised, PlanFiles().opened(path):
        pytest.fail("it was opened")

    assert raised.value.what == what.format(path)
    assert todo.format(path) in raised.value.todo


def test_a_standard_input_that_is_not_there_says_so() -> None:
    out, into = os.pipe()
    os.close(out)
    os.close(into)

    with pytest.raises(UsageError, match="Standard input cannot be read"), PlanFiles().opened(out):
        pytest.fail("it was opened")


def test_a_full_disk_is_said_to_be_one(temporary: Path) -> None:
    # Python ignores SIGXFSZ, so a limit on the size of files fails as a full disk does.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pipe(RICH) as end, pytest.raises(Unavailable) as raised, PlanFiles().opened(end):
            pytest.fail("there is no room for it")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert raised.value.what == f"The plan could not be kept in {temporary}: File too large."
    assert "TMPDIR=DIR" in raised.value.todo


def test_a_directory_for_temporary_files_that_is_gone_is_named(temporary: Path) -> None:
    temporary.rmdir()

    with (
        pytest.raises(Unavailable, match=f"could not be kept in {temporary}"),
        PlanFiles().scratch(),
    ):
        pytest.fail("there is no room for it")


def test_a_scratch_file_shows_what_was_written_to_it() -> None:
    with PlanFiles().scratch() as scratch:
        os.write(scratch.descriptor, b"hello")

        with scratch.mapped() as data:
            assert bytes(data) == b"hello"


def saved(**members: bytes) -> Opened:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return Opened(memoryview(file.getvalue()), Path("plan.out"))


def test_of_a_saved_plan_only_what_says_its_origin_is_read() -> None:
    opened = saved(tfplan=b"\x08\x03", tfstate=b"{}", **{".terraform.lock.hcl": b"# none"})

    assert opened.form is Form.SAVED
    assert PlanFiles().members(opened) == {"tfplan": b"\x08\x03", ".terraform.lock.hcl": b"# none"}


@pytest.mark.parametrize("keep", [4, 60, -1])
def test_a_saved_plan_that_is_cut_off_says_so(keep: int) -> None:
    whole = saved(tfplan=os.urandom(2000), tfstate=os.urandom(2000))

    with pytest.raises(PlanError, match="cut off or damaged"):
        PlanFiles().members(Opened(whole.data[:keep], whole.place))


def test_a_saved_plan_that_was_altered_says_so() -> None:
    whole = saved(tfplan=os.urandom(2000))

    for at in range(0, len(whole.data), 7):
        data = bytearray(whole.data)
        data[at] ^= 0xFF
        try:
            PlanFiles().members(Opened(memoryview(bytes(data)), whole.place))
        except PlanError as error:
            assert "cut off or damaged" in error.what  # noqa: PT017 - not each byte matters


def test_an_engines_json_is_decoded_with_masks(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(RICH)

    plan = PlanFiles().read(path, masks=[Mask(address="folder_bucket.assets")])

    (found,) = (each for each in plan.joined if each.entry.address == "folder_bucket.assets")
    assert isinstance(found.entry.before, dict)
    assert all(isinstance(value, Sensitive) for value in found.entry.before.values())


def test_an_engine_that_printed_nothing_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "plan.json").touch()

    with pytest.raises(PlanError, match="The engine printed nothing"):
        PlanFiles().read(tmp_path / "plan.json")


def test_a_plan_that_is_refused_when_it_was_half_read_is_still_only_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(RICH.replace(b'"format_version": "1.2"', b'"format_version": "2.0"'))

    with pytest.raises(PlanError, match=r"format version 2\.0"):
        PlanFiles().read(path)


def _saved_plan(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


STATE = b'{"version": 4, "serial": 7, "lineage": "3b1c", "resources": []}'


def test_a_saved_plan_says_on_which_state_it_was_made(tmp_path: Path) -> None:
    read = PlanFiles().state_of

    assert read(_saved_plan(tmp_path / "a", tfplan=b"x", tfstate=STATE)) == ("3b1c", 7)
    nothing = STATE.replace(b"3b1c", b"")
    assert read(_saved_plan(tmp_path / "b", tfplan=b"x", tfstate=nothing)) is None
    assert read(_saved_plan(tmp_path / "c", tfplan=b"x")) is None


def test_on_which_state_an_encrypted_plan_was_made_only_its_engine_knows(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    plan.write_text('{"meta": {}, "encrypted_data": "c2VjcmV0", "encryption_version": "v0"}')

    assert PlanFiles().state_of(plan) is None


def test_a_damaged_plan_is_not_taken_for_one_that_was_made_on_no_state(tmp_path: Path) -> None:
    plan = _saved_plan(tmp_path / "plan", tfplan=b"x" * 500, tfstate=STATE * 20)
    whole = plan.read_bytes()
    at = whole.index(b"tfstate") + 40
    altered = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]

    for damaged in (altered, whole[:-30], whole[:60]):
        plan.write_bytes(damaged)
        with pytest.raises(PlanError, match=r"The saved plan .* cannot be read"):
            PlanFiles().state_of(plan)
    plan.unlink()
    with pytest.raises(PlanError, match="cannot be read"):
        PlanFiles().state_of(plan)


def test_a_plan_that_is_to_be_applied_is_read_with_its_settings_and_sealed_secrets(
    tmp_path: Path,
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_bytes(RICH)

    whole = PlanFiles().read_whole(plan, masks=(), secrets=Secrets(b"key"))

    assert whole.settings
    assert PlanFiles().read(plan).settings is None


def redact(plan: Path, to: Path) -> None:
    PlanFiles().redact(plan, to, masks=(), secrets=Secrets(b"key"))


def test_the_plan_for_policies_holds_no_secret_and_is_for_nobody_else(tmp_path: Path) -> None:
    plan, to = tmp_path / "plan.json", tmp_path / "redacted.json"
    plan.write_bytes(plans.of("sensitive"))
    # Open to all, and of a plan before this one.
    to.write_text("old")
    to.chmod(0o666)
    before = os.umask(0)
    try:
        redact(plan, to)
    finally:
        os.umask(before)

    assert b"CANARY" in plan.read_bytes()
    assert b"CANARY" not in to.read_bytes()
    assert json.loads(to.read_bytes()).keys() == json.loads(plan.read_bytes()).keys()
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == [
        "plan.json",
        "redacted.json",
    ]


def test_what_a_killed_one_left_is_replaced_and_no_link_is_followed(tmp_path: Path) -> None:
    plan, to, elsewhere = tmp_path / "plan.json", tmp_path / "redacted.json", tmp_path / "other"
    plan.write_bytes(plans.of("sensitive"))
    elsewhere.write_text("mine")
    (tmp_path / ".redacted.json.part").symlink_to(elsewhere)
    to.symlink_to(elsewhere)

    redact(plan, to)

    assert elsewhere.read_text() == "mine"
    assert not to.is_symlink()
    assert not (tmp_path / ".redacted.json.part").is_symlink()


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]"], ids=["empty", "cut off", "a list"])
def test_of_what_is_no_plan_there_is_none_for_policies_not_even_the_last(
    tmp_path: Path, damaged: bytes
) -> None:
    plan, to = tmp_path / "plan.json", tmp_path / "redacted.json"
    plan.write_bytes(damaged)
    to.write_text("of another plan")

    with pytest.raises(PlanError):
        redact(plan, to)

    assert [each for each in tmp_path.iterdir() if each.is_file()] == [plan]


def test_nothing_is_left_of_a_plan_for_policies_that_there_is_no_room_for(tmp_path: Path) -> None:
    plan, to = tmp_path / "plan.json", tmp_path / "redacted.json"
    plan.write_bytes(RICH)
    to.write_text("of another plan")
    # As a full disk; see above.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(Unavailable, match="The plan for policies could not be kept") as raised:
            redact(plan, to)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert "data_dir" in raised.value.todo
    assert [each for each in tmp_path.iterdir() if each.is_file()] == [plan]
