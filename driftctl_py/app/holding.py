"""Holding an environment back, and letting it go: suspend, pin, unblock; freezing all of them; and
approvers' keys."""

from __future__ import annotations

from datetime import datetime

from driftctl_py.app.ports import Clock, Store
from driftctl_py.core.audit import Event
from driftctl_py.core.restraint import EVERYWHERE, Restraint, Why
from driftctl_py.errors import UsageError

_LIFTED = {
    Why.SUSPENDED: "resumed",
    Why.PINNED: "released",
    Why.BLOCKED: "unblocked",
    Why.FROZEN: "thawed",
}


class Holding:
    """Writes restraints, each with who, why and until when."""

    def __init__(self, store: Store, *, clock: Clock, actor: str) -> None:
        self._store = store
        self._clock = clock
        self._actor = actor

    def suspend(self, environment: str, *, reason: str, until: datetime | None) -> Restraint:
        """Nothing is applied until then, or until `resume`."""
        self._must_come(until, "suspended")
        return self._restrain(Why.SUSPENDED, environment, reason, until=until)

    def freeze(self, *, reason: str, until: datetime | None) -> Restraint:
        """Nothing is applied anywhere until then, or until `thaw`; in the place of a freeze that
        there may be."""
        self._must_come(until, "frozen")
        return self._restrain(Why.FROZEN, EVERYWHERE, reason, until=until)

    def thaw(self, *, reason: str) -> None:
        """Apply again. Raises `UsageError` when nothing is frozen."""
        self.lift(EVERYWHERE, Why.FROZEN, reason=reason)

    def pin(self, environment: str, commit: str, *, reason: str) -> Restraint:
        """It is planned at that commit until `release`."""
        return self._restrain(Why.PINNED, environment, reason, commit=commit)

    def lift(self, environment: str, why: Why, *, reason: str) -> None:
        """Take a restraint away. Raises `UsageError` when there is none."""
        event = Event(_LIFTED[why], self._clock(), self._actor, environment, "", {"reason": reason})
        if not self._store.lift(environment, why, event):
            name = "Nothing" if environment == EVERYWHERE else environment
            not_so = "is" if environment == EVERYWHERE else "is not"
            raise UsageError(
                f"{name} {not_so} {why.value}, so there is nothing to take away.",
                todo="driftctl-py status says what holds it back.",
            )

    def add_key(self, name: str, digest: str) -> None:
        """Let whoever has the secret of that digest approve as ``key:NAME``."""
        known = self._store.keys()
        if name in known:
            raise UsageError(
                f"There is a key {name} already.",
                todo=f"Take it away first: driftctl-py key remove {name}",
            )
        self._store.add_key(name, digest, self._key_event("key added", name))

    def remove_key(self, name: str) -> None:
        """What was approved with it, and is not applied yet, needs another yes."""
        if not self._store.remove_key(name, self._key_event("key removed", name)):
            known = ", ".join(sorted(self._store.keys())) or "none"
            raise UsageError(f"There is no key {name}.", todo=f"Known: {known}.")

    def _must_come(self, until: datetime | None, what: str) -> None:
        if until is not None and until <= self._clock():
            raise UsageError(
                f"{until:%Y-%m-%d %H:%M} UTC is over, so nothing would be {what}.",
                todo="Give a moment to come, or a length of time: --until 3d",
            )

    def _restrain(
        self,
        why: Why,
        environment: str,
        reason: str,
        *,
        until: datetime | None = None,
        commit: str = "",
    ) -> Restraint:
        now = self._clock()
        restraint = Restraint(environment, why, reason, self._actor, now, until, commit)
        evidence = {"reason": reason, "commit": commit, "until": until.isoformat() if until else ""}
        event = Event(why.value, now, self._actor, environment, "", evidence)
        self._store.restrain(restraint, event)
        return restraint

    def _key_event(self, what: str, name: str) -> Event:
        return Event(what, self._clock(), self._actor, evidence={"name": name})
