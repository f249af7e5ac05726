"""What a user wants hidden beside what the engine marks: by address and attribute, or by pattern.

    redact:
      - {address: "aws_db_instance.*", attribute: "tags.*"}
      - {pattern: "AKIA[0-9A-Z]{16}"}

A mask only ever hides more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides what lies at ``attribute`` of every object whose address fits, or, with a
    ``pattern``, every text in which it is found, wherever it is.

    In both globs ``*`` stands for any run of characters and ``?`` for one; an output's address
    is ``output.NAME``, an attribute is spelled as in a report (``tags.team``, ``rule[0].port``),
    and what fits hides everything below it.
    """

    address: str = "*"
    attribute: str = "*"
    pattern: re.Pattern[str] | None = None


Masks = Sequence[Mask]
