"""The fingerprint: a digest of what a plan means, to which an approval is given.

Two plans with one fingerprint have the same consequences; when any consequence changes, so does
the fingerprint. What is no consequence is not in it: the moment, the order in which the engine
lists things, other spellings, drift that apply leaves as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftctl_py.core.plan import Plan


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``digest`` is 256 bits in base 32, lower case. Without a key the secrets are left out of it,
    and it equals no keyed one."""

    digest: str
    keyed: bool

    @property
    def short(self) -> str:
        """``k7qm-2d4x``: to tell two apart at a glance, not to approve by."""
        return f"{self.digest[:4]}-{self.digest[4:8]}"

    def __str__(self) -> str:
        return ("f1-" if self.keyed else "f1-unkeyed-") + self.digest


def fingerprint(plan: Plan, *, keyed: bool) -> Fingerprint:
    """Of a plan that was decoded with its settings."""
    raise NotImplementedError(plan, keyed)
