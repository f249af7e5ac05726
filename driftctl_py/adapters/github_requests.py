"""Asking GitHub, or GitHub Enterprise, through PyGithub: one repository, by one token.

PyGithub signs, connects, spaces writes out and finds GraphQL's address. What is asked again is
decided here: its own `GithubRetry` repeats a POST whose answer was lost, so that there are two
comments; it knows nothing of 429, and sleeps for as long as ``retry-after`` says.

* A refusal for the sake of a rate limit had no effect. It is waited for and asked again, whatever
  it was, for as long as ``patience_seconds`` last for all of it together.
* An answer that was lost (502, a broken connection) is asked for again where asking twice is the
  same as asking once (`Requests.ask`). What creates something is looked for first
  (`Requests.create`).
* Anything else is a `ForgeError`, which names the permission that is lacking.

Not here: what is asked (``github``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from driftctl_py.errors import ForgeError, Unavailable

if TYPE_CHECKING:
    from github.Requester import Requester

_T = TypeVar("_T")

# What it takes to write into a conversation. An issue is not a pull request, and a number does not
# tell which of the two it is.
COMMENTING = "pull-requests: write, issues: write"

_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TIMEOUT_SECONDS = 30
_PAGE = 100
_TRIES = 4
_BACKOFF_SECONDS = 2
# Where a secondary limit does not say: "wait for at least one minute", then longer.
_LIMITED_SECONDS = 60
_QUOTED = 300
_MOVED = (301, 302, 307, 308)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is being done, in words that follow "GitHub did not let us", and the permissions that it
    takes, as a workflow spells them."""

    what: str
    grant: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, Any]
    text: str

    def as_(self, kind: type[_T]) -> _T | None:
        """None where it is something else."""
        try:
            return msgspec.json.decode(self.text.encode(), type=kind)
        except (msgspec.DecodeError, UnicodeError):
            return None


class Lost(Exception):
    """There is no answer; whether there was an effect is not known."""


class _Fault(msgspec.Struct):
    field: str = ""
    code: str = ""
    message: str = ""


class _Refusal(msgspec.Struct):
    message: str = ""
    errors: list[_Fault | str] = []


