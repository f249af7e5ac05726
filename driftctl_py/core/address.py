"""Addresses of resources, taken apart: ``module.web["a.b"].data.aws_ami.it[0]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# A step is a name, and perhaps a number, a quoted key or * in brackets; a key may hold anything.
_STEP = re.compile(r'([^.\["\]]+)(\[(?:\d+|\*|"(?:[^"\\]|\\.)*")\])?(?:\.|$)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """``module`` is the instance of the module that it is in, as written, empty for the root's;
    ``index`` is the key of the instance, with its brackets. ``modules`` are the names of the
    calls on the way, without keys, as the code has them."""

    modules: tuple[str, ...]
    mode: str
    type: str
    name: str
    index: str = ""
    module: str = ""

    @property
    def in_module(self) -> str:
        """``aws_ami.it`` or ``data.aws_ami.it``, as the module itself calls it."""
        return f"{'' if self.mode == 'managed' else f'{self.mode}.'}{self.type}.{self.name}"

    @property
    def in_code(self) -> str:
        """``module.web.data.aws_ami.it``: the one block of code that all instances come from."""
        return "".join(f"module.{name}." for name in self.modules) + self.in_module


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """None for what is no address of a resource that this version knows.

    Remembered for a while, since all that is asked of an object begins with it.
    """
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
        modules.append(steps[1])
        steps = steps[2:]
    mode = "managed"
    if len(steps) == 3 and steps[0] in (("data", ""), ("ephemeral", "")):
        mode = steps[0][0]
        steps = steps[1:]
    if len(steps) != 2 or steps[0][1] or text.endswith("."):
        return None
    return Address(
        modules=tuple(name for name, _ in modules),
        mode=mode,
        type=steps[0][0],
        name=steps[1][0],
        index=steps[1][1],
        module=".".join(f"module.{name}{key}" for name, key in modules),
    )
