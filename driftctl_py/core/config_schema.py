"""Every key of driftctl.yaml: its shape, its meaning in a sentence, and the value it becomes.

The one table that the decoder, `config schema` and an editor's completion share. A new key begins
here and in `docs/configuration.md`; a test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from driftctl_py.core import config_values as values
from driftctl_py.core.config_model import (
    ApprovalSetting,
    EngineSettings,
    Entry,
    FreezeSetting,
    LimitsSetting,
    ModesSetting,
    Need,
    Override,
    OwnState,
    PolicySetting,
    RuleSetting,
    Said,
    Settings,
    StoreSettings,
    WindowSetting,
)
from driftctl_py.core.config_shape import (
    AnyJson,
    Choice,
    Const,
    Either,
    Flag,
    Key,
    Keyed,
    Kinds,
    Listing,
    Missing,
    Named,
    Notes,
    OneOrMore,
    Record,
    Schema,
    Shape,
    Text,
    Whole,
)
from driftctl_py.core.config_yaml import Kind
from driftctl_py.core.environment import Credentials, EngineChoice, Mode, S3State, Source
from driftctl_py.core.limits import Limits
from driftctl_py.core.masks import Mask
from driftctl_py.core.path_glob import is_glob, parse_glob
from driftctl_py.core.places import S3ArtifactsPlace
from driftctl_py.core.policy import CheckProgram, RegoPolicy
from driftctl_py.core.policy import Shape as InputShape
from driftctl_py.core.presets import PRESETS
from driftctl_py.core.rule import ACTIONS, CAUSES, Effect, Rule
from driftctl_py.core.scope import Scope
from driftctl_py.core.window import Freeze, Window, WindowEffect

# Any, in the builders below: the shapes in the table say what each key holds, and each builder
# puts it into a typed value at once.
_Values = Mapping[str, Any]


def config_schema() -> Schema:
    """JSON Schema (draft 2020-12) of the whole file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "driftctl.yaml",
        "description": "Which environments driftctl-py looks after, and how.",
        **FILE.schema(),
        "$defs": {named.name: named.shape.schema() for named in _NAMED},
    }


def schema_text() -> str:
    """The same as a file that can be kept beside driftctl.yaml."""
    return json.dumps(config_schema(), indent=2) + "\n"


def _build_source(found: _Values, line: int, where: str, notes: Notes) -> Source | Missing:
    url, token_env = found["url"], found.get("token_env")
    if token_env and not url.lower().startswith("https://"):
        return notes.add(
            line,
            f"{where} names a token, but its URL is not https, so nothing would use it.",
            "Remove token_env, or use an https URL.",
        )
    if not token_env:
        try:
            values.lone_source_url(url)
        except values.Refusal as refusal:
            return notes.add(line, refusal.sentence(f"{where}.url", ""), refusal.todo)
    return Source("", url, found.get("ref"), token_env, found.get("submodules", False))


def _name_source(source: Source | str, name: str, line: int) -> Source:
    if isinstance(source, str):
        return Source(name, source)
    return replace(source, name=name)


def _build_identity(found: _Values, line: int, where: str, notes: Notes) -> Credentials | Missing:
    if not found:
        return notes.add(
            line,
            f"{where} names nobody to be.",
            "Give it `profile`, `role`, or both; remove it to use what AWS finds by itself.",
        )
    for key in ("external_id", "session_name"):
        if key in found and "role" not in found:
            return notes.add(
                line,
                f"{where}.{key} goes with a role, and there is none.",
                f"Add `role`, or remove `{key}`.",
            )
    return Credentials(
        found.get("profile"),
        found.get("role"),
        found.get("external_id"),
        found.get("session_name", Credentials().session_name),
    )


def _build_engine(found: _Values, _line: int, _where: str, _notes: Notes) -> EngineSettings:
    return EngineSettings(
        found.get("use", "auto"),
        found.get("version"),
        found.get("provider_mirror"),
        found.get("cli_config"),
        found.get("plugin_cache", True),
    )


def _build_choice(found: _Values, _line: int, _where: str, _notes: Notes) -> EngineChoice:
    return EngineChoice(found.get("use", "auto"), found.get("version"))


def _build_s3(found: _Values, line: int, where: str, notes: Notes) -> S3State | Missing:
    lock, table = found.get("lock", "native"), found.get("dynamodb_table")
    if (lock == "dynamodb") is not (table is not None):
        return notes.add(
            line,
            f"{where}.lock is {lock}, but dynamodb_table is {'given' if table else 'not given'}.",
            "Write both `lock: dynamodb` and `dynamodb_table: NAME`, or neither.",
        )
    return S3State(
        found["bucket"],
        found["region"],
        found.get("key", S3State("", "").key),
        lock,
        table,
        found.get("endpoint"),
        found.get("kms_key_id"),
    )


def _build_state(found: _Values, _line: int, _where: str, _notes: Notes) -> S3State:
    state: S3State = found["s3"]
    return state


def _build_modes(found: _Values, _line: int, _where: str, _notes: Notes) -> ModesSetting:
    git, drift = (Mode(found[switch]) if switch in found else None for switch in ("git", "drift"))
    return ModesSetting(git, drift, found.get("reviewed"))


def _build_approval(found: _Values, _line: int, _where: str, _notes: Notes) -> ApprovalSetting:
    return ApprovalSetting(
        found.get("count"),
        found.get("groups"),
        found.get("expires"),
        found.get("author_may"),
        found.get("unverified"),
    )


def _build_limits(found: _Values, _line: int, _where: str, _notes: Notes) -> LimitsSetting:
    return LimitsSetting(**found)


