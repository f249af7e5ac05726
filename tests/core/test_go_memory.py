"""The engine's garbage collector: more room, less work, never at the user's expense."""

from __future__ import annotations

import pytest

from driftctl_py.core.go_memory import MIB, tune


@pytest.mark.parametrize(
    ("available", "jobs", "environ"),
    [
        (24 * 1024 * MIB, 2, {"GOGC": "800", "GOMEMLIMIT": "3276MiB"}),
        (4 * 1024 * MIB, 2, {"GOGC": "800", "GOMEMLIMIT": "546MiB"}),
        (2 * 1024 * MIB, 2, {"GOGC": "800", "GOMEMLIMIT": "273MiB"}),
        (1024 * MIB, 2, {"GOGC": "400", "GOMEMLIMIT": "136MiB"}),
        (512 * MIB, 2, {}),
        (4 * 1024 * MIB, 0, {"GOGC": "800", "GOMEMLIMIT": "1092MiB"}),
        (None, 2, {}),
    ],
)
def test_the_heap_may_grow_with_the_memory_at_hand(
    available: int | None, jobs: int, environ: dict[str, str]
) -> None:
    tuned = tune(available_bytes=available, jobs=jobs, inherited={"PATH": "/bin"})

    assert tuned.environ == environ
    assert tuned.why.startswith("engine memory: ")


def test_the_users_own_settings_win_whole() -> None:
    tuned = tune(available_bytes=24 * 1024 * MIB, jobs=1, inherited={"GOGC": "50"})

    assert tuned.environ == {"GOGC": "50"}
    assert "GOGC=50, as the environment says" in tuned.why
