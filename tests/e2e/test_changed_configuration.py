"""A controller whose driftctl.yaml is changed while it runs: the real thing, with a repository
whose environment names an engine that is not there, so that nothing has to be planned for it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driftctl_py import compose
from driftctl_py.cli.controller import _Lines
from tests.adapters.test_git import Repository, environ, here

__all__ = ["environ", "here"]

CONFIG = """\
version: 1
data_dir: ../data
engine: {use: ./no-engine}
environments: [environments/*]
"""


class Running:
    """A controller on its own thread, and its log."""

    def __init__(self, config: Path) -> None:
        self.stop, self._stream = compose.new_stop(), io.StringIO()
        lines = _Lines(self._stream, verbose=False)
        self._codes: list[int] = []

        def control() -> None:
            options = compose.Options(config=config, jobs=1)
            code = compose.control(
                options, once=False, watcher=lines, progress=lines.progress, stop=self.stop
            )
            self._codes.append(code)

        self._thread = threading.Thread(target=control)
        self._thread.start()

    @property
    def said(self) -> str:
        return self._stream.getvalue()

    def comes(self, condition: Callable[[], object]) -> bool:
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        return bool(condition())

    def ends(self) -> list[int]:
        self.stop.ask()
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self._codes


@pytest.fixture
def controller(here: Repository) -> Iterator[Running]:
    here.write("driftctl.yaml", CONFIG)
    here.commit()
    running = Running(here.path / "driftctl.yaml")
    yield running
    running.ends()


def test_a_changed_configuration_takes_the_place_of_the_old_one(
    controller: Running, here: Repository
) -> None:
    began = controller.comes(lambda: "prod: failed" in controller.said)
    here.write("more/dev/main.tf", "# first\n")
    here.write("driftctl.yaml", CONFIG.replace("/*]", "/*, more/*]"))
    here.commit_all()
    anew = controller.comes(lambda: "dev: failed" in controller.said)

    assert began, controller.said
    assert anew, controller.said
    assert controller.said.count("The configuration was changed; it is read anew.") == 1
    assert controller.ends() == [0]


def test_a_configuration_that_cannot_be_read_is_waited_for(
    controller: Running, here: Repository
) -> None:
    began = controller.comes(lambda: "prod: failed" in controller.said)
    here.write("driftctl.yaml", CONFIG + "rules: [")
    told = controller.comes(lambda: "driftctl.yaml:6: This is not YAML" in controller.said)

    assert began, controller.said
    assert told, controller.said
    assert controller.ends() == [0]
