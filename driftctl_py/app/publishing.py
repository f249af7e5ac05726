"""Puts results on a forge: a comment, labels, checks, statuses, issues.

What is there is asked first, what to do about it is decided by pure functions (``core/sticky``,
``core/drift_issues``, ``core/labels``, ``core/conclusion``), and after a write it is asked again,
for another job may have done the same at the same moment. What fails is told, and stops nothing
else: who lacks the permission for labels still has the comment.

Not here: the words (``report``), and the forge itself (``Forge``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cached_property

from driftctl_py.app.ports import Clock, Forge
from driftctl_py.core import conclusion, drift_issues, sticky
from driftctl_py.core.drift_issues import Look
from driftctl_py.core.forge import CheckRun, Comment, Conclusion, Published
from driftctl_py.core.labels import relabelled
from driftctl_py.core.marker import Turn, outranks, read_scope, turn_of
from driftctl_py.core.result import Job, Occasion, Result, Results
from driftctl_py.core.sticky import Create, Edit, Leave, Wanted, Why
from driftctl_py.errors import ForgeError, Unavailable

CHECKS_AT_MOST = 50
"""Environments with a check or a status of their own; GitHub slows down who makes 80 things in a
minute. The one for all tells of all."""
ISSUES_AT_MOST = 50
"""As many are opened in one go: where everything drifts at once, nobody is helped by more mail."""

# Each round ends nearer to one comment; more than a few mean that somebody works against us.
_ROUNDS = 6
# What an engine says may be long, and an issue has room for what drifted beside it.
_CLAUSE_AT_MOST = 150
_DIED = "its job ended without a result"


class Kind(Enum):
    """What can be published, as the command line spells it."""

    COMMENT = "comment"
    LABELS = "labels"
    CHECKS = "checks"
    STATUSES = "statuses"
    ISSUES = "issues"


@dataclass(frozen=True, slots=True)
class Texts:
    """Who writes the words. ``comment`` gets the results, how many bytes there is room for, and the
    address of the whole report; ``check`` one environment, ``check_of_all`` all of them;
    ``issue`` one that drifted, since when, and the lines of its history. ``about`` is a clause
    about one environment, and ``markdown`` makes such a clause harmless."""

    comment: Callable[[Results, int, str], str]
    check: Callable[[Result], CheckRun]
    check_of_all: Callable[[Results], CheckRun]
    issue: Callable[[Result, datetime, Sequence[str]], tuple[str, str]]
    about: Callable[[Result], str]
    markdown: Callable[[str], str]


def _nobody(_: str) -> Collection[str]:
    return ()


def _none(_: str) -> Collection[int]:
    return ()


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one ``scope``: workflows that look at different environments of one repository
    have one each, and then never touch what the other wrote. ``assign`` says who is asked to look
    at an environment that drifted, and ``merged`` which pull requests brought a commit."""

    forge: Forge
    texts: Texts
    now: Clock
    scope: str = ""
    assign: Callable[[str], Collection[str]] = _nobody
    merged: Callable[[str], Collection[int]] = _none

    def __post_init__(self) -> None:
        """Raises `UsageError` for what cannot be a scope."""
        read_scope(self.scope)

    def publish(
        self,
        results: Results,
        kinds: Collection[Kind],
        *,
        pull: int = 0,
        artifact_url: str = "",
        configured: Collection[str] | None = None,
    ) -> tuple[Published, ...]:
        """What was written, and what could not be: whoever calls ends with 1 where any of them has
        ``failed``. ``pull`` is the number of the pull request, 0 for the one that the results are
        of. ``configured`` are all environments that there are: an issue about another is closed;
        None where that is not known."""
        work = _Publication(self, results, pull or results.job.pull, artifact_url, configured)
        steps = {
            Kind.COMMENT: work.comment,
            Kind.LABELS: work.labels,
            Kind.CHECKS: work.checks,
            Kind.STATUSES: work.statuses,
            Kind.ISSUES: work.issues,
        }
        chosen = [kind for kind in Kind if kind in kinds]
        told = [each for kind in chosen for each in _tried(kind, steps[kind])]
        if Kind.COMMENT in chosen and len(chosen) > 1:
            # Some seconds later: a request of an older run may have been on its way for so long.
            told += [each for each in _tried(Kind.COMMENT, work.comment_again) if each.failed]
        return tuple(told)


