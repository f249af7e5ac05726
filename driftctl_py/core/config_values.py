"""Checks of single values in driftctl.yaml: is this text a ref, a URL, a path, a length of time?

Each check takes text and returns the value, or raises Refusal with the rest of a sentence that
begins "KEY is VALUE, …" and a remedy. Which key holds what is `config_schema.py`'s business.
"""

from __future__ import annotations

import difflib
import json
import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from driftctl_py.core.git_url import check_ref, parse_address
from driftctl_py.core.path_glob import parse_glob
from driftctl_py.core.version_constraint import parse as parse_constraint
from driftctl_py.errors import SourceError

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
PERSON_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
PACKAGE_PATTERN: Final = r"^(?!data\.)[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
PROVIDER_GLOB_PATTERN: Final = r"^([^/\s]+/)?[^/\s]+/[^/\s]+$"
EXIT_CODE_PATTERN: Final = r"^(0|[1-9][0-9]{0,2})$"
CRON_PATTERN: Final = r"^\s*\S+(\s+\S+){4}\s*$"
ZONE_PATTERN: Final = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
MOMENT_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$"
)

ENGINES: Final = ("auto", "tofu", "terraform", "embedded")

# What driftctl-py sets for the engine itself; a second opinion would be overwritten silently.
_OURS = {
    "TF_WORKSPACE": "Use the key `workspace`.",
    "TF_CLI_CONFIG_FILE": "Use `cli_config` under `engine` at the top of the file.",
    "TF_DATA_DIR": "Leave it out; `data_dir` at the top of the file moves everything at once.",
    "TF_INPUT": "Leave it out; the engine is never asked anything.",
    "TF_IN_AUTOMATION": "Leave it out.",
}
_ARGUMENTS = (
    "Leave it out (a glob can be narrower, such as TF_VAR_*): arguments behind the engine's back "
    "would change what a check means."
)
_SECRET_ENV = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_KEY|PRIVATE_KEY|API_KEY"
    r"|SECRET_ACCESS_KEY)$|^TF_TOKEN_",
    re.IGNORECASE,
)
_PATH = re.compile(r"/|\./|\.\./|~/|\.\.$")


class Refusal(Exception):
    """Why a value cannot be. ``shown`` stands for it in the message where it may be a secret;
    ``whole`` says that ``why`` is a sentence that needs no beginning."""

    def __init__(
        self, why: str, todo: str, *, shown: str | None = None, whole: bool = False
    ) -> None:
        super().__init__(why)
        self.why = why
        self.todo = todo
        self.shown = shown
        self.whole = whole

    def sentence(self, where: str, value: str) -> str:
        """What the person reads: the key, the value where it may be shown, and the reason."""
        if self.whole:
            return f"{where}: {self.why}"
        return f"{where} is {self.shown or value}, {self.why}."


def shown(text: str) -> str:
    """A value of the user's in a message: quoted, on one line, cut in the middle."""
    if len(text) > 60:
        text = f"{text[:38]}…{text[-20:]}"
    return json.dumps(text, ensure_ascii=False)


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


def cron(text: str) -> str:
    """The five fields of cron, which some moment fits."""
    fields = text.split()
    if len(fields) != len(_FIELDS) or len(text) > _MAX_CRON:
        raise Refusal(
            f"which is not the {len(_FIELDS)} fields of cron",
            f"Write {', '.join(_FIELDS[:-1])} and {_FIELDS[-1]}, for example "
            '"0 9 * * MON-FRI" for nine on working days.',
        )
    for index, name in enumerate(_FIELDS):
        alone = ["*"] * len(_FIELDS)
        alone[index] = fields[index]
        try:
            CronSim(" ".join(alone), _BEFORE_2000)
        except CronSimError:
            raise Refusal(
                f"of which the {name} is {shown(fields[index])}, and there is no such one",
                f"Write for the {name} {_FIELD_EXAMPLES[index]}.",
            ) from None
    try:
        # Fifty years from 2000 hold every date on every day of the week.
        next(CronSim(" ".join(fields), _BEFORE_2000))
    except (CronSimError, StopIteration):
        raise Refusal(
            "which no day ever fits, so it would never begin",
            "Choose a day that the months have.",
        ) from None
    return " ".join(fields)


