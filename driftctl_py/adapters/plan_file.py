"""A plan's JSON on the disk, mapped into memory and decoded."""

from __future__ import annotations

import mmap
from pathlib import Path

from driftctl_py.core.plan import Plan
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.errors import PlanError


def read_plan(path: Path) -> Plan:
    """Decode what `show -json` wrote to ``path``. Raises `PlanError`.

    Mapped rather than read: a plan of 500 MB then costs 40 MB of our own memory.
    """
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
