"""JSON values as this package holds them, and the mark that stands for what is not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

# Plans hold integers past 2**53, so numbers are int or Decimal, never float.
Json: TypeAlias = (
    "None | bool | int | Decimal | float | str | Sequence[Json] | Mapping[str, Json]"
)
