"""Addresses of resources, taken apart: ``module.web["a.b"].data.aws_ami.it[0]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A step is a name, and perhaps a number or a quoted key in brackets; a key may hold anything.
_STEP = re.compile(r'([^.\["\]]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?(?:\.|$)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """``modules`` are the names of the calls on the way, ``keys`` left out, so that it is the
    address of the code; ``index`` is the key of the instance as written, with its brackets."""

    modules: tuple[str, ...]
    mode: str
    type: str
    name: str
    index: str = ""

    @property
    def in_code(self) -> str:
        """``aws_ami.it`` or ``data.aws_ami.it``, as the module itself calls it."""
        return f"{'data.' * (self.mode == 'data')}{self.type}.{self.name}"


def parse_address(text: str) -> Address | None:
    """None for what is no address of a resource that this version knows."""
    steps: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            return None
        steps.append((found[1], found[2] or ""))
        at = found.end()
    modules = []
    while len(steps) >= 2 and steps[0] == ("module", ""):
        modules.append(steps[1][0])
        steps = steps[2:]
    mode = "managed"
    if len(steps) == 3 and steps[0] in (("data", ""), ("ephemeral", "")):
        mode = steps[0][0]
        steps = steps[1:]
    if len(steps) != 2 or steps[0][1] or text.endswith("."):
        return None
    return Address(tuple(modules), mode, steps[0][0], steps[1][0], steps[1][1])
