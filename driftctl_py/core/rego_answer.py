"""Asking Rego, and what its answer means: which rules, by which question, and the verdicts.

The question is a policy of our own, the canary, evaluated together with the user's. It denies if
and only if the token that this one evaluation was given lies in the input, and it carries the
values of the rules that are asked. So there is no answer without a denial, and both programs, opa
and conftest, give the same one.

Whatever is not exactly that answer raises `PolicyError`: no rule that is asked exists, one that
was declared has no value, or one that has none that it could have.

Not here: running a program (`adapters/rego.py`), and what ``input`` is (`policy_input`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec

from driftctl_py.core.policy import RegoPolicy, Shape, Verdict
from driftctl_py.core.policy_input import CANARY_KEY, CUSTOMS
from driftctl_py.core.rule import Effect
from driftctl_py.errors import PolicyError

RESERVED = "driftctl_canary"
"""What the canary's package begins with; the rest of its name nobody can know beforehand."""

CONFTEST_RULES = re.compile(r"(deny|violation|warn)(_[a-zA-Z0-9]+)*")
"""The names that conftest asks (its policy/engine.go)."""

_LONGEST_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """Rules that are asked. ``required`` are those that have to have a value: named in the
    configuration, or declared in the package. ``package`` is the path below ``data``."""

    package: tuple[str, ...]
    names: tuple[str, ...]
    required: frozenset[str]

    @property
    def dotted(self) -> str:
        return ".".join(self.package)


def asked_rules(policy: RegoPolicy, sources: Iterable[str]) -> Asked:
    """Which rules of a policy are asked, ``sources`` being its Rego files. A name of a rule stands
    in the text of its file, so every word there that could be one is asked: who asks for more than
    there is gets no answer for it. Raises `PolicyError`."""
    custom = CUSTOMS[policy.shape]
    package = _package_path(policy)
    if allowed := sorted(name for name, each in policy.levels.items() if each is Effect.ALLOW):
        raise PolicyError(
            f"The policy {policy.name} would allow what its rule {allowed[0]} finds, but a policy "
            "can only make a decision stricter.",
            todo=f"Give {allowed[0]} another level (warn, approve, deny).",
        )
    names = {*custom.rules, *policy.levels}
    declared: set[str] = set()
    is_there = False
    for source in sources:
        if _RESERVED_PACKAGE.search(source):
            raise PolicyError(
                f"A file of the policy {policy.name} declares a package whose name begins with "
                f"{RESERVED}, which is kept for the proof that Rego was evaluated at all.",
                todo="Give that package another name.",
            )
        if custom.forms:
            names.update(each.group() for each in _FORM.finditer(source))
        its = _declared_package(source)
        # A rule may have a longer name than its own: `db.deny` in `terraform` is in `terraform.db`.
        is_there = is_there or package[: len(its)] == its
        if its == package:
            declared.update(_HEAD.findall(source))
    if not is_there:
        # Nor is what a data file holds under that name a rule.
        raise _nothing_evaluated(policy, ".".join(package))
    required = {*policy.levels, *(declared & names)}
    return Asked(package, tuple(sorted(names)), frozenset(required))


