"""Result files on the disk: each written whole, by a name that no other job takes; read as what
somebody else may have put there.

What lies below a directory of artifacts was written by other jobs. Nothing of it is believed: no
link is followed, nothing but a regular file is opened, and no more is read than a result may have,
each and all together. A file's name decides about nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from driftctl_py.adapters.private import written_whole
from driftctl_py.errors import Unavailable, UsageError

SUFFIX = ".result.json"
# What a report reads at most. A thousand environments have a thousand files, of some kilobytes.
_MOST_FILES = 20_000
_MOST_BYTES_IN_ALL = 1024**3
_MOST_ENTRIES = 200_000


@dataclass(frozen=True, slots=True)
class Found:
    """One file, by its name below the directory. ``data`` is what it holds, or why that is not
    known, as a clause."""

    name: str
    data: bytes | str


class ResultFiles:
    """Files of at most ``most_bytes`` each."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes

    def make(self, directory: Path) -> None:
        """Make the directory, if need be: before any work is done that would be lost. Git does not
        see one that we made: what lies in it would make a work tree dirty, and that is not
        applied."""
        try:
            new = not directory.exists()
            directory.mkdir(parents=True, exist_ok=True)
            if new:
                (directory / ".gitignore").write_text("*\n")
            probe = directory / f".{secrets.token_hex(6)}.part"
            probe.touch(0o600, exist_ok=False)
            probe.unlink()
        except OSError as error:
            raise Unavailable(
                f"Results cannot be written to {directory}: {error.strerror}, so what is found "
                "would be known to nobody else.",
                todo="Name a directory that can be written to: --results DIR",
            ) from error

    def write(self, directory: Path, environment: str, data: bytes) -> Path:
        """Keep a result; where. Only we can read it, since a plan says what can be attacked."""
        path = directory / file_name(environment, secrets.token_hex(6))
        try:
            with written_whole(path) as file:
                file.write(data)
        except OSError as error:
            raise Unavailable(
                f"The result of {environment} could not be written to {directory}: "
                f"{error.strerror}.",
                todo="Make room there, or name another directory: --results DIR",
            ) from error
        return path

    def read(self, directories: Sequence[Path], *, missing_ok: bool) -> Iterator[Found]:
        """All result files below the directories. Raises `UsageError` for a directory that is not
        there, unless that is fine: no job may have had anything to write."""
        files = left = 0
        for directory in directories:
            if not directory.is_dir():
                if missing_ok and not os.path.lexists(directory):
                    continue
                raise UsageError(
                    f"{directory} is not a directory, so there are no results in it.",
                    todo="Name the directory into which `--results DIR` wrote, or into which the "
                    "artifacts were downloaded.",
                )
            for found in self._below(directory):
                files += 1
                left += len(found.data)
                if files > _MOST_FILES or left > _MOST_BYTES_IN_ALL:
                    yield Found(str(directory), "it holds more than any report is made of")
                    return
                yield found

    def _below(self, directory: Path) -> Iterator[Found]:
        waiting, seen = [directory], 0
        while waiting:
            here = waiting.pop()
            try:
                with os.scandir(here) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError as error:
                yield Found(_relative(here, directory), f"it cannot be read: {error.strerror}")
                continue
            seen += len(entries)
            if seen > _MOST_ENTRIES:
                yield Found(_relative(here, directory), "there is more than any report is made of")
                return
            for entry in entries:
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_symlink() and (entry.is_dir() or entry.name.endswith(SUFFIX)):
                    yield Found(_relative(path, directory), "it is a link, and none is followed")
                elif entry.name.endswith(SUFFIX):
                    yield Found(_relative(path, directory), self._content(path))

    def _content(self, path: Path) -> bytes | str:
        try:
            # Not to wait for a pipe that nobody writes to, and no link that took its place.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return "it is not a regular file"
                # One byte more than is taken is enough to see that it is too much.
                return file.read(self._most_bytes + 1)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"


def file_name(environment: str, token: str) -> str:
    """A name that any system and the upload of artifacts takes, whatever the environment's is: the
    upload leaves out what begins with a dot, and refuses ``: * ? " < > |``."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", environment)[:60]
    digest = hashlib.sha256(environment.encode(errors="backslashreplace")).hexdigest()
    return f"driftctl-{plain}-{digest[:8]}-{token}{SUFFIX}"


def _relative(path: Path, directory: Path) -> str:
    name = path.relative_to(directory)
    return str(directory) if name == Path() else str(name)
