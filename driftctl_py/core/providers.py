"""Which providers may be run: a plan runs them, with the credentials of whoever plans.

An address has three parts, HOST/NAMESPACE/TYPE; one of two parts means the public registries of
both engines. A glob is compared part by part, so that no ``*`` reaches over a slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftctl_py.core.masks import glob

_PUBLIC = ("registry.terraform.io", "registry.opentofu.org")


def unlisted(installed: Iterable[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Those that none of ``allowed`` means, sorted. What is built into the engine is not installed,
    and not meant."""
    globs = [each for text in allowed for each in _whole(text.split("/"))]
    return tuple(
        sorted(each for each in installed if not any(_fits(each.split("/"), it) for it in globs))
    )


def _whole(parts: list[str]) -> list[list[str]]:
    return [parts] if len(parts) > 2 else [[host, *parts] for host in _PUBLIC]


def _fits(address: list[str], globs: list[str]) -> bool:
    return len(address) == len(globs) and all(
        glob(each).fullmatch(part) for part, each in zip(address, globs, strict=True)
    )
