"""The fingerprint: a digest of what a plan means, to which an approval is given.

Two plans with one fingerprint have the same consequences; when any consequence changes, so does
the fingerprint. What is no consequence is not in it: the moment, the order in which the engine
lists things, other spellings, drift that apply leaves as it is.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from driftctl_py.core.canonical import canonical, canonical_list
from driftctl_py.core.consequences import Consequence, Fact, Subject, consequences
from driftctl_py.core.plan import Plan

# Changes whenever the same plan would get another fingerprint, so that an approval given before
# fits no more instead of fitting by chance.
_VERSION = "f2"

_FACTS = {fact: canonical(fact.value) for fact in Fact}


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
        return f"{_VERSION}-{'' if self.keyed else 'unkeyed-'}{self.digest}"


def fingerprint(plan: Plan, *, keyed: bool) -> Fingerprint:
    """Of a plan that was decoded with its settings. ``keyed`` says whether there was a key to seal
    its secrets with; without one each is only *a secret*."""
    seals = plan.seals if keyed else ()
    digest = sha256(f"{_VERSION} {'keyed' if keyed else 'unkeyed'}\n".encode())
    spelled = (_spelled(subject, facts, seals) for subject, facts in consequences(plan).items())
    for each in sorted(spelled):
        digest.update(each)
    return Fingerprint(b32encode(digest.digest()).decode().rstrip("=").lower(), keyed)


def _spelled(subject: Subject, facts: Consequence, seals: Sequence[str]) -> bytes:
    """In one order: ``canonical`` is unambiguous, so all of them in a row are too."""
    # By their spelling, since a step is a name or a number, which cannot be compared.
    said = sorted(
        (_FACTS[at.fact], canonical(list(at.path)), canonical(value, seals))
        for at, value in facts.items()
    )
    about = [subject.about.value, subject.name, subject.key, subject.nth]
    return canonical_list([*map(canonical, about), canonical_list(list(map(canonical_list, said)))])
