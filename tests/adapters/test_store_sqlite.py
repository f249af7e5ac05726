"""The store as a file: who may use it, and what is said when the disk does not play along."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from driftctl_py.adapters.store import open_store
from driftctl_py.adapters.store import sqlite as module
from driftctl_py.core.audit import verify
from driftctl_py.errors import StoreError, Unavailable
from tests.adapters.stores import LEASE, NOON, PLANNED, RUN, Place, clock

NOBODY = 65534


@pytest.fixture
def place(sqlite: Place) -> Place:
    return sqlite


@pytest.fixture
def file(place: Place) -> Path:
    return place.directory / "store.db"


def test_a_new_store_is_closed_to_others(place: Place, file: Path) -> None:
    with place.open() as store:
        store.save(RUN, PLANNED)

        assert stat.S_IMODE(place.directory.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert {"store.db", "store.db-wal", "store.db-shm"} <= modes.keys()
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o770])
def test_a_data_directory_that_others_can_enter_is_refused(place: Place, mode: int) -> None:
    place.directory.mkdir(mode=0o700)
    place.directory.chmod(mode)

    with pytest.raises(StoreError) as caught:
        place.open()

    assert f"is open to other users (mode {mode:04o})" in caught.value.what
    assert caught.value.todo == f"chmod 700 {place.directory}"
    assert list(place.directory.iterdir()) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_store_that_others_can_read_is_refused(place: Place, file: Path, mode: int) -> None:
    place.open().close()
    file.chmod(mode)

    with pytest.raises(StoreError) as caught:
        place.open()

    assert f"is open to other users (mode {mode:04o})" in caught.value.what
    assert caught.value.todo == f"chmod 600 {file}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["directory", "file"])
def test_what_belongs_to_somebody_else_is_refused(place: Place, file: Path, what: str) -> None:
    place.open().close()
    os.chown(place.directory if what == "directory" else file, NOBODY, NOBODY)

    with pytest.raises(StoreError, match=f"The {what} .* belongs to user {NOBODY} and we are"):
        place.open()


def test_a_link_in_the_place_of_the_store_is_refused(
    place: Place, file: Path, tmp_path: Path
) -> None:
    place.directory.mkdir(mode=0o700)
    file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match="is not a file"):
        place.open()

    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_the_place_of_the_data_directory_is_refused(place: Place) -> None:
    place.directory.write_text("")

    with pytest.raises(StoreError, match="is not a directory"):
        place.open()


def test_a_data_directory_that_cannot_be_made_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be used: Not a directory"):
        open_store(None, tmp_path / "file" / "data", now=clock)


@pytest.mark.parametrize("name", ["with space", "100%d", "who?#now", "späť"])
def test_a_data_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    with open_store(None, tmp_path / name, now=clock) as store:
        store.save(RUN)

        assert store.run("r1") == RUN
    assert (tmp_path / name / "store.db").exists()


def test_a_store_that_is_locked_is_waited_for_and_then_said_to_be(
    place: Place, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    store = place.open()
    store.save(RUN)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable, match="is locked: another process has been writing"):
            store.note(PLANNED)
        assert store.run("r1") == RUN
        other.execute("ROLLBACK")

    store.note(PLANNED)


def test_a_store_that_is_being_migrated_for_too_long_is_said_to_be(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIGRATION_SECONDS", 0.1)
    place.directory.mkdir(mode=0o700)
    holder = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(place.directory / "store.db.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Unavailable, match="has been brought up to date by another process"):
            place.open()
        process.communicate()

    assert place.open().key()


@contextmanager
def writing_forbidden(directory: Path) -> Iterator[None]:
    """Nothing there may be written; for root, who may write everything, as nobody."""
    root = os.geteuid() == 0
    paths = [*directory.iterdir(), directory]
    for path in paths:
        if root:
            os.chown(path, NOBODY, NOBODY)
        path.chmod(0o500 if path.is_dir() else 0o400)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path in paths:
            path.chmod(0o700 if path.is_dir() else 0o600)


def test_a_store_that_is_read_only_can_be_read_and_says_that_it_is() -> None:
    # Not in pytest's directory, into which nobody but us may look.
    with (
        tempfile.TemporaryDirectory() as name,
        open_store(None, Path(name), now=clock) as other,
    ):
        other.save(RUN)
        # What SQLite keeps beside it is there, since somebody else has it open.
        with writing_forbidden(Path(name)), open_store(None, Path(name), now=clock) as store:
            assert store.runs() == (RUN,)
            with pytest.raises(StoreError, match="is read-only for us, so nothing can be"):
                store.note(PLANNED)


def test_a_damaged_store_is_said_to_be(place: Place, file: Path) -> None:
    place.open().close()
    file.write_bytes(b"This is not a database, nor was it ever." * 100)

    with pytest.raises(StoreError, match="is damaged, or no store at all") as caught:
        place.open()

    assert caught.value.todo.endswith(f"mv {file} {file}.damaged")


def test_a_store_with_a_damaged_page_is_said_to_be(place: Place, file: Path) -> None:
    with place.open() as store:
        store.note(*[replace(PLANNED, run=f"r{number}") for number in range(2000)])
    whole = file.read_bytes()
    file.write_bytes(whole[:40960] + b"\xff" * 200_000 + whole[240960:])

    with pytest.raises(StoreError, match="is damaged, or no store at all"):
        verify(place.open().entries(), [])


def test_a_store_that_vanished_does_not_come_back_empty(place: Place, file: Path) -> None:
    store = place.open()
    store.close()
    file.unlink()

    with pytest.raises(StoreError, match="cannot be opened"):
        store.note(PLANNED)
    with pytest.raises(StoreError, match="cannot be opened"):
        store.runs()

    assert not file.exists()


def test_a_disk_that_is_full_is_said_to_be_and_half_a_record_is_none(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from dataclasses import replace
from driftctl_py.adapters.store import open_store
from driftctl_py.core.audit import verify
from driftctl_py.errors import StoreError
from tests.adapters.stores import PLANNED, RUN, clock
place = Path(sys.argv[1])
store = open_store(None, place / "data", now=clock)
saved = 0
try:
    while True:
        run = replace(RUN, id=f"r{saved}", reason="x" * 10_000)
        store.save(run, replace(PLANNED, run=run.id))
        saved += 1
except StoreError as error:
    print(error.what)
(place / "ballast").unlink()
assert len(store.runs(limit=10_000)) == saved > 0
store.note(PLANNED)
assert verify(store.entries(), [store.head()]) == (saved + 1, ()), "half a record"
"""
    mount = 'mount -t tmpfs -o size=2m,mode=700 none "$0" && head -c 600000 /dev/zero >"$0/ballast"'
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")

    argv = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', str(tmp_path), *argv],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"The disk that holds {tmp_path}/data/store.db is full, so nothing could be recorded.\n"
    )


