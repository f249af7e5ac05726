"""Where a result goes: standard output, or a file, whole or not at all."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from driftctl_py.errors import Unavailable


def write_output(text: str, arguments: argparse.Namespace) -> None:
    """Write to ``--output``, else to standard output. Raises `Unavailable`."""
    text = text if text.endswith("\n") else f"{text}\n"
    if arguments.output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    path = Path(arguments.output)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable(
            f"The report could not be written to {path}: {error.strerror}.",
            todo="Check the directory and its permissions; the check itself was made.",
        ) from error