def _tried(kind: Kind, step: Callable[[], Iterator[Published]]) -> list[Published]:
    """What a step has told until it was through, or could not go on."""
    told: list[Published] = []
    try:
        for each in step():
            told.append(each)
    except (ForgeError, Unavailable) as error:
        told.append(_failure(kind, error))
    return told


def _failure(kind: Kind, error: ForgeError | Unavailable) -> Published:
    return Published(f"{kind.value}: {error.what}", failed=True, todo=error.todo)


# Without slots, for what is rendered once.
@dataclass
class _Publication:
    """One call of `publish`."""

    by: Publisher
    results: Results
    number: int
    artifact_url: str
    configured: Collection[str] | None

    # The comment.

    def comment(self) -> Iterator[Published]:
        if not self._commented:
            yield Published("comment: not written, for there is no pull request")
        for number in self._commented:
            yield from self._comment_on(number)

    def _comment_on(self, number: int) -> Iterator[Published]:
        try:
            why, url = self._stick(number, anew=True)
        except ForgeError as error:
            if self.forge.pull(number).locked:
                yield Published(
                    f"comment: not written, for the conversation of pull request #{number} is "
                    f"locked: {error.what}"
                )
            else:
                yield _failure(Kind.COMMENT, error)
        else:
            yield Published(f"comment: {_DONE[why]}", url)

    def comment_again(self) -> Iterator[Published]:
        for number in self._commented:
            if not self.forge.pull(number).locked:
                self._stick(number, anew=False)
        yield from ()

    @cached_property
    def _commented(self) -> tuple[int, ...]:
        """The pull requests that hear of it. What is applied after a merge is told to those that
        brought it."""
        if self.number:
            return (self.number,)
        if self.occasion is not Occasion.APPLY or not self.job.head:
            return ()
        return tuple(self.by.merged(self.job.head))

    def _stick(self, number: int, *, anew: bool) -> tuple[Why, str]:
        """Until what is there needs nothing more: why it was written, or left, and its address."""
        forge, wanted = self.forge, self.wanted
        done: tuple[Why, str] | None = None
        written = 0
        for _ in range(_ROUNDS):
            comments = forge.comments(number)
            # Asked after the comments: who wrote one of them did so before.
            head = forge.pull(number).head if wanted.kind == "plan" else ""
            act = sticky.decide(comments, wanted, head=head)
            match act:
                case Create(body=body):
                    if written or not anew:
                        # Somebody deleted it at once, or the forge does not show it yet.
                        return done or (Why.SAME, "")
                    comment = forge.add_comment(number, body)
                    done, written = (act.why, comment.url), comment.id
                case Edit(id=id, body=body, why=why):
                    if id == written and why is Why.EDITED:
                        # The forge keeps it in another spelling than it was sent in.
                        self._delete(act.delete)
                        return done or (why, _url(comments, id))
                    edited = forge.edit_comment(id, body)
                    if edited is not None:
                        self._delete(act.delete)
                        # Where ours was a duplicate, this one took its place.
                        done, written = (done[0] if done else why, edited.url), id
                case Leave(id=id, why=why):
                    self._delete(act.delete)
                    return done if done and why is Why.SAME else (why, _url(comments, id))
        raise ForgeError(
            f"The comment on pull request #{number} is changed again as fast as it is written, so "
            "it may not say what this run found.",
            todo="See who else writes it, and let each workflow have a --scope of its own.",
        )

    def _delete(self, ids: Collection[int]) -> None:
        for id in ids:
            self.forge.delete_comment(id)

    @cached_property
    def wanted(self) -> Wanted:
        body = self.by.texts.comment(self.results, sticky.BODY_AT_MOST, self.artifact_url)
        return Wanted(
            body,
            self.turn,
            sticky.KIND_OF[self.occasion],
            self.by.scope,
            volatile=(self.job.url, self.artifact_url, *(r.job.url for r in self.results.results)),
        )

    # Labels.

    def labels(self) -> Iterator[Published]:
        if not self.number:
            yield Published("labels: left as they are, for there is no pull request")
            return
        if self.occasion is Occasion.APPLY:
            yield Published("labels: left as they are, for they say what merging would do")
            return
        forge = self.forge
        comments = forge.comments(self.number)
        pull = forge.pull(self.number)
        # Labels say nothing of who set them; the run that wrote the comment did.
        rival = sticky.latest(comments, self.by.scope, head=pull.head)
        if rival is not None and outranks(rival, self.turn, head=pull.head):
            yield Published("labels: left as they are, for a newer run has set them")
            return
        change = relabelled(self.results, now=pull.labels, scope=self.by.scope)
        if not change.add and not change.remove:
            yield Published("labels: as they should be")
            return
        forge.set_labels(self.number, add=change.add, remove=change.remove)
        signed = [f"+{label.name}" for label in change.add] + [f"-{name}" for name in change.remove]
        yield Published(f"labels: {', '.join(signed)}")

    # Checks and statuses.

    def checks(self) -> Iterator[Published]:
        yield from self._each(Kind.CHECKS, "check", self.forge.publish_check)

    def statuses(self) -> Iterator[Published]:
        def publish(check: CheckRun) -> str:
            self.forge.set_status(conclusion.status_of(check))
            return check.url

        yield from self._each(Kind.STATUSES, "status", publish)

    def _each(
        self, kind: Kind, word: str, publish: Callable[[CheckRun], str]
    ) -> Iterator[Published]:
        if not self.job.head:
            yield Published(f"{kind.value}: not published, for it is not known of which commit")
            return
        of_all, *others = self._checks()
        # What is wrong with this one, as a permission that is lacking, is wrong with all.
        url = publish(of_all)
        done, failed = 1, []
        for check in others:
            try:
                publish(check)
            except ForgeError as error:
                failed.append(_failure(kind, error))
            else:
                done += 1
        left = len(self.results.results) + len(self.results.missing) - len(others)
        more = f"; {left} more environments are told of in {of_all.name} alone" if left else ""
        counted = f"{done} {word if done == 1 else kind.value}"
        yield Published(f"{kind.value}: {counted} at {self.job.head[:7]}{more}", url)
        yield from failed

    def _checks(self) -> list[CheckRun]:
        """The one for all first, then what failed and what needs somebody."""
        texts, scope = self.by.texts, self.by.scope
        of_all = replace(
            texts.check_of_all(self.results),
            name=conclusion.check_name_of_all(scope),
            conclusion=conclusion.conclusion_of_all(self.results),
        )
        died = [
            CheckRun(
                conclusion.check_name(name, scope),
                self.job.head,
                Conclusion.FAILURE,
                f"failed: {_DIED}",
                f"Nothing is known of {self.by.texts.markdown(name)}: {_DIED}.",
            )
            for name in self.results.missing
        ]
        known = [
            replace(
                texts.check(each),
                name=conclusion.check_name(each.environment, scope),
                conclusion=conclusion.conclusion_of(each),
            )
            for each in conclusion.gravest_first(self.results.results)[:CHECKS_AT_MOST]
        ]
        return [
            replace(
                check,
                head=self.job.head,
                url=check.url or self.job.url,
                external_id=f"driftctl-py {check.name}",
            )
            for check in [of_all, *(died + known)[:CHECKS_AT_MOST]]
        ]

    # Issues.

    def issues(self) -> Iterator[Published]:
        looks = self._looks()
        if not looks:
            yield Published("issues: left as they are, for nothing was checked")
            return
        opened = 0
        quiet = True
        waiting = 0
        for act in self._decided(looks):
            if isinstance(act, drift_issues.Open):
                if opened == ISSUES_AT_MOST:
                    waiting += 1
                    continue
                opened += 1
            for each in self._done(act):
                quiet = False
                yield each
        if opened:
            # Another job may have opened one at the same moment: the older one stays.
            for act in self._decided(looks):
                if isinstance(act, drift_issues.Change):
                    yield from self._done(act)
        if waiting:
            yield Published(
                f"issues: {waiting} more environments drifted, and get theirs by the next checks: "
                f"{ISSUES_AT_MOST} are opened at once"
            )
        if quiet:
            yield Published("issues: as they should be")

    def _looks(self) -> list[Look]:
        """What checks alone found: what a plan of a pull request finds is not so yet."""
        texts = self.by.texts
        looks = []
        for each in self.results.results:
            if each.occasion is Occasion.CHECK:
                about = texts.about(each)
                words = texts.markdown(_cut(about))
                looks.append(drift_issues.look_of(each, words=words, line=about))
        if looks:
            at = self.by.now()
            unknown = drift_issues.Found.UNKNOWN
            looks += [Look(name, unknown, at, _DIED, _DIED) for name in self.results.missing]
        return looks

    def _decided(self, looks: Sequence[Look]) -> tuple[drift_issues.Act, ...]:
        results = self.results
        whole = not results.missing and not results.unreadable
        of = {each.environment: each for each in results.results}

        def write(name: str, since: datetime, history: Sequence[str]) -> drift_issues.Text:
            return drift_issues.Text(*self.by.texts.issue(of[name], since, history))

        return drift_issues.decide(
            self.forge.issues(drift_issues.LABEL.name),
            looks,
            turn=self.turn,
            write=write,
            scope=self.by.scope,
            configured=self.configured if whole else None,
        )

    def _done(self, act: drift_issues.Act) -> Iterator[Published]:
        forge = self.forge
        try:
            match act:
                case drift_issues.Open(environment=name, title=title, body=body):
                    issue = forge.open_issue(
                        title, body, labels=[drift_issues.LABEL], assignees=self.by.assign(name)
                    )
                    yield Published(f"issues: #{issue.number} opened for {name}", issue.url)
                case drift_issues.Change(environment=name, number=number, what=what):
                    issue = forge.edit_issue(number, title=act.title, body=act.body, open=act.open)
                    if act.comment:
                        forge.add_comment(number, act.comment)
                    yield Published(f"issues: #{number} for {name} {what}", issue.url)
                case drift_issues.Leave():
                    pass
        except ForgeError as error:
            yield _failure(Kind.ISSUES, error)

    # What it is all about.

    @property
    def forge(self) -> Forge:
        return self.by.forge

    @property
    def job(self) -> Job:
        return self.results.job

    @property
    def turn(self) -> Turn:
        return turn_of(self.job)

    @property
    def occasion(self) -> Occasion:
        """What all of it is for. Where every job died, nobody knows, and a pull request's plan is
        the case that has to be guarded."""
        found = {each.occasion for each in self.results.results}
        of = (Occasion.APPLY, Occasion.REVIEW, Occasion.CHECK)
        return next((each for each in of if each in found), Occasion.REVIEW)


_DONE = {
    Why.NEW: "written",
    Why.CHANGED: "updated",
    Why.NEXT: "updated: it says the same, and is of this run now",
    Why.EDITED: "put back: somebody had changed it",
    Why.SAME: "left as it is: it says the same",
    Why.OLDER: "left as it is: a newer run has written it",
    Why.AHEAD: "left as it is: a newer version of driftctl-py has written it",
}


def _cut(text: str) -> str:
    return text if len(text) <= _CLAUSE_AT_MOST else f"{text[: _CLAUSE_AT_MOST - 1]}…"


def _url(comments: Collection[Comment], id: int) -> str:
    return next((comment.url for comment in comments if comment.id == id), "")