_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_FIELD_EXAMPLES = (
    "0 to 59, * or */15",
    "0 to 23, * or 9-17",
    "1 to 31, * or L for the last one",
    "1 to 12, * or JAN-MAR",
    "0 to 7 (0 and 7 are Sunday), *, MON-FRI, or MON#1 for the first Monday",
)
_MAX_CRON = 200
_BEFORE_2000 = datetime(1999, 12, 31, 23, 59, tzinfo=UTC)


def time_zone(text: str) -> str:
    """A name of the IANA database, which is the same everywhere."""
    is_everywhere = text not in _NO_ZONES and not text.startswith(("posix/", "right/"))
    if is_everywhere and re.fullmatch(ZONE_PATTERN, text):
        try:
            return ZoneInfo(text).key
        except (KeyError, ValueError, OSError):
            # Europe is a directory of the database.
            pass
    known = {name.lower(): name for name in available_timezones() - _NO_ZONES}
    known.update({name.rpartition("/")[2]: whole for name, whole in known.items()})
    wanted = text[:100].lower().replace(" ", "_")
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.75)
    raise Refusal(
        "which is not the name of a time zone",
        (f"Did you mean `{known[close[0]]}`? " if close else "")
        + "Write a name of the IANA database, for example Europe/Berlin, or UTC.",
    )


# What each machine, or nobody, says for itself.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def moment(text: str) -> datetime:
    """``2026-12-20T18:00:00+01:00``, ``…Z``, or a day: its midnight in UTC."""
    if re.fullmatch(MOMENT_PATTERN, text):
        try:
            found = datetime.fromisoformat(text.upper())
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass
    elif re.fullmatch(MOMENT_PATTERN, f"{text}Z"):
        raise Refusal(
            "which does not say on whose clocks, so it would be many moments",
            f"Write {text}Z for UTC, or the offset: {text}+01:00.",
        )
    raise Refusal(
        "which is neither a day nor a moment",
        "Write for example 2026-12-20 (midnight in UTC), 2026-12-20T18:00:00Z or "
        "2026-12-20T18:00:00+01:00.",
    )


def moment_text(at: datetime) -> str:
    """What `moment` reads back."""
    return at.isoformat().replace("+00:00", "Z")


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
    try:
        check_ref(text)
    except SourceError as error:
        raise Refusal(error.what, error.todo, whole=True) from None
    return text


def source_url(text: str) -> str:
    """Where a repository is: the current one (``.``), a path, or a transport that is safe."""
    try:
        address = parse_address(text)
    except SourceError as error:
        raise Refusal(error.what, error.todo, whole=True) from None
    if address.transport == "path" and not _PATH.match(text):
        # "infra" may be a path, but far more often a host or a scheme was forgotten.
        raise Refusal(
            "which is neither a URL nor a path",
            "Use https://HOST/PATH, ssh://git@HOST/PATH, git@HOST:PATH, file:///PATH, a path that "
            "begins with ./, ../, ~/ or /, or `.` for the current repository.",
            shown=_without_secrets(text),
        )
    return text


def lone_source_url(text: str) -> str:
    """As `source_url`, where no token is named: a user in an https URL could then be the token."""
    address = parse_address(source_url(text))
    if address.transport == "https" and address.user:
        raise Refusal(
            "which holds a user that may be a token, and a file that many read is no place for one",
            "Remove what stands before the @, or put the token into an environment variable and "
            "name that under `token_env`. If a token was committed, revoke it.",
            shown=f'"{address.display}" with a user',
        )
    return text


def _without_secrets(text: str) -> str:
    """Safe to show: nothing before the last @, nothing after ? or #."""
    _, user, rest = text.rpartition("@")
    return shown(("…@" if user else "") + re.split(r"[?#]", rest)[0])


