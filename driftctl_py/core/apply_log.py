"""What an engine says while it applies: read line by line, from the file that it writes to.

The only witness of an apply that outlived us. What it does not say is not made up: an object that
was begun and never reported is ``unfinished``.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftctl_py.core.run import Applied
from driftctl_py.errors import Diagnostic


class ApplyLog:
    """Reads the ``-json`` event stream of an apply."""

    def read_line(self, line: bytes) -> None:
        """Take in one line; what is no event is passed over."""
        raise NotImplementedError

    @property
    def applied(self) -> Applied:
        """What was done so far."""
        raise NotImplementedError

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        raise NotImplementedError

    @property
    def began(self) -> bool:
        """Whether anything was begun at all."""
        raise NotImplementedError

    @property
    def stale(self) -> bool:
        """Whether the engine refused the saved plan because the state is another by now. From its
        diagnostics, since nothing else says so; only trusted where nothing was begun."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ApplyEnd:
    """How an apply ended. ``exit_code`` is None where nobody was there to see it. ``errored_state``
    is the path of a state that the engine could not save, None where there is none."""

    exit_code: int | None
    applied: Applied
    errors: tuple[Diagnostic, ...] = ()
    stale: bool = False
    interrupted: bool = False
    errored_state: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.applied.finished and self.exit_code in (0, None) and not self.errors
