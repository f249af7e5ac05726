"""Reading one plan, whatever form it comes in, in the order in which it happens.

A plan's JSON is decoded where it lies. A saved plan can only be read by the engine that made it:
it is asked, and what it prints goes to a file without a name, since every secret in the plan is in
it. Nothing here plans, initialises or touches a state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.core.saved_plan import ENCRYPTED_ORIGIN, Form, Opened, Origin, origin_of, reader_of
from driftctl_py.errors import EngineError, PlanError

# What only an engine needs is imported when one is asked: it is half of a small plan's time.
if TYPE_CHECKING:
    from driftctl_py.app.ports import PlanFiles, Shower
    from driftctl_py.core.engine_choice import Candidate
    from driftctl_py.core.masks import Masks
    from driftctl_py.core.plan import Plan
    from driftctl_py.core.values import Secrets

# A plan of thousands of resources takes its engine a minute; nobody waits for an hour.
SHOW_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Engines:
    """Who can be asked. ``directory`` is where an engine finds its providers, ``environ`` what it
    sees; ``secrets`` are values in it that must not be quoted, whoever says them."""

    shower: Shower
    candidates: Sequence[Candidate]
    directory: Path
    environ: Mapping[str, str]
    secrets: frozenset[str] = frozenset()


class PlanReader:
    """Reads plans from files and pipes. ``engines`` is only called when one is needed: finding them
    means to start them."""

    def __init__(
        self, files: PlanFiles, *, engines: Callable[[], Engines], masks: Masks = ()
    ) -> None:
        self._files = files
        self._engines = engines
        self._masks = masks
        self.asks_engine = False
        """Whether an engine had to be asked."""

    def read(self, source: Path | int, *, name: str, secrets: Secrets) -> Plan:
        """The plan in that file, or in what comes from that descriptor. Raises our errors, which
        call it ``name``."""
        try:
            with self._files.opened(source) as opened:
                return self._read(opened, name, secrets)
        except PlanError as error:
            raise PlanError(f"{name}: {error.what}", todo=error.todo) from error

    def _read(self, opened: Opened, name: str, secrets: Secrets) -> Plan:
        if opened.form is Form.JSON:
            return self._decoded(opened.data, secrets)
        origin = self._origin(opened)
        self.asks_engine = True
        engines = self._engines()
        engine = reader_of(origin, engines.candidates, name=name)
        with self._files.scratch() as scratch:
            _show(engines, engine, opened, scratch.descriptor, name)
            with scratch.mapped() as data:
                return self._decoded(data, secrets)

    def _origin(self, opened: Opened) -> Origin:
        if opened.form is Form.REMOTE:
            raise PlanError(
                "This only says where HCP Terraform keeps the plan.",
                todo="Make its JSON where it was planned, logged in: "
                "terraform show -json PLANFILE | driftctl-py render",
            )
        if opened.form is Form.ENCRYPTED:
            return ENCRYPTED_ORIGIN
        return origin_of(self._files.members(opened))

    def _decoded(self, data: memoryview, secrets: Secrets) -> Plan:
        from driftctl_py.core.plan_json import decode_plan

        return decode_plan(data, masks=self._masks, secrets=secrets, settings=True)


def _show(engines: Engines, engine: Candidate, opened: Opened, descriptor: int, name: str) -> None:
    from driftctl_py.core.engine_run import EngineRun
    from driftctl_py.core.known_secrets import hide, hide_in

    run = EngineRun(engine, engines.directory, engines.environ, SHOW_SECONDS)
    try:
        engines.shower.show_into(
            run, plan=opened.place, descriptor=descriptor, inherit=opened.inherit
        )
    except EngineError as error:
        raise EngineError(
            f"{name} could not be read by {engine.title} ({engine.path}), run in "
            f"{engines.directory}. {hide(error.what, engines.secrets)}",
            todo=error.todo or _remedy(opened),
            diagnostics=hide_in(error.diagnostics, engines.secrets),
        ) from error


def _remedy(opened: Opened) -> str:
    """An engine needs its providers to read a plan, and its key to read an encrypted one."""
    if opened.form is Form.ENCRYPTED:
        return (
            "Set TF_ENCRYPTION as it was when the plan was made, or name the directory whose "
            "configuration holds it: --chdir DIR"
        )
    return (
        "An engine reads a plan with the providers that made it. Name the directory where it was "
        "planned, with its .terraform in place: --chdir DIR"
    )