def _build_rule(found: _Values, line: int, where: str, notes: Notes) -> RuleSetting | Missing:
    effect, when = Effect(found["effect"]), found.get("when", {})
    groups: tuple[Said, ...] = found.get("groups", ())
    if effect is not Effect.APPROVE and (key := _asking(found)):
        return notes.add(
            line,
            f"{where}.{key} says who is asked, but its effect is {effect.value}, which asks "
            "nobody.",
            f"Write `effect: approve`, or leave `{key}` out.",
        )
    if effect is Effect.ALLOW:
        narrow = {"at_least", "share"} & when.keys()
        if narrow:
            return notes.add(
                line,
                f"{where} allows only where more than a few things change ({min(narrow)}).",
                "To allow a few at a time, write `at_most`.",
            )
        if not when.keys() - {"environments", "labels", "at_most"}:
            return notes.add(
                line,
                f"{where} allows whatever there is to do.",
                "Say under `when` which changes are meant; to apply everything without asking, "
                "write `apply: auto` for the environment.",
            )
    elif "at_most" in when:
        return notes.add(
            line,
            f"{where} would {effect.value} a few changes, and not many of them (at_most).",
            "Write `at_least`, or `effect: allow`.",
        )
    rule = Rule(
        found["name"],
        effect,
        found.get("message", ""),
        tuple(each.text for each in groups),
        count=found.get("count", 1),
        where=_place(line, notes),
        **when,
    )
    return RuleSetting(rule, line, groups)


def _asking(found: _Values) -> str:
    return next((key for key in ("groups", "count") if key in found), "")


def _build_preset(found: _Values, line: int, where: str, notes: Notes) -> RuleSetting | Missing:
    preset = PRESETS[found["preset"]]
    if preset.effect is not Effect.APPROVE and (key := _asking(found)):
        return notes.add(
            line,
            f"{where}.{key} says who is asked, but {preset.name} asks nobody: its effect is "
            f"{preset.effect.value}.",
            f"Leave `{key}` out.",
        )
    groups: tuple[Said, ...] = found.get("groups", ())
    scope: Scope = found.get("when", Scope())
    rule = replace(
        preset,
        name=found.get("name", preset.name),
        message=found.get("message", preset.message),
        groups=tuple(each.text for each in groups),
        count=found.get("count", preset.count),
        environments=scope.environments,
        labels=scope.labels,
        where=_place(line, notes),
    )
    return RuleSetting(rule, line, groups)


def _place(line: int, notes: Notes) -> str:
    """Where something is written, for whoever reads a decision: the file by its name, since in
    which directory it lies on one machine is nobody's business in a comment."""
    name = notes.filename
    # That of a watched repository's own copy says whose it is, with a URL.
    return f"{name if ' of ' in name else name.rpartition('/')[2]}:{line}"


def _build_scope(found: _Values, _line: int, _where: str, _notes: Notes) -> Scope:
    return Scope(found.get("environments", ()), found.get("labels", {}))


def _build_window(found: _Values, line: int, _where: str, notes: Notes) -> WindowSetting:
    window = Window(
        found["name"],
        WindowEffect(found["effect"]),
        found["cron"],
        found["duration"],
        found.get("timezone", "UTC"),
        found.get("message", ""),
        found.get("causes", ()),
        found.get("when", Scope()),
        _place(line, notes),
    )
    return WindowSetting(window, line)


def _build_freeze(found: _Values, line: int, where: str, notes: Notes) -> FreezeSetting | Missing:
    start, end = found["from"], found.get("until")
    if end is not None and end <= start:
        return notes.add(
            line,
            f"{where} ends at {values.moment_text(end)}, which is not after its beginning at "
            f"{values.moment_text(start)}.",
            "Exchange the two, or correct one; a day stands for its midnight in UTC.",
        )
    freeze = Freeze(
        found["name"],
        start,
        end,
        found.get("message", ""),
        found.get("when", Scope()),
        _place(line, notes),
    )
    return FreezeSetting(freeze, line)


def _build_rego(found: _Values, line: int, where: str, notes: Notes) -> PolicySetting | Missing:
    groups: tuple[Said, ...] = found.get("groups", ())
    levels = {name: Effect(word) for name, word in found.get("levels", {}).items()}
    if groups and Effect.APPROVE not in levels.values():
        return notes.add(
            line,
            f"{where} names groups, but none of its levels is approve, so nobody is asked.",
            "Say of which results they are asked: levels: {deny: deny, warn: approve}; or leave "
            "the groups out.",
        )
    default = RegoPolicy("", (), "")
    policy = RegoPolicy(
        found["name"],
        found["rego"],
        found["rego_version"],
        InputShape(found["input"]) if "input" in found else default.shape,
        found.get("package", ""),
        levels,
        found.get("program", default.program),
        found.get("context", {}),
        tuple(each.text for each in groups),
        found.get("timeout", default.timeout_seconds),
        found.get("when", Scope()),
        _place(line, notes),
    )
    return PolicySetting(policy, line, groups)


def _build_check(found: _Values, line: int, where: str, notes: Notes) -> PolicySetting | Missing:
    groups: tuple[Said, ...] = found.get("groups", ())
    argv: tuple[str, ...] = found["run"]
    said = {code: Effect(word) for code, word in found.get("exit_codes", {}).items()}
    # That 0 is fine needs no words.
    levels = {code: each for code, each in said.items() if (code, each) != (0, Effect.ALLOW)}
    allowed = [code for code, each in levels.items() if each is Effect.ALLOW]
    if allowed:
        return notes.add(
            line,
            f"{where}.exit_codes.{allowed[0]} is allow, but a program that ends with anything but "
            "0 may have found nothing or may have failed.",
            "Write warn, approve or deny.",
        )
    if groups and Effect.APPROVE not in levels.values():
        return notes.add(
            line,
            f"{where} names groups, but no exit code means approve, so nobody is asked.",
            "Say after which they are asked: exit_codes: {2: approve}; or leave the groups out.",
        )
    if not any("{plan}" in word for word in argv[1:]):
        return notes.add(
            line,
            f"{where}.run is not given the plan, so it would look at something else.",
            'Put "{plan}", in quotes, where the program wants the path of the plan\'s JSON.',
        )
    default = CheckProgram("", ())
    check = CheckProgram(
        found["name"],
        argv,
        levels,
        found.get("plan") == "whole",
        found.get("env", ()),
        tuple(each.text for each in groups),
        found.get("timeout", default.timeout_seconds),
        found.get("when", Scope()),
        _place(line, notes),
    )
    return PolicySetting(check, line, groups)


