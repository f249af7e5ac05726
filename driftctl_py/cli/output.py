"""Where a result goes: standard output, or a file, whole or not at all.

Whoever started us may have closed a stream, or gone away, or given us a disk that is full.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import stat
import sys
from pathlib import Path
from typing import TextIO

from driftctl_py.errors import Unavailable


def write_output(text: str, arguments: argparse.Namespace) -> None:
    """Write to ``--output``, else to standard output. Raises `Unavailable`, and `BrokenPipeError`
    where nobody reads any more."""
    text = text if text.endswith("\n") else f"{text}\n"
    if arguments.output is None:
        _say(text, sys.stdout)
        return
    path = Path(arguments.output)
    # `--output /dev/stdout >> log`: the log is to be added to, as the shell was told.
    if (stream := _open_stream(path)) is not None:
        _say(text, stream)
        return
    try:
        if _is_special(path):
            # A pipe or a device is written into: putting a file in its place would break it.
            with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        else:
            _replace(Path(os.path.realpath(path)), text)
    except OSError as error:
        todo = "Check the directory and its permissions."
        # A check may have taken an hour.
        with contextlib.suppress(OSError, Unavailable):
            _say(text, sys.stdout)
            todo = f"{todo[:-1]}; the report is on standard output."
        raise Unavailable(
            f"The report could not be written to {path}: {error.strerror}.", todo=todo
        ) from error


def terminal(arguments: argparse.Namespace) -> tuple[int, bool]:
    """How wide a text may be, and whether it is for a terminal."""
    stream = sys.stdout
    there = stream is not None and stream.isatty() and arguments.output is None
    columns = os.get_terminal_size(stream.fileno()).columns if there else 0
    return max(80, columns or 100), there


def tell(text: str) -> None:
    """A line beside the result, on standard error, where there is one. Warnings hold names of files
    and sources of modules, which may be called as what runs jobs obeys in a log."""
    from driftctl_py.report.show import clean, no_commands

    if sys.stderr is not None:
        said = no_commands("\n".join(map(clean, text.split("\n"))))
        sys.stderr.write(f"{said}\n")


def _say(text: str, stream: TextIO | None) -> None:
    if stream is None:
        raise Unavailable(
            "Standard output is closed, so the report could not be written.",
            todo="Leave it open, or name a file: --output FILE",
        )
    # With PYTHONIOENCODING=ascii or an old locale, a name or a sign may not be encodable.
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _forget(stream)
        raise
    except OSError as error:
        _forget(stream)
        raise Unavailable(
            f"The report could not be written to standard output: {error.strerror}.",
            todo="Make room where it goes, or name a file elsewhere: --output FILE",
        ) from error


def _forget(stream: TextIO) -> None:
    """What could not be written is still held, and would fail once more when Python ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _open_stream(path: Path) -> TextIO | None:
    """Standard output or standard error, where ``path`` is another name of what it writes to."""
    streams: tuple[TextIO | None, ...] = (sys.stdout, sys.stderr)
    for stream in filter(None, streams):
        # ValueError: a stream that is closed, or that is no file at all.
        with contextlib.suppress(OSError, ValueError):
            if os.path.samestat(path.stat(), os.fstat(stream.fileno())):
                return stream
    return None


def _is_special(path: Path) -> bool:
    """Whether something is there, and it is not a regular file."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8", errors="backslashreplace")
        part.replace(path)
    except OSError:
        # Not only missing: its directory may be a file, or closed to us.
        with contextlib.suppress(OSError):
            part.unlink()
        raise
