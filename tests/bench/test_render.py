"""The benchmark of rendering measures what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench import plans, render
from tests.bench.measure import TWIN, Command, Result, Sample
from tests.bench.plans import Made
from tests.bench.render import Measured, growth, own_memory, report, verdicts

MADE = Made(resources=100, add=1, change=2, destroy=3, drifted=4, changed=5)


def _measured(megabytes: float, baseline: float, ours: float, own: float = 10) -> Measured:
    samples = {
        render.BASELINE: [Sample(baseline, baseline, 0)],
        TWIN: [Sample(baseline, baseline, 0)],
        render.RENDER: [Sample(ours, ours, 0)],
    }
    return Measured(megabytes, MADE, Result(samples), {render.RENDER: own})


def _python(code: str, *words: str) -> Command:
    return Command("python", [sys.executable, "-c", code, *words], Path("/"), {})


def test_own_memory_is_that_of_the_peak() -> None:
    bare = own_memory(_python("import time; time.sleep(0.1)"))
    code = "import time; held = b'x' * 50_000_000; time.sleep(0.1); del held; time.sleep(0.1)"

    assert own_memory(_python(code)) - bare == pytest.approx(50_000_000 / 1024**2, abs=3)


def test_a_mapped_file_is_nobodys_own_memory(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 50_000_000)
    code = """
import mmap, sys, time
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as all:
    all.find(b"y")
    time.sleep(0.1)
"""

    assert own_memory(_python(code, str(tmp_path / "large"))) < 25


def test_a_program_that_fails_has_no_memory_worth_telling() -> None:
    with pytest.raises(SystemExit, match="exit code 3"):
        own_memory(_python("raise SystemExit(3)"))


@pytest.mark.parametrize(
    ("megabytes", "small", "baseline", "ours", "kept"),
    [
        (1, False, 1.0, 2.9, True),
        (1, False, 1.0, 3.1, False),
        (100, False, 20.0, 0.9, True),
        (100, False, 20.0, 1.1, False),
        (500, True, 8.0, 0.9, True),
        (500, True, 8.0, 1.1, False),
    ],
)
def test_each_size_has_its_target(
    megabytes: float, small: bool, baseline: float, ours: float, kept: bool
) -> None:
    said = verdicts(_measured(megabytes, baseline, ours), small=small)

    assert said[0].startswith("kept" if kept else "MISSED")


def test_memory_has_a_target_too() -> None:
    said = verdicts(_measured(500, 100, 1, own=65), small=False)

    assert said[1].startswith("MISSED own memory")


def test_a_report_says_how_many_times_less() -> None:
    said = report(_measured(100, 20.0, 0.5))

    assert "100 resources, 5 changed (1 to add, 2 to change, 3 to destroy, 4 drifted)" in said
    assert "| driftctl-py render   | 0.025       | 40.0 " in said


def test_growth_is_what_a_megabyte_costs_beside_the_start() -> None:
    every = [_measured(100, 1, 0.15), _measured(500, 1, 0.55)]

    assert growth(every) == "from 100 to 500 MB: 1.00 ms of CPU a megabyte"
    assert growth(every[:1]) == ""


@pytest.mark.parametrize("program", [plans, render])
def test_it_says_how_it_is_run(
    program: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--help"])
    with pytest.raises(SystemExit, match="0"):
        program.main()  # type: ignore[attr-defined]  # a module

    assert "--small" in capsys.readouterr().out
