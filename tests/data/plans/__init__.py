"""Real plans by real engines, made by ``remake.py`` from the code beside them."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def scenarios() -> list[str]:
    """The names of all of them."""
    return sorted(path.name for path in HERE.iterdir() if (path / "main.tf").exists())


def files() -> list[Path]:
    """Every plan of every engine."""
    return sorted(HERE.glob("*/*.json"))


def ids(path: Path) -> str:
    """How pytest calls one."""
    return f"{path.parent.name}-{path.stem}"


def of(scenario: str, engine: str = "terraform-1.15.5") -> bytes:
    """The bytes of one; of the only engine that could, where it is the only one."""
    planned = sorted((HERE / scenario).glob("*.json"))
    if len(planned) == 1:
        return planned[0].read_bytes()
    return (HERE / scenario / f"{engine}.json").read_bytes()
