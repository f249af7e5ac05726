"""What a Rego policy finds under ``input``: for each shape, what stands beside the plan.

The shapes are those of the tools that published policies were written for. The plan itself is not
here: it may be a hundred megabytes, and goes in byte for byte between `Wrapping.before` and
`Wrapping.after`. What we do not know is left out, never made up. In Rego what is not there is
undefined, so that a rule which looks at it would never find anything: a policy that asks for such
a fact is refused (`refuse_unknown`), until ``context`` says it.

``conftest``: the plan's JSON is the input (docs of open-policy-agent/conftest, "Usage").
Spacelift: ``input.spacelift`` and ``input.terraform`` (docs.spacelift.io, "Plan policy", data
input). HCP Terraform: ``input.run`` and ``input.plan`` (hashicorp/web-unified-docs, "Define Open
Policy Agent policies", Terraform run data). Scalr: ``input.tfrun`` and ``input.tfplan``
(docs.scalr.io, "Open Policy Agent"; Scalr/sample-tf-opa-policies). Digger: ``input.terraform`` and
nothing else (diggerhq/digger, libs/policy/policy.go, CheckPlanPolicy).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from driftctl_py.core.policy import About, RegoPolicy, Shape
from driftctl_py.core.rule import Effect
from driftctl_py.errors import PolicyError

CANARY_KEY = "driftctl_canary"
"""The one key of the input that is ours: what the answer has to repeat."""


@dataclass(frozen=True, slots=True)
class Custom:
    """What is asked where driftctl.yaml does not say: a package, and rules with what a result of
    each means. ``forms``: ``deny_NAME`` is asked as ``deny`` is. ``plan`` is the key that the plan
    lies under, empty where it is the input itself."""

    package: str
    rules: Mapping[str, Effect]
    forms: bool = False
    plan: str = ""
    elsewhere: frozenset[str] = frozenset()
    """Keys of the input beside these that its tool knows, and we do not."""


_DENY = {"deny": Effect.DENY}
CUSTOMS: Mapping[Shape, Custom] = {
    Shape.PLAN: Custom(
        "main", {"deny": Effect.DENY, "violation": Effect.DENY, "warn": Effect.WARN}, forms=True
    ),
    # There a warning stops a run that would be applied by itself until a person has looked.
    Shape.SPACELIFT: Custom(
        "spacelift",
        {"deny": Effect.DENY, "warn": Effect.APPROVE},
        plan="terraform",
        elsewhere=frozenset({"third_party_metadata"}),
    ),
    Shape.HCP: Custom("terraform", _DENY, plan="plan"),
    Shape.SCALR: Custom("terraform", _DENY, plan="tfplan"),
    # What its access policies are asked about; they are none for plans.
    Shape.DIGGER: Custom(
        "digger",
        _DENY,
        plan="terraform",
        elsewhere=frozenset(
            {"user", "organisation", "teams", "approvals", "planPolicyViolations", "action"}
            | {"project"}
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Wrapping:
    """The bytes around the plan's. ``inside``: the plan's own opening brace is left out, as its
    keys follow ours in one object."""

    before: bytes
    after: bytes
    inside: bool


def wrapping(policy: RegoPolicy, about: About, token: str) -> Wrapping:
    """What the input of a policy is, but for the plan. Raises `PolicyError` when ``context`` does
    not fit the shape."""
    custom = CUSTOMS[policy.shape]
    if not custom.plan:
        if policy.context:
            raise PolicyError(
                f"The policy {policy.name} has a context, but in the shape "
                f"{policy.shape.value} the input is the plan and nothing else.",
                todo="Put it into a JSON file among the policy's paths: Rego finds it under data.",
            )
        head = _json({CANARY_KEY: token})[:-1] + b","
        return Wrapping(head, b"", inside=True)
    if taken := {CANARY_KEY, custom.plan} & set(policy.context):
        raise PolicyError(
            f"The context of the policy {policy.name} holds {min(taken)}, which is ours to say.",
            todo=f"Remove {min(taken)} from its context.",
        )
    beside = _merged(_beside(policy.shape, about), policy.context)
    head = _json({CANARY_KEY: token, **beside})[:-1]
    return Wrapping(head + b"," + _json(custom.plan) + b":", b"}", inside=False)


def refuse_unknown(policy: RegoPolicy, about: About, sources: Iterable[str]) -> None:
    """Raises `PolicyError` when one of a policy's files asks by name for a fact that its tool
    knows and we do not. What it looks up in other ways is not seen."""
    custom = CUSTOMS[policy.shape]
    document = _merged(_beside(policy.shape, about), policy.context)
    roots = {*document, *custom.elsewhere}
    for source in sources:
        text = _BESIDE_CODE.sub(" ", source)
        imported = {"input": ("input",)} | {
            found["name"] or found["path"].rpartition(".")[2]: tuple(found["path"].split("."))
            for found in _IMPORTED.finditer(text)
        }
        for found in _REFERENCE.finditer(text):
            first, *rest = found.group().split(".")
            path = (*imported[first], *rest) if first in imported else ()
            if len(path) > 1 and path[1] in roots and not _is_known(document, path[1:]):
                raise PolicyError(
                    f"The policy {policy.name} asks for {'.'.join(path)}, which is not known here. "
                    "A rule that looks at it would never find anything.",
                    todo="Say what it is, as the policy finds it: "
                    f"`context: {_as_flow(path[1:])}`, with what it is in place of VALUE.",
                )


# Texts and comments, in which a name is nobody's question.
_BESIDE_CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')
_REFERENCE = re.compile(r"(?<![\w.])[a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*)+")
_IMPORTED = re.compile(
    r"^[ \t]*import[ \t]+(?P<path>input(?:\.\w+)+)(?:[ \t]+as[ \t]+(?P<name>\w+))?", re.MULTILINE
)


def _is_known(document: object, path: Sequence[str]) -> bool:
    for each in path:
        if not isinstance(document, Mapping):
            return True
        if each not in document:
            return False
        document = document[each]
    return True


def _as_flow(path: Sequence[str]) -> str:
    return "".join(f"{{{each}: " for each in path) + "VALUE" + "}" * len(path)


def _beside(shape: Shape, about: About) -> dict[str, object]:
    match shape:
        case Shape.SPACELIFT:
            return {"spacelift": _spacelift(about)}
        case Shape.HCP:
            return {"run": _hcp(about)}
        case Shape.SCALR:
            return {"tfrun": _scalr(about)}
        case _:
            return {}


def _spacelift(about: About) -> dict[str, object]:
    now = _nanoseconds(about.started_at)
    commit = {"author": _author(about), "branch": about.ref, "hash": about.commit}
    return {
        "commit": commit,
        "request": {"timestamp_ns": now},
        "run": {
            "id": about.run,
            "based_on_local_workspace": False,
            "branch": about.ref,
            "commit": commit,
            "created_at": now,
            "updated_at": now,
            "runtime_config": {
                "project_root": about.path,
                "terraform_version": _version(about),
            },
            "triggered_by": about.actor,
            # Whoever asks the gate means to apply.
            "type": "TRACKED",
        },
        "stack": {
            "name": about.environment,
            "branch": about.ref,
            "labels": _labels(about),
            "project_root": about.path,
            "repository": about.repository,
            "terraform_version": _version(about),
            "tracked_commit": commit,
        },
    }


def _hcp(about: About) -> dict[str, object]:
    return {
        "id": about.run,
        "created_at": _rfc3339(about.started_at),
        "created_by": about.actor,
        "commit_sha": about.commit,
        "is_destroy": False,
        "speculative": False,
        "workspace": {
            "name": about.environment,
            "tags": _labels(about),
            "working_directory": about.path,
            "vcs_repo": {
                "identifier": about.repository,
                "display_identifier": about.repository,
                "branch": about.ref,
            },
        },
    }


def _scalr(about: About) -> dict[str, object]:
    return {
        "created_by": {"username": about.actor},
        "is_destroy": False,
        "is_dry": False,
        "workspace": {
            "name": about.environment,
            "tags": _labels(about),
            "working_directory": about.path,
        },
        "vcs": {
            "repository_id": about.repository,
            "path": about.path,
            "branch": about.ref,
            "commit": {"sha": about.commit, "author": {"username": _author(about)}},
        },
    }


def _labels(about: About) -> list[str]:
    """As those tools have them: ``team:billing``, or ``critical`` where there is no value."""
    return [f"{key}:{value}" if value else key for key, value in sorted(about.labels.items())]


def _author(about: About) -> str:
    return about.authors[0] if about.authors else ""


def _version(about: About) -> str:
    return about.engine.rpartition(" ")[2]


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _nanoseconds(moment: datetime) -> int:
    # Not float: that would not hold a nanosecond of this century.
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _merged(ours: Mapping[str, object], theirs: Mapping[str, object]) -> dict[str, object]:
    """Ours, with what is said in the configuration: object in object, and for the rest its word
    counts."""
    merged = dict(ours)
    for key, value in theirs.items():
        there = merged.get(key)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            value = _merged(there, value)
        merged[key] = value
    return merged


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain).encode()
    except (TypeError, ValueError) as error:
        raise PolicyError(
            f"The context of a policy cannot be told in JSON: {error}",
            todo="Write it with texts, numbers, true, false, null, lists and objects only.",
        ) from error


def _plain(value: object) -> object:
    """What `json` knows, of what a configuration may hold."""
    match value:
        case Mapping():
            return dict(value)
        case Decimal():
            return float(value)
        case _:
            raise TypeError(f"{type(value).__name__} is none of its kinds of values.")
