"""A first driftctl.yaml for a repository, guessed from the names of its files.

The guess is only a beginning: the text says in comments what each key does, and what it lists is
what the repository holds now. It is always valid. Nothing here writes a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from driftctl_py.core.config import decode_config, expand
from driftctl_py.core.config_expand import is_engine_file
from driftctl_py.core.config_values import MAX_NAME, Refusal, relative_path
from driftctl_py.core.config_values import ref as check_ref
from driftctl_py.core.config_yaml import write_yaml
from driftctl_py.core.path_glob import escape
from driftctl_py.core.values import Json
from driftctl_py.errors import ConfigError

# Directories of these names hold what environments are built from, or what tests them.
_NOT_ENVIRONMENTS: Final = frozenset(
    ("module", "modules", "example", "examples", "test", "tests", "testdata", "fixtures")
)
_Directory = tuple[str, ...]


def starter(files: Collection[str], *, default_branch: str | None = None) -> str:
    """The text of a driftctl.yaml for a repository that holds ``files``."""
    directories = _candidates(files)
    if not directories:
        return _text(
            [{"path": "environments/dev"}],
            "No directory with .tf or .tofu files was found: put in the place of this example "
            "where yours are.",
            default_branch,
        )
    intro = "One entry for each directory, or a glob for several (* is one level, ** any)."
    globs = _globs(directories, files)
    for entries in (globs, [{**entry, "name": "{path}"} for entry in globs]):
        if _paths(entries, files) == set(map(_path, directories)):
            return _text(entries, intro, default_branch)
    # Directories of strange names, or a layout that no glob describes: one by one.
    return _text(_one_by_one(directories), intro, default_branch)


def _candidates(files: Iterable[str]) -> list[_Directory]:
    found = {tuple(file.split("/")[:-1]) for file in files if is_engine_file(file.split("/")[-1])}
    return sorted(directory for directory in found if _could_be_one(directory))


def _could_be_one(directory: _Directory) -> bool:
    if any(part.startswith(".") or part.lower() in _NOT_ENVIRONMENTS for part in directory):
        return False
    path = "/".join(directory)
    try:
        return not path or (path.isprintable() and relative_path(path) == path)
    except Refusal:
        return False


def _globs(directories: Sequence[_Directory], files: Collection[str]) -> list[dict[str, Json]]:
    """Directories below one top directory and of one depth share an entry."""
    groups: dict[tuple[str, int], list[_Directory]] = {}
    for directory in directories:
        groups.setdefault(("".join(directory[:1]), len(directory)), []).append(directory)
    return [_glob(group, files) for _, group in sorted(groups.items())]


def _glob(group: Sequence[_Directory], files: Collection[str]) -> dict[str, Json]:
    entry: dict[str, Json] = {"path": _pattern(group)}
    found = _paths([{**entry, "name": "{path}"}], files) or set()
    others = sorted(found - {_path(directory) for directory in group})
    # A module between the environments, a directory of documents: what a glob is not to find.
    return {**entry, "exclude": [escape(path) for path in others]} if others else entry


def _path(directory: _Directory) -> str:
    return "/".join(directory) or "."


def _pattern(group: Sequence[_Directory]) -> str:
    columns = [set(column) for column in zip(*group, strict=True)]
    return "/".join(escape(min(names)) if len(names) == 1 else "*" for names in columns) or "."


def _one_by_one(directories: Iterable[_Directory]) -> list[dict[str, Json]]:
    entries: dict[str, dict[str, Json]] = {}
    for directory in directories:
        parts = (re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-._") for part in directory)
        wanted = "/".join(part for part in parts if part) or "root"
        base = wanted if len(wanted) < MAX_NAME - 10 else wanted[-MAX_NAME + 10 :].strip("-._/")
        name, number = base, 1
        while name in entries:
            number += 1
            name = f"{base}-{number}"
        entries[name] = {"path": escape(_path(directory)), "name": name}
    return list(entries.values())


def _paths(entries: Sequence[dict[str, Json]], files: Collection[str]) -> set[str] | None:
    """What these entries find, or None where they are not valid."""
    text = write_yaml({"environments": entries}).encode()
    try:
        environments = expand(decode_config(text, filename=""), {"default": files})
    except ConfigError:
        return None
    return {environment.path for environment in environments}


def _text(entries: Sequence[dict[str, Json]], intro: str, default_branch: str | None) -> str:
    # An entry of a path alone has a short form.
    items = [entry["path"] if len(entry) == 1 else entry for entry in entries]
    head, *lines = write_yaml({"environments": items}).splitlines()
    environments = "\n".join([head, *(f"  {line}" for line in lines)])
    return _TEXT.format(intro=intro, environments=environments, branch=_safe_ref(default_branch))


def _safe_ref(branch: str | None) -> str:
    """A comment is no place for surprises either."""
    try:
        return check_ref(branch or "main") if (branch or "").isprintable() else "main"
    except Refusal:
        return "main"


_TEXT: Final = """\
# What driftctl-py looks after. Every key: docs/configuration.md of driftctl-py.
# Check this file with `driftctl-py config check`; see what it comes to with
# `driftctl-py config show`. For completion in an editor, write the schema with
# `driftctl-py config schema > driftctl.schema.json` and make this the first line:
#   yaml-language-server: $schema=driftctl.schema.json
version: 1

# {intro}
# An environment is called after what the wildcards took, or after its directory.
{environments}

# What holds for all of them.
defaults:
  interval: 1h      # how long a check stays fresh
  timeout: 1h       # how long a plan may take
  # variables: {{region: eu-central-1}}
  # var_files: [common.tfvars]
  # labels: {{team: platform}}
  # credentials:    # names, never keys: a profile, or a role to assume
  #   plan: {{profile: readonly}}
  # apply: {{git: gate, drift: gate}}    # auto, gate (after somebody's yes) or never

# What one of them has otherwise, by its name.
# overrides:
#   prod:
#     interval: 15m
#     needs: [staging]

# Who may be asked for a yes, and by what they are known.
# people:
#   ada: [github:ada, ada@example.com]
# groups: {{platform: [ada]}}

# What may be applied by itself, what needs whose yes, and what is refused.
# rules:
#   - preset: protect-stateful
#   - {{preset: no-destroy-without-approval, groups: [platform]}}
#   - preset: heal-tags

# When something may be applied.
# windows:
#   - name: office-hours
#     effect: allow
#     cron: "0 9 * * MON-FRI"
#     duration: 8h
#     timezone: Europe/Berlin

# The program that plans: auto, tofu, terraform, embedded, or a path; with a version if need be.
engine: auto
# engine: {{use: tofu, version: ">= 1.8"}}

# Environments in other repositories; without this, they are in the one that holds this file.
# sources:
#   default: .
#   infra: {{url: https://git.example.com/infra.git, ref: {branch}, token_env: INFRA_GIT_TOKEN}}

# Where the states lie, for environments that do not say so themselves.
# state:
#   s3: {{bucket: example-states, region: eu-central-1, key: "{{environment}}/terraform.tfstate"}}

# Environment variables that the engine may see beside the usual ones (PATH, AWS_*, and so on).
# pass_env: [GOOGLE_*]

# What no report shows, beside what the engine marks as sensitive.
# redact:
#   - {{address: "aws_db_instance.*", attribute: "tags.*"}}
#   - {{pattern: 'AKIA[0-9A-Z]{{16}}'}}
"""
