"""Whatever an engine plans, we read out of its JSON what it tells people itself.

Estates made up at random are applied, changed and planned by every engine at hand. Ten by
default; ``DRIFTCTL_DIFFERENTIAL_EXAMPLES=100`` plans that many with each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, event, given, reject, settings

from tests.differential.comparing import assert_read_as_shown
from tests.differential.estates import Estate, estates
from tests.engines import Engine, engines, label

EXAMPLES = int(os.environ.get("DRIFTCTL_DIFFERENTIAL_EXAMPLES", "10"))
OTHER_STATE = {
    "version": 4,
    "terraform_version": "1.6.0",
    "serial": 1,
    "lineage": "b0a7c0de-0000-4000-8000-000000000000",
    "outputs": {"n": {"value": 1, "type": "number"}},
    "resources": [],
}


@pytest.fixture(scope="module")
def reattach() -> Iterator[str]:
    """One provider for all engines and examples: starting one costs more than planning."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "driftctl_py.demo.provider", "--dev"],
        stdout=subprocess.PIPE,
        text=True,
    ) as provider:
        assert provider.stdout is not None
        said = next(line for line in provider.stdout if "TF_REATTACH_PROVIDERS=" in line)
        yield said.strip().partition("=")[2].strip("'")
        provider.kill()


@pytest.mark.engine
@pytest.mark.timeout(60 + 60 * EXAMPLES)
@pytest.mark.parametrize("engine", engines(), ids=label)
def test_the_json_says_what_people_are_told(engine: Engine, reattach: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        # Shrinking plans again and again, and an estate of ten objects is small enough to read.
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )
    @given(estates())
    def compare(estate: Estate) -> None:
        with tempfile.TemporaryDirectory() as directory:
            document, text = planned(estate, engine, Path(directory), reattach)
        event(f"{text.count('  # ')} headers")
        try:
            assert_read_as_shown(document, text)
        except AssertionError as error:
            error.add_note(f"{estate}\n\n{text}\n\n{document.decode()}")
            raise

    compare()


def planned(estate: Estate, engine: Engine, work: Path, reattach: str) -> tuple[bytes, str]:
    """The JSON and the text of one plan."""
    can_forget = tuple(map(int, engine.version.split(".")[:2])) >= (1, 7)

    def run(*arguments: str, may_fail: bool = False) -> bytes:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        environ |= {"TF_REATTACH_PROVIDERS": reattach, "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0"}
        done = subprocess.run(
            [engine.path, *arguments],
            cwd=work,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        assert may_fail or done.returncode == 0, (
            f"{arguments}: {done.stdout.decode()}\n{estate}\n" + (work / "main.tf").read_text()
        )
        return done.stdout

    (work / "cloud").mkdir()
    (work / "other.tfstate").write_text(json.dumps(OTHER_STATE))
    estate.write_then(work)
    run("get")
    run("apply", "-auto-approve", "-no-color")
    if estate.is_half_replaced:
        estate.write_half_way(work)
        run("apply", "-auto-approve", "-no-color", may_fail=True)
    estate.write_now(work, can_forget=can_forget)
    for address in estate.taints():
        run("taint", address)
    estate.let_it_happen(work)
    said = run("plan", "-no-color", "-out=plan", *estate.arguments, may_fail=True).decode()
    if not (work / "plan").exists():
        # What an engine refuses to plan: half a move, or objects that wait for each other.
        assert any(why in said for why in ("excluded by targeting", "Error: Cycle")), (
            f"{estate}\n{said}"
        )
        reject()
    return run("show", "-json", "plan"), run("show", "-no-color", "plan").decode()
