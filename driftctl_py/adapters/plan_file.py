"""Plans on the disk and on standard input: mapped, never read into memory as a whole.

What has no name of its own (a pipe, what an engine prints) goes to a file that has none either: a
plan holds every secret in the clear, and such a file is gone when we are, however we end. Imports
what reads plans only when one is read: a check that finds everything in sync reads none.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.core.saved_plan import (
    LOCK_MEMBER,
    PLAN_MEMBER,
    START,
    Form,
    Opened,
    could_begin_a_plan,
    form_of,
)
from driftctl_py.errors import Interrupted, PlanError, Unavailable, UsageError

if TYPE_CHECKING:
    from driftctl_py.core.masks import Masks
    from driftctl_py.core.plan import Plan
    from driftctl_py.core.values import Secrets

_CHUNK = 1024 * 1024
# In a saved plan: the state as it was refreshed, with the lineage and serial of what was there.
_STATE_MEMBER = "tfstate"
_POLL_SECONDS = 0.2


class PlanFiles:
    """Reads what engines write. ``stopped`` is asked while a pipe is waited for."""

    def __init__(self, *, stopped: Callable[[], bool] = lambda: False) -> None:
        self._stopped = stopped

    def read(self, path: Path, *, masks: Masks = ()) -> Plan:
        """Decode what `show -json` wrote to ``path``. Raises `PlanError`.

        Mapped rather than read: a plan of 500 MB then costs 40 MB of our own memory.
        """
        from driftctl_py.core.plan_json import decode_plan

        with _shown(path) as data:
            return decode_plan(data, masks=masks)

    def read_whole(self, path: Path, *, masks: Masks, secrets: Secrets) -> Plan:
        """The same with its settings, and its secrets sealed by ``secrets``: what a fingerprint
        needs. Two plans that were read with the same ones can be compared."""
        from driftctl_py.core.plan_json import decode_plan

        with _shown(path) as data:
            return decode_plan(data, masks=masks, secrets=secrets, settings=True)

    def redact(self, path: Path, to: Path, *, masks: Masks, secrets: Secrets) -> None:
        """Write what is at ``path`` to ``to``, without what is sensitive or masked, for nobody
        else to read. Whatever goes wrong, nothing is at ``to`` afterwards. Raises `PlanError`,
        `Unavailable` where there is no room."""
        from driftctl_py.core.redacted_plan import redacted_document

        # What it was before is not what policies are to see.
        to.unlink(missing_ok=True)
        with _shown(path) as data:
            document = redacted_document(data, masks=masks, secrets=secrets)
        part = to.with_name(f".{to.name}.part")
        try:
            part.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with FileIO(part, "w", opener=lambda name, _: os.open(name, flags, 0o600)) as file:
                rest = memoryview(document)
                while rest:
                    rest = rest[file.write(rest) :]
            part.replace(to)
        except OSError as error:
            raise Unavailable(
                f"The plan for policies could not be kept in {to.parent}: {error.strerror}.",
                todo="Make room there, or configure another data_dir.",
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def state_of(self, path: Path) -> tuple[str, int] | None:
        """Lineage and serial of the state that the saved plan at ``path`` was made on: what its
        engine holds it against when it is applied. None where there was no state, or where only
        the engine can read it (an encrypted plan)."""
        import zipfile
        import zlib

        from driftctl_py.core.state import lineage_and_serial

        try:
            with path.open("rb") as file:
                if form_of(file.read(START)) is not Form.SAVED:
                    return None
            with zipfile.ZipFile(path) as archive:
                return lineage_and_serial(archive.read(_STATE_MEMBER))
        except KeyError:
            return None
        # Of what is damaged, nobody may think that it was made where there was no state.
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise PlanError(
                f"The saved plan {path} cannot be read: {str(error).rstrip('.')}.",
                todo="Plan again.",
            ) from error

    def digest(self, path: Path) -> str | None:
        """What `digest_of_plan` makes of the saved plan at ``path``; None for what is no plan
        file, or one that only its engine can read."""
        import zipfile

        from driftctl_py.core.assessment_memory import digest_of_plan

        try:
            with zipfile.ZipFile(path) as archive:
                return digest_of_plan({name: archive.read(name) for name in archive.namelist()})
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            return None

    @contextmanager
    def opened(self, source: Path | int) -> Iterator[Opened]:
        """A file, or all that comes from a descriptor. Raises `UsageError` for what cannot be
        opened, `Unavailable` where there is no room to keep it."""
        with _open(source) as file:
            mode = os.fstat(file.fileno()).st_mode
            # A descriptor may have been read from already; only the rest is meant then.
            if stat.S_ISREG(mode) and os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0:
                whole = _Scratch(file)
                with whole.mapped() as data:
                    if isinstance(source, Path):
                        yield Opened(data, source.absolute())
                    else:
                        yield Opened(data, whole.place, (whole.descriptor,))
                return
            with self.scratch() as spool:
                self._fill(spool.descriptor, file)
                with spool.mapped() as data:
                    yield Opened(data, spool.place, (spool.descriptor,))

    def members(self, opened: Opened) -> Mapping[str, bytes]:
        """Of a saved plan, what says where it comes from. Raises `PlanError`."""
        import io
        import zipfile
        import zlib

        damaged = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)
        try:
            with zipfile.ZipFile(io.BytesIO(opened.data)) as archive:
                names = {PLAN_MEMBER, LOCK_MEMBER}.intersection(archive.namelist())
                return {name: archive.read(name) for name in names}
        # The last two: a compression or an encryption that no engine uses.
        except (*damaged, NotImplementedError, RuntimeError) as error:
            raise PlanError(
                "This begins as a saved plan does, but the archive is cut off or damaged.",
                todo="Copy it again, whole and in binary mode, or plan again.",
            ) from error

    @contextmanager
    def scratch(self) -> Iterator[_Scratch]:
        """A new private file without a name."""
        # Here, as below: half of what it costs to start is for what a named file has no need of.
        import tempfile

        with _room():
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed below
        with file:
            yield _Scratch(file)

    def _fill(self, spool: int, source: FileIO) -> None:
        import select

        start, going = b"", True
        while going:
            while not select.select([source], [], [], _POLL_SECONDS)[0]:
                if self._stopped():
                    raise Interrupted("Stopped while the plan was waited for; nothing was changed.")
            chunk = source.read(_CHUNK)
            with _room():
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(spool, rest) :]
            start += chunk[: START - len(start)]
            # An endless stream of something else would fill the disk.
            going = bool(chunk) and could_begin_a_plan(start)


@contextmanager
def _shown(path: Path) -> Iterator[memoryview]:
    """What `show -json` wrote."""
    with FileIO(path) as file, _Scratch(file).mapped() as data:
        if not data:
            raise PlanError(
                "The engine printed nothing where the plan's JSON should be.",
                todo="Run the engine's own `show -json` on a saved plan and look what it says.",
            )
        yield data


class _Scratch:
    """An open file, and a look at all that it holds."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.descriptor = file.fileno()

    @property
    def place(self) -> Path:
        """What it is called for a program that inherits the descriptor."""
        return Path(f"/dev/fd/{self.descriptor}")

    @contextmanager
    def mapped(self) -> Iterator[memoryview]:
        """Emptiness cannot be mapped, so it is given as it is."""
        if os.fstat(self.descriptor).st_size == 0:
            yield memoryview(b"")
            return
        mapped = mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)
        try:
            yield view
        finally:
            # An error on its way out still refers to what it could not read; the map then ends
            # when the error does.
            with suppress(BufferError):
                view.release()
                mapped.close()


