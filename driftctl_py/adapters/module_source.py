"""The source files of modules, read where they lie."""

from __future__ import annotations

import os
from pathlib import Path

from driftctl_py.core.affected import Sources
from driftctl_py.core.module_facts import ENGINE_SUFFIXES
from driftctl_py.errors import SourceError


class ModuleSource:
    """Reads modules of one checkout."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real = Path(os.path.realpath(root))

    def of(self, directory: str) -> Sources:
        """What a directory, named from the root (empty: that itself), holds of source files.
        Raises `SourceError` for what is there and cannot be read."""
        texts: dict[str, str] = {}
        links: dict[str, str | None] = {}
        here = self._root / directory
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        links[entry.name] = self._target(entry.path)
                    if entry.name.endswith(ENGINE_SUFFIXES) and entry.is_file():
                        # What is no text breaks no scanner, and the engine says so itself.
                        texts[entry.name] = Path(entry.path).read_text("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            # Called, but not there: the engine will say so, and any change may bring it.
            return Sources({})
        except OSError as error:
            raise SourceError(
                f"{here} cannot be read: {error.strerror}.", todo="Check its permissions."
            ) from error
        return Sources(texts, links)

    def _target(self, path: str) -> str | None:
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(self._real):
            return None
        return target.relative_to(self._real).as_posix()