def _build_store(found: _Values, line: int, where: str, notes: Notes) -> StoreSettings | Missing:
    if len(found) != 1:
        return notes.add(
            line,
            f"{where} needs one of `url` and `url_env`, and has {'both' if found else 'neither'}.",
            "Name the environment variable that holds the URL: url_env: DRIFTCTL_STORE_URL",
        )
    return StoreSettings(found.get("url"), found.get("url_env"))


def _build_artifacts(found: _Values, _line: int, _where: str, _notes: Notes) -> S3ArtifactsPlace:
    return S3ArtifactsPlace(
        found["bucket"],
        found["region"],
        found.get("prefix", ""),
        found.get("endpoint"),
        found.get("kms_key_id"),
    )


def _build_settings(found: _Values, _line: int, _where: str, _notes: Notes) -> Settings:
    credentials = found.get("credentials", {})
    engine, state = found.get("engine"), found.get("state")
    modes = found.get("apply", ModesSetting())
    # Each has a short form of one word: the name of an engine, `none`, and a mode for both.
    return Settings(
        ref=found.get("ref"),
        workspace=found.get("workspace"),
        variables=found.get("variables", {}),
        var_files=found.get("var_files"),
        interval_seconds=found.get("interval"),
        plan_timeout_seconds=found.get("timeout"),
        parallelism=found.get("parallelism"),
        needs=found.get("needs"),
        labels=found.get("labels", {}),
        env=found.get("env", {}),
        plan_credentials=credentials.get("plan"),
        apply_credentials=credentials.get("apply"),
        engine=EngineChoice(engine) if isinstance(engine, str) else engine,
        state=OwnState() if isinstance(state, str) else state,
        apply=ModesSetting(Mode(modes), Mode(modes)) if isinstance(modes, str) else modes,
        approval=found.get("approval", ApprovalSetting()),
        apply_grace_seconds=found.get("apply_grace"),
        limits=found.get("limits", LimitsSetting()),
    )


def _build_entry(found: _Values, line: int, where: str, notes: Notes) -> Entry | Missing:
    path, exclude = found["path"], found.get("exclude", ())
    glob = parse_glob(path) if is_glob(path) else None
    if exclude and glob is None:
        return notes.add(
            line,
            f"{where} excludes something from {path}, but that is one directory and no glob.",
            "Remove `exclude`, or write a glob such as teams/*.",
        )
    name = found.get("name")
    if name is not None:
        stars = 0 if glob is None else glob.stars
        placeholders = re.findall(r"\{([^}]*)\}", name)
        for placeholder in placeholders:
            if placeholder.isdigit() and int(placeholder) > stars:
                return notes.add(
                    line,
                    f"{where}.name uses {{{placeholder}}}, but {path} has {stars or 'no'} "
                    f"{'star' if stars == 1 else 'stars'}.",
                    "Use only the numbers of stars that are there, counted from the left.",
                )
        if stars and not set(placeholders) - {"source"}:
            return notes.add(
                line,
                f"{where}.name is the same for every directory that {path} finds.",
                'Put a placeholder into it, for example "{dir}", "{path}" or "{1}".',
            )
    return Entry(
        line,
        path,
        found.get("source", ""),
        glob,
        tuple(map(parse_glob, exclude)),
        name,
        _build_settings(found, line, where, notes),
    )


def _build_mask(found: _Values, line: int, where: str, notes: Notes) -> Mask | Missing:
    if not found:
        return notes.add(
            line,
            f"{where} does not say what to hide.",
            "Give it `address`, `attribute`, `pattern`, or several of them.",
        )
    return Mask(found.get("address", "*"), found.get("attribute", "*"), found.get("pattern"))


def as_entry(entry: Entry | str, line: int) -> Entry:
    """An item that is only a path is short for ``{path: …}``."""
    if isinstance(entry, Entry):
        return entry
    return Entry(line, entry, "", parse_glob(entry) if is_glob(entry) else None)


_PATTERN_OF_REF = r"^[^-\s][^\s]*$"
_SECRETS_STAY_OUT = (
    "Keys and secrets never go into this file: name a `profile` or a `role`, or set the variables "
    "where driftctl-py runs."
)
_SECRET_KEYS = dict.fromkeys(
    ("access_key", "secret_key", "access_key_id", "secret_access_key", "token", "password"),
    _SECRETS_STAY_OUT,
)
_ONLY_AT_THE_TOP = "This is one for all environments: write it under `engine` at the top."

_REF = Text("a branch, a tag or a commit", values.ref, _PATTERN_OF_REF, examples=("main",))
_PATH_ON_DISK = Text("a path")
_CONSTRAINT = Text("a version constraint", values.constraint, examples=(">= 1.6, < 2", "~> 1.10"))
_ENGINE_USE = Text("the name of an engine or its path", values.engine_use, examples=values.ENGINES)
_GLOB = Text("a directory or a glob", values.glob_path, examples=("environments/*",))
_DURATION = Named(
    "duration",
    Text(
        "a length of time",
        values.duration,
        values.DURATION_PATTERN,
        examples=("90s", "15m", "1h", "1h30m", "1d"),
    ),
)
_ENVIRONMENT_NAME = Text("the name of an environment", values.environment_name, values.NAME_PATTERN)

_URL = Text(
    "the URL or the path of a repository",
    values.source_url,
    examples=(".", "https://git.example.com/infra.git"),
)
_SOURCE = Record(
    "a URL, or a mapping with the key `url`",
    {
        "url": Key(
            _URL,
            "Where the repository is: https, ssh, git@HOST:PATH, file, a path, or `.`.",
            required=True,
        ),
        "ref": Key(_REF, "Branch, tag or commit; without it, what the repository's HEAD says."),
        "token_env": Key(
            Text(
                "the name of an environment variable",
                values.token_env,
                values.CAPITALS_PATTERN,
                secret=True,
            ),
            "The environment variable that holds an https token. Never the token itself.",
        ),
        "submodules": Key(Flag(), "Whether submodules are checked out as well.", default=False),
    },
    _build_source,
    dict.fromkeys(
        ("token", "password", "username", "user"),
        "Name an environment variable under `token_env`; secrets never go into this file.",
    ),
)

