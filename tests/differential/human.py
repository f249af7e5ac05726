"""What an engine tells people about a plan, read back: one fact for each header.

Only for tests. driftctl-py itself never reads what is meant for people; here it is the second
opinion on what the JSON of the same plan was taken for. Anything that looks like a header and is
not known is an error, so that no new wording goes by unnoticed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from driftctl_py.core.plan import Kind


@dataclass(frozen=True, slots=True)
class Said:
    """One header. ``kind`` is None where only the engine's word for drift is there (``changed``
    or ``deleted``); ``word`` is how a replacement is put."""

    kind: Kind | None
    word: str = ""
    moved_from: str = ""
    imported: bool = False


@dataclass(slots=True)
class Shown:
    """A whole plan. ``totals`` are import, add, change, destroy, forget, and actions to invoke;
    None where the engine gives none. Objects are known by address and deposed key."""

    changes: dict[tuple[str, str], Said] = field(default_factory=dict)
    drift: dict[tuple[str, str], Said] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    invoked: list[str] = field(default_factory=list)
    deferred: set[str] = field(default_factory=set)
    totals: tuple[int, ...] | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    nothing: bool = False
    errored: bool = False

    @property
    def does_something(self) -> bool:
        """Would applying it do anything but bring the state up to date?"""
        return not self.nothing and bool(self.changes or self.reads or self.invoked or self.outputs)


# Headers stand at the left; what is deeper is a comment on an attribute.
_HEADER = re.compile(r" {1,2}# (.*)")
_ADDRESS = r"(?P<address>.+?)(?: \(deposed object (?P<deposed>[0-9a-f]{8})\))?"
# Tried in this order: who is tainted must be replaced, too.
_VERBS = {
    r"will be created": "create",
    r"will be updated in-place": "update",
    r"will be destroyed": "delete",
    r"will be imported": "import",
    r"will be read during apply": "read",
    r"is tainted, so (?:it )?must be replaced": "replace tainted",
    r"must be replaced": "replace must",
    r"will be replaced, as requested": "replace requested",
    r"will be replaced due to changes in replace_triggered_by": "replace triggered",
    r"has moved to (?P<to>.+)": "move",
    r"will no longer be managed by (?:Terraform|OpenTofu), but will not be destroyed": "forget",
    r"will be removed from (?:the )?(?:Terraform|OpenTofu) state, but will not be destroyed": (
        "forget"
    ),
    r"must be replaced, but the existing object will not be destroyed": "create-then-forget",
    r"has changed": "drift changed",
    r"has been deleted": "drift deleted",
    r"will be invoked": "invoke",
    r"was deferred": "deferred",
}
_SAYS = [(re.compile(rf"{_ADDRESS} {verb}"), meaning) for verb, meaning in _VERBS.items()]
_MOVED_FROM = re.compile(r"\(moved from (.+)\)")
_IMPORTED = re.compile(r"\(imported from .*|\(will be imported first\)|\(imported\)")
# Comments on the header above them that repeat what its words, or a total, say.
_REMARK = re.compile(r"\(.*|Warning: this will destroy the imported resource")
_BLOCK = re.compile(r'(?P<symbol>\+/-|-/\+) resource "')
_DRIFT = re.compile(r"Note: Objects have changed outside of ")
_ACTIONS = re.compile(r"\w+ (will perform|planned) the following actions")
_ERRORED = re.compile(r"^Planning failed\.|, but then encountered a problem:$")
_TOTALS = re.compile(
    r"Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy"
    r"(?:, (\d+) to forget)?\.(?: Actions: (\d+) to invoke\.)?"
)
_OUTPUT = re.compile(r' {2}(?P<symbol>[-+~]) (?:"(?P<quoted>[^"]*)"|(?P<name>[\w-]+)) *= ')
_INVOKED = re.compile(r' {4}action "([^"]+)" "([^"]+)" \{')
_KINDS = {
    "create": Kind.CREATE,
    "update": Kind.UPDATE,
    "delete": Kind.DELETE,
    "forget": Kind.FORGET,
    "create-then-forget": Kind.CREATE_THEN_FORGET,
}


def read_shown(text: str) -> Shown:
    """What ``show -no-color PLANFILE`` says."""
    shown = Shown()
    into, last, in_outputs = shown.changes, ("", ""), False
    for line in text.splitlines():
        if _DRIFT.match(line):
            into = shown.drift
        elif _ACTIONS.match(line):
            into = shown.changes
        elif header := _HEADER.fullmatch(line):
            last = _take_header(shown, into, header[1], last)
        elif block := _BLOCK.match(line):
            _take_symbol(into, last, block["symbol"])
        elif totals := _TOTALS.fullmatch(line):
            shown.totals = tuple(int(number or 0) for number in totals.groups())
        elif line == "Changes to Outputs:":
            in_outputs = True
        elif in_outputs and (output := _OUTPUT.match(line)):
            shown.outputs[output["quoted"] or output["name"]] = output["symbol"]
        elif action := _INVOKED.fullmatch(line):
            shown.invoked.append(f"action.{action[1]}.{action[2]}")
        shown.nothing |= line.startswith("No changes. ")
        shown.errored |= _ERRORED.search(line) is not None
    return shown


_Changes = dict[tuple[str, str], Said]


def _take_header(shown: Shown, into: _Changes, said: str, last: tuple[str, str]) -> tuple[str, str]:
    """Note one line that begins with ``#``, which may belong to the header before it (``last``);
    the key of what it speaks of."""
    for pattern, meaning in _SAYS:
        if (found := pattern.fullmatch(said)) is None:
            continue
        key = (found["address"], found["deposed"] or "")
        match meaning.split():
            case ["read"]:
                shown.reads.add(key[0])
            case ["invoke"]:
                pass  # its block follows
            case ["deferred"]:
                shown.deferred.add(key[0])
            case ["drift", word]:
                _once(into, key, Said(None, word))
            case ["move"]:
                key = (found["to"], "")
                _once(into, key, Said(Kind.NO_OP, moved_from=found["address"]))
            case ["import"]:
                _once(into, key, Said(Kind.NO_OP, imported=True))
            case ["replace", word]:
                _once(into, key, Said(Kind.REPLACE, word))
            case [verb]:
                _once(into, key, Said(_KINDS[verb]))
        return key
    if moved := _MOVED_FROM.fullmatch(said):
        into[last] = replace(into[last], moved_from=moved[1])
    elif _IMPORTED.fullmatch(said):
        into[last] = replace(into[last], imported=True)
    else:
        assert _REMARK.fullmatch(said), f"a header of an unknown kind: {said!r}"
    return last


def _take_symbol(into: _Changes, key: tuple[str, str], symbol: str) -> None:
    """The symbol before a block says in which order something is replaced."""
    said = into.get(key)
    if said is not None and said.kind is Kind.REPLACE and symbol == "+/-":
        into[key] = replace(said, kind=Kind.REPLACE_CREATE_FIRST)


def _once(into: _Changes, key: tuple[str, str], said: Said) -> None:
    assert key not in into, f"{key} is there twice"
    into[key] = said
