"""How much memory an engine's garbage collector may take: more memory, less work.

Terraform, OpenTofu and their providers are Go programs that start with a small heap and spend a
fifth to a third of a plan's CPU collecting it. GOGC sets how far the heap may grow between
collections, in per cent; GOMEMLIMIT is a soft limit per process that makes it collect more often
near it, so it is the limit that keeps the memory in bounds and GOGC may be generous.

Measured (CPU of a plan against the default's, docs/performance.md): a small one 0.89 with
GOGC=400, 0.74 with 800; the AWS provider 0.84 and 0.80, and 0.80 with a limit of 273 MiB, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1024 * 1024

# An engine and a large provider at once, each with its own heap.
_PROCESSES_PER_JOB = 3
# What other programs on the machine keep, and what the heap's measure leaves out.
_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class GoMemory:
    """The variables to set, and one line for the log that says what was chosen and why."""

    environ: Mapping[str, str]
    why: str


def tune(*, available_bytes: int | None, jobs: int, inherited: Mapping[str, str]) -> GoMemory:
    """Settings for ``jobs`` plans at once with ``available_bytes`` to share among them.

    The user's own GOGC or GOMEMLIMIT wins, whole: half a tuning would be neither's intent.
    """
    own = {name: inherited[name] for name in ("GOGC", "GOMEMLIMIT") if name in inherited}
    if own:
        told = ", ".join(f"{name}={value}" for name, value in own.items())
        return GoMemory(own, f"engine memory: {told}, as the environment says")
    if available_bytes is None:
        return GoMemory({}, "engine memory: the engine's defaults, the free memory is unknown")
    per_job = int(available_bytes * _SHARE) // max(1, jobs)
    limit = per_job // _PROCESSES_PER_JOB
    if limit < 128 * MIB:
        # A limit near a program's live heap makes it collect more often than the default does:
        # at 160 MiB a plan of 9,000 resources costs 1.09 of it. Below, leave it alone.
        return GoMemory({}, f"engine memory: the engine's defaults, {per_job // MIB} MiB a plan")
    gogc = 400 if limit < 256 * MIB else 800
    return GoMemory(
        {"GOGC": str(gogc), "GOMEMLIMIT": f"{limit // MIB}MiB"},
        f"engine memory: GOGC={gogc}, GOMEMLIMIT={limit // MIB}MiB "
        f"({per_job // MIB} MiB free for each of {jobs} at once)",
    )