_IDENTITY = Named(
    "identity",
    Record(
        "a mapping with `profile`, `role`, or both",
        {
            "profile": Key(
                Text("the name of an AWS profile", pattern=values.PROFILE_PATTERN),
                "A profile of the AWS configuration.",
            ),
            "role": Key(
                Text(
                    "the ARN of an IAM role",
                    pattern=values.ROLE_PATTERN,
                    examples=("arn:aws:iam::123456789012:role/planner",),
                ),
                "The role to assume, from the profile where both are given.",
            ),
            "external_id": Key(
                Text("an external ID", pattern=values.EXTERNAL_ID_PATTERN),
                "What the role's trust policy asks for as sts:ExternalId.",
            ),
            "session_name": Key(
                Text("a session name", pattern=values.SESSION_NAME_PATTERN),
                "How the session is called in CloudTrail.",
                default="driftctl-py",
            ),
        },
        _build_identity,
        _SECRET_KEYS,
    ),
)

_BUCKET = Text("the name of a bucket", pattern=values.BUCKET_PATTERN)
_REGION = Text("the name of a region", pattern=values.REGION_PATTERN, examples=("eu-central-1",))
_ENDPOINT = Key(
    Text(
        "an http or https URL",
        values.endpoint,
        "^https?://",
        examples=("https://s3.example.com",),
    ),
    "The address of an S3 look-alike; leave it out for AWS.",
)
_KMS_KEY = Text("the ID, ARN or alias of a key", pattern=values.KMS_PATTERN)

_S3 = Named(
    "s3",
    Record(
        "a mapping with `bucket` and `region`",
        {
            "bucket": Key(_BUCKET, "The bucket that holds the states.", required=True),
            "region": Key(_REGION, "The region of the bucket.", required=True),
            "key": Key(
                Text("a key that holds {environment}", values.key_template, r"\{environment\}"),
                "The object of one state; {environment} stands for the environment's name.",
                default="{environment}/terraform.tfstate",
            ),
            "lock": Key(
                Choice(("native", "dynamodb", "none")),
                "How the state is locked: an object beside it (Terraform 1.10, OpenTofu 1.10), a "
                "DynamoDB table, or not at all.",
                default="native",
            ),
            "dynamodb_table": Key(
                Text("the name of a table", pattern=values.TABLE_PATTERN),
                "The table of the locks, with `lock: dynamodb`.",
            ),
            "endpoint": _ENDPOINT,
            "kms_key_id": Key(_KMS_KEY, "The KMS key that encrypts the states."),
        },
        _build_s3,
        _SECRET_KEYS,
    ),
)
_S3_ARTIFACTS = Named(
    "s3_artifacts",
    Record(
        "a mapping with `bucket` and `region`",
        {
            "bucket": Key(_BUCKET, "The bucket that holds them.", required=True),
            "region": Key(_REGION, "The region of the bucket.", required=True),
            "prefix": Key(
                Text(
                    "what the keys of objects begin with",
                    values.key_prefix,
                    examples=("driftctl/artifacts",),
                ),
                "What the keys of the objects begin with.",
            ),
            "endpoint": _ENDPOINT,
            "kms_key_id": Key(_KMS_KEY, "The KMS key that encrypts them."),
        },
        _build_artifacts,
        _SECRET_KEYS,
    ),
)
_STORE = Either(
    Text("the word `artifacts`", values.store_word, "^artifacts$", secret=True),
    Record(
        "a mapping with `url_env` or `url`",
        {
            "url_env": Key(
                Text(
                    "the name of an environment variable",
                    values.store_env,
                    values.CAPITALS_PATTERN,
                    secret=True,
                    examples=("DRIFTCTL_STORE_URL",),
                ),
                "The environment variable that holds the URL, and with it the password.",
            ),
            "url": Key(
                Text(
                    "the URL of a PostgreSQL database",
                    values.store_url,
                    "^postgresql://",
                    secret=True,
                    examples=("postgresql://driftctl@db.example.com/driftctl",),
                ),
                "The URL itself, where it holds no password.",
            ),
        },
        _build_store,
        dict.fromkeys(
            ("password", "user", "username"),
            "Put the whole URL into an environment variable and name that under `url_env`.",
        ),
    ),
    "`artifacts`, or a mapping with `url_env` or `url`",
)
_STATE = Named(
    "state",
    Either(
        Choice(("none",)),
        Record(
            "a mapping with the key `s3`",
            {"s3": Key(_S3, "States in an S3 bucket.", required=True)},
            _build_state,
            {"backend": "Write `s3`.", "S3": "Write `s3`."},
        ),
        "`none` or a mapping with the key `s3`",
    ),
)

_ENGINE_CHOICE = Named(
    "engine_choice",
    Either(
        _ENGINE_USE,
        Record(
            "a mapping with `use` and `version`",
            {
                "use": Key(
                    _ENGINE_USE,
                    "auto, tofu, terraform, embedded, or the path of a program.",
                    required=True,
                ),
                "version": Key(_CONSTRAINT, "Which versions may plan, as in required_version."),
            },
            _build_choice,
            dict.fromkeys(("provider_mirror", "cli_config", "plugin_cache"), _ONLY_AT_THE_TOP),
        ),
        "the name of an engine, or a mapping with `use` and `version`",
    ),
)
_ENGINE = Either(
    _ENGINE_USE,
    Record(
        "a mapping with `use` and `version`",
        {
            "use": Key(
                _ENGINE_USE,
                "auto (ask the environment, then take what is on PATH, else the embedded one), "
                "tofu, terraform, embedded, or the path of a program.",
                default="auto",
            ),
            "version": Key(_CONSTRAINT, "Which versions may plan, as in required_version."),
            "provider_mirror": Key(
                _PATH_ON_DISK, "A directory from which providers are installed."
            ),
            "cli_config": Key(_PATH_ON_DISK, "A configuration file of the engine's own."),
            "plugin_cache": Key(
                Flag(), "Whether environments share downloaded providers.", default=True
            ),
        },
        _build_engine,
    ),
    "the name of an engine, or a mapping with `use` and `version`",
)

