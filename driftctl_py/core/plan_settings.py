"""What only the ``configuration`` of a plan says: settings of providers and of provisioners.

Another region or another command leaves every planned change as it was, so a fingerprint has to
look here. Values do not leave this module, only digests of them. An engine marks no secret here. A
literal in the code is readable by whoever reads the repository, so a plain digest gives nothing
away; but there is none, without a key, where a name says that it holds a secret, since what is
short could be found by trying.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

import msgspec

from driftctl_py.core.canonical import canonical
from driftctl_py.core.diff import spelled
from driftctl_py.core.plan import Path, Setting
from driftctl_py.core.values import Secrets, Value

_WORDS = r"pass|pwd|secret|token|key|cred|cert|private|auth|signature|salt|cookie|session|webhook"
_SAYS_SECRET = re.compile(rf"{_WORDS}|connection_?string|dsn|licen[cs]e", re.IGNORECASE)
# Within a command: PASSWORD=…, "token": …, --api-key …, https://ada:…@example.com
_HOLDS_SECRET = re.compile(
    rf"({_WORDS})[\w-]*[\"']?\s*[=:]|-[\w-]*({_WORDS})[\w-]*\s|://[^/\s]*@", re.IGNORECASE
)

_NONE = msgspec.Raw(b"{}")


class _Provider(msgspec.Struct):
    expressions: msgspec.Raw = _NONE


class _Provisioner(msgspec.Struct):
    type: str
    expressions: msgspec.Raw = _NONE


class _Resource(msgspec.Struct, gc=False):
    address: str
    provisioners: list[_Provisioner] | None = None

    def __post_init__(self) -> None:
        if not self.provisioners:
            # Of almost all, and they add up.
            self.address = ""


class _Call(msgspec.Struct):
    module: _Module | None = None


class _Module(msgspec.Struct):
    resources: list[_Resource] | None = None
    module_calls: dict[str, _Call] | None = None


class _Configuration(msgspec.Struct):
    provider_config: dict[str, _Provider] | None = None
    root_module: _Module | None = None


_configuration = msgspec.json.Decoder(_Configuration)


def settings_in(
    configuration: msgspec.Raw,
    read: Callable[[msgspec.Raw], Value],
    hides: Callable[[Value], bool],
    secrets: Secrets,
) -> tuple[Setting, ...]:
    """All of them, sorted; ``read`` decodes an expression, ``hides`` says what a mask covers.

    What a block holds beside its settings is not among them: its version constraints change
    nothing of their own, and the engine writes neither a provisioner's connection nor its
    ``when`` into a plan.
    """
    found = _configuration.decode(configuration)
    owned = [
        (f"provider {name}", provider.expressions)
        for name, provider in (found.provider_config or {}).items()
        # Only required, and nothing set.
        if bytes(provider.expressions) != b"{}"
    ]
    if found.root_module:
        owned += _provisioners("", found.root_module)
    settings = (
        Setting(owner, spelled(path), _digest(path, value, hides, secrets))
        for owner, expressions in owned
        for path, value in _expressions((), read(expressions), hides)
    )
    return tuple(sorted(settings, key=lambda each: (each.owner, each.path)))


def _provisioners(prefix: str, module: _Module) -> Iterator[tuple[str, msgspec.Raw]]:
    having = [each for each in module.resources or () if each.provisioners]
    for resource in having:
        for position, each in enumerate(resource.provisioners or ()):
            yield (
                f"provisioner {prefix}{resource.address}[{position}] {each.type}",
                each.expressions,
            )
    for name, call in (module.module_calls or {}).items():
        if call.module:
            yield from _provisioners(f"{prefix}module.{name}.", call.module)


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
    named = any(isinstance(step, str) and _SAYS_SECRET.search(step) for step in path)
    constant = isinstance(value, Mapping) and "constant_value" in value
    if constant and (named or _holds_secret(value) or hides(value)):
        return ""
    return sha256(canonical(value)).hexdigest()


def _holds_secret(value: Value) -> bool:
    if isinstance(value, Mapping):
        return any(
            _SAYS_SECRET.search(key) is not None or _holds_secret(each)
            for key, each in value.items()
        )
    if isinstance(value, str):
        return _HOLDS_SECRET.search(value) is not None
    return isinstance(value, list) and any(map(_holds_secret, value))
