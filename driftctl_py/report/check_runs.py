"""A check run: what stands in a commit's list of checks, about one environment or about all.

The summary answers, the text has the sections of the comment, and annotations point at the lines
of code that are refused, wrong, or destroy something. How the check ends is ``core/conclusion``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftctl_py.core import conclusion
from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import Annotation, CheckRun
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Gated, Item, Result, Results, Standing
from driftctl_py.report import results_wording, show
from driftctl_py.report.comment import render_parts
from driftctl_py.report.result_alerts import rule_of

ROOM = 65_000
"""GitHub takes 65,535 characters in a summary and as many in a text. A byte is at least as much as
a character."""

ANNOTATIONS_AT_MOST = 200
"""They are sent 50 at a time, and nobody reads more; the text has all there is."""

_TITLE_AT_MOST = 200
_LINE_AT_MOST = 400
_LINES_AT_MOST = 20
# What an engine keeps for itself is in no repository.
_NOT_OURS = ".terraform"
_GRAVITY = ("failure", "warning", "notice")


def check_run_of(about: Result | Results, *, artifact_url: str = "") -> CheckRun:
    """Of one environment, with annotations, or of all, without."""
    annotations: tuple[Annotation, ...] = ()
    if isinstance(about, Results):
        name, head = conclusion.check_name_of_all(), about.job.head
        ended, url = conclusion.conclusion_of_all(about), about.job.url
        title, results = results_wording.headline(about), about
    else:
        name, head = conclusion.check_name(about.environment), about.job.head or about.commit
        ended, url = conclusion.conclusion_of(about), about.job.url
        title, results = results_wording.about(about), Results((about,))
        annotations = annotations_of(about)
    summary, text = render_parts(results, budget=ROOM, artifact_url=artifact_url)
    plain = show.cut(show.clean(title), _TITLE_AT_MOST)
    return CheckRun(name, head, ended, plain, summary, text, annotations, url)


def annotations_of(result: Result) -> tuple[Annotation, ...]:
    """The gravest first, and no more than are worth sending."""
    found = [*_of_diagnostics(result), *_of_items(result)]
    found.sort(key=lambda each: _GRAVITY.index(each.level))
    return tuple(found[:ANNOTATIONS_AT_MOST])


def _of_diagnostics(result: Result) -> Iterator[Annotation]:
    failed = result.verdict in (Verdict.FAILED, Verdict.UNKNOWN)
    for each in result.diagnostics:
        file, _, line = each.where.rpartition(":")
        path = _in_repository(result.path, file)
        if path and _is_line(line):
            level = "failure" if failed and each.severity == "error" else "warning"
            details = [each.address, *each.detail.splitlines()]
            yield _annotation(path, int(line), level, each.summary, details or [each.summary])


def _of_items(result: Result) -> Iterator[Annotation]:
    said = result.gate if result.gate is not None else Gated(Standing.NOTHING)
    lines = said.lines if said.standing in (Standing.HELD, Standing.REFUSED) else ()
    for item in result.items:
        path = _in_repository("", item.file)
        if not path or item.line < 1:
            continue
        named = [line for line in lines if _names(line, item.address)]
        if named:
            refused = any(line.startswith("deny ") for line in named)
            level = "failure" if refused else "warning"
            yield _annotation(path, item.line, level, _title(item), [*named, *item.lines])
        elif item.destroys or item.action == Kind.UNKNOWN.value:
            yield _annotation(path, item.line, "warning", _title(item), item.lines)


def _title(item: Item) -> str:
    return f"{rule_of(item).title}: {item.address}"


def _names(line: str, address: str) -> bool:
    """Is it about this object? Beside an address stands in brackets what becomes of it."""
    before, found, _ = line.partition(f"{address} (")
    return bool(found) and before[-1:] in ("", " ")


def _annotation(path: str, line: int, level: str, title: str, message: Sequence[str]) -> Annotation:
    lines = [show.cut(show.clean(each), _LINE_AT_MOST) for each in message if each.strip()]
    more = len(lines) - _LINES_AT_MOST
    shown = lines[:_LINES_AT_MOST] + ([f"… {more} more lines"] if more > 0 else [])
    cut = show.cut_middle(show.clean(title), _TITLE_AT_MOST)
    return Annotation(path, line, level, cut, "\n".join(shown) or cut)


def _in_repository(directory: str, file: str) -> str:
    """Where a file lies from the root of the repository; empty where that is not within it."""
    if not file or file.startswith("/") or show.clean(file) != file:
        return ""
    steps: list[str] = []
    for step in [*directory.split("/"), *file.split("/")]:
        if step == ".." and not steps:
            return ""
        if step == "..":
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "" if _NOT_OURS in steps else "/".join(steps)


def _is_line(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text[:9]) == int(text)