def store_url(text: str) -> str:
    """Where a PostgreSQL is. The file holds no password, however it is written."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # asking for it is what checks it
        secret = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        parts, secret = urlsplit(""), False
    if secret:
        raise Refusal(
            "which holds a password, and a file that many read is no place for one",
            "Put the whole URL into an environment variable and name that: "
            "store: {url_env: DRIFTCTL_STORE_URL}. If the password was committed, change it.",
            shown="a URL that is not repeated here",
        )
    if parts.scheme != "postgresql" or not parts.path.strip("/") or re.search(r"[\s#]", text):
        raise Refusal(
            "which is not the URL of a PostgreSQL database",
            "Write for example postgresql://driftctl@db.example.com/driftctl, or leave it out: "
            "SQLite in the data directory needs no URL.",
            shown=_without_secrets(text),
        )
    return text


def store_env(text: str) -> str:
    """The name of a variable. Whoever pastes the URL itself pastes its password."""
    if re.fullmatch(CAPITALS_PATTERN, text) is None:
        raise Refusal(
            "but it must be the name of an environment variable, in capitals",
            "Put the URL into a variable such as DRIFTCTL_STORE_URL and write that name here. "
            "If a password was committed, change it.",
            shown="a value that is not repeated here, since it may hold a password",
        )
    return text


def store_word(text: str) -> str:
    """Where the store is, in a word. Whoever writes the URL itself there writes its password."""
    if text != "artifacts":
        raise Refusal(
            "but it must be the word `artifacts`, or a mapping with `url_env` or `url`",
            "Write store: artifacts, or put the URL of a PostgreSQL into an environment variable "
            "and name that: store: {url_env: DRIFTCTL_STORE_URL}",
            shown="a value that is not repeated here, since it may hold a password",
        )
    return text


def key_prefix(text: str) -> str:
    """What the keys of objects begin with; without a slash at its end."""
    prefix = text.removesuffix("/")
    if re.fullmatch(r"[A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*", prefix) is None:
        raise Refusal(
            "which cannot be what the keys of objects begin with",
            "Write for example driftctl/prod, in letters, digits, `-`, `_`, `.` and `/`.",
        )
    return prefix


def identity(text: str) -> str:
    """Who somebody is: proven by a forge, by AWS, by a key of the store, said by the operating
    system, or the e-mail address of commits."""
    proof, _, name = text.partition(":")
    if proof == "aws":
        return _aws_identity(text)
    pattern, example = _IDENTITIES.get(proof, (r"", "ada@example.com"))
    if not pattern:
        if re.fullmatch(r"[^@:\s*]+@[^@:\s*]+", text):
            return text
        raise Refusal(
            "which is neither an identity nor an e-mail address",
            "Write github:LOGIN, aws:ARN, key:NAME, os:USER, or the address of their commits.",
            shown=_without_secrets(text),
        )
    if re.fullmatch(pattern, name) is None:
        # People paste the key itself.
        hidden = "a key by a name that none can have" if proof == "key" else None
        raise Refusal("which nobody can be", f"Write for example {example}.", shown=hidden)
    return text


_IDENTITIES = {
    "github": (r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?", "github:ada"),
    "key": (PERSON_PATTERN, "key:ada"),
    "os": (r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*", "os:ada"),
}


def _aws_identity(text: str) -> str:
    arn = text.removeprefix("aws:")
    if re.fullmatch(ROLE_PATTERN, arn):
        account, role = arn.split(":")[4], arn.rpartition("/")[2]
        raise Refusal(
            "but what AWS says of who is in a role is the ARN of a session",
            f"Write aws:arn:aws:sts::{account}:assumed-role/{role}/SESSION, or * for any session: "
            f'"aws:arn:aws:sts::{account}:assumed-role/{role}/*"',
        )
    if re.fullmatch(_CALLER, arn) is None:
        raise Refusal(
            "which is not the ARN of a caller",
            "Write what `aws sts get-caller-identity` prints as Arn, behind `aws:`; of the session "
            "of a role the last part may be *.",
        )
    return text


_CALLER = (
    r"arn:aws[a-z-]*:"
    r"(iam::[0-9]{12}:(root|user(/[A-Za-z0-9_+=,.@-]+)+)"
    r"|sts::[0-9]{12}:federated-user/[A-Za-z0-9_+=,.@-]+"
    r"|sts::[0-9]{12}:assumed-role/[A-Za-z0-9_+=,.@-]+/([A-Za-z0-9_+=,.@-]+|\*))"
)


def endpoint(text: str) -> str:
    """The address of something that speaks S3. Plain http is fine: it may be on this machine."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # asking for it is what checks it
    except ValueError:
        parts = urlsplit("")
    if "@" in text:
        raise Refusal(
            "which holds a user or a password",
            "Remove them; name a profile under `credentials`.",
            shown=_without_secrets(text),
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s?#]", text):
        raise Refusal(
            "which is not the address of a service",
            "Write for example https://s3.example.com or http://127.0.0.1:5000.",
            shown=_without_secrets(text),
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


def policy_path(text: str) -> str:
    """Where Rego lies. What lies elsewhere could change between two looks at it."""
    if "://" in text:
        raise Refusal(
            "but policies are read from files",
            "Keep them beside this file, or fetch them before driftctl-py runs.",
            shown=_without_secrets(text),
        )
    return text


def rego_program(text: str) -> str:
    """What evaluates Rego."""
    if text in REGO_PROGRAMS or ("/" in text and not text.endswith("/")):
        return text
    raise Refusal(
        "which is no program for Rego",
        f"Choose {', '.join(REGO_PROGRAMS)} or the path of one of them, written with a slash.",
    )


REGO_PROGRAMS: Final = ("opa", "conftest")


def exit_code(text: str) -> int:
    """What a program ends with."""
    if re.fullmatch(EXIT_CODE_PATTERN, text) is None or int(text) > _MAX_EXIT_CODE:
        raise Refusal("which no program ends with", f"Write a number from 0 to {_MAX_EXIT_CODE}.")
    return int(text)


_MAX_EXIT_CODE = 255


def provider_glob(text: str) -> str:
    """An address of a provider, or a glob of such. In small letters, as the engine has them."""
    if re.fullmatch(PROVIDER_GLOB_PATTERN, text) is None:
        raise Refusal(
            "which is no address of a provider",
            "Write HOST/NAMESPACE/TYPE (registry.terraform.io/hashicorp/aws), or NAMESPACE/TYPE "
            "for the public registries; a * stands for any run of characters of one part.",
        )
    return text.lower()


def pass_env(text: str) -> str:
    """A name or a glob of names that the engine may see."""
    if re.fullmatch(ENV_GLOB_PATTERN, text) is None:
        raise Refusal(
            "which is neither the name of an environment variable nor a glob such as GOOGLE_*",
            "Begin it with a letter; a bare * would hand every secret to every provider.",
        )
    if any(fnmatchcase(name, text) for name in ("TF_CLI_ARGS", "TF_CLI_ARGS_plan")):
        raise Refusal("which lets arguments into every command of the engine", _ARGUMENTS)
    for name, remedy in _OURS.items():
        if name != "TF_CLI_CONFIG_FILE" and fnmatchcase(name, text):
            raise Refusal(
                f"which lets {name} in, but driftctl-py sets that for the engine itself", remedy
            )
    return text


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression that tells some texts from others."""
    try:
        found = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        why = f": {error.msg}" if isinstance(error, re.error) else ""
        raise Refusal(
            f"which is not a regular expression of Python's{why}",
            "Correct it; single quotes keep a backslash as it is: pattern: 'AKIA[0-9A-Z]{16}'",
        ) from None
    if found.search(""):
        raise Refusal(
            "which is found in every text, so nothing would be left to read",
            "Make it narrower, or hide whole attributes: attribute: 'tags.*'",
        )
    return found


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