_MODE = Choice(tuple(mode.value for mode in Mode))
_PERSON = Text("the name of a person", pattern=values.PERSON_PATTERN, examples=("ada",))
_GROUP = Text("the name of a group", pattern=values.PERSON_PATTERN, examples=("dba",))
_APPLY = Named(
    "apply",
    Either(
        _MODE,
        Record(
            "a mapping with `git` and `drift`",
            {
                "git": Key(_MODE, "What becomes of commits.", default="never"),
                "drift": Key(_MODE, "What becomes of drift.", default="never"),
                "reviewed": Key(
                    Flag(),
                    "Whether only what a review showed may be applied, drift included.",
                    default=False,
                ),
            },
            _build_modes,
            {"commits": "Write `git`.", "code": "Write `git`."},
        ),
        "one of auto, gate, never, or a mapping with `git` and `drift`",
    ),
)
_APPROVAL = Named(
    "approval",
    Record(
        "a mapping with `count`, `groups` and the like",
        {
            "count": Key(Whole(1, 100), "How many different persons have to say yes.", default=1),
            "groups": Key(
                Listing(_GROUP, "a list of groups", wrap=Said),
                "Whom to ask: each of them is in one of these groups; without it, in any group.",
            ),
            "expires": Key(_DURATION, "For how long a yes is good.", default="24h"),
            "author_may": Key(Flag(), "Whether who wrote a commit may approve it.", default=False),
            "unverified": Key(
                Flag(),
                "Whether the name of the operating system's user is proof enough of who it is.",
                default=False,
            ),
        },
        _build_approval,
        {
            "approvers": "Name groups under `groups`.",
            "people": "Name groups under `groups`; who is in them is said at the top.",
            "required": "Write `count`.",
        },
    ),
)


def _limit(description: str, default: int) -> Key:
    return Key(Whole(0, 1000), f"{description}; 0: no such limit.", default=default)


_LIMITS = Named(
    "limits",
    Record(
        "a mapping with `failures` and the like",
        {
            "failures": _limit(
                "How many applies in a row may fail, or leave something to do, before a person has "
                "to unblock the environment",
                Limits().failures,
            ),
            "applies_per_day": _limit(
                "How many applies a day need nobody's yes", Limits().applies_per_day
            ),
            "heals_per_day": _limit(
                "How often a day the same drift is put back without a yes", Limits().heals_per_day
            ),
        },
        _build_limits,
    ),
)

_NAME_GLOB = Text("a name or a glob", examples=("aws_db_*",))
_VALUE_GLOB = Text("a value or a glob", may_be_empty=True, examples=("0.0.0.0/0", "public-*"))


def _globs(example: str, one: Text = _NAME_GLOB) -> Listing:
    return Listing(one, f"a list of names or globs, for example [{example}]", least=1)


_LABELS_OF = Keyed(
    Text("the name of a label", pattern=values.LABEL_PATTERN),
    Text("the value of a label"),
    "a mapping from labels to values",
    may_be_empty=False,
)
_SCOPE_KEYS: Mapping[str, Key] = {
    "environments": Key(_globs("prod*"), "Names of environments."),
    "labels": Key(_LABELS_OF, "Labels that the environment has, all of them."),
}
_SCOPE_HINTS = {
    "environment": "Write `environments`, a list.",
    "label": "Write `labels`, a mapping.",
}
_SCOPE = Named(
    "scope",
    Record(
        "a mapping with `environments` and `labels`", _SCOPE_KEYS, _build_scope, hints=_SCOPE_HINTS
    ),
)
_WHICH = Key(_SCOPE, "Which environments it is about; without it, all of them.")
_MESSAGE = Key(Text("a text"), "Why, in a sentence for whoever reads the decision.")


def _name_key(example: str, *, required: bool = True) -> Key:
    return Key(
        Text("a name", pattern=values.PERSON_PATTERN, examples=(example,)),
        "What it is called where a decision is told."
        + ("" if required else " Without it, as the preset is."),
        required=required,
    )


_BESIDE = Key(
    Listing(_GROUP, "a list of groups", least=1, wrap=Said),
    "Of approve: somebody of each of them must say yes, beside what the environment asks.",
)
_COUNT = Key(
    Whole(1, 100),
    "Of approve: how many different persons of the groups, or of any, have to say yes.",
    default=1,
)
_RULE = Record(
    "a mapping with `name`, `effect` and `when`",
    {
        "name": _name_key("no-destroys"),
        "effect": Key(
            Choice(tuple(each.value for each in Effect)),
            "What becomes of the changes that it matches; of several rules the strictest counts.",
            required=True,
        ),
        "message": _MESSAGE,
        "groups": _BESIDE,
        "count": _COUNT,
        "when": Key(
            Record(
                "a mapping with conditions",
                {
                    **_SCOPE_KEYS,
                    "addresses": Key(
                        _globs("module.db.*"),
                        "Addresses, with or without modules and keys; an output is output.NAME.",
                    ),
                    "types": Key(_globs("aws_db_*"), "Types of resources."),
                    "providers": Key(_globs("aws"), "Providers: aws, hashicorp/aws or in full."),
                    "actions": Key(
                        Listing(Choice(ACTIONS), "a list of actions", least=1),
                        "What would be done with the object.",
                    ),
                    "causes": Key(
                        Listing(Choice(CAUSES), "a list of causes", least=1),
                        "Why there is something to do: somebody's hand, or the code.",
                    ),
                    "attributes": Key(
                        _globs("tags.*"),
                        "Attributes that an update or a replacement changes, and all below them.",
                    ),
                    "values": Key(
                        Keyed(
                            Text("an attribute or a glob", examples=("ingress[*].cidr_blocks[*]",)),
                            _globs("0.0.0.0/0", _VALUE_GLOB),
                            "a mapping from attributes to lists of globs",
                            may_be_empty=False,
                        ),
                        "Planned values, by attribute: one of them (of allow: all) is one of "
                        "these, spelled as text or as JSON.",
                    ),
                    "holds_data": Key(
                        Flag(), "Whether its type holds data or keys that code cannot make again."
                    ),
                    "at_least": Key(
                        Whole(1, 1_000_000), "Only where at least so many changes match."
                    ),
                    "at_most": Key(
                        Whole(1, 1_000_000), "Of allow: only where no more than so many match."
                    ),
                    "share": Key(Whole(1, 100), "Only where so many percent of all objects match."),
                },
                hints={
                    **_SCOPE_HINTS,
                    "address": "Write `addresses`, a list.",
                    "type": "Write `types`, a list.",
                    "provider": "Write `providers`, a list.",
                    "action": "Write `actions`, a list.",
                    "origin": "Write `causes`, a list.",
                    "cause": "Write `causes`, a list.",
                    "attribute": "Write `attributes`, a list.",
                    "value": "Write `values`, a mapping.",
                },
            ),
            "Which changes it is about: all conditions must hold, of each list any.",
            required=True,
        ),
    },
    _build_rule,
    {"match": "Write `when`.", "level": "Write `effect`."},
)
_AS_IT_IS = (
    "A preset only ever speaks of fewer environments: `driftctl-py config show` writes it out as "
    "an ordinary rule, to be changed as you like."
)
_CONDITIONS = (
    *("addresses", "types", "providers", "actions", "causes", "attributes", "values"),
    *("holds_data", "at_least", "at_most", "share"),
)
_PRESET = Record(
    "a mapping with the key `preset`",
    {
        "preset": Key(
            Choice(tuple(PRESETS)), "A rule that most would write alike, by name.", required=True
        ),
        "name": _name_key("no-destroys", required=False),
        "message": _MESSAGE,
        "groups": _BESIDE,
        "count": _COUNT,
        "when": Key(
            Record(
                "a mapping with `environments` and `labels`",
                _SCOPE_KEYS,
                _build_scope,
                {**_SCOPE_HINTS, **dict.fromkeys(_CONDITIONS, _AS_IT_IS)},
            ),
            "Which environments it is about; without it, all of them.",
        ),
    },
    _build_preset,
    {"effect": _AS_IT_IS},
)

