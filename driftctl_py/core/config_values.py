"""Checks of single values in driftctl.yaml: is this text a ref, a URL, a path, a length of time?

Each check takes text and returns the value, or raises Refusal with the rest of a sentence that
begins "KEY is VALUE, …" and a remedy. Which key holds what is `config_schema.py`'s business.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from driftctl_py.core.path_glob import parse_glob
from driftctl_py.core.version_constraint import parse as parse_constraint

MAX_SECONDS: Final = 366 * 86_400

# Part of S3 keys and of directory names, and typed on command lines.
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$"
MAX_NAME: Final = 200

DURATION_PATTERN: Final = r"^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$"
VARIABLE_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_-]*$"
ENV_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
CAPITALS_PATTERN: Final = r"^[A-Z_][A-Z0-9_]*$"
ENV_GLOB_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_*?]*$"
SOURCE_NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
LABEL_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
WORKSPACE_PATTERN: Final = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"
ROLE_PATTERN: Final = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$"
PROFILE_PATTERN: Final = r"^[^\[\]\s]([^\[\]]*[^\[\]\s])?$"
EXTERNAL_ID_PATTERN: Final = r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$"
SESSION_NAME_PATTERN: Final = r"^[A-Za-z0-9_+=,.@-]{2,64}$"
BUCKET_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$"
REGION_PATTERN: Final = r"^[a-z0-9][a-z0-9-]*$"
TABLE_PATTERN: Final = r"^[A-Za-z0-9_.-]{3,255}$"
KMS_PATTERN: Final = r"^[A-Za-z0-9:/_-]+$"

ENGINES: Final = ("auto", "tofu", "terraform", "embedded")

# What driftctl-py sets for the engine itself; a second opinion would be overwritten silently.
_OURS = {
    "TF_WORKSPACE": "Use the key `workspace`.",
    "TF_CLI_CONFIG_FILE": "Use `cli_config` under `engine` at the top of the file.",
    "TF_DATA_DIR": "Leave it out; `data_dir` at the top of the file moves everything at once.",
    "TF_INPUT": "Leave it out; the engine is never asked anything.",
    "TF_IN_AUTOMATION": "Leave it out.",
}
_ARGUMENTS = "Leave it out: arguments behind the engine's back would change what a check means."
_SECRET_ENV = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_KEY|PRIVATE_KEY|API_KEY"
    r"|SECRET_ACCESS_KEY)$|^TF_TOKEN_",
    re.IGNORECASE,
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_SCP_LIKE = re.compile(r"(?:(?P<user>[^@:/]+)@)?(?P<host>\[[^\]]*\]|[^@:/]+):(?P<path>.*)")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*::")
_NOT_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")


class Refusal(Exception):
    """Why a value cannot be. ``shown`` stands for it in the message where it may be a secret."""

    def __init__(self, why: str, todo: str, *, shown: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.todo = todo
        self.shown = shown


def duration(text: str) -> int:
    """``90s``, ``15m``, ``1h``, ``1h30m``, ``1d`` → seconds."""
    match = re.fullmatch(DURATION_PATTERN, text)
    if match is None:
        todo = "Write for example 90s, 15m, 1h, 1h30m or 1d."
        if re.fullmatch(r"[0-9]{1,9}", text):
            todo = f"Add a unit: {text}s, {text}m, {text}h or {text}d."
        raise Refusal("which is not a length of time", todo)
    days, hours, minutes, seconds = (int(part[:-1]) if part else 0 for part in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 1 <= total <= MAX_SECONDS:
        raise Refusal("which is not between one second and 366 days", "Choose a length in between.")
    return total


def duration_text(seconds: int) -> str:
    """The shortest spelling that `duration` reads back: 5400 → ``1h30m``."""
    parts = []
    for unit, weight in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, weight)
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts)


def relative_path(text: str) -> str:
    """A path below the source's root, in POSIX spelling and without detours; ``.`` is the root."""
    if "\\" in text:
        raise Refusal("which holds a backslash", f"Write {text.replace(chr(92), '/')[:60]}.")
    if text.startswith(("/", "~")):
        raise Refusal(
            "but paths are relative to the root of the source",
            "Write it relative to that root; another repository goes under `sources`.",
        )
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refusal(
            "which leads upwards with `..` and could leave the source",
            "Write it from the root of the source; another repository goes under `sources`.",
        )
    if inside := {".git", ".terraform"}.intersection(parts):
        raise Refusal(
            f"but {min(inside)} belongs to a program and holds no environment",
            "Name the directory that holds your own files.",
        )
    return "/".join(parts) or "."


def glob_path(text: str) -> str:
    """As `relative_path`, and any wildcard in it makes sense."""
    path = relative_path(text)
    try:
        parse_glob(path)
    except ValueError as error:
        raise Refusal("which is not a glob", str(error)) from None
    return path


