"""``--results DIR``: what a command found, left where other jobs find it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.cli.options import options_of
from driftctl_py.core.result import Occasion

if TYPE_CHECKING:
    from driftctl_py.compose.reporting import Keeper


def keeping(
    arguments: argparse.Namespace, occasion: Occasion, names: Sequence[str]
) -> AbstractContextManager[Keeper]:
    """Takes what is found about the ``names``, or about all."""
    from driftctl_py.compose import reporting

    place = getattr(arguments, "results", None)
    directory = None if place is None else Path(place)
    return reporting.keeping(options_of(arguments), directory, occasion, names)
