"""What this machine has to offer: processors and free memory, control groups included."""

from __future__ import annotations

import os
from pathlib import Path


def processors() -> int:
    """How many processors this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def available_memory(
    *, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Bytes that programs may still take, None where nobody says. In a container the smaller of
    the machine's and the control group's; version 2 of control groups only."""
    found = [value for value in (_of_machine(proc), _of_group(proc, cgroup)) if value is not None]
    return min(found, default=None)


def _of_machine(proc: Path) -> int | None:
    text = _read(proc / "meminfo") or ""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _of_group(proc: Path, cgroup: Path) -> int | None:
    _, _, path = (_read(proc / "self/cgroup") or "").strip().rpartition("::")
    group = cgroup / path.lstrip("/")
    limit, used = _read(group / "memory.max"), _read(group / "memory.current")
    if limit is None or used is None or not limit.strip().isdigit():
        return None
    return max(0, int(limit) - int(used))


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