_WINDOW = Record(
    "a mapping with `name`, `effect`, `cron` and `duration`",
    {
        "name": _name_key("office-hours"),
        "effect": Key(
            Choice(tuple(each.value for each in WindowEffect)),
            "allow: applied only within such windows; deny: never within it.",
            required=True,
        ),
        "cron": Key(
            Text(
                "five fields of cron",
                values.cron,
                values.CRON_PATTERN,
                examples=("0 9 * * MON-FRI",),
            ),
            "When it begins: minute, hour, day of the month, month, day of the week.",
            required=True,
        ),
        "duration": Key(_DURATION, "How long it lasts.", required=True),
        "timezone": Key(
            Text(
                "the name of a time zone",
                values.time_zone,
                values.ZONE_PATTERN,
                examples=("Europe/Berlin",),
            ),
            "On whose clocks it begins.",
            default="UTC",
        ),
        "message": _MESSAGE,
        "causes": Key(
            Listing(Choice(CAUSES), "a list of causes", least=1),
            "Only for plans with a change of such a cause; without it, for all.",
        ),
        "when": _WHICH,
    },
    _build_window,
    {"schedule": "Write `cron`.", "tz": "Write `timezone`.", "time_zone": "Write `timezone`."},
)

_MOMENT = Text(
    "a day or a moment",
    values.moment,
    values.MOMENT_PATTERN,
    examples=("2026-12-20", "2026-12-20T18:00:00Z", "2026-12-20T18:00:00+01:00"),
    also=(Kind.DATE,),
)
_FREEZE = Record(
    "a mapping with `name` and `from`",
    {
        "name": _name_key("holidays"),
        "from": Key(_MOMENT, "When it begins; a day begins at midnight in UTC.", required=True),
        "until": Key(_MOMENT, "When it ends; without it, when it is taken out of this file."),
        "message": _MESSAGE,
        "when": _WHICH,
    },
    _build_freeze,
    {"start": "Write `from`.", "end": "Write `until`.", "to": "Write `until`."},
)

_ASKED = Key(
    Listing(_GROUP, "a list of groups", least=1, wrap=Said),
    "Whom to ask where a result means approve: somebody of each of them.",
)
_RESTRICTING = tuple(each.value for each in Effect if each is not Effect.ALLOW)
_NOT_BY_A_POLICY = {
    "allow": "A policy only restricts: choose one of " + ", ".join(_RESTRICTING) + ". To apply "
    "something without asking, write a rule or `apply: auto`.",
}
_NOT_BOTH = "One policy is either `rego` or `run`: write two."
_OF_REGO = ("rego_version", "input", "package", "levels", "program", "context")
_REGO = Record(
    "a mapping with `name`, and `rego` or `run`",
    {
        "name": _name_key("no-public-buckets"),
        "rego": Key(
            OneOrMore(
                Listing(
                    Text(
                        "the path of a file or a directory",
                        values.policy_path,
                        examples=("policy",),
                    ),
                    "a path, or a list of paths",
                    least=1,
                )
            ),
            "Files or directories of Rego and of its data, relative to this file.",
            required=True,
        ),
        "rego_version": Key(
            Choice(("v0", "v1")),
            "Which Rego it is: v1 since OPA 1.0 (deny contains msg if), v0 before (deny[msg]).",
            required=True,
        ),
        "input": Key(
            Choice(tuple(each.value for each in InputShape)),
            "What it finds under `input`, as the tool has it that it was written for; plan is the "
            "plan's own JSON.",
            default=InputShape.PLAN.value,
        ),
        "package": Key(
            Text(
                "the name of a package, without data.",
                pattern=values.PACKAGE_PATTERN,
                examples=("terraform.analysis",),
            ),
            "The package that is asked; without it, the one that is the custom of `input`.",
        ),
        "levels": Key(
            Keyed(
                Text("the name of a rule of it", pattern=values.ENV_PATTERN, examples=("deny",)),
                Choice(_RESTRICTING, _NOT_BY_A_POLICY),
                "a mapping from its rules to what their results mean",
            ),
            "What a result of each of its rules means; without it, as is the custom of `input`.",
        ),
        "program": Key(
            Text("opa, conftest or a path", values.rego_program, examples=values.REGO_PROGRAMS),
            "What evaluates it.",
            default="opa",
        ),
        "context": Key(
            Keyed(
                Text("the name of a key"),
                AnyJson(),
                "a mapping from keys to values",
            ),
            "What `input` holds beside the plan, where nobody but you knows it.",
        ),
        "groups": _ASKED,
        "timeout": Key(_DURATION, "How long it may take; longer is a no.", default="1m"),
        "when": _WHICH,
    },
    _build_rego,
    {
        **dict.fromkeys(
            ("exit_codes", "plan", "env"), "It goes with `run`, and this policy is Rego."
        ),
        "version": "Write `rego_version`.",
        "path": "Write `rego`.",
        "paths": "Write `rego`.",
        "command": "Write `run`.",
    },
)
_CHECK = Record(
    "a mapping with `name` and `run`",
    {
        "name": _name_key("checkov"),
        "run": Key(
            Listing(
                Text('a word of the command, in quotes where it holds braces ("{plan}")'),
                'a list of words, for example [checkov, -f, "{plan}"]',
                least=1,
                unique=False,
            ),
            "The program and its arguments, of which one holds {plan}: the path of the plan's "
            "JSON. No shell reads them.",
            required=True,
        ),
        "exit_codes": Key(
            Keyed(
                Text(
                    "an exit code",
                    values.exit_code,
                    values.EXIT_CODE_PATTERN,
                    also=(Kind.NUMBER,),
                ),
                Choice(tuple(each.value for each in Effect)),
                "a mapping from exit codes to what they mean",
            ),
            "What each exit code means; one that is not here means deny, and 0 that all is well.",
        ),
        "plan": Key(
            Choice(("redacted", "whole")),
            "Whether it gets the plan with its secrets (whole).",
            default="redacted",
        ),
        "env": Key(
            Listing(
                # Some write what it holds as well.
                Text(
                    "the name of an environment variable", pattern=values.ENV_PATTERN, secret=True
                ),
                "a list of names",
            ),
            "Names of the environment variables that it sees beside PATH, HOME and the like.",
        ),
        "groups": _ASKED,
        "timeout": Key(_DURATION, "How long it may take; longer is a no.", default="5m"),
        "when": _WHICH,
    },
    _build_check,
    {
        "rego": _NOT_BOTH,
        **dict.fromkeys(_OF_REGO, "It goes with `rego`, and this policy is a program."),
        "pass_env": "Write `env`.",
    },
)

