"""Holding an environment back, and letting it go: suspend, pin, unblock; and approvers' keys."""

from __future__ import annotations

from datetime import datetime

from driftctl_py.app.ports import Clock, Store
from driftctl_py.core.audit import Event
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.errors import UsageError

_LIFTED = {Why.SUSPENDED: "resumed", Why.PINNED: "released", Why.BLOCKED: "unblocked"}
_HELD = {Why.SUSPENDED: "suspended", Why.PINNED: "pinned", Why.BLOCKED: "blocked"}


class Holding:
    """Writes restraints, each with who, why and until when."""

    def __init__(self, store: Store, *, clock: Clock, actor: str) -> None:
        self._store = store
        self._clock = clock
        self._actor = actor

    def suspend(self, environment: str, *, reason: str, until: datetime | None) -> Restraint:
        """Nothing is applied until then, or until `resume`."""
        now = self._clock()
        if until is not None and until <= now:
            raise UsageError(
                f"{until:%Y-%m-%d %H:%M} UTC is over, so nothing would be suspended.",
                todo="Give a moment to come, or a length of time: --until 3d",
            )
        return self._restrain(Why.SUSPENDED, environment, reason, until=until)

    def pin(self, environment: str, commit: str, *, reason: str) -> Restraint:
        """It is planned at that commit until `release`."""
        return self._restrain(Why.PINNED, environment, reason, commit=commit)

    def lift(self, environment: str, why: Why, *, reason: str) -> None:
        """Take a restraint away. Raises `UsageError` when there is none."""
        event = Event(_LIFTED[why], self._clock(), self._actor, environment, "", {"reason": reason})
        if not self._store.lift(environment, why, event):
            raise UsageError(
                f"{environment} is not {why.value}, so there is nothing to take away.",
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
        event = Event(_HELD[why], now, self._actor, environment, "", evidence)
        self._store.restrain(restraint, event)
        return restraint

    def _key_event(self, what: str, name: str) -> Event:
        return Event(what, self._clock(), self._actor, evidence={"name": name})
