"""The benchmark of the store measures what it says, on a small one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from driftctl_py.adapters.store import open_store
from driftctl_py.core.audit import verify
from driftctl_py.core.run import State
from tests.bench import store as bench


def test_a_recorded_run_is_written_from_its_lock_to_its_end(tmp_path: Path) -> None:
    run = bench.run_of(10, environments=3, changes=2)
    with open_store(None, tmp_path / "data", now=bench.now) as store:
        bench.record(store, run)

        assert store.run(run.id) == run
        assert run.state is State.APPLIED
        assert store.leases() == ()
        assert verify(store.entries(), []) == (4, ())


def test_a_store_is_filled_with_what_is_asked_for(tmp_path: Path) -> None:
    with open_store(None, tmp_path / "data", now=bench.now) as store:
        bench.fill(store, runs=10, environments=3, changes=1)

        assert len(store.runs(limit=100)) == 10
        assert len(store.latest()) == 3


def test_the_table_has_every_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--environments", "2", "--runs", "8", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["store", *arguments])
    bench.main()

    printed = capsys.readouterr().out
    assert "SQLite, 2 environments, 8 runs of 5 changes" in printed
    for name in ("recording a run", "the last run of each", "verifying", "asks for the status"):
        assert name in printed