_SETTINGS: Mapping[str, Key] = {
    "interval": Key(_DURATION, "How often the controller looks at it.", default="1h"),
    "timeout": Key(_DURATION, "How long a plan may take before it is stopped.", default="1h"),
    "ref": Key(_REF, "Branch, tag or commit, where it is not the source's."),
    "workspace": Key(
        Text("the name of a workspace", pattern=values.WORKSPACE_PATTERN),
        "The engine's workspace. It must exist; a check never creates one.",
        default="default",
    ),
    "variables": Key(
        Keyed(
            Text("the name of a variable", pattern=values.VARIABLE_PATTERN),
            AnyJson(),
            "a mapping from the names of variables to values",
        ),
        "Values of the root module's variables. Not for secrets: everybody can read them here.",
    ),
    "var_files": Key(
        Listing(
            Text("the path of a file", values.relative_path, examples=("common.tfvars",)),
            "a list of files",
        ),
        "Files of variables, relative to the source's root; later ones win.",
    ),
    "labels": Key(
        Keyed(
            Text("a label", pattern=values.LABEL_PATTERN),
            Text("text", may_be_empty=True),
            "a mapping from labels to text",
        ),
        "Labels to select and to group environments by.",
    ),
    "env": Key(
        Keyed(
            Text("the name of an environment variable", values.env_name, values.ENV_PATTERN),
            Text("text", secret=True, may_be_empty=True),
            "a mapping from environment variables to text",
        ),
        "Environment variables for the engine. Not for secrets: those go through pass_env.",
    ),
    "credentials": Key(
        Record(
            "a mapping with `plan` and `apply`",
            {
                "plan": Key(_IDENTITY, "Whom to be for checks; needs to read only."),
                "apply": Key(_IDENTITY, "Whom to be for an apply."),
            },
            hints={
                **_SECRET_KEYS,
                **dict.fromkeys(
                    ("profile", "role"), "Say for what: write it under `plan` or under `apply`."
                ),
            },
        ),
        "AWS identities, for the engine and for the state alike.",
    ),
    "parallelism": Key(
        Whole(1, 1000), "How many resources the engine reads at once; without it the engine's own."
    ),
    "needs": Key(
        Listing(_ENVIRONMENT_NAME, "a list of environments' names", wrap=Need),
        "Environments that come before this one.",
    ),
    "engine": Key(_ENGINE_CHOICE, "The engine, where it is not the one at the top."),
    "state": Key(_STATE, "Where the state lies; `none` leaves the environment's own backend."),
    "apply": Key(
        _APPLY,
        "What may be applied: auto (without asking), gate (after somebody's yes) or never.",
        default="never",
    ),
    "approval": Key(_APPROVAL, "What it takes to approve a plan."),
    "apply_grace": Key(
        _DURATION,
        "How long a running apply is waited for before the engine is asked to stop.",
        default="10m",
    ),
    "limits": Key(_LIMITS, "How much may go wrong, or on, before a person has to look."),
}
_SETTINGS_RECORD = Named("settings", Record("a mapping of settings", _SETTINGS, _build_settings))

_ENTRY = Record(
    "a directory, or a mapping with the key `path`",
    {
        "path": Key(_GLOB, "A directory, or a glob that finds several.", required=True),
        "exclude": Key(
            Listing(_GLOB, "a list of directories and globs"),
            "What the glob is not to find, with everything below.",
        ),
        "source": Key(
            Text("the name of a source", pattern=values.SOURCE_NAME_PATTERN),
            "The source that holds it.",
            default="default",
        ),
        "name": Key(
            Text(
                "a name",
                values.name_template,
                examples=("{source}-{dir}", "{1}/{2}"),
            ),
            "The name, or a template of names with {source}, {path}, {dir}, and {1}, {2} and so on "
            "for what the stars took.",
        ),
        **_SETTINGS,
    },
    _build_entry,
)