def _open(source: Path | int) -> FileIO:
    try:
        if isinstance(source, int):
            # A number of its own: a program that inherits it has another standard input.
            return FileIO(os.dup(source))
        # Not to be held by a named pipe until somebody writes into it: `_fill` waits for that, and
        # can be stopped.
        file = FileIO(source, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
        os.set_blocking(file.fileno(), True)
        return file
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no file {source}.",
            todo="Name a plan's JSON or a saved plan. To look at an environment: driftctl-py check",
        ) from error
    except IsADirectoryError as error:
        raise UsageError(
            f"{source} is a directory, and a plan is a file.",
            todo=f"Name the file in it: driftctl-py render {source}/PLANFILE",
        ) from error
    except OSError as error:
        name = "Standard input" if isinstance(source, int) else str(source)
        raise UsageError(
            f"{name} cannot be read: {error.strerror}.",
            todo="Correct its permissions, or pipe it in: cat PLANFILE | driftctl-py render",
        ) from error


@contextmanager
def _room() -> Iterator[None]:
    """A full disk, as our own error."""
    try:
        yield
    except OSError as error:
        import tempfile

        raise Unavailable(
            f"The plan could not be kept in {tempfile.gettempdir()}: {error.strerror}.",
            todo="Make room there, or name another directory for temporary files: TMPDIR=DIR",
        ) from error
