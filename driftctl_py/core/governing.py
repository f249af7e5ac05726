"""What rules a plan beside its own meaning: the engine, the inputs and the content it was made of.

Two plans with one fingerprint may still do different things when they are applied: another engine
or provider, other local modules, another backend. So an approval is given under a digest of all
that, part by part, so that one can say which of them changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Governing:
    """Each part is a digest, sealed with the store's key (variables are often secrets), or a plain
    fact. ``trees`` are Git's ids of the environment's directory, its local modules and its
    var-files, by path; ``modules`` what the calls of remote modules were resolved to."""

    engine: str
    variables: str
    lock_file: str
    backend: str
    settings: str
    """The part of driftctl.yaml that rules this environment."""
    trees: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """256 bits, in hexadecimal digits. Independent of the order of mappings."""
        raise NotImplementedError

    def differences(self, other: Governing) -> tuple[str, ...]:
        """What is not the same, in words: ``the engine (terraform 1.11.4, now tofu 1.10.0)``,
        ``modules/web``, ``a variable``."""
        raise NotImplementedError


def seal(key: bytes, *parts: bytes) -> str:
    """HMAC-SHA256 of the parts, in hexadecimal digits; unambiguous where one ends."""
    raise NotImplementedError