def ref(text: str) -> str:
    """A branch, tag or commit, by Git's own rules for names; nothing that could be an option."""
    if text.startswith("-"):
        raise Refusal(
            "which begins with `-`, so Git would take it for an option",
            "Name a branch, a tag or a full commit.",
        )
    wrong = (
        _NOT_IN_A_REF.search(text)
        or ".." in text
        or "@{" in text
        or "//" in text
        or text == "@"
        or text[0] == "/"
        or text[-1] in "./"
        or any(part.startswith(".") or part.endswith(".lock") for part in text.split("/"))
    )
    if wrong:
        raise Refusal(
            "which cannot be the name of a branch, a tag or a commit",
            "Write it as Git shows it, for example main, v1.4.0 or a full commit.",
        )
    return text


def source_url(text: str) -> str:
    """Where a repository is: the current one (``.``), a path, or a transport that is safe."""
    if _HELPER.match(text):
        raise Refusal(
            "whose transport lets the URL choose a program that runs on this machine",
            _TRANSPORTS,
            shown=f'"{text.split("::")[0][:20]}::…"',
        )
    if scheme := _SCHEME.match(text):
        _check_url(text, scheme["scheme"].lower())
    elif text != "." and not text.startswith(("/", "./", "../", "~/")) and text != "..":
        _check_scp_like(text)
    return text


_TRANSPORTS = (
    "Use https://HOST/PATH, ssh://git@HOST/PATH, git@HOST:PATH, file:///PATH, a path that begins "
    "with ./, ../, ~/ or /, or `.` for the current repository."
)


def _check_url(text: str, scheme: str) -> None:
    shown = _without_secrets(text)
    if scheme in ("http", "git"):
        raise Refusal(
            f"but {scheme}:// is not encrypted: who sits in between chooses what gets planned",
            "Use https:// or ssh://.",
            shown=shown,
        )
    if scheme not in ("https", "ssh", "file"):
        raise Refusal("whose transport is not supported", _TRANSPORTS, shown=shown)
    if "?" in text or "#" in text:
        raise Refusal(
            "but the URL of a repository has no `?` or `#`, and secrets may hide behind them",
            "Remove them; name a branch under `ref` and a token under `token_env`.",
            shown=shown,
        )
    try:
        parts = urlsplit(text)
        host, user, password, _ = parts.hostname or "", parts.username, parts.password, parts.port
    except ValueError:
        raise Refusal("which is not a URL that makes sense", _TRANSPORTS, shown=shown) from None
    if scheme == "file":
        if parts.netloc or len(parts.path) < 2:
            raise Refusal("which is not a path on this machine", "Write file:///PATH.", shown=shown)
        return
    if password is not None or (user is not None and scheme == "https"):
        _refuse_secret(shown)
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host) or len(parts.path) < 2:
        raise Refusal("which lacks a host or a path", _TRANSPORTS, shown=shown)
    if (user or "").startswith("-") or re.search(r"\s", text):
        raise Refusal("which SSH or Git could take for an option", _TRANSPORTS, shown=shown)


def _check_scp_like(text: str) -> None:
    match = _SCP_LIKE.fullmatch(text)
    if match is None:
        raise Refusal(
            "which is neither a URL nor a path",
            _TRANSPORTS,
            shown=_without_secrets(text),
        )
    if "@" in match["path"].split("/")[0]:
        _refuse_secret(_without_secrets(text))
    if (
        not _HOST.fullmatch(match["host"])
        or not match["path"]
        or match["path"].startswith("-")
        or (match["user"] or "").startswith("-")
        or re.search(r"\s", text)
    ):
        raise Refusal(
            "which is not a repository that SSH can reach",
            _TRANSPORTS,
            shown=_without_secrets(text),
        )


def _refuse_secret(shown: str) -> None:
    raise Refusal(
        "which holds a user or a password; a file that many read is no place for a secret",
        "Remove what stands before the @. For https put the token into an environment variable "
        "and name that variable under token_env. If the secret was committed, revoke it.",
        shown=shown,
    )


def _without_secrets(text: str) -> str:
    """Safe to show: nothing before the last @, nothing after ? or #."""
    scheme = _SCHEME.match(text)
    head = scheme[0] if scheme else ""
    rest = re.split(r"[?#]", text[len(head) :])
    # A password may itself hold ? or #, so the last @ counts wherever it stands.
    shown = rest[0] + ("…" if len(rest) > 1 else "")
    if "@" in text:
        shown = "…@" + re.split(r"[?#]", text.rsplit("@", 1)[1])[0]
    return f'"{head}{shown[:80]}"'


