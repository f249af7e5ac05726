"""Real plans by engines of years ago, made by ``remake.py`` from the code of ``tests/data/plans``.

They spell things differently: Terraform 0.15 knows no drift, 1.0 tells it in its first form, and
both say of an output only whether it is unknown.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def files() -> list[Path]:
    """Every plan of every engine."""
    return sorted(HERE.glob("*/*.json"))


def ids(path: Path) -> str:
    """How pytest calls one."""
    return f"{path.parent.name}-{path.stem}"


def of(scenario: str, engine: str) -> bytes:
    """The bytes of one."""
    return (HERE / scenario / f"{engine}.json").read_bytes()
