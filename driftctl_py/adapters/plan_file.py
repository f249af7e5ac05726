"""A saved plan and its JSON on the disk. Imports what reads them only when one is read: a check
that finds everything in sync reads none."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.errors import PlanError

if TYPE_CHECKING:
    from driftctl_py.core.plan import Plan


class PlanFiles:
    """Reads what engines write."""

    def read(self, path: Path) -> Plan:
        """Decode what `show -json` wrote to ``path``. Raises `PlanError`.

        Mapped rather than read: a plan of 500 MB then costs 40 MB of our own memory.
        """
        from driftctl_py.core.plan_json import decode_plan

        with path.open("rb") as file:
            try:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise PlanError(
                    "The engine printed nothing where the plan's JSON should be.",
                    todo="Run the engine's own `show -json` on a saved plan and look what it says.",
                ) from None
            with mapped, memoryview(mapped) as view:
                return decode_plan(view)

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