def endpoint(text: str) -> str:
    """The address of something that speaks S3. Plain http is fine: it may be on this machine."""
    shown = _without_secrets(text)
    try:
        parts = urlsplit(text)
        host, has_user, _ = parts.hostname, "@" in parts.netloc, parts.port
    except ValueError:
        host, has_user, parts = None, False, urlsplit("")
    if has_user:
        raise Refusal(
            "which holds a user or a password",
            "Remove them; name a profile under `credentials`.",
            shown=shown,
        )
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s?#]", text):
        raise Refusal(
            "which is not the address of a service",
            "Write for example https://s3.example.com or http://127.0.0.1:5000.",
            shown=shown,
        )
    return text


def key_template(text: str) -> str:
    """The S3 key of a state. Every environment must get its own, so the name must be in it."""
    if "{environment}" not in text:
        raise Refusal(
            "which lacks {environment}, so that all environments would share one state",
            'Write for example "{environment}/terraform.tfstate".',
        )
    if re.search(r"[{}]", text.replace("{environment}", "")):
        raise Refusal("which holds braces other than {environment}", "Remove them.")
    if text.startswith("/") or text.endswith("/") or "//" in text or len(text) > 512:
        raise Refusal(
            "which begins or ends with a slash, has two in a row, or is very long",
            'Write for example "{environment}/terraform.tfstate".',
        )
    return text


def constraint(text: str) -> str:
    """As in ``required_version``."""
    try:
        parse_constraint(text)
    except ValueError as error:
        raise Refusal("which cannot be read", str(error)) from None
    return text


def engine_use(text: str) -> str:
    """One of ENGINES, or a path to a program."""
    if text in ENGINES:
        return text
    if "/" in text and not text.endswith("/"):
        return text
    raise Refusal(
        "which is no engine",
        f"Choose {', '.join(ENGINES)} or the path of a program, written with a slash.",
    )


def token_env(text: str) -> str:
    """The name of a variable. People paste the token itself, so it is never shown."""
    if re.fullmatch(CAPITALS_PATTERN, text) is None:
        raise Refusal(
            "but it must be the name of an environment variable, in capitals",
            "Put the token into a variable such as INFRA_GIT_TOKEN and write that name here. "
            "If it was the token itself that was committed, revoke it.",
            shown="a value that is not repeated here, since it may be the token itself",
        )
    return text


def env_name(text: str) -> str:
    """The name of a variable that this file may set for the engine."""
    if re.fullmatch(ENV_PATTERN, text) is None:
        raise Refusal(
            "which is not the name of an environment variable",
            "Use letters, digits and _, not beginning with a digit.",
        )
    if text in _OURS:
        raise Refusal("which driftctl-py sets for the engine itself", _OURS[text])
    if text.startswith("TF_CLI_ARGS"):
        raise Refusal("which adds arguments to every command", _ARGUMENTS)
    if _SECRET_ENV.search(text):
        raise Refusal(
            "whose value is a secret, and a file that many read is no place for one",
            "Set it where driftctl-py runs and name it under pass_env; for AWS name a profile or "
            "a role under credentials. If the secret was committed, revoke it.",
        )
    return text


def pass_env(text: str) -> str:
    """A name or a glob of names that the engine may see."""
    if re.fullmatch(ENV_GLOB_PATTERN, text) is None:
        raise Refusal(
            "which is neither the name of an environment variable nor a glob such as GOOGLE_*",
            "Begin it with a letter; a bare * would hand every secret to every provider.",
        )
    if text.startswith("TF_CLI_ARGS"):
        raise Refusal("which adds arguments to every command", _ARGUMENTS)
    if text in _OURS and text != "TF_CLI_CONFIG_FILE":
        raise Refusal("which driftctl-py sets for the engine itself", _OURS[text])
    return text


def name_template(text: str) -> str:
    """``{source}-{dir}``: plain text of a name with placeholders. Which of them exist depends on
    the entry's path, so that is checked there."""
    plain = re.sub(r"\{(source|path|dir|[1-9][0-9]?)\}", "x", text)
    if re.search(r"[{}]", plain):
        raise Refusal(
            "which holds a placeholder that does not exist",
            "Use {source}, {path}, {dir}, or {1}, {2}, … for what the wildcards of `path` took.",
        )
    return environment_name(plain) and text


def environment_name(text: str) -> str:
    """What an environment may be called."""
    if re.fullmatch(NAME_PATTERN, text) is None or len(text) > MAX_NAME:
        raise Refusal(
            "which cannot be the name of an environment: names become part of S3 keys and paths",
            "Use letters, digits, `.`, `_` and `-`, with `/` between parts, each of which begins "
            "with a letter or a digit.",
        )
    return text
