"""What a pass is asked to do."""

from __future__ import annotations

from dataclasses import dataclass

from driftctl_py.core.checkout import Revision
from driftctl_py.core.environment import Environment
from driftctl_py.core.run import Purpose


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: an environment at a revision, what for, and on whose word."""

    environment: Environment
    revision: Revision
    trigger: str
    actor: str
    purpose: Purpose = Purpose.RECONCILE
    base: str = ""
    reason: str = ""
    """Why somebody wants it, in their words."""
    reviewed: bool = False
    """Whether only what was reviewed may be applied; the environment may want that, too."""
