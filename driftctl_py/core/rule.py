"""A rule: about which changes it speaks, and what it says of them.

Facts as driftctl.yaml has them. Whether one matches a change is in ``rules``, what follows from it
in ``decision``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from driftctl_py.core.scope import Scope
from driftctl_py.core.values import Value


class Effect(Enum):
    """What a rule says of the changes that it matches, the weakest first."""

    ALLOW = "allow"
    """May be done without asking: takes the place of the mode's word, and of no other rule's."""
    WARN = "warn"
    APPROVE = "approve"
    DENY = "deny"


ACTIONS = ("create", "update", "delete", "replace", "forget", "move", "import", "record", "invoke")
"""What can be asked for under ``actions``. ``record``: a refresh-only plan writes what is there."""
CAUSES = ("drift", "commit")


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions must hold, and of the values of one condition any; a condition without values
    is none. In globs ``*`` stands for any run of characters, ``?`` for one.

    ``values`` are planned values, by attribute: of each path or glob, globs any of which the value
    has to fit, as `rules.value_text` spells it. ``at_least`` and ``share`` (percent of all managed
    objects) ask for so many changes that match the rest, ``at_most`` for no more. ``count``: so
    many persons of ``groups``, or of any group, have to approve. ``where`` is ``file:line``; two
    rules that differ in nothing else say the same.
    """

    name: str
    effect: Effect
    message: str = ""
    groups: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    holds_data: bool | None = None
    at_least: int | None = None
    at_most: int | None = None
    share: int | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    count: int = 1
    where: str = field(default="", compare=False)

    def speaks_of(self, environment: str, labels: Mapping[str, str]) -> bool:
        """Is it about the environment with this name and these labels?"""
        return Scope(self.environments, self.labels).covers(environment, labels)

    @property
    def meaning(self) -> dict[str, Value]:
        """All that it says but where it is written: what an approval is bound to."""
        return {
            "name": self.name,
            "effect": self.effect.value,
            "message": self.message,
            "groups": sorted(set(self.groups)),
            "addresses": sorted(set(self.addresses)),
            "types": sorted(set(self.types)),
            "providers": sorted(set(self.providers)),
            "actions": sorted(set(self.actions)),
            "causes": sorted(set(self.causes)),
            "attributes": sorted(set(self.attributes)),
            "holds_data": self.holds_data,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "share": self.share,
            "values": {path: sorted(set(globs)) for path, globs in self.values.items()},
            "count": self.count,
        }
