"""What a comment on a pull request asks driftctl-py to do: ``/driftctl approve f2-k7qm…``.

Anybody may write a comment, so what is not understood word for word is not done. Not here: whether
who wrote it may ask for that (the forge knows), and doing it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from driftctl_py.core.config_values import Refusal, environment_name


class Verb(Enum):
    """What can be asked for."""

    PLAN = "plan"
    """Plan again: of the named environments, or of all that the pull request concerns."""
    APPLY = "apply"
    APPROVE = "approve"
    """Say yes to what a fingerprint stands for."""
    UNLOCK = "unlock"
    """Let go of what holds an environment back after an apply of which nobody knows the end."""
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Command:
    """``environments``: empty for all. ``fingerprint`` is the whole one."""

    verb: Verb
    environments: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It asks for something, and not for what there is; ``why`` says so in a sentence."""

    why: str


COMMAND_WORD = "/driftctl"
HELP = """\
/driftctl plan [ENVIRONMENT…]: plan again
/driftctl approve FINGERPRINT [ENVIRONMENT…]: say yes to the plan with this fingerprint
/driftctl apply [ENVIRONMENT…]: apply what was reviewed, once it is merged
/driftctl unlock ENVIRONMENT: let it be applied again after an apply of which nobody knows the end
/driftctl help: this list"""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# Whole, as `fingerprint.Fingerprint` spells a keyed one: the short form is not to approve by.
_FINGERPRINT = re.compile(r"f[0-9]+-[a-z2-7]{52}")

_VERBS = {verb.value: verb for verb in Verb}

Read: TypeAlias = Command | Unclear | None


def read_command(body: str) -> Read:
    """What a comment asks for; None where it asks for nothing. Only a line of its own counts, at
    its very beginning, and not within a quotation or a block of code."""
    lines = [line for line in _lines_outside_code(body) if _is_command(line)]
    if not lines:
        return None
    if len(lines) > 1:
        return Unclear("A comment may hold one command; this one holds several, so none was done.")
    return _command(lines[0].split()[1:])


def _is_command(line: str) -> bool:
    return line == COMMAND_WORD or line.startswith((COMMAND_WORD + " ", COMMAND_WORD + "\t"))


def _lines_outside_code(body: str) -> list[str]:
    found, fence = [], ""
    for line in body.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            found.append(line)
    return found


def _command(words: list[str]) -> Command | Unclear:
    if not words:
        return Command(Verb.HELP)
    word, *rest = words
    asked = _VERBS.get(word)
    if asked is None:
        # Not quoted: whoever reads the answer need not read what anybody made up.
        return Unclear("There is no such command.")
    fingerprint = ""
    if asked is Verb.HELP:
        return Command(asked)
    if asked is Verb.APPROVE:
        if not rest or not _FINGERPRINT.fullmatch(rest[0]):
            return Unclear(
                "An approval names what it approves: /driftctl approve FINGERPRINT, with the whole "
                "fingerprint, as the plan's comment has it ready to be copied."
            )
        fingerprint, *rest = rest
    if asked is Verb.UNLOCK and not rest:
        return Unclear("To unlock, name the environment: /driftctl unlock ENVIRONMENT.")
    try:
        names = tuple(dict.fromkeys(environment_name(word) for word in rest))
    except Refusal:
        return Unclear(f"One of the words after {asked.value} cannot be an environment's name.")
    return Command(asked, names, fingerprint)
