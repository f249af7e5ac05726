"""What only the ``configuration`` of a plan says.

That is settings of providers, of provisioners and of data sources that are read during apply; and
of each block of code from which something changes, which configuration of its provider it uses and
what its expressions refer to. Another region, another command or another source of what is only
known after apply leaves every planned change as it was, so a fingerprint has to look here.

Values do not leave this module, only digests of them and the names that expressions refer to. An
engine marks no secret here. A literal in the code is readable by whoever reads the repository, so
a plain digest gives nothing away; but there is none, without a key, where a name says that it
holds a secret, since what is short could be found by trying.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import msgspec

from driftctl_py.core.address import Address
from driftctl_py.core.canonical import canonical
from driftctl_py.core.diff import spelled
from driftctl_py.core.plan import Block, Path, Setting
from driftctl_py.core.values import Secrets, Value

_WORDS = (
    *("pass", "pwd", "secret", "token", "key", "cred", "cert", "private", "auth", "signature"),
    *("salt", "cookie", "session", "webhook"),
)
_IN_NAMES = (*_WORDS, "connectionstring", "connection_string", "dsn", "license", "licence")

# The two kinds of reference that lead into another module.
_VARIABLE = re.compile(r"var\.([\w-]+)")
_OF_MODULE = re.compile(r"module\.([\w-]+)(?:\[[^]]*+\])?\.([\w-]+)")

_NONE = msgspec.Raw(b"{}")
_NO_LIST = msgspec.Raw(b"[]")


class _Provider(msgspec.Struct):
    expressions: msgspec.Raw = _NONE


class _Provisioner(msgspec.Struct):
    type: str
    expressions: msgspec.Raw = _NONE


class _Glance(msgspec.Struct, gc=False):
    """As much of a resource as says whether anybody asks for the rest."""

    address: str
    provisioners: msgspec.Raw = _NO_LIST


class _Resource(msgspec.Struct, gc=False):
    address: str
    provider_config_key: str = ""
    expressions: msgspec.Raw = _NONE
    for_each_expression: msgspec.Raw = _NONE
    provisioners: list[_Provisioner] | None = None


class _Output(msgspec.Struct):
    expression: msgspec.Raw = _NONE


class _Call(msgspec.Struct):
    module: _Module | None = None
    expressions: msgspec.Raw = _NONE
    for_each_expression: msgspec.Raw = _NONE


class _Module(msgspec.Struct):
    # Read module by module, so that all of them are never held at once.
    resources: msgspec.Raw = _NO_LIST
    module_calls: dict[str, _Call] | None = None
    outputs: dict[str, _Output] | None = None


class _Configuration(msgspec.Struct):
    provider_config: dict[str, _Provider] | None = None
    root_module: _Module | None = None


_configuration = msgspec.json.Decoder(_Configuration)
_glances = msgspec.json.Decoder(list[_Glance] | None)
_parts = msgspec.json.Decoder(list[msgspec.Raw])
_resource = msgspec.json.Decoder(_Resource)


@dataclass(frozen=True, slots=True)
class Configured:
    """All that was asked of a configuration; the settings are sorted."""

    settings: tuple[Setting, ...]
    blocks: Mapping[str, Block]


def configured_in(
    configuration: msgspec.Raw,
    changing: Iterable[Address],
    read: Callable[[msgspec.Raw], Value],
    hides: Callable[[Value], bool],
    secrets: Secrets,
) -> Configured:
    """``changing`` is what something is done with; ``read`` decodes an expression, ``hides`` says
    what a mask covers.

    What a block holds beside its settings is not among them: its version constraints change
    nothing of their own, and the engine writes neither a provisioner's connection nor its
    ``when`` into a plan.
    """
    found = _configuration.decode(configuration)
    blocks: dict[str, set[str]] = {}
    for each in changing:
        module = each.in_code.removesuffix(each.in_module)
        blocks.setdefault(module, set()).add(each.in_module)
    reader = _Reader(blocks, read, hides, secrets)
    for name, provider in (found.provider_config or {}).items():
        # Not where it is only required, and nothing set.
        if bytes(provider.expressions) != b"{}":
            reader.take_settings(f"provider {name}", read(provider.expressions))
    if found.root_module:
        reader.take_module(_Scope("", found.root_module))
        reader.take_outputs(_Scope("", found.root_module))
    settings = sorted(reader.settings, key=lambda each: (each.owner, each.path))
    return Configured(tuple(settings), reader.blocks)


class _Scope:
    """A module where it is called: what ``var`` and ``module`` mean there, and ``each`` in one
    block of it."""

    __slots__ = ("call", "caller", "for_each", "module", "prefix")

    def __init__(
        self,
        prefix: str,
        module: _Module,
        call: _Call | None = None,
        caller: _Scope | None = None,
        for_each: msgspec.Raw = _NONE,
    ) -> None:
        self.prefix, self.module = prefix, module
        self.call, self.caller = call, caller
        self.for_each = for_each

    def at(self, for_each: msgspec.Raw) -> _Scope:
        """The same, in a block with that ``for_each``."""
        return _Scope(self.prefix, self.module, self.call, self.caller, for_each)

    def called(self, name: str) -> _Scope | None:
        call = (self.module.module_calls or {}).get(name)
        if call is None or call.module is None:
            return None
        prefix = f"{self.prefix}module.{name}."
        return _Scope(prefix, call.module, call, self.at(call.for_each_expression))


class _Reader:
    """``changing`` are the blocks, as their own module calls them, by the prefix of that module."""

    def __init__(
        self,
        changing: Mapping[str, Set[str]],
        read: Callable[[msgspec.Raw], Value],
        hides: Callable[[Value], bool],
        secrets: Secrets,
    ) -> None:
        self.changing, self.read, self.hides, self.secrets = changing, read, hides, secrets
        self.settings: list[Setting] = []
        self.blocks: dict[str, Block] = {}

    def take_settings(self, owner: str, expressions: Value) -> None:
        for path, value in _expressions((), expressions, self.hides):
            digest = _digest(path, value, self.hides, self.secrets)
            self.settings.append(Setting(owner, spelled(path), digest))

    def take_module(self, scope: _Scope) -> None:
        changing = self.changing.get(scope.prefix, frozenset())
        # Almost all go by here, and they add up.
        wanted = [
            at
            for at, each in enumerate(_glances.decode(scope.module.resources) or ())
            if each.address in changing or each.provisioners is not _NO_LIST
        ]
        parts = _parts.decode(scope.module.resources) if wanted else []
        for at in wanted:
            resource = _resource.decode(parts[at])
            if resource.provisioners:
                self._take_provisioners(scope, resource, resource.provisioners)
            if resource.address in changing:
                self._take_block(scope, resource)
        for name in scope.module.module_calls or {}:
            called = scope.called(name)
            if called:
                self.take_module(called)

    def take_outputs(self, scope: _Scope) -> None:
        for name, output in (scope.module.outputs or {}).items():
            references = tuple(self._references(scope, self.read(output.expression)))
            self.blocks[f"output.{name}"] = Block(references=references)

    def _take_provisioners(
        self, scope: _Scope, resource: _Resource, provisioners: Sequence[_Provisioner]
    ) -> None:
        for position, each in enumerate(provisioners):
            owner = f"provisioner {scope.prefix}{resource.address}[{position}] {each.type}"
            self.take_settings(owner, self.read(each.expressions))

    def _take_block(self, scope: _Scope, resource: _Resource) -> None:
        address = f"{scope.prefix}{resource.address}"
        expressions = self.read(resource.expressions)
        within = scope.at(resource.for_each_expression)
        references = tuple(self._references(within, expressions))
        self.blocks[address] = Block(resource.provider_config_key, references)
        if resource.address.startswith("data."):
            self.take_settings(f"data {address}", expressions)

    def _references(
        self, scope: _Scope, expressions: Value
    ) -> Iterator[tuple[Path, tuple[Value, ...]]]:
        for path, value in _expressions((), expressions, self.hides):
            found = self._all_behind(scope, value)
            if found:
                # With the key of an instance a name may hold what a pattern looks for.
                yield (
                    path,
                    tuple(self.secrets.mark(each) if self.hides(each) else each for each in found),
                )

    def _all_behind(self, scope: _Scope, expression: Value) -> tuple[str, ...]:
        """What it refers to, and behind variables and outputs of modules what these do, each named
        from the root, in the order of the code."""
        found: dict[str, None] = {}
        ahead = [(scope, name) for name in reversed(_referred(expression))]
        while ahead:
            where, name = ahead.pop()
            if f"{where.prefix}{name}" not in found:
                found[f"{where.prefix}{name}"] = None
                there, behind = self._behind(where, name)
                ahead += [(there, each) for each in reversed(behind)]
        return tuple(found)

    def _behind(self, scope: _Scope, name: str) -> tuple[_Scope, list[str]]:
        variable = _VARIABLE.match(name)
        if variable and scope.call and scope.caller:
            arguments = self.read(scope.call.expressions)
            given = arguments.get(variable[1]) if isinstance(arguments, Mapping) else None
            return scope.caller, _referred(given)
        if name.startswith("each."):
            return scope, _referred(self.read(scope.for_each))
        output = _OF_MODULE.match(name)
        called = scope.called(output[1]) if output else None
        if output and called:
            there = (called.module.outputs or {}).get(output[2])
            return called, _referred(self.read(there.expression) if there else None)
        return scope, []


def _referred(expression: Value) -> list[str]:
    """What all of it refers to."""
    if isinstance(expression, Mapping):
        if "constant_value" in expression:
            return []
        names = expression.get("references")
        if isinstance(names, list):
            return [each for each in names if isinstance(each, str)]
        return [name for each in expression.values() for name in _referred(each)]
    if isinstance(expression, list):
        return [name for each in expression for name in _referred(each)]
    return []


def _expressions(
    path: Path, found: Value, hides: Callable[[Value], bool]
) -> Iterator[tuple[Path, Value]]:
    """Each setting below: an expression is an object with ``constant_value`` or ``references``,
    or an empty one; a block is an object of them, or a list of blocks."""
    if (
        isinstance(found, Mapping)
        and found
        and not found.keys() <= {"constant_value", "references"}
    ):
        for name, each in found.items():
            yield from _expressions((*path, name), each, hides)
    elif isinstance(found, list):
        for position, each in enumerate(found):
            yield from _expressions((*path, position), each, hides)
    elif isinstance(found, Mapping) and isinstance(found.get("constant_value"), Mapping):
        yield from _members(path, found["constant_value"], hides)
    else:
        yield path, found


def _members(
    path: Path, constant: Value, hides: Callable[[Value], bool]
) -> Iterator[tuple[Path, Value]]:
    """The members of a literal map one by one, so that a secret among them hides no other; but
    whole where a name is one."""
    if isinstance(constant, Mapping) and constant and not any(map(hides, constant)):
        for name, each in constant.items():
            yield from _members((*path, name), each, hides)
    else:
        yield path, {"constant_value": constant}


def _digest(path: Path, value: Value, hides: Callable[[Value], bool], secrets: Secrets) -> str:
    """``value`` is the expression as the engine wrote it, so a literal ``["var.a"]`` is another
    than a reference to ``var.a``."""
    seal = secrets.seal(value)
    if seal:
        return seal
    named = any(isinstance(step, str) and says_secret(step) for step in path)
    constant = isinstance(value, Mapping) and "constant_value" in value
    if constant and (named or holds_secret(value) or hides(value)):
        return ""
    return sha256(canonical(value)).hexdigest()


def holds_secret(value: Value) -> bool:
    if isinstance(value, Mapping):
        return any(says_secret(key) or holds_secret(each) for key, each in value.items())
    if isinstance(value, str):
        return _quotes_secret(value)
    return isinstance(value, list) and any(map(holds_secret, value))


def says_secret(name: str) -> bool:
    # One by one: a pattern of so many words takes longer to compile than a small plan to read.
    spelled = name.casefold()
    return any(word in spelled for word in _IN_NAMES)


def _quotes_secret(text: str) -> bool:
    """As a command does: PASSWORD=…, "token": …, --api-key …, https://ada:…@example.com"""
    # Almost no text is a command, and there may be a hundred thousand of them.
    if "=" not in text and ":" not in text and ("-" not in text or text.split(None, 1) == [text]):
        return False
    spelled = text.casefold()
    if "://" not in spelled and not any(word in spelled for word in _WORDS):
        return False
    return _in_command().search(spelled) is not None


@lru_cache(maxsize=1)
def _in_command() -> re.Pattern[str]:
    words = "|".join(_WORDS)
    return re.compile(
        rf"({words})[\w-]*[\"']?\s*[=:]|-[\w-]*({words})[\w-]*\s|://[^/\s]*@", re.IGNORECASE
    )
