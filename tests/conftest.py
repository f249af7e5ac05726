"""What holds for every test: unit tests of the pure parts stay pure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A machine that is busy is no failure: nothing here is timed, figures belong in the bench.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_PURE = {"core", "report"}
_FORBIDDEN = ("subprocess.Popen", "os.posix_spawn", "os.fork", "socket.connect", "socket.bind")
_guarded = False


def _audit(event: str, _arguments: Any) -> None:
    if _guarded and event in _FORBIDDEN:
        raise AssertionError(f"a unit test of a pure module did {event}")


# What takes longest is begun first, or one worker is still at it when all others are through.
_FIRST = ("test_aws.py", "test_github.py", "test_applying.py", "test_demo.py", "test_soak.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name, long = item.path.name, item.path.parent.name == "e2e" and item.path.name in _FIRST
        return _FIRST.index(name) if long else len(_FIRST)

    items.sort(key=place)


# An audit hook cannot be removed again, so there is one, and a switch.
sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _pure_stays_pure(request: pytest.FixtureRequest) -> Iterator[None]:
    global _guarded
    place = Path(request.path).relative_to(Path(__file__).parent)
    _guarded = place.parts[0] in _PURE
    yield
    _guarded = False
