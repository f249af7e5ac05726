"""The loop for a while, in the playground, with people who drift things, push commits and kill us.

What holds in the end is what counts: drift is healed, commits are held, no process is left behind,
no state lock either, and the trail verifies.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.playing import ENVIRONMENTS, Playground, playing
from tests.e2e.support import wait_until

pytestmark = pytest.mark.engine
pytest.importorskip("tf")
pytest.importorskip("moto")


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    """One whose controller looks often, and never finds that it was too much."""
    with playing(tmp_path) as ground:
        config, often = ground.config, "interval: 3s\n  limits: {failures: 0, heals_per_day: 0}"
        config.write_text(config.read_text().replace("interval: 10s", often))
        ground.commit("Look more often")
        yield ground


def soak(playground: Playground, seconds: float, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with ThreadPoolExecutor() as pool:
        put_back = list(pool.map(lambda each: playground.runs("apply", each), ENVIRONMENTS[1:]))
    assert [each.returncode for each in put_back] == [0, 0], put_back
    playground.start()
    in_sync = dict.fromkeys(ENVIRONMENTS, "in sync")
    assert wait_until(lambda: playground.states() == in_sync, 60), playground.said
    began = time.monotonic()
    to_kill = [seconds * (each + 1) / (kills + 1) for each in range(kills)]
    drifted = 0
    while time.monotonic() - began < seconds:
        environment = chance.choice(ENVIRONMENTS)
        # Not in prod: what goes while it is being updated is out of the state, so it is no drift
        # any more, and there a person is asked about something else at the end.
        if environment != "prod" and chance.random() < 0.3:
            playground.file(environment).unlink(missing_ok=True)
        elif playground.file(environment).exists():
            playground.drift(environment, cpus=chance.randrange(10, 99))
        drifted += 1
        time.sleep(chance.uniform(1.0, 3.0))
        if to_kill and time.monotonic() - began > to_kill[0]:
            to_kill.pop(0)
            playground.kill()
            playground.start()
    playground.push("prod", "minix-3", "minix-4")

    def settled() -> bool:
        states = playground.states()
        for each in ("dev", "staging"):
            if states[each] == "held":
                playground.say_yes_to_the_rest(each)
        healed = all(playground.cpus(each) in (1, 2, 4) for each in ENVIRONMENTS)
        return healed and states == {**in_sync, "prod": "held"}

    assert wait_until(settled, 90), playground.told()
    assert drifted > 3
    assert any(run["state"] == "applied" for run in playground.history()), playground.told()
    assert json.loads(playground.file("prod").read_text())["image"] == "minix-3"
    approved = playground.runs("approve", "prod", "--reason", "It is tested.")
    assert approved.returncode == 0, approved.stdout + approved.stderr

    def applied() -> bool:
        try:
            text = playground.file("prod").read_text()
        except FileNotFoundError:
            # Another image is another server: the old one goes before the new one comes.
            return False
        return "minix-4" in text and playground.states()["prod"] == "in sync"

    assert wait_until(applied, 60), playground.told()
    last = playground.controllers[-1]
    last.send_signal(signal.SIGTERM)
    assert last.wait(60) == 0, playground.said
    verified = playground.runs("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert left_of(playground) == []
    assert not list((playground.directory / "state").rglob("*.tflock"))
    # Read by whoever runs it by hand, with -s.
    counted = Counter(run["state"] for run in playground.history())
    took = time.monotonic() - began
    print(f"{drifted} drifts and {kills} kills in {took:.0f} s; runs: {dict(counted)}")
    print(verified.stdout)


def left_of(playground: Playground) -> list[str]:
    """Command lines of engines and providers that still live, the state server left out."""
    mark = os.fsencode(playground.directory)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if mark in line and b"state_server" not in line and b"serving" not in line:
            found.append(line.decode(errors="replace"))
    return found


def test_drift_is_healed_commits_are_held_and_kills_are_survived(playground: Playground) -> None:
    soak(playground, seconds=12, kills=2, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_five_minutes_of_it(playground: Playground) -> None:
    soak(playground, seconds=300, kills=5, seed=2)