_MASK = Record(
    "a mapping with `address`, `attribute` or `pattern`",
    {
        "address": Key(
            Text("an address or a glob", examples=("aws_db_instance.*", "output.token")),
            "Of which resources and outputs; * stands for any run of characters, ? for one.",
            default="*",
        ),
        "attribute": Key(
            Text("an attribute or a glob", examples=("tags.*", "rule[0].port")),
            "Which attribute, spelled as in a report; everything below it is hidden too.",
            default="*",
        ),
        "pattern": Key(
            # Some write the secret itself here, so a message does not repeat it.
            Text(
                "a regular expression",
                values.pattern,
                secret=True,
                examples=("AKIA[0-9A-Z]{16}",),
            ),
            "A regular expression: each text in which it is found is hidden as a whole.",
        ),
    },
    _build_mask,
    {"path": "Write `attribute`.", "resource": "Write `address`.", "regex": "Write `pattern`."},
)

FILE = Record(
    "a mapping",
    {
        "version": Key(Const(1), "The version of this format.", default=1),
        "sources": Key(
            Keyed(
                Text("the name of a source", pattern=values.SOURCE_NAME_PATTERN),
                Either(
                    replace(_URL, check=values.lone_source_url),
                    _SOURCE,
                    "a URL or a mapping with the key `url`",
                ),
                "a mapping from names to repositories",
                wrap=_name_source,
            ),
            "The Git repositories; without it, the one that holds this file.",
        ),
        "engine": Key(_ENGINE, "The program that plans.", default="auto"),
        "pass_env": Key(
            Listing(
                Text(
                    "the name of an environment variable, or a glob",
                    values.pass_env,
                    values.ENV_GLOB_PATTERN,
                    examples=("GOOGLE_*",),
                ),
                "a list of names",
            ),
            "Environment variables that the engine may see beside the usual ones.",
        ),
        "state": Key(_STATE, "Where the states of all environments lie."),
        "defaults": Key(_SETTINGS_RECORD, "Settings of every environment."),
        "environments": Key(
            Listing(
                Either(_GLOB, _ENTRY, "a directory, or a mapping with the key `path`"),
                "a list of directories, for example [environments/*]",
                least=1,
                wrap=as_entry,
                unique=False,
            ),
            "The directories that hold one environment each, by path or by glob.",
            required=True,
        ),
        "overrides": Key(
            Keyed(
                _ENVIRONMENT_NAME,
                _SETTINGS_RECORD,
                "a mapping from environments' names to settings",
                wrap=lambda settings, _name, line: Override(line, settings),
            ),
            "Settings of single environments, by name; they win over everything else.",
        ),
        "providers": Key(
            Listing(
                Text(
                    "the address of a provider, or a glob",
                    values.provider_glob,
                    values.PROVIDER_GLOB_PATTERN,
                    examples=("registry.terraform.io/hashicorp/*", "hashicorp/aws"),
                ),
                "a list of providers",
            ),
            "The only providers that may be run; without it, any may.",
        ),
        "strict": Key(
            Flag(), "Whether differences that mean nothing count as findings.", default=False
        ),
        "redact": Key(
            Listing(_MASK, "a list of what to hide", unique=False),
            "What is never shown, beside what the engine marks as sensitive.",
        ),
        "data_dir": Key(_PATH_ON_DISK, "Where driftctl-py keeps mirrors, checkouts and caches."),
        "people": Key(
            Keyed(
                _PERSON,
                Listing(
                    Text(
                        "an identity or an e-mail address",
                        values.identity,
                        examples=("github:ada", "ada@example.com"),
                    ),
                    "a list of identities and e-mail addresses",
                    least=1,
                    wrap=Said,
                ),
                "a mapping from persons to their identities",
            ),
            "Who is who: identities that can be proven, and the addresses of their commits.",
        ),
        "groups": Key(
            Keyed(
                _GROUP,
                Listing(_PERSON, "a list of persons", least=1, wrap=Said),
                "a mapping from groups to persons",
            ),
            "Who belongs to which group, by the names under `people`.",
        ),
        "rules": Key(
            Listing(Kinds("preset", _PRESET, _RULE), "a list of rules", unique=False),
            "Which changes may be applied, which need whose yes, which are refused.",
        ),
        "windows": Key(
            Listing(_WINDOW, "a list of windows", unique=False),
            "When something may be applied, by the calendar.",
        ),
        "freezes": Key(
            Listing(_FREEZE, "a list of freezes", unique=False),
            "From when until when nothing is applied.",
        ),
        "policies": Key(
            Listing(Kinds("run", _CHECK, _REGO), "a list of policies", unique=False),
            "Rego and programs that look at each plan before it is applied.",
        ),
        "store": Key(
            _STORE,
            "What remembers runs and approvals: `artifacts` (the bucket that those are in) or a "
            "database; without it, a file of our own.",
        ),
        "artifacts": Key(
            Record(
                "a mapping with the key `s3`",
                {"s3": Key(_S3_ARTIFACTS, "A prefix in an S3 bucket.", required=True)},
                hints={"S3": "Write `s3`."},
            ),
            "Where saved plans and reports are kept; without it, in the data directory.",
        ),
        "retention": Key(
            _DURATION, "For how long saved plans and reports are kept.", default="90d"
        ),
    },
)

_NAMED: tuple[Named, ...] = (
    _DURATION,
    _IDENTITY,
    _S3,
    _S3_ARTIFACTS,
    _STATE,
    _ENGINE_CHOICE,
    _APPLY,
    _APPROVAL,
    _LIMITS,
    _SETTINGS_RECORD,
    _SCOPE,
)


def all_keys(shape: Shape = FILE) -> frozenset[str]:
    """Every key at any depth; the documentation must name each of them."""
    match shape:
        case Record():
            below = (all_keys(key.shape) for key in shape.keys.values())
            return frozenset(shape.keys).union(*below)
        case Either():
            return all_keys(shape.short) | all_keys(shape.long)
        case Kinds():
            return all_keys(shape.having) | all_keys(shape.lacking)
        case OneOrMore():
            return all_keys(shape.listing)
        case Listing():
            return all_keys(shape.item)
        case Keyed():
            return all_keys(shape.value)
        case Named():
            return all_keys(shape.shape)
        case _:
            return frozenset()
