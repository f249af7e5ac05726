"""Hiding values that we know to be secrets in what others say.

An engine masks what its configuration marks as sensitive; a token that we ourselves handed it in
an environment variable is no such thing, and may turn up in a provider's error text.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from driftctl_py.errors import Diagnostic

_MASK = "(hidden)"


def hide(text: str, secrets: Collection[str]) -> str:
    """``text`` without any of ``secrets``; longer ones first, since one may hold another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return text


def hide_in(
    diagnostics: tuple[Diagnostic, ...], secrets: Collection[str]
) -> tuple[Diagnostic, ...]:
    """`hide` for every text of every diagnostic."""
    return tuple(
        replace(
            item,
            summary=hide(item.summary, secrets),
            detail=hide(item.detail, secrets),
            address=hide(item.address, secrets),
        )
        for item in diagnostics
    )
