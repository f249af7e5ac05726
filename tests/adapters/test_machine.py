"""Free memory, of the machine and of a container."""

from __future__ import annotations

from pathlib import Path

from driftctl_py.adapters.machine import available_memory, processors


def _machine(root: Path, *, meminfo: str, group: str = "0::/job\n") -> tuple[Path, Path]:
    proc, cgroup = root / "proc", root / "cgroup"
    (proc / "self").mkdir(parents=True)
    (cgroup / "job").mkdir(parents=True)
    (proc / "meminfo").write_text(meminfo)
    (proc / "self/cgroup").write_text(group)
    return proc, cgroup


def test_the_machines_own_figure(tmp_path: Path) -> None:
    proc, cgroup = _machine(tmp_path, meminfo="MemTotal: 9 kB\nMemAvailable:    4096 kB\n")

    assert available_memory(proc=proc, cgroup=cgroup) == 4096 * 1024


def test_a_containers_limit_counts_when_it_is_smaller(tmp_path: Path) -> None:
    proc, cgroup = _machine(tmp_path, meminfo="MemAvailable: 4096 kB\n")
    (cgroup / "job/memory.max").write_text("1048576\n")
    (cgroup / "job/memory.current").write_text("48576\n")

    assert available_memory(proc=proc, cgroup=cgroup) == 1_000_000


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    proc, cgroup = _machine(tmp_path, meminfo="MemTotal: 9 kB\n")
    (cgroup / "job/memory.max").write_text("max\n")
    (cgroup / "job/memory.current").write_text("48576\n")

    assert available_memory(proc=proc, cgroup=cgroup) is None


def test_where_nobody_says_nothing_is_known(tmp_path: Path) -> None:
    assert available_memory(proc=tmp_path, cgroup=tmp_path) is None


def test_there_is_a_processor() -> None:
    assert processors() >= 1
