"""What a plan says of its code and of its checks, without secrets.

No mirror says anything there, so what is written goes where it repeats any secret of the plan, or
where a name says that it holds one, as that of a write-only attribute does; but never the names of
things. Messages of checks go.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from driftctl_py.core.masks import Mask, Masks, masked
from driftctl_py.core.plan_settings import holds_secret, says_secret
from driftctl_py.core.redacted_slots import HIDDEN, encoded, plain, read
from driftctl_py.core.redaction import Decoded, Echoes
from driftctl_py.core.values import Secrets

# What code calls things, and what it refers to: said in every address anyway, and a policy that
# does not find the type of a resource would have nothing to say of it.
_NAMES = frozenset(
    {
        *("address", "mode", "type", "name", "kind", "status", "to_display", "module", "resource"),
        *("provider_config_key", "provider_name", "full_name", "module_address", "references"),
        *("depends_on", "version_constraint", "alias", "instance_key"),
    }
)
_CONSTANTS = frozenset({"constant_value", "default"})
_HOLDS_NAMES = frozenset({"expressions", "variables"})


class Code:
    """Looks for what ``echoes`` know by now, and for what the patterns of ``masks`` fit."""

    def __init__(self, masks: Masks, secrets: Secrets, echoes: Echoes) -> None:
        # Those that look everywhere, for what has no address.
        self._patterns = [Mask(pattern=each.pattern) for each in masks if each.pattern]
        self._secrets = secrets
        self._echoes = echoes
        # A text, and whether a name says that it is of a secret: both come again and again.
        self._texts: dict[str, str] = {}
        self._named: dict[str, bool] = {}

    def redacted(self, part: Raw) -> Raw:
        """A section that speaks of code."""
        return Raw(encoded(self._walked(read(part), named=False, names=False)))

    def checks(self, part: Raw) -> Raw:
        """The section of the checks."""
        return Raw(encoded(_without_messages(read(part))))

    def _walked(self, found: Decoded, *, named: bool, names: bool) -> object:
        """As an encoder takes it. ``names``: its keys are those of attributes or variables;
        ``named``: one above says that it holds a secret."""
        if isinstance(found, dict):
            hidden = named or _is_sensitive(found)
            shown: dict[str, object] = {}
            for key, each in found.items():
                if key in _CONSTANTS:
                    shown[key] = HIDDEN if hidden or holds_secret(each) else self._open(each)
                elif key in _NAMES and _is_a_name(each):
                    shown[key] = each
                else:
                    shown[key] = self._walked(
                        each,
                        named=named or (names and self._says_secret(key)),
                        names=names or key in _HOLDS_NAMES,
                    )
            return shown
        if isinstance(found, list):
            return [self._walked(each, named=named, names=names) for each in found]
        return self._open(found) if isinstance(found, str) else plain(found)

    def _open(self, value: Decoded) -> object:
        if not isinstance(value, str):
            return self._opened(value)
        if value not in self._texts:
            # One text for one text: what was a text before is nothing else afterwards.
            self._texts[value] = str(self._opened(value))
        return self._texts[value]

    def _opened(self, value: Decoded) -> object:
        found = masked(value, self._patterns, self._secrets.mark) if self._patterns else value
        return plain(self._echoes.without(found, self._secrets) if self._echoes else found)

    def _says_secret(self, name: str) -> bool:
        if name not in self._named:
            self._named[name] = says_secret(name)
        return self._named[name]


def _without_messages(found: Decoded) -> object:
    if isinstance(found, dict):
        return {
            key: HIDDEN if key == "message" else _without_messages(each)
            for key, each in found.items()
        }
    return [*map(_without_messages, found)] if isinstance(found, list) else plain(found)


def _is_sensitive(block: Mapping[str, Decoded]) -> bool:
    # Whatever is not plainly false counts as yes.
    return block.get("sensitive", False) is not False or block.get("ephemeral", False) is not False


def _is_a_name(found: Decoded) -> bool:
    if isinstance(found, list):
        return all(isinstance(each, str) for each in found)
    return isinstance(found, str)
