"""Git addresses and refs: may we use this one, how is it shown, why did Git say no?

Pure text. Nothing here asks a repository or the network anything; ``adapters/git.py`` does.
What is refused is refused before Git sees it: a transport that runs a program (``ext::``), a
name that Git would read as an option (``-upload-pack=…``), a password that would be shown.
"""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from driftctl_py.errors import SourceError

Transport: TypeAlias = Literal["here", "path", "file", "https", "ssh"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a source is. ``url`` is for Git only; ``display`` is for everybody: it holds no
    user and no password. ``user`` and ``site`` (``https://host/``) serve an https token."""

    transport: Transport
    url: str
    display: str
    user: str = ""
    site: str = ""

    @property
    def is_local(self) -> bool:
        return self.transport in ("here", "path", "file")


class Trouble(Enum):
    """Why Git failed, by what a person does next."""

    LOGIN = "it wants a password or does not accept the one it got"
    HOST_KEY = "the host key is not known"
    CERTIFICATE = "the certificate is not trusted"
    OWNER = "the directory belongs to somebody else"
    NOT_FOUND = "there is no repository"
    TRANSPORT = "the transport is not allowed"
    DISK = "the disk is full, as far as one can tell"
    LOCK_FILE = "a lock file was left behind"
    DOWN = "the other side did not answer"
    OTHER = "something else"


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_SCP = re.compile(r"(?:(?P<user>[^@/:]*)@)?(?P<host>\[[^\]]+\]|[^:/\[\]]+):(?P<path>.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")
# Hosts hand out tokens that look like this; as a user name they are as secret as a password.
_TOKEN = re.compile(r"(gh[opusr]_|github_pat_|gl[a-z]{2,8}-|ATATT|ATCTT|xox[a-z]-)")

_NAME_A_VARIABLE = (
    "Name an environment variable that holds the token instead, in driftctl.yaml: "
    "`token_env: GIT_TOKEN`, or use Git's credential helper."
)
_ALLOWED = "Use an https, ssh or file URL, or a path."


def parse_address(url: str) -> Address:
    """The address that ``url`` names, or a SourceError that says what is wrong with it."""
    if not url or url != url.strip():
        raise SourceError(
            f"The source's URL {url!r} is empty or has spaces around it, so it names nothing.",
            todo=_ALLOWED,
        )
    if _CONTROL.search(url):
        raise SourceError(
            "The source's URL holds a control character, such as a line break, "
            "so it is not passed to Git.",
            todo=_ALLOWED,
        )
    if url.startswith("-"):
        raise SourceError(
            f"The source's URL {url!r} begins with a dash, so Git would read it as an option.",
            todo=_ALLOWED + " A directory of that name is written ./-name.",
        )
    if url == ".":
        return Address("here", ".", ".")
    if helper := _HELPER.match(url):
        raise SourceError(
            f"The source's URL uses the transport {helper[0]!r}. Such transports run programs "
            "on this machine, so they are refused.",
            todo=_ALLOWED,
        )
    if scheme := _SCHEME.match(url):
        return _parse_url(url, scheme[1].lower())
    scp = _SCP.fullmatch(url)
    if scp and not url.startswith(("/", "./", "../", "~")):
        if scp["host"].lower() in ("https", "ssh", "file"):
            raise SourceError(
                f"The source's URL begins with {scp['host']}: but without the two slashes, so Git "
                "would take that for the name of a host.",
                todo=_ALLOWED,
            )
        if "@" in scp["path"].split("/")[0]:
            raise SourceError(
                "The source's URL reads like user:password@host. The configuration is no place "
                "for a password: everybody who reads the file has it.",
                todo="Write it as user@host:path, and let an SSH key open it.",
            )
        return _ssh(url, scp["user"] or "", scp["host"], f"{scp['host']}:{scp['path']}")
    return Address("path", url, url)


def check_ref(ref: str) -> None:
    """Raise a SourceError unless ``ref`` can be the name of a branch or tag, or a commit."""
    if ref.startswith("-"):
        raise SourceError(
            f"The ref {ref!r} begins with a dash, so Git would read it as an option.",
            todo="Name a branch, a tag or a full commit.",
        )
    if not ref or ref == "@" or _breaks_ref_rules(ref):
        raise SourceError(
            f"{ref!r} cannot be a ref: Git allows no such name for a branch or tag.",
            todo="Name a branch, a tag or a full commit, without ^, ~, : or @{…}.",
        )
    if ref.startswith("refs/") and not ref.startswith(("refs/heads/", "refs/tags/")):
        raise SourceError(
            f"The ref {ref!r} is neither a branch nor a tag, and only those are fetched.",
            todo="Name a branch, a tag or a full commit (the commit of a pull request works too).",
        )


def is_commit(ref: str) -> bool:
    """Is this a full commit hash (SHA-1 or SHA-256)?"""
    return _COMMIT.fullmatch(ref) is not None


def looks_abbreviated(ref: str) -> bool:
    """Could this be the beginning of a commit hash?"""
    return _SHORT_COMMIT.fullmatch(ref) is not None


def ref_candidates(ref: str | None) -> tuple[str, ...]:
    """The full names that a remote may hold for ``ref``; None and HEAD are its default branch."""
    if ref is None or ref == "HEAD":
        return ("HEAD",)
    name = ref.removeprefix("refs/")
    if name.startswith("heads/"):
        return (f"refs/{name}",)
    if name.startswith("tags/"):
        return (f"refs/{name}", f"refs/{name}^{{}}")
    return (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/tags/{ref}^{{}}")


def short_ref(full: str) -> str:
    """``refs/heads/main`` → ``main``."""
    return full.removeprefix("refs/heads/").removeprefix("refs/tags/")


def near(ref: str, names: Collection[str], count: int = 5) -> tuple[str, ...]:
    """The names that somebody who wrote ``ref`` may have meant, best first."""
    tail = ref.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("origin/")
    lowered = {name.lower(): name for name in sorted(names, reverse=True)}
    close = [lowered[match] for match in difflib.get_close_matches(tail.lower(), lowered, count)]
    inside = [name for name in sorted(names) if tail.lower() in name.lower()]
    return tuple(dict.fromkeys([*close, *inside]))[:count]


def token_header(token: str, user: str = "") -> str:
    """The http header that carries a token; hosts that care for the user get it from the URL."""
    pair = f"{user or 'x-access-token'}:{token}"
    return "Authorization: Basic " + base64.b64encode(pair.encode()).decode()


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without the secrets, however Git may have spelled them, and without the user and
    password of any URL."""
    for secret in secrets:
        if secret:
            spellings = {secret, quote(secret), quote(secret, safe="")}
            for spelling in sorted(spellings, key=len, reverse=True):
                text = text.replace(spelling, "***")
    text = re.sub(r"(?i)((?:proxy-)?authorization:\s*)[^\r\n]*", r"\1***", text)
    return re.sub(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\"?#]*@", r"\1", text)


def without_trace(stderr: str) -> str:
    """Git's complaint without the lines that GIT_TRACE and its kin add: those speak of anything,
    certificates and passwords included, and hold secrets of their own."""
    return re.sub(r"(?m)^\d\d:\d\d:\d\d\.\d+ .*(\n|$)", "", stderr)


# In this order: ssh says "Permission denied" and "Could not read from remote repository" at once.
_TROUBLES: tuple[tuple[Trouble, re.Pattern[str]], ...] = tuple(
    (trouble, re.compile(pattern, re.IGNORECASE))
    for trouble, pattern in (
        (
            # Laying files out, git does not say why it could not write one.
            Trouble.DISK,
            r"no space left on device|disk quota exceeded|unable to write (?!.*(denied|read-only))",
        ),
        (Trouble.OWNER, r"dubious ownership|safe\.directory"),
        (Trouble.HOST_KEY, r"host key verification failed|remote host identification has changed"),
        (
            Trouble.CERTIFICATE,
            r"certificate|self[- ]signed|unable to get local issuer|server verification",
        ),
        (Trouble.TRANSPORT, r"transport '.*' not allowed|unable to find remote helper"),
        (
            Trouble.LOGIN,
            r"could not read (username|password)|terminal prompts disabled|authentication failed"
            r"|permission denied \(|permission denied, please|returned error: 40[13]"
            r"|access denied|http basic: access|invalid credentials|too many authentication",
        ),
        (
            Trouble.NOT_FOUND,
            r"does not appear to be a git repository|repository .*not found|not a git repository"
            r"|returned error: 404|does not exist|no such file or directory|could not be found",
        ),
        (Trouble.LOCK_FILE, r"unable to create '.*\.lock'|cannot lock ref.*file exists"),
        (
            Trouble.DOWN,
            r"could not resolve|couldn't resolve|name or service not known|temporary failure"
            r"|failed to connect|couldn't connect|connect to host|connection (refused|reset|closed"
            r"|timed out)|timed out|network is unreachable|no route to host|too slow|rpc failed"
            r"|returned error: (429|5\d\d)|early eof|hung up|empty reply|unexpected disconnect"
            r"|operation too slow|recv failure|gnutls|ssl_read|broken pipe|unable to access",
        ),
    )
)


def trouble_in(stderr: str) -> Trouble:
    """What Git's complaint is about. Git gives one exit code for everything, so its words (in
    English: the adapter sets LC_ALL=C) are all there is."""
    for trouble, pattern in _TROUBLES:
        if pattern.search(stderr):
            return trouble
    return Trouble.OTHER


def _parse_url(url: str, scheme: str) -> Address:
    if scheme not in ("https", "ssh", "file"):
        raise SourceError(
            f"The source's URL uses {scheme}://, which is refused: only https, ssh and file "
            "keep what is fetched the way its author left it.",
            todo=_ALLOWED,
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceError(
            f"The source's {scheme} URL cannot be read, so nothing can be fetched.",
            todo="Write it as https://host/path, ssh://user@host/path or file:///path.",
        ) from error
    user, host = unquote(parts.username or ""), parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    where = host + (f":{port}" if port else "")
    display = f"{scheme}://{where}{parts.path}"
    if parts.password is not None or _TOKEN.match(user):
        raise SourceError(
            f"The URL of {display} holds a password or token. The configuration is no place for "
            "it: everybody who reads the file has it.",
            todo=_NAME_A_VARIABLE,
        )
    if parts.query or parts.fragment:
        raise SourceError(
            f"The URL of {display} goes on with ? or #, which no Git server needs and where "
            "secrets like to hide.",
            todo=_NAME_A_VARIABLE + " The ref has a key of its own, `ref:`.",
        )
    if scheme == "file":
        if user or host not in ("", "localhost") or not parts.path.startswith("/"):
            raise SourceError(
                f"The URL {display} does not name an absolute path on this machine.",
                todo="Write file:///path/to/repository, or just the path.",
            )
        return Address("file", url, display)
    if not host or not parts.path.strip("/"):
        raise SourceError(
            f"The URL {display} names no host or no repository, so nothing can be fetched.",
            todo="Write it as https://host/path or ssh://user@host/path.",
        )
    if scheme == "ssh":
        return _ssh(url, user, host, display)
    # The token goes to this host only; git strips it when it is led to another one.
    return Address("https", url, display, user=user, site=f"https://{where}/")


def _ssh(url: str, user: str, host: str, display: str) -> Address:
    # ssh would read these as its own options: CVE-2017-1000117.
    if user.startswith("-") or host.lstrip("[").startswith("-") or not host:
        raise SourceError(
            f"The user or host in the URL of {display} begins with a dash, "
            "so ssh would read it as an option.",
            todo="Write it as ssh://user@host/path or user@host:path.",
        )
    if display.endswith(":"):
        raise SourceError(
            f"The URL {display} names no repository on its host.",
            todo="Write it as ssh://user@host/path or user@host:path.",
        )
    return Address("ssh", url, display, user=user)


def _breaks_ref_rules(ref: str) -> bool:
    """The rules of `git check-ref-format`, which exist so that names do not read as syntax."""
    return (
        re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.", ref) is not None
        or ref.startswith(("/", "."))
        or ref.endswith(("/", "."))
        or any(part.endswith(".lock") for part in ref.split("/"))
    )
