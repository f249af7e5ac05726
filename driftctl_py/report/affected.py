"""What is said of the environments that a change concerns: for people, for scripts, for GitHub."""

from __future__ import annotations

import json
from collections.abc import Sequence

from driftctl_py.core.affected import Affected, Reason
from driftctl_py.report import show

# As many files of one kind as are named.
_NAMED = 3


def explain_affected(found: Affected, *, base: str) -> str:
    """Each environment that is concerned, with why, and those that are not."""
    lines: list[str] = []
    for name, reasons in found.reasons.items():
        lines.append(show.clean(name))
        lines += [f"  {line}" for line in _reasons(reasons)]
    since = f" since {base[:7]}" if base else ""
    if not found.reasons:
        lines.append(f"What changed{since} concerns no environment.")
    if found.others:
        lines.append(f"Not concerned: {', '.join(map(show.clean, found.others))}")
    if found.removed:
        lines.append(f"No longer there: {', '.join(map(show.clean, found.removed))}")
    return "\n".join(lines) + "\n"


def affected_names(found: Affected) -> str:
    """A name a line, for a script."""
    return "".join(f"{name}\n" for name in found.names)


def affected_json(found: Affected, *, base: str) -> str:
    document = {
        "document": "affected",
        "schema_version": 1,
        "base": base or None,
        "unsure": found.unsure or None,
        "environments": [
            {
                "name": name,
                "reasons": [
                    {"because": each.because, "path": each.path or None} for each in reasons
                ],
            }
            for name, reasons in found.reasons.items()
        ],
        "others": list(found.others),
        "removed": list(found.removed),
    }
    return json.dumps(document, indent=2) + "\n"


def matrix_json(groups: Sequence[Sequence[str]]) -> str:
    """As ``strategy.matrix`` of a job takes it, in one line: each entry has ``name``, for the job,
    and ``environments``, names with spaces between them, which no name holds."""
    include = [{"name": _job_name(group), "environments": " ".join(group)} for group in groups]
    return json.dumps({"include": include}) + "\n"


def matrix_outputs(groups: Sequence[Sequence[str]]) -> str:
    """Lines for ``$GITHUB_OUTPUT``. ``count`` is there because an empty matrix fails a job."""
    return f"matrix={matrix_json(groups)}count={len(groups)}\n"


def _job_name(group: Sequence[str]) -> str:
    more = len(group) - _NAMED
    return ", ".join(group[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _reasons(reasons: Sequence[Reason]) -> list[str]:
    """One line for each kind of reason, with the files that it is about."""
    paths: dict[str, list[str]] = {}
    for each in reasons:
        paths.setdefault(each.because, []).append(each.path)
    lines = []
    for because, named in paths.items():
        files = [show.clean(path) for path in named if path]
        more = len(files) - _NAMED
        listed = ", ".join(files[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"{listed}: {show.clean(because)}" if listed else show.clean(because))
    return lines
