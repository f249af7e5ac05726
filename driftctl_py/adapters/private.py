"""Directories and files that nobody but us may read: how they are made, and refused.

What a store or an artifact holds (saved plans, above all) is worth as much as the credentials that
it was made with. So what others can read is never written to, and never quietly mended: whoever
could read it may have read it.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from driftctl_py.errors import DriftctlError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private_directory(path: Path, refusal: type[DriftctlError]) -> None:
    """Make it with its parents, if need be; raises ``refusal`` when it is not ours alone."""
    # Asked first: where nothing may be made, some systems say so even of what is there.
    if not path.exists():
        with suppress(FileExistsError):
            path.mkdir(parents=True, mode=0o700)
    refuse_shared(path, refusal, "directory")


def refuse_shared(path: Path, refusal: type[DriftctlError], kind: str) -> None:
    """Raise ``refusal`` unless ``path`` is what ``kind`` says, ours, and closed to all others."""
    found = path.stat() if kind == "directory" else path.lstat()
    is_one = stat.S_ISDIR if kind == "directory" else stat.S_ISREG
    if not is_one(found.st_mode):
        raise refusal(
            f"{path} is not a {kind}, so nothing can be kept there.",
            todo=f"Move it away (mv {path} {path}.old), or configure another data_dir.",
        )
    if found.st_uid != os.geteuid():
        raise refusal(
            f"The {kind} {path} belongs to user {found.st_uid} and we are user {os.geteuid()}: "
            "somebody else could change what is remembered there.",
            todo="Run as its owner, or configure a data_dir of your own.",
        )
    if found.st_mode & _OTHERS:
        mode = "700" if kind == "directory" else "600"
        raise refusal(
            f"The {kind} {path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}), "
            "and what is kept there may hold secrets.",
            todo=f"chmod {mode} {path}",
        )


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends well, on the disk for good; and
    leaves no trace when it does not."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut, as ``fsync`` does for content."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