def test_a_failed_migration_leaves_nothing_behind(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftctl_py.adapters.store import writing

    with monkeypatch.context() as patched:
        # The last thing that it does: whatever came before must be undone.
        patched.setattr(writing, "add_fact", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            place.open()
    with closing(sqlite3.connect(place.directory / "store.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []

    assert len(place.open().key()) == 32


def test_locks_are_aged_by_the_clock_that_was_given(place: Place) -> None:
    now = NOON
    with open_store(None, place.directory, now=lambda: now) as store:
        store.take(LEASE)
        (lease,) = store.leases()
        now = NOON + timedelta(seconds=60)
        assert store.take(replace(LEASE, run="r2")) == lease
        assert lease.taken_at == lease.beat_at == NOON

        now += timedelta(microseconds=1)

        assert store.take(replace(LEASE, run="r2")) is None


def test_readers_do_not_wait_for_the_one_who_writes(place: Place, file: Path) -> None:
    store = place.open()
    store.save(RUN)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM runs")

        assert store.runs() == (RUN,)


def test_what_was_recorded_survives_a_power_cut(place: Place) -> None:
    store = place.open()
    assert isinstance(store._database, module.SqliteDatabase)
    with store._database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_threads_share_a_store(place: Place) -> None:
    store = place.open()

    def record(worker: int) -> None:
        for number in range(20):
            store.save(replace(RUN, id=f"{worker}-{number}"), PLANNED)
            assert store.run(f"{worker}-{number}")

    threads = [threading.Thread(target=record, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verify(store.entries(), []) == (80, ())


def test_reading_loads_neither_sqlalchemy_nor_alembic(place: Place) -> None:
    place.open().save(RUN, PLANNED)
    script = (
        "import sys; from pathlib import Path; from driftctl_py.adapters.store import open_store;"
        "from tests.adapters.stores import clock;"
        "loaded = {'sqlalchemy', 'alembic'} & sys.modules.keys();"
        "[sys.modules.pop(name) for name in list(sys.modules) if name.split('.')[0] in loaded];"
        "store = open_store(None, Path(sys.argv[1]), now=clock);"
        "assert store.latest() and store.runs() and store.restraints() == store.leases() == ();"
        "assert list(store.entries()) and store.key();"
        "assert not {'sqlalchemy', 'alembic'} & sys.modules.keys()"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(place.directory)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
