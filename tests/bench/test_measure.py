"""The benchmarks measure what they say, and can be started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench import aws, fleet, start
from tests.bench.measure import TWIN, Command, Result, Sample, compare, once, verdict

_BURN = "sum(number * number for number in range(2_000_000))"


def _command(name: str, code: str, tmp_path: Path, *, exit_code: int = 0) -> Command:
    return Command(name, [sys.executable, "-c", code], tmp_path, {}, frozenset({exit_code}))


def test_a_ratio_compares_what_ran_in_the_same_round() -> None:
    # The machine was four times as slow in the second round: that says nothing of either.
    result = Result(
        {
            "bare": [Sample(1.0, 2.0, 0), Sample(4.0, 8.0, 0), Sample(1.0, 2.0, 0)],
            "ours": [Sample(1.2, 3.0, 0), Sample(4.8, 12.0, 0), Sample(1.2, 3.0, 0)],
        }
    )

    assert result.ratio("ours") == pytest.approx(1.2)
    assert result.ratio("ours", "wall") == pytest.approx(1.5)
    assert result.ratio("bare", to="ours") == pytest.approx(1 / 1.2)


def test_the_time_of_a_programs_children_is_counted(tmp_path: Path) -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BURN!r}], check=True)"
    idle = once(_command("idle", "pass", tmp_path))
    parent = once(_command("parent", child, tmp_path))

    assert parent.cpu > 2 * idle.cpu


def test_a_failure_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exit code 3, so there is nothing to measure"):
        once(_command("broken", "raise SystemExit(3)", tmp_path))


def test_the_baseline_runs_twice_a_round(tmp_path: Path) -> None:
    commands = [
        _command("bare", "pass", tmp_path),
        _command("ours", "raise SystemExit(2)", tmp_path, exit_code=2),
    ]
    result = compare(commands, rounds=2, warm=0)

    assert {name: len(samples) for name, samples in result.samples.items()} == {
        "bare": 2,
        TWIN: 2,
        "ours": 2,
    }


def test_a_target_is_kept_or_missed() -> None:
    assert verdict("CPU", 1.05, 1.1) == "kept   CPU: 1.05 (at most 1.1)"
    assert verdict("CPU", 1.13, 1.1).startswith("MISSED")


@pytest.mark.parametrize("program", [aws, fleet, start])
def test_a_benchmark_says_how_it_is_run(
    program: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["bench", "--help"])
        with pytest.raises(SystemExit, match="0"):
            program.main()  # type: ignore[attr-defined]  # a module

    assert "--rounds" in capsys.readouterr().out
