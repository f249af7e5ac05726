"""What a check answered: its exit code first, then the JSON that it may have printed.

The exit code says how strict to be; what was found says of what, and can only make it stricter.
Understood are our own small form, and those of Checkov, Trivy and Infracost:

    {"findings": [{"message": "…", "address": "aws_s3_bucket.logs", "effect": "deny"}]}

Whatever else was printed is quoted, in short. Not understood is JSON that is cut off or garbled:
then nobody knows what the check found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from driftctl_py.core.known_secrets import hide
from driftctl_py.core.policy import CheckProgram, Verdict
from driftctl_py.core.rule import Effect
from driftctl_py.errors import PolicyError

# Any: JSON of programs that nobody here wrote.
_Json: TypeAlias = Any

# More than anybody reads, and each is kept with the run.
MOST_FINDINGS = 200
_LONGEST_MESSAGE = 300
_LONGEST_ADDRESS = 1000
_LINES_QUOTED = 5
_SHORTEST_SECRET = 4

# A log line such as "[INFO] …" is none.
_BEGINS_AS_JSON = re.compile(rb'\s*+(?:\{\s*+(?:"|\}|\Z)|\[\s*+(?:[\[{"\]]|\Z))')
# Such a line in the midst of others.
_HOLDS_JSON = re.compile(rb'^[ \t]*+(?:\{[ \t\r]*+(?:"|$)|\[[ \t\r]*+(?:\{|$))', re.MULTILINE)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b]*+(?:\x07|\x1b\\)|[@-Z\\-_])")

_STRENGTH = {Effect.ALLOW: 0, Effect.WARN: 1, Effect.APPROVE: 2, Effect.DENY: 3}
_SAID = {"warn": Effect.WARN, "approve": Effect.APPROVE, "deny": Effect.DENY}


@dataclass(frozen=True, slots=True)
class _Finding:
    """``effect`` is what it says of itself."""

    message: str
    address: str = ""
    effect: Effect = Effect.ALLOW


def verdicts_of(
    check: CheckProgram,
    exit_code: int,
    stdout: bytes,
    stderr: str = "",
    *,
    secrets: Collection[str] = (),
) -> tuple[Verdict, ...]:
    """What follows from it. ``secrets`` are not to be quoted; nothing is of a check that saw the
    whole plan.

    Raises `PolicyError` for an exit code that means nothing, unless findings explain it, and for
    JSON that is not whole.
    """
    printed = stdout.removeprefix(b"\xef\xbb\xbf")
    document = _document(check, printed) if _BEGINS_AS_JSON.match(printed) else None
    if document is None and exit_code == 0 and _HOLDS_JSON.search(printed):
        raise PolicyError(
            "It printed JSON, and something else before it, so nobody knows what it found.",
            todo="Let it print JSON alone: what it logs belongs on its standard error.",
        )
    findings = tuple(_findings(document, is_good=exit_code == 0))
    known = check.levels.get(exit_code)
    if known is None and exit_code != 0 and not findings:
        quoted = "" if check.whole else _quoted(printed, stderr, secrets)
        raise PolicyError(
            f"It ended with exit code {exit_code}, of which the configuration does not say what "
            f"it means{': ' + quoted if quoted else '.'}",
            todo="Run it by hand on a plan's JSON; if that code is an answer of it, say which "
            f"under levels ({exit_code}: deny).",
        )
    effect = known or (Effect.ALLOW if exit_code == 0 else Effect.DENY)
    if _STRENGTH[effect] > 0 and not findings:
        findings = (_Finding(_quoted(printed, stderr, secrets)),)
    found = [
        Verdict(
            policy=check.name,
            effect=max(effect, each.effect, key=lambda one: _STRENGTH[one]),
            message=_message(check, each, exit_code, secrets),
            address="" if check.whole else _address(each.address, secrets),
            where=check.where,
            groups=check.groups,
        )
        for each in findings
    ]
    return _fewer(tuple(each for each in found if each.effect is not Effect.ALLOW))


def clean(text: str, secrets: Collection[str] = (), *, longest: int = _LONGEST_MESSAGE) -> str:
    """One line of it, without what steers a terminal, without ``secrets``, not too long."""
    # Known ones first: nothing that is done to a text may keep one from being recognised.
    text = hide(text, [each for each in secrets if len(each) >= _SHORTEST_SECRET])
    text = _ESCAPES.sub("", text)
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    # And again, where it had been taken apart by such characters.
    text = hide(text, [each for each in secrets if len(each) >= _SHORTEST_SECRET])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _document(check: CheckProgram, printed: bytes) -> _Json:
    try:
        return msgspec.json.decode(printed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(
            "What it printed begins as JSON and is cut off or garbled, so nobody knows what it "
            "found.",
            todo="Run it by hand on a plan's JSON. What it logs belongs on its standard error.",
        ) from error


def _findings(document: _Json, *, is_good: bool) -> Iterator[_Finding]:
    """``is_good``: by its exit code all is well, so what it printed has to be understood."""
    match document:
        case None:
            return
        case {"findings": _}:
            yield from _own(document["findings"])
        case {"Results": _} | {"SchemaVersion": _, "ArtifactName": _}:
            yield from _of_trivy(document.get("Results"))
        case {"projects": [*_], "totalMonthlyCost": cost}:
            yield _of_infracost(document, cost)
        case {"results": {"failed_checks": _}} | {"passed": _, "failed": _, "checkov_version": _}:
            yield from _of_checkov([document])
        # One report for each framework.
        case [{"check_type": _}, *_]:
            yield from _of_checkov(document)
        case _ if is_good:
            raise PolicyError(
                "It printed JSON of a kind that is not known here, so nobody knows what it found.",
                todo='Let it print {"findings": […]}, which docs/policy.md describes, or no JSON.',
            )


def _own(found: _Json) -> Iterator[_Finding]:
    if not isinstance(found, list):
        raise _not_own("findings is no list")
    for each in found:
        if not isinstance(each, dict):
            raise _not_own("a finding is no object")
        message, address = each.get("message"), each.get("address", "")
        effect = each.get("effect", "deny")
        if not isinstance(message, str) or not message.strip():
            raise _not_own("a finding has no message")
        if not isinstance(address, str):
            raise _not_own("an address is no text")
        if not isinstance(effect, str) or effect not in _SAID:
            raise _not_own("an effect is none of warn, approve and deny")
        yield _Finding(message, address, _SAID[effect])


def _not_own(why: str) -> PolicyError:
    return PolicyError(
        f"Its findings cannot be read: {why}.",
        todo='Print {"findings": [{"message": "…", "address": "…", "effect": "deny"}]}, of which '
        "address and effect may be left out.",
    )


def _of_checkov(reports: list[_Json]) -> Iterator[_Finding]:
    looked_at = 0
    for report in _maps(reports):
        summary = _map(report.get("summary")) or report
        if summary.get("parsing_errors"):
            raise PolicyError(
                "Checkov could not read the plan, so it looked at less than there is.",
                todo="Run it by hand on a plan's JSON: checkov --framework terraform_plan -f FILE",
            )
        count = summary.get("resource_count")
        # Where it does not say, it is believed.
        looked_at += count if isinstance(count, int) else 1
        for each in _failed_checks(report):
            address = each.get("resource_address") or each.get("resource")
            yield _named(each.get("check_id"), each.get("check_name"), address)
    if not looked_at:
        yield _nothing_looked_at("Checkov")


def _failed_checks(report: Mapping[str, _Json]) -> list[Mapping[str, _Json]]:
    match report:
        case {"results": {"failed_checks": [*failed]}}:
            return _maps(failed)
        # Where it has nothing to look at, there is this and no more.
        case {"passed": _, "failed": 0}:
            return []
        case _:
            raise _not_its()


def _of_trivy(results: _Json) -> Iterator[_Finding]:
    if not results:
        yield _nothing_looked_at("Trivy")
    for result in _maps(results):
        for each in _maps(result.get("Misconfigurations")):
            if each.get("Status", "FAIL") not in ("PASS", "EXCEPTION"):
                title = each.get("Message") or each.get("Title")
                address = _map(each.get("CauseMetadata")).get("Resource")
                yield _named(each.get("ID") or each.get("AVDID"), title, address)


def _of_infracost(document: _Json, cost: _Json) -> _Finding:
    before, currency = document.get("pastTotalMonthlyCost"), document.get("currency")
    change = f", until now {before}" if before else ""
    return _Finding(f"It would cost {cost} {currency or ''} a month{change}.".replace("  ", " "))


def _named(id: _Json, title: _Json, address: _Json) -> _Finding:
    said = ": ".join(each for each in (id, title) if isinstance(each, str) and each)
    # As they are counted by an exit code of 0, which some of these end with whatever they found.
    return _Finding(
        said or "a finding without a name",
        address if isinstance(address, str) else "",
        Effect.WARN,
    )


def _nothing_looked_at(program: str) -> _Finding:
    # Also where all is to be destroyed, so not a no.
    return _Finding(f"{program} looked at no resource at all.", effect=Effect.APPROVE)


def _map(found: _Json) -> Mapping[str, _Json]:
    return found if isinstance(found, dict) else {}


def _maps(found: _Json) -> list[Mapping[str, _Json]]:
    """A list of objects, or null where there is none. Raises `PolicyError` for anything else: what
    is in there would be passed over."""
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _not_its()
    return found


def _not_its() -> PolicyError:
    return PolicyError(
        "What it printed is not what that program prints, so nobody knows what it found.",
        todo="Run it by hand on a plan's JSON, and look whether its version is one that "
        "prints this.",
    )


def _message(
    check: CheckProgram, finding: _Finding, exit_code: int, secrets: Collection[str]
) -> str:
    if check.whole:
        return (
            f"It found something (exit code {exit_code}); what it said is not shown, since it saw "
            "the plan's secrets."
        )
    return clean(finding.message, secrets) or f"It ended with exit code {exit_code}."


def _address(address: str, secrets: Collection[str]) -> str:
    """As it is, or it would be that of another object; none where anything is wrong with it."""
    cleaned = clean(address, secrets, longest=_LONGEST_ADDRESS)
    return address if cleaned == address else ""


def _quoted(printed: bytes, stderr: str, secrets: Collection[str]) -> str:
    """Its first words."""
    text = printed.decode("utf-8", "replace")
    # Before it is taken apart: a key has many lines.
    text = hide(text if text.strip() else stderr, _spelled(secrets))
    lines = [clean(line, secrets) for line in text[: 64 * 1024].splitlines()]
    return clean(" / ".join([line for line in lines if line][:_LINES_QUOTED]), secrets)


def _spelled(secrets: Collection[str]) -> list[str]:
    """And as JSON spells them."""
    long = [each for each in secrets if len(each) >= _SHORTEST_SECRET]
    return [*long, *(json.dumps(each)[1:-1] for each in long)]


def _fewer(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    # Once each: one finding is one, however often it is told.
    verdicts = tuple(dict.fromkeys(verdicts))
    if len(verdicts) <= MOST_FINDINGS:
        return verdicts
    strictest = sorted(verdicts, key=lambda each: -_STRENGTH[each.effect])
    kept, rest = strictest[: MOST_FINDINGS - 1], strictest[MOST_FINDINGS - 1 :]
    first = rest[0]
    more = Verdict(
        first.policy,
        first.effect,
        f"And {len(rest)} more findings.",
        where=first.where,
        groups=first.groups,
    )
    return (*kept, more)
