"""Checks: programs of any kind that look at a plan and answer with an exit code, and JSON.

How they are run is `contained`'s business, what their answer means `core/check_answer.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from driftctl_py.adapters.contained import PLACE, run_contained
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.check_answer import verdicts_of
from driftctl_py.core.policy import CheckProgram, Verdict
from driftctl_py.errors import PolicyError

# In a word of a check's command.
_PLAN = "{plan}"
_HERE = "{here}"
_NAME = "plan.json"


class CheckRunner:
    """Runs checks whose programs, where they are paths, are relative to ``here``."""

    def __init__(self, *, here: Path, environ: Mapping[str, str], stop: Stop) -> None:
        self._here = here.absolute()
        self._environ = environ
        self._stop = stop

    def verdicts(self, check: CheckProgram, *, plan: Path) -> tuple[Verdict, ...]:
        """What the check finds in the plan. Raises `PolicyError` where it did not answer."""
        given = self._given(check)
        env = {"PATH": self._environ["PATH"]} if "PATH" in self._environ else {}
        answer = run_contained(
            self._argv(check),
            env=env | given,
            stop=self._stop,
            timeout_seconds=check.timeout_seconds,
            inputs={_NAME: plan},
        )
        return verdicts_of(
            check, answer.exit_code, answer.stdout, answer.stderr, secrets=tuple(given.values())
        )

    def _argv(self, check: CheckProgram) -> tuple[str, ...]:
        program, *words = check.argv
        # The program runs elsewhere, where a path that is relative to the configuration is none.
        if "/" in program:
            program = str(self._here / program)
        here = str(self._here)
        return (
            program,
            *(word.replace(_HERE, here).replace(_PLAN, f"{PLACE}/{_NAME}") for word in words),
        )

    def _given(self, check: CheckProgram) -> dict[str, str]:
        missing = [name for name in check.env if name not in self._environ]
        if missing:
            raise PolicyError(
                f"It is to be given {', '.join(missing)}, which is not set here.",
                todo=f"Set it where driftctl-py runs (export {missing[0]}=…), or take it out of "
                "env.",
            )
        return {name: self._environ[name] for name in check.env}
