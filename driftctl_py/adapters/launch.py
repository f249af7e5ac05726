"""The last step before a program that is to outlive us: writes down who it is, then becomes it.

Run as a file of its own, by a Python that loads nothing else (``-I -S``), which takes 20 ms. Who
starts a program learns its number only afterwards, and may be killed in between; what writes down
its own number and then turns into the program leaves no such gap. Not a shell script: a shell
passes no variable on whose name has a hyphen in it, and ``TF_VAR_`` and ``TF_TOKEN_`` have them.

Not for import: ``outliving`` starts it, and reads the record.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, NoReturn


def main() -> NoReturn:
    """``launch.py RECORD FACTS PROGRAM ARGUMENT...``; FACTS is JSON."""
    record, facts, *argv = sys.argv[1:]
    known: dict[str, Any] = json.loads(facts)
    # The interpreter ignores these, which the program would inherit, and sets a locale of its own.
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    os.unsetenv("LC_CTYPE")
    if known["locale"] is not None:
        os.putenv("LC_CTYPE", known["locale"])
    who = {
        "pid": os.getpid(),
        "started": _started(),
        "boot": _first_line("/proc/sys/kernel/random/boot_id"),
        "program": argv[0],
        "note": known["note"],
    }
    try:
        _write(record, json.dumps(who).encode())
    except OSError as error:
        _fail(f"{record} cannot be written: {error.strerror}")
    try:
        os.execv(argv[0], argv)  # noqa: S606 - this is the one step that there is
    except OSError as error:
        # Without a record, nothing was ever started.
        os.unlink(record)  # noqa: PTH108 - pathlib takes half of our 20 ms
        _fail(f"{argv[0]} cannot be started: {error.strerror}")


def _write(path: str, data: bytes) -> None:
    """Whole or not at all, and there after a power cut."""
    half = f"{path}.part"
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(half, path)  # noqa: PTH104 - pathlib takes long to import
    directory = os.open(os.path.dirname(path), os.O_RDONLY)  # noqa: PTH120 - the same
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _started() -> str | None:
    """When this process began, in the kernel's own count. Becoming another program changes
    neither that nor the number."""
    stat = _first_line("/proc/self/stat")
    return None if stat is None else stat.rpartition(")")[2].split()[19]


def _first_line(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - the same
            return file.readline().strip()
    except OSError:
        return None


def _fail(why: str) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    sys.stderr.flush()
    os._exit(127)


if __name__ == "__main__":
    main()
