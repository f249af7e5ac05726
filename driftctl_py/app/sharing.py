"""Which environments have one state between them: the commonest accident is a copied directory.

Each would plan to destroy what the other has. So all environments of a configuration are looked
at before anything is applied to one of them. What cannot be prepared shares nothing: nothing is
applied there either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from driftctl_py.app.preparation import Prepared, Preparer
from driftctl_py.core.checkout import Revision
from driftctl_py.core.environment import Environment
from driftctl_py.errors import DriftctlError


class Sharing:
    """Of the environments as they are now. They are looked at once, when that is first asked."""

    def __init__(
        self,
        preparer: Preparer,
        environments: Sequence[Environment],
        *,
        revision_of: Callable[[Environment], Revision],
    ) -> None:
        self._preparer = preparer
        self._environments = environments
        self._revision_of = revision_of
        self._known: dict[str, str] | None = None
        self._guard = Lock()

    def others(self, prepared: Prepared) -> tuple[str, ...]:
        """The names of the other environments that have the state of this one."""
        mine, name = prepared.state_id, prepared.environment.name
        if not mine:
            return ()
        with self._guard:
            if self._known is None:
                self._known = {each.name: self._state_of(each) for each in self._environments}
            known = self._known
        return tuple(
            sorted(other for other, state in known.items() if state == mine and other != name)
        )

    def _state_of(self, environment: Environment) -> str:
        try:
            revision = self._revision_of(environment)
            return self._preparer.prepare(environment, revision).state_id
        except DriftctlError:
            return ""