class Requests:
    """Paths are the repository's own: ``/issues/1``."""

    def __init__(
        self,
        repository: str,
        *,
        token: str,
        api_url: str,
        patience_seconds: float,
        pause_seconds: float,
        sleep: Callable[[float], None],
    ) -> None:
        self.repository = _checked_repository(repository)
        self.api_url = _checked_address(api_url)
        self._token = _checked_token(token)
        self._left = patience_seconds
        self._patience = patience_seconds
        self._pause = pause_seconds
        self._sleep = sleep
        self._requester: Requester | None = None

    def close(self) -> None:
        if self._requester is not None:
            self._requester.close()
            self._requester = None

    def ask(
        self,
        deed: Deed,
        verb: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        fine: Collection[int] = (),
        fine_codes: Collection[str] = (),
    ) -> Answer:
        """For what is the same when it is asked twice. Refusals that are ``fine`` (by their status,
        or by the code of an error in them) are answers too."""
        answer = self._answered(deed, verb, self._path(path), query=query, body=body)
        if answer.status in fine or _codes(answer) & set(fine_codes):
            return answer
        return self.checked(deed, answer)

    def create(
        self,
        deed: Deed,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[Answer], _T],
        find: Callable[[], _T | None],
    ) -> _T:
        """For what would be there twice: ``find`` looks for it where an answer was lost."""
        tries = 0
        while True:
            tries += 1
            try:
                return read(self.checked(deed, self.once("POST", path, body=body)))
            except Lost as lost:
                self.back_off(deed, tries, lost)
            if (found := find()) is not None:
                return found

    def answers(
        self, deed: Deed, path: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Answer]:
        """Page by page."""
        page = 1
        while True:
            asked = {**(query or {}), "per_page": str(_PAGE), "page": str(page)}
            answer = self.ask(deed, "GET", path, query=asked)
            yield answer
            # Counted, not followed: whatever is answered does not choose where the token goes.
            if 'rel="next"' not in answer.headers.get("link", ""):
                return
            page += 1

    def pages(
        self,
        deed: Deed,
        path: str,
        kind: type[list[_T]],
        query: Mapping[str, str] | None = None,
    ) -> Iterator[_T]:
        for answer in self.answers(deed, path, query):
            yield from self.decoded(deed, answer, kind)

    def first(
        self,
        deed: Deed,
        path: str,
        kind: type[list[_T]],
        query: Mapping[str, str] | None = None,
    ) -> list[_T]:
        """The first page alone, for what was written a moment ago."""
        return self.decoded(deed, next(self.answers(deed, path, query)), kind)

    def once(self, verb: str, path: str, *, body: Mapping[str, Any] | None = None) -> Answer:
        """Raises `Lost`."""
        return self._once(verb, self._path(path), body=body)

    def graphql(self, deed: Deed, query: str) -> Answer:
        """For questions alone."""
        asked = {"query": query, "variables": {}}
        return self._answered(deed, "POST", self._client().graphql_url, body=asked)

    def everywhere(self, deed: Deed, path: str) -> Answer:
        """For what is no repository's; whatever the answer is."""
        return self._answered(deed, "GET", path)

    def back_off(self, deed: Deed, tries: int, lost: Lost) -> None:
        """Wait before the next try, or give up."""
        if tries >= _TRIES:
            raise Unavailable(
                f"Could not {deed.what} in {self.repository}: {lost}. It was tried {tries} times; "
                "whether the last one had an effect is not known.",
                todo=f"Look whether {self.api_url} is well, then run it again: what is there "
                "already is found, and is not written twice.",
            ) from lost
        self._wait(float(_BACKOFF_SECONDS**tries), None, f"GitHub does not answer ({lost})")

    def checked(self, deed: Deed, answer: Answer) -> Answer:
        if answer.status >= 300:
            raise self.refusal(deed, answer)
        return answer

    def decoded(self, deed: Deed, answer: Answer, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer.text.encode(), type=kind)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ForgeError(
                f"Could not {deed.what} in {self.repository}: what {self.api_url} answered is not "
                f"what GitHub answers ({self._quoted(str(error))}).",
                todo="Look whether GITHUB_API_URL is the address of GitHub's API, and whether a "
                "proxy stands between.",
            ) from error

    def refusal(self, deed: Deed, answer: Answer) -> ForgeError:
        told = _told(answer)
        said = self._quoted(_said(told) or "nothing more").rstrip(".")
        return ForgeError(
            f"GitHub did not let us {deed.what} in {self.repository}: {answer.status}, {said}.",
            todo=_todo(deed, answer.status, told.message),
        )

    def _path(self, path: str) -> str:
        return f"/repos/{self.repository}{path}"

    def _answered(
        self,
        deed: Deed,
        verb: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(verb, path, body=body, query=query)
            except Lost as lost:
                self.back_off(deed, tries, lost)

    def _once(
        self,
        verb: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """After the rate limits."""
        from requests.exceptions import RequestException

        limited = 0
        while True:
            try:
                status, headers, text = self._client().requestJson(
                    verb, path, parameters=dict(query or {}), input=body
                )
            except (RequestException, ValueError) as error:
                # A ValueError is PyGithub's for headers that make no sense: an answer, but not one.
                raise Lost(self._quoted(_innermost(error))) from error
            except RuntimeError as error:
                # PyGithub's, for a redirection to another host.
                raise ForgeError(
                    f"{self.api_url} sends us elsewhere: {self._quoted(str(error))}",
                    todo="Give the address of the API itself (GITHUB_API_URL).",
                ) from error
            answer = Answer(status, headers, text)
            if status >= 500:
                said = self._quoted(_told(answer).message)
                raise Lost(f"it answered {status}{f', {said}' if said else ''}")
            if not _is_limited(answer):
                return answer
            self._wait_for_limit(answer, limited)
            limited += 1

    def _client(self) -> Requester:
        if self._requester is None:
            from github import Auth, Github, set_log_level

            # It writes to the terminal by itself, whatever the program has set up.
            set_log_level(logging.WARNING)
            self._requester = Github(
                base_url=self.api_url,
                auth=Auth.Token(self._token),
                timeout=_TIMEOUT_SECONDS,
                user_agent="driftctl-py",
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=self._pause or None,
            ).requester
        return self._requester

    def _wait_for_limit(self, answer: Answer, before: int) -> None:
        headers = answer.headers
        at = _date(headers)
        seconds = float(_LIMITED_SECONDS * 2**before)
        after = _number(headers.get("retry-after"))
        reset = _number(headers.get("x-ratelimit-reset"))
        if after is not None:
            # Never nothing: then it would be asked again and again, and patience would never end.
            seconds = max(after, 1.0)
        elif _number(headers.get("x-ratelimit-remaining")) == 0 and reset is not None and at:
            # It ends somewhere in that second.
            seconds = max(reset - at.timestamp(), 0.0) + 1
        said = self._quoted(_told(answer).message)
        self._wait(seconds, at, f"GitHub's rate limit is used up ({said})")

    def _wait(self, seconds: float, at: datetime | None, why: str) -> None:
        if seconds > self._left:
            when = "" if at is None else f" at {at + timedelta(seconds=seconds):%H:%M:%S} UTC,"
            raise Unavailable(
                f"{why}. It would let us ask for {self.repository} again{when} in {seconds:.0f} "
                f"seconds, and no more than {self._patience:.0f} are waited in all.",
                todo="Run it again then. What was written before stays, and is found again.",
            )
        self._left -= seconds
        self._sleep(seconds)

    def _quoted(self, text: str) -> str:
        """Of what comes from outside: without the token, in one line, not too long."""
        text = " ".join(text.replace(self._token, "(token)").split())
        return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def word(text: str) -> str:
    """One part of a path."""
    return quote(text, safe="")


def _checked_repository(repository: str) -> str:
    if not _REPOSITORY.fullmatch(repository):
        raise ForgeError(
            f"{repository!r} is not the name of a repository on GitHub.",
            todo="Write owner/name, such as example/infrastructure (GITHUB_REPOSITORY).",
        )
    return repository


def _checked_address(api_url: str) -> str:
    parts = urlsplit(api_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        # Not quoted: a password may stand in it.
        raise ForgeError(
            "The address of GitHub's API is not one that can be used.",
            todo="Give https://api.github.com, or https://HOST/api/v3 of a GitHub Enterprise "
            "Server (GITHUB_API_URL).",
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ForgeError(
            f"{api_url} is not encrypted, and everybody on the way could read the token.",
            todo="Give an address that begins with https:// (GITHUB_API_URL).",
        )
    return api_url.rstrip("/")


def _checked_token(token: str) -> str:
    token = token.strip()
    # What cannot stand in a header would be quoted by the error that says so.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ForgeError(
            "There is no token for GitHub, or what is given is none.",
            todo="In a workflow, give the step `env: { GITHUB_TOKEN: ${{ github.token }} }`.",
        )
    return token


def _is_limited(answer: Answer) -> bool:
    from github.Requester import Requester

    told = _told(answer)
    match answer.status:
        case 429:
            return True
        case 403 if "retry-after" in answer.headers or Requester.isRateLimitError(told.message):
            return True
        case 403 | 422:
            # How much one may write in a minute, which is told like an error of ours:
            # https://github.com/cli/cli/issues/4801
            return "submitted too quickly" in _said(told)
        case _:
            return False


def _todo(deed: Deed, status: int, message: str) -> str:
    lower = message.lower()
    match status:
        case 401:
            return "The token is wrong, or its time is over: give a new one (GITHUB_TOKEN)."
        case 410 if "disabled" in lower:
            return "Turn issues on (Settings, General, Features), or publish no issues."
        case 410:
            return "It was deleted. Run it again, so that there is a new one."
        case 422:
            return "What was sent is too large or wrong. This is a bug in driftctl_py."
        case 403 if "locked" in lower:
            return "Unlock the conversation, or publish to the job's summary alone."
        case 403 if "via a github app" in lower:
            return (
                "Only GitHub Apps write check runs: the token of a workflow (GITHUB_TOKEN) is one "
                "of an app, a personal access token is not. Or publish `statuses`, not `checks`."
            )
        case 403 if "saml" in lower:
            return "Authorize the token for the organization's single sign-on."
        case 403 if "push access" in lower:
            return "Only who may write here is told what others may do: give a token that may."
        case 403 if deed.grant and "personal access token" in lower:
            return f"Give the token for this repository: {deed.grant}."
        case 403 | 404 if deed.grant:
            gone = "It is not there, or the token may not see it. If so: " if status == 404 else ""
            return (
                f"{gone}Grant the job in the workflow `permissions: {{ contents: read, "
                f"{deed.grant} }}`. A pull request from a fork, or by Dependabot, is granted no "
                "more than reading."
            )
        case _ if status in _MOVED:
            return "The repository was renamed or moved: give its new name (GITHUB_REPOSITORY)."
        case _:
            return "Look at what GitHub says, then run it again."


def _said(told: _Refusal) -> str:
    parts = [told.message]
    for each in told.errors:
        if isinstance(each, str):
            parts.append(each)
        else:
            parts.append(" ".join(filter(None, (each.field, each.code, each.message))))
    return "; ".join(filter(None, parts))


def _told(answer: Answer) -> _Refusal:
    """Empty for what is no refusal, or not GitHub's."""
    return (answer.as_(_Refusal) if answer.status >= 300 else None) or _Refusal()


def _codes(answer: Answer) -> set[str]:
    return {each.code for each in _told(answer).errors if isinstance(each, _Fault)}


def _date(headers: Mapping[str, Any]) -> datetime | None:
    """GitHub's own clock, which its limits are told by."""
    try:
        return parsedate_to_datetime(str(headers.get("date", ""))).astimezone(UTC)
    except ValueError:
        return None


def _number(text: object) -> float | None:
    """Enterprise Server writes some of them with a point."""
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


def _innermost(error: BaseException) -> str:
    """What a library's error is about: it wraps the one that knows in several that do not."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__