_RESERVED_PACKAGE = re.compile(rf"^[ \t]*package[ \t]+{RESERVED}", re.MULTILINE)
_FORM = re.compile(rf"\b{CONFTEST_RULES.pattern}\b")
# Only at the very left: further in stand the bodies, where a name is used and not declared.
_HEAD = re.compile(r"^(?:default[ \t]+)?([a-zA-Z_][a-zA-Z0-9_]*)\b", re.MULTILINE)
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+([^\s#;]+)", re.MULTILINE)
_WORD = re.compile(r"[\w-]+")


def _package_path(policy: RegoPolicy) -> tuple[str, ...]:
    text = policy.package or CUSTOMS[policy.shape].package
    path = tuple(text.removeprefix("data.").split("."))
    if not all(_WORD.fullmatch(each) for each in path) or path[0].startswith(RESERVED):
        raise PolicyError(
            f"{text} is not a package that the policy {policy.name} can be asked by.",
            todo="Write its package as its files do, for example `package: terraform.policies.db`.",
        )
    return path


def _declared_package(source: str) -> tuple[str, ...]:
    found = _PACKAGE.search(source)
    return tuple(_WORD.findall(found.group(1))) if found else ("",)


def _nothing_evaluated(policy: RegoPolicy, package: str) -> PolicyError:
    return PolicyError(
        f"No rule of the policy {policy.name} was evaluated: its files have none of "
        f"{', '.join(sorted(CUSTOMS[policy.shape].rules))} in the package {package}.",
        todo="Name the package that they are in (`package:`), and rules with other names under "
        "`levels:`.",
    )


def canary_package(token: str) -> str:
    return f"{RESERVED}_{token}"


def canary(policy: RegoPolicy, asked: Asked, token: str) -> str:
    """The policy that asks, in words that Rego v0 and v1 both understand."""
    path = "".join(f"[{json.dumps(each)}]" for each in asked.package)
    return f"""package {canary_package(token)}

import rego.v1

deny contains {{"msg": input.{CANARY_KEY}, "found": found, "exceptions": exceptions}} if {{
    input.{CANARY_KEY} == {json.dumps(token)}
}}

found[name] := value if {{
    some name in {json.dumps(asked.names)}
    value := data{path}[name]
}}
{(_EXCEPTIONS if CUSTOMS[policy.shape].forms else _NO_EXCEPTIONS).format(path=path)}"""


_EXCEPTIONS = """
exceptions contains name if {{
    some names in data{path}.exception
    some name in names
}}
"""
_NO_EXCEPTIONS = """
exceptions := []
"""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the canary said. A value of a rule is whatever Rego can hold."""

    msg: str
    found: dict[str, Any]  # Any: the wire's; `verdicts_of` looks at each.
    exceptions: list[Any]  # Any: the same; conftest compares them with a name, whatever they are.


class _Location(msgspec.Struct, frozen=True):
    row: int = 0
    col: int = 0


class _Expression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: list[Answer]
    text: str
    location: _Location


class _Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    expressions: list[_Expression]


class _Opa(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    result: list[_Result]


def opa_answer(policy: RegoPolicy, stdout: bytes, token: str) -> Answer:
    """What `opa eval --format json` printed. Raises `PolicyError`."""
    try:
        results = msgspec.json.decode(stdout, type=_Opa).result
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _garbage(policy, "opa", error)
    answers = [said for each in results for one in each.expressions for said in one.value]
    return _proven(policy, "opa", answers, token)


class _Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    query: str
    found: dict[str, Any]  # Any: as in `Answer`.
    exceptions: list[Any]  # Any: as in `Answer`.


class _Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    msg: str
    metadata: _Metadata


class _Conftest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filename: str
    namespace: str
    successes: int
    failures: list[_Failure]


def conftest_answer(policy: RegoPolicy, stdout: bytes, token: str) -> Answer:
    """What `conftest test --output json` printed. Raises `PolicyError`."""
    try:
        results = msgspec.json.decode(stdout, type=list[_Conftest])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _garbage(policy, "conftest", error)
    answers = [
        Answer(each.msg, each.metadata.found, each.metadata.exceptions)
        for result in results
        if result.namespace == canary_package(token)
        for each in result.failures
    ]
    return _proven(policy, "conftest", answers, token)


def _garbage(policy: RegoPolicy, program: str, error: Exception) -> NoReturn:
    raise PolicyError(
        f"{program} ended well, but what it printed for the policy {policy.name} is not the answer "
        f"that was asked for ({_place(error)}).",
        todo=f"See whether that program is {program} and nothing around it: {program} --help",
    ) from error


def _place(error: Exception) -> str:
    """Where the answer went wrong; what stands there may come from the plan."""
    return str(error).rpartition(" - at ")[2] if " - at " in str(error) else "not whole JSON"


def _proven(policy: RegoPolicy, program: str, answers: Sequence[Answer], token: str) -> Answer:
    if len(answers) != 1 or answers[0].msg != token:
        raise PolicyError(
            f"{program} did not deny what it had to deny before the policy {policy.name} counts, "
            "so whether it evaluates Rego at all is not known.",
            todo=f"See whether that program is {program} and nothing around it: {program} --help",
        )
    return answers[0]


def verdicts_of(policy: RegoPolicy, asked: Asked, answer: Answer) -> tuple[Verdict, ...]:
    """What the policy found. Raises `PolicyError`."""
    found = answer.found
    if unasked := sorted(set(found) - set(asked.names)):
        raise PolicyError(
            f"The policy {policy.name} was answered for a rule that nobody asked: {unasked[0]}. "
            "This is a bug in driftctl_py."
        )
    if not found and not asked.required:
        raise _nothing_evaluated(policy, asked.dotted)
    if missing := sorted(asked.required - set(found)):
        raise PolicyError(
            f"The rule {missing[0]} of the package {asked.dotted} (policy {policy.name}) has no "
            "value, so what it says of the plan is not known.",
            todo=f"See that it is there and a set: `{missing[0]} contains message if {{ ... }}` "
            f"(in v0 `{missing[0]}[message] {{ ... }}`).",
        )
    verdicts = [
        Verdict(
            policy.name,
            _level(policy, name),
            message or f"{name} of the package {asked.dotted}",
            address,
            policy.where,
            policy.groups,
        )
        for name in asked.names
        if name in found and not _excepted(name, answer)
        for message, address in _findings(policy, name, found[name])
    ]
    return tuple(dict.fromkeys(verdicts))


def _level(policy: RegoPolicy, name: str) -> Effect:
    rules = CUSTOMS[policy.shape].rules
    base = name.partition("_")[0]
    # A rule with a name of its own is in `levels`, or nobody would have asked for it.
    return policy.levels.get(name) or policy.levels.get(base) or rules[base]


def _excepted(name: str, answer: Answer) -> bool:
    """Does the policy itself say that this rule is not about this plan? An exception names it
    without ``deny_`` (conftest, policy/engine.go, removeRulePrefix)."""
    asked_by_conftest = CONFTEST_RULES.fullmatch(name) is not None
    return asked_by_conftest and name.partition("_")[2] in answer.exceptions


def _findings(policy: RegoPolicy, name: str, value: object) -> Iterator[tuple[str, str]]:
    """Message and address of each thing that a rule found."""
    if policy.shape is Shape.HCP and isinstance(value, bool):
        if value:
            yield "", ""
        return
    if not isinstance(value, list):
        raise PolicyError(
            f"The rule {name} of the policy {policy.name} is {_kind(value)}, where a set of "
            "messages is asked for.",
            todo=f"Write `{name} contains message if {{ ... }}` (in v0 `{name}[message] "
            "{ ... }`).",
        )
    for each in value:
        match each:
            case str():
                yield _clean(each), ""
            case {"msg": str(message)} | {"message": str(message)} | {"reason": str(message)}:
                yield _clean(message), _address(each)
            case _ if policy.shape is Shape.HCP:
                # There whatever is in the array means that the policy did not pass.
                yield _clean(json.dumps(each)), _address(each)
            case _:
                raise PolicyError(
                    f"The rule {name} of the policy {policy.name} found {_kind(each)} without a "
                    "message (msg).",
                    todo="Let it find texts, or objects with msg.",
                )


def _address(found: object) -> str:
    match found:
        case (
            {"address": str(address)}
            | {"metadata": {"address": str(address)}}
            | {"details": {"address": str(address)}}
        ):
            return address
        case _:
            return ""


_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")


def _clean(text: str) -> str:
    """One line without what moves a cursor, and not a book."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if len(line) > _LONGEST_MESSAGE:
        return line[: _LONGEST_MESSAGE - 1] + "…"
    return line


@dataclass(frozen=True, slots=True)
class Complaint:
    """The first thing that was wrong: ``code`` as Rego has it (``rego_parse_error``), empty where
    none was named, ``where`` as ``file:line`` or empty. What stands in ``message`` comes from the
    policy's files, never from the plan."""

    code: str = ""
    message: str = ""
    where: str = ""

    @property
    def of_language(self) -> bool:
        """Was it about how the policy is written, so that another version may read it?"""
        return self.code.startswith("rego_")

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return where + ": ".join(each for each in (self.code, self.message) if each)


class _Place(msgspec.Struct, frozen=True):
    file: str = ""
    row: int = 0


class _Error(msgspec.Struct, frozen=True):
    message: str = ""
    code: str = ""
    location: _Place | None = None


class _Errors(msgspec.Struct, frozen=True):
    errors: list[_Error]


def opa_complaint(stdout: bytes) -> Complaint:
    """What `opa eval --format json` said was wrong."""
    try:
        errors = msgspec.json.decode(stdout, type=_Errors).errors
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Complaint()
    if not errors:
        return Complaint()
    error = errors[0]
    where = ""
    if error.location is not None and error.location.file:
        where = f"{error.location.file}:{error.location.row}"
    return _complaint(error.code, error.message, where)


def conftest_complaint(stderr: str) -> Complaint:
    """What `conftest test` said was wrong."""
    if found := _CONFTEST_ERROR.search(stderr):
        return _complaint(found["code"], found["message"], found["where"])
    if found := _CONFTEST_BUILTIN.search(stderr):
        return _complaint(found["code"], found["message"], found["where"])
    return _complaint("", stderr.removeprefix("Error: "), "")


_CONFTEST_ERROR = re.compile(
    r"(?P<where>\S+:\d+): (?P<code>(?:rego|eval)_[a-z_]+): (?P<message>[^\n]*)"
)
_CONFTEST_BUILTIN = re.compile(
    r"Code:(?P<code>[a-z_]+) Message:(?P<message>.*?) Location:(?P<where>\S+:\d+)", re.DOTALL
)
_BUILTIN = re.compile(r"([a-z_][a-z0-9_.]*):")


def _complaint(code: str, message: str, where: str) -> Complaint:
    if code.startswith("rego_"):
        return Complaint(code, _clean(message), where)
    if not code:
        # Files that cannot be loaded; said only where it is about one of the policy's own.
        about_files = f"{LINKS}/" in message
        return Complaint("", _clean(message) if about_files else "", where)
    # While it was evaluated: Rego quotes what it stumbled over, and that may be the plan's.
    builtin = _BUILTIN.match(message)
    return Complaint(code, f"{builtin.group(1)} failed" if builtin else "", where)


LINKS = "policies"
"""Under which directory, next to the input, the policy's paths are laid out."""
