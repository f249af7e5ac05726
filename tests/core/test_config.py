from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import People
from driftctl_py.core.config import (
    Config,
    EngineSettings,
    config_schema,
    decode_config,
    effective_config,
    expand,
    needed_sources,
    schema_text,
    write_yaml,
)
from driftctl_py.core.config_model import (
    ApprovalSetting,
    Entry,
    ModesSetting,
    Need,
    OwnState,
    Said,
)
from driftctl_py.core.config_schema import all_keys
from driftctl_py.core.environment import Credentials, EngineChoice, Mode, S3State, Source
from driftctl_py.core.masks import Mask
from driftctl_py.core.places import S3ArtifactsPlace
from driftctl_py.core.presets import PRESETS
from driftctl_py.core.values import Json
from driftctl_py.errors import ConfigError

DOCS = Path(__file__).parents[2] / "docs"


def decode(text: str) -> Config:
    return decode_config(dedent(text).encode(), filename="driftctl.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        decode(text)
    return [str(problem) for problem in caught.value.problems]


def setting(text: str) -> list[str]:
    """What is said about one setting, given under ``defaults`` in line 2."""
    return problems(f"environments: [a]\ndefaults: {{{text}}}\n")


WHOLE = """\
version: 1
sources:
  default: .
  infra:
    url: https://git.example.com/infra.git
    ref: main
    token_env: INFRA_GIT_TOKEN
    submodules: true
engine:
  use: tofu
  version: ">= 1.6"
  provider_mirror: mirror
  cli_config: ~/tofu.rc
  plugin_cache: false
pass_env: [GOOGLE_*, TF_VAR_x]
state:
  s3:
    bucket: example-states
    region: eu-central-1
    key: "live/{environment}.tfstate"
    lock: dynamodb
    dynamodb_table: example-locks
    endpoint: http://127.0.0.1:5000
    kms_key_id: alias/states
defaults:
  interval: 1h30m
  timeout: 90s
  ref: v1
  workspace: eu
  variables:
    number: 3
    exact: 0.1
    zones: [a, {b: null}]
    yes_or_no: true
    text: "012"
  var_files: [./common.tfvars, eu.tfvars]
  labels: {team: platform, tier: ""}
  env: {AWS_REGION: eu-central-1}
  credentials:
    plan: {profile: readonly}
    apply:
      profile: deploy
      role: arn:aws:iam::123456789012:role/deploy
      external_id: example
      session_name: drift
  parallelism: 20
  needs: [network]
  engine: {use: terraform, version: ~> 1.10}
  state: none
environments:
  - environments/*
  - path: ./teams/*/*/
    exclude: [teams/*/sandbox]
    source: infra
    name: "{source}-{1}"
    interval: 1d
overrides:
  prod:
    engine: ./bin/tofu
    apply: {git: gate, drift: auto}
    approval:
      count: 2
      groups: [dba]
      expires: 12h
      author_may: true
      unverified: true
    apply_grace: 5m
strict: true
redact:
  - {address: "aws_db_instance.*", attribute: "tags.*"}
  - pattern: 'AKIA[0-9A-Z]{16}'
data_dir: /var/lib/driftctl-py
people:
  ada: [github:ada, "aws:arn:aws:sts::123456789012:assumed-role/Admin/*", ada@example.com]
  grace: [os:grace, key:grace]
groups: {dba: [ada, grace]}
store: {url_env: DRIFTCTL_STORE_URL}
artifacts:
  s3:
    bucket: example-plans
    region: eu-central-1
    prefix: driftctl/infra/
    endpoint: http://127.0.0.1:5000
    kms_key_id: alias/plans
retention: 30d
"""


def test_a_whole_file_is_decoded() -> None:
    config = decode(WHOLE)

    assert config.sources == {
        "default": Source("default", "."),
        "infra": Source(
            "infra", "https://git.example.com/infra.git", "main", "INFRA_GIT_TOKEN", True
        ),
    }
    assert config.engine == EngineSettings("tofu", ">= 1.6", "mirror", "~/tofu.rc", False)
    assert config.pass_env == ("GOOGLE_*", "TF_VAR_x")
    assert config.state == S3State(
        "example-states",
        "eu-central-1",
        "live/{environment}.tfstate",
        "dynamodb",
        "example-locks",
        "http://127.0.0.1:5000",
        "alias/states",
    )
    assert config.strict
    assert config.redact == (
        Mask("aws_db_instance.*", "tags.*"),
        Mask(pattern=re.compile("AKIA[0-9A-Z]{16}")),
    )
    assert config.data_dir == "/var/lib/driftctl-py"
    assert config.people == People(
        {
            "ada": (
                "github:ada",
                "aws:arn:aws:sts::123456789012:assumed-role/Admin/*",
                "ada@example.com",
            ),
            "grace": ("os:grace", "key:grace"),
        },
        {"dba": ("ada", "grace")},
    )
    assert (config.store_url, config.store_url_env) == (None, "DRIFTCTL_STORE_URL")
    assert config.artifacts == S3ArtifactsPlace(
        "example-plans", "eu-central-1", "driftctl/infra", "http://127.0.0.1:5000", "alias/plans"
    )
    assert config.retention_seconds == 30 * 86_400
    assert config.filename == "driftctl.yaml"


def test_every_setting_of_a_layer_is_decoded() -> None:
    defaults = decode(WHOLE).defaults

    assert defaults.interval_seconds == 5400
    assert defaults.plan_timeout_seconds == 90
    assert defaults.ref == "v1"
    assert defaults.workspace == "eu"
    assert defaults.variables == {
        "number": 3,
        "exact": 0.1,
        "zones": ["a", {"b": None}],
        "yes_or_no": True,
        "text": "012",
    }
    assert defaults.var_files == ("common.tfvars", "eu.tfvars")
    assert defaults.labels == {"team": "platform", "tier": ""}
    assert defaults.env == {"AWS_REGION": "eu-central-1"}
    assert defaults.plan_credentials == Credentials("readonly")
    assert defaults.apply_credentials == Credentials(
        "deploy", "arn:aws:iam::123456789012:role/deploy", "example", "drift"
    )
    assert defaults.parallelism == 20
    assert defaults.needs == (Need("network", 47),)
    assert defaults.engine == EngineChoice("terraform", "~> 1.10")
    assert defaults.state == OwnState()


def test_entries_and_overrides_know_their_lines() -> None:
    config = decode(WHOLE)
    first, second = config.entries

    assert first.line == 51
    assert (first.path, first.source) == ("environments/*", "default")
    assert second.line == 52
    assert (second.path, second.source, second.name) == ("teams/*/*", "infra", "{source}-{1}")
    assert [pattern.text for pattern in second.exclude] == ["teams/*/sandbox"]
    assert second.settings.interval_seconds == 86_400
    assert config.overrides["prod"].line == 58
    assert config.overrides["prod"].settings.engine == EngineChoice("./bin/tofu")
    assert config.overrides["prod"].settings.apply == ModesSetting(Mode.GATE, Mode.AUTO)
    assert config.overrides["prod"].settings.approval == ApprovalSetting(
        2, (Said("dba", 63),), 43_200, True, True
    )
    assert config.overrides["prod"].settings.apply_grace_seconds == 300


def test_the_smallest_file_has_one_source_and_every_default() -> None:
    config = decode("environments: [prod]\n")

    assert config == Config(
        "driftctl.yaml", {"default": Source("default", ".")}, (Entry(1, "prod", "default"),)
    )


def test_short_forms_stand_for_their_long_ones() -> None:
    config = decode("engine: tofu\nstate: none\nsources: {live: ../live}\nenvironments: [a]\n")

    assert config.engine == EngineSettings("tofu")
    assert config.state is None
    assert config.sources == {"live": Source("live", "../live")}
    # The only source there is holds what names none.
    assert config.entries[0].source == "live"


def test_only_sources_with_environments_are_needed() -> None:
    config = decode("""\
        sources: {default: ., unused: ../unused, live: ../live}
        environments: [{path: a, source: live}, b, {path: c, source: live}]
        """)

    assert needed_sources(config) == (Source("live", "../live"), Source("default", "."))


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "~", "null\n"])
def test_an_empty_file_says_how_to_begin(text: str) -> None:
    assert problems(text) == [
        "driftctl.yaml:1: The file is empty, so there is no environment to look after.\n"
        "  Write a first one with: driftctl-py init"
    ]


@pytest.mark.parametrize(
    ("text", "is_what"), [("- a\n- b\n", "a list"), ("environments\n", "a single value")]
)
def test_a_file_that_is_no_mapping_says_what_it_is(text: str, is_what: str) -> None:
    assert problems(text) == [
        f"driftctl.yaml:1: The file is {is_what}, but a mapping with the key `environments` is "
        "expected.\n"
        "  Write a mapping with the key `environments`."
    ]


def test_everything_that_is_wrong_is_reported_at_once_in_the_order_of_the_file() -> None:
    found = problems("""\
        version: 2
        intervall: 5m
        sources:
          infra: http://git.example.com/infra.git
        defaults:
          interval: 90
          timeout: 5 minutes
        environments:
          - /etc
          - path: live
            sauce: infra
          - path: live
            source: infra
          - path: live
            source: infar
        strict: yes
        strict: true
        """)

    assert [problem.split(": ")[0] for problem in found] == [
        f"driftctl.yaml:{line}" for line in (1, 2, 4, 6, 7, 9, 11, 16, 17)
    ]


def test_what_goes_together_is_checked_even_where_something_else_is_wrong() -> None:
    assert problems("environments: [{path: a, source: infar}]\nstrict: maybe\n") == [
        "driftctl.yaml:1: a names the source infar, but there is none of that name.\n"
        "  There are: default.",
        'driftctl.yaml:2: strict is "maybe", but true or false is expected.\n'
        "  Write true or false, without quotes.",
    ]


def test_a_source_that_is_wrong_itself_is_not_called_missing_as_well() -> None:
    found = problems("sources: {infra: infra}\nenvironments: [{path: a, source: infra}]\n")

    assert len(found) == 1
    assert found[0].startswith(
        'driftctl.yaml:1: sources.infra is "infra", which is neither a URL nor a path.'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "enviroments: [a]\n",
            [
                'driftctl.yaml:1: The key "enviroments" is not known.\n'
                "  Did you mean `environments`? Known here: version, sources, engine, pass_env, "
                "state, defaults, environments, overrides, providers, strict, redact, data_dir, "
                "people, groups, rules, windows, freezes, policies, store, artifacts, retention.",
                "driftctl.yaml:1: The file lacks the key `environments`.\n"
                "  Add it: The directories that hold one environment each, by path or by glob.",
            ],
        ),
        (
            "environments: []\n",
            [
                "driftctl.yaml:1: environments is an empty list.\n"
                "  Give it a list of directories, for example [environments/*]."
            ],
        ),
        (
            "environments: {prod: a}\n",
            [
                "driftctl.yaml:1: environments is a mapping, but a list of directories, for "
                "example [environments/*] is expected.\n"
                "  Write a list of directories, for example [environments/*]."
            ],
        ),
        (
            "environments:\n- [a]\n- 12\n-\n- ''\n",
            [
                "driftctl.yaml:2: environments[0] is a list, but a directory, or a mapping with "
                "the key `path` is expected.\n"
                "  Write a directory, or a mapping with the key `path`.",
                "driftctl.yaml:3: environments[1] is `12`, which YAML reads as a number, but a "
                "directory or a glob is expected.\n"
                '  Quote it: "12".',
                "driftctl.yaml:4: environments[2] has no value, but a directory or a glob is "
                "expected.\n"
                "  Give it a value, or remove the key.",
                "driftctl.yaml:5: environments[3] is empty, but a directory or a glob is "
                "expected.\n"
                "  Give it a value, or remove the key.",
            ],
        ),
        (
            "version: 2\nenvironments: [a]\n",
            [
                'driftctl.yaml:1: version is "2", but this driftctl-py reads version 1 of the '
                "format.\n"
                "  Write `version: 1`, or install a driftctl-py that is newer."
            ],
        ),
        (
            "version: [1]\nenvironments: [a]\n",
            [
                "driftctl.yaml:1: version is a list, but this driftctl-py reads version 1 of the "
                "format.\n"
                "  Write `version: 1`, or install a driftctl-py that is newer."
            ],
        ),
        (
            "environments: [a]\nstrict: [true]\n",
            [
                "driftctl.yaml:2: strict is a list, but true or false is expected.\n"
                "  Write true or false."
            ],
        ),
        (
            "environments: [a]\nsources: []\n",
            [
                "driftctl.yaml:2: sources is a list, but a mapping from names to repositories is "
                "expected.\n"
                "  Write a mapping from names to repositories."
            ],
        ),
        (
            "environments: [a, b]\nsources: {x: ./x, y: ./y}\n",
            [
                "driftctl.yaml:1: a names no source, and there are several: x, y.\n"
                "  Add `source: NAME` to the entry, or call one of the sources default.",
                "driftctl.yaml:1: b names no source, and there are several: x, y.\n"
                "  Add `source: NAME` to the entry, or call one of the sources default.",
            ],
        ),
        (
            "environments: [{path: a, source: infar}]\nsources: {infra: ./x}\n",
            [
                "driftctl.yaml:1: a names the source infar, but there is none of that name.\n"
                "  Did you mean `infra`? There are: infra."
            ],
        ),
        (
            "environments:\n- path: teams/a\n  exclude: [teams/*]\n",
            [
                "driftctl.yaml:2: environments[0] excludes something from teams/a, but that is "
                "one directory and no glob.\n"
                "  Remove `exclude`, or write a glob such as teams/*."
            ],
        ),
        (
            "environments:\n- path: teams/*\n  name: '{2}'\n",
            [
                "driftctl.yaml:2: environments[0].name uses {2}, but teams/* has 1 star.\n"
                "  Use only the numbers of stars that are there, counted from the left."
            ],
        ),
        (
            "environments:\n- path: teams/a\n  name: '{1}'\n- path: '*/*'\n  name: '{3}'\n",
            [
                "driftctl.yaml:2: environments[0].name uses {1}, but teams/a has no stars.\n"
                "  Use only the numbers of stars that are there, counted from the left.",
                "driftctl.yaml:4: environments[1].name uses {3}, but */* has 2 stars.\n"
                "  Use only the numbers of stars that are there, counted from the left.",
            ],
        ),
        (
            "environments:\n- path: teams/*\n  name: '{source}'\n",
            [
                "driftctl.yaml:2: environments[0].name is the same for every directory that "
                "teams/* finds.\n"
                '  Put a placeholder into it, for example "{dir}", "{path}" or "{1}".'
            ],
        ),
        (
            "environments:\n- path: teams/*\n  name: '{nmae}'\n- {path: a, name: ../x}\n",
            [
                'driftctl.yaml:3: environments[0].name is "{nmae}", which holds a placeholder '
                "that does not exist.\n"
                "  Use {source}, {path}, {dir}, or {1}, {2}, … for what the wildcards of `path` "
                "took.",
                'driftctl.yaml:4: environments[1].name is "../x", which cannot be the name of an '
                "environment: names become part of S3 keys and paths.\n"
                "  Use letters, digits, `.`, `_` and `-`, with `/` between parts, each of which "
                "begins with a letter or a digit.",
            ],
        ),
        (
            "environments: [a]\noverrides:\n  -prod: {interval: 1h}\n  dev:\n",
            [
                'driftctl.yaml:3: the key of overrides is "-prod", which cannot be the name of an '
                "environment: names become part of S3 keys and paths.\n"
                "  Use letters, digits, `.`, `_` and `-`, with `/` between parts, each of which "
                "begins with a letter or a digit.",
                "driftctl.yaml:4: overrides.dev is empty, but a mapping of settings is expected.\n"
                "  Write a mapping of settings.",
            ],
        ),
        (
            "environments: [a]\nengine: terrafrom\n",
            [
                'driftctl.yaml:2: engine is "terrafrom", which is no engine.\n'
                "  Choose auto, tofu, terraform, embedded or the path of a program, written with "
                "a slash."
            ],
        ),
        (
            "environments: [a]\nengine: {version: 1.10}\n",
            [
                "driftctl.yaml:2: engine.version is `1.10`, which YAML reads as a number, but a "
                "version constraint is expected.\n"
                '  Quote it: "1.10".'
            ],
        ),
        (
            "environments: [a]\nengine: {version: '=> 1'}\n",
            [
                'driftctl.yaml:2: engine.version is "=> 1", which cannot be read.\n'
                '  "=> 1" is not a version constraint; write one of =, !=, >, >=, <, <=, ~> and a '
                'version, for example ">= 1.6, < 2".'
            ],
        ),
        (
            "environments: [a]\nstate: {s3: {region: EU}}\n",
            [
                'driftctl.yaml:2: state.s3.region is "EU", which is not the name of a region.\n'
                "  Write the name of a region, for example eu-central-1.",
                "driftctl.yaml:2: state.s3 lacks the key `bucket`.\n"
                "  Add it: The bucket that holds the states.",
            ],
        ),
        (
            "environments: [a]\nstate: local\n",
            [
                'driftctl.yaml:2: state is "local", but one of none is expected.\n'
                "  Choose one of none."
            ],
        ),
    ],
)
def test_each_problem_names_its_line_and_a_remedy(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("text", "what", "todo"),
    [
        (
            "interval: 90",
            'interval is "90", which is not a length of time.',
            "Add a unit: 90s, 90m, 90h or 90d.",
        ),
        (
            "interval: '90'",
            'interval is "90", which is not a length of time.',
            "Add a unit: 90s, 90m, 90h or 90d.",
        ),
        (
            "interval: 1:30",
            'interval is "1:30", which is not a length of time.',
            "Write for example 90s, 15m, 1h, 1h30m or 1d.",
        ),
        (
            "interval: 30m1h",
            'interval is "30m1h", which is not a length of time.',
            "Write for example 90s, 15m, 1h, 1h30m or 1d.",
        ),
        (
            "interval: 0s",
            'interval is "0s", which is not between one second and 366 days.',
            "Choose a length in between.",
        ),
        (
            "timeout: 999999999d",
            'timeout is "999999999d", which is not between one second and 366 days.',
            "Choose a length in between.",
        ),
        (
            "ref: 1.10",
            "ref is `1.10`, which YAML reads as a number, but a branch, a tag or a commit is "
            "expected.",
            'Quote it: "1.10".',
        ),
        (
            "ref: 2026-11-23",
            "ref is `2026-11-23`, which YAML reads as a date, but a branch, a tag or a commit is "
            "expected.",
            'Quote it: "2026-11-23".',
        ),
        (
            "ref: on",
            "ref is `on`, which YAML reads as a boolean, but a branch, a tag or a commit is "
            "expected.",
            'Quote it: "on".',
        ),
        ("ref: [main]", "ref is a list, but a branch, a tag or a commit is expected.", ""),
        (
            "ref: --upload-pack=x",
            "ref: The ref '--upload-pack=x' begins with a dash, so Git would read it as an option.",
            "Name a branch, a tag or a full commit.",
        ),
        ("ref: a..b", "ref: 'a..b' cannot be a ref: Git allows no such name", ""),
        (
            'ref: "a\\nb"',
            "ref holds the control character U+000A, for example a line break.",
            "Write the value on one line, without special characters.",
        ),
        (
            "workspace: -x",
            'workspace is "-x", which is not the name of a workspace.',
            "Write the name of a workspace.",
        ),
        (
            "variables: [a]",
            "variables is a list, but a mapping from the names of variables to values is expected.",
            "",
        ),
        (
            "variables: {1a: x}",
            'the key of defaults.variables is "1a", which is not the name of a variable.',
            "Write the name of a variable.",
        ),
        (
            "variables: {on: x}",
            "the key of defaults.variables is `on`, which YAML reads as a boolean, but the name "
            "of a variable is expected.",
            'Quote it: "on".',
        ),
        (
            "variables: {country: no}",
            "variables.country is a word that older YAML reads as true or false and newer as text.",
            "Write true or false, or quote it.",
        ),
        (
            "variables: {day: 2026-11-23}",
            "variables.day is a date for YAML, and variables have no dates.",
            "Quote it.",
        ),
        (
            "variables: {account: 012345678901}",
            "variables.account is a number that programs read differently or cannot hold exactly.",
            "Quote it (the engine turns text into a number where it needs one), or write it in "
            "plain decimals.",
        ),
        ("variables: {x: .nan}", "variables.x is a number that programs", ""),
        ("variables: {x: 1.0e999}", "variables.x is a number that programs", ""),
        ("variables: {x: 0.12345678901234567890}", "variables.x is a number that programs", ""),
        ('variables: {x: "a\\0b"}', "variables.x holds a NUL character.", "Remove it."),
        (
            "variables: {x: {1: a}}",
            "A key in defaults.variables.x is `1`, which YAML reads as a number.",
            'Quote it: "1".',
        ),
        ("variables: {x: [{y: [no]}]}", "variables.x[0].y[0] is a word that older YAML", ""),
        (
            "var_files: common.tfvars",
            "var_files is a single value, but a list of files is expected.",
            "Write a list of files.",
        ),
        (
            "var_files: [a.tfvars, ./a.tfvars]",
            'var_files[1] repeats "a.tfvars" of line 2.',
            "Remove one of the two.",
        ),
        (
            "var_files: [/etc/passwd]",
            'var_files[0] is "/etc/passwd", but paths are relative to the root of the source.',
            "Write it relative to that root; another repository goes under `sources`.",
        ),
        (
            "var_files: [~/x.tfvars]",
            'var_files[0] is "~/x.tfvars", but paths are relative to the root of the source.',
            "",
        ),
        (
            "var_files: [a/../../x]",
            'var_files[0] is "a/../../x", which leads upwards with `..` and could leave the '
            "source.",
            "Write it from the root of the source; another repository goes under `sources`.",
        ),
        (
            "var_files: ['a\\b']",
            'var_files[0] is "a\\\\b", which holds a backslash.',
            "Write a/b.",
        ),
        (
            "var_files: [.git/config]",
            'var_files[0] is ".git/config", but .git belongs to a program and holds no '
            "environment.",
            "Name the directory that holds your own files.",
        ),
        (
            "labels: {tier: 1}",
            "labels.tier is `1`, which YAML reads as a number, but text is expected.",
            'Quote it: "1".',
        ),
        (
            "env: {PORT: 80}",
            "env.PORT is a value that is not shown, which YAML reads as a number, but text is "
            "expected.",
            "Quote the value.",
        ),
        (
            "env: {1A: x}",
            'the key of defaults.env is "1A", which is not the name of an environment variable.',
            "Use letters, digits and _, not beginning with a digit.",
        ),
        (
            "env: {TF_WORKSPACE: x}",
            'the key of defaults.env is "TF_WORKSPACE", which driftctl-py sets for the engine '
            "itself.",
            "Use the key `workspace`.",
        ),
        (
            "env: {TF_CLI_ARGS_plan: -lock=true}",
            'the key of defaults.env is "TF_CLI_ARGS_plan", which adds arguments to every command.',
            "Leave it out",
        ),
        (
            "env: {AWS_SECRET_ACCESS_KEY: hunter2}",
            'the key of defaults.env is "AWS_SECRET_ACCESS_KEY", whose value is a secret, and a '
            "file that many read is no place for one.",
            "Set it where driftctl-py runs and name it under pass_env; for AWS name a profile or "
            "a role under credentials. If the secret was committed, revoke it.",
        ),
        (
            "parallelism: 0",
            'parallelism is "0", but a whole number from 1 to 1000 is expected.',
            "Write such a number, without quotes and without a leading zero.",
        ),
        ("parallelism: '10'", 'parallelism is "10", but a whole number', ""),
        ("parallelism: 010", 'parallelism is "010", but a whole number', ""),
        ("parallelism: {a: b}", "parallelism is a mapping, but a whole number", ""),
        (
            "credentials: {plan: {}}",
            "credentials.plan names nobody to be.",
            "Give it `profile`, `role`, or both; remove it to use what AWS finds by itself.",
        ),
        (
            "credentials: {plan: {profile: a, external_id: abc}}",
            "credentials.plan.external_id goes with a role, and there is none.",
            "Add `role`, or remove `external_id`.",
        ),
        (
            "credentials: {plan: {role: admin}}",
            'credentials.plan.role is "admin", which is not the ARN of an IAM role.',
            "Write the ARN of an IAM role, for example arn:aws:iam::123456789012:role/planner.",
        ),
        (
            "credentials: {plan: {secret_key: hunter2}}",
            'The key "secret_key" in defaults.credentials.plan is not known.',
            "Keys and secrets never go into this file: name a `profile` or a `role`, or set the "
            "variables where driftctl-py runs.",
        ),
        (
            "credentials: {profile: a}",
            'The key "profile" in defaults.credentials is not known.',
            "Say for what: write it under `plan` or under `apply`.",
        ),
        (
            "engine: {version: '>= 1'}",
            "engine lacks the key `use`.",
            "Add it: auto, tofu, terraform, embedded, or the path of a program.",
        ),
        (
            "engine: {use: tofu, provider_mirror: x}",
            'The key "provider_mirror" in defaults.engine is not known.',
            "This is one for all environments: write it under `engine` at the top.",
        ),
    ],
)
def test_each_setting_is_checked(text: str, what: str, todo: str) -> None:
    found = setting(text)

    assert len(found) == 1
    assert found[0].replace(": defaults.", ": ").startswith(f"driftctl.yaml:2: {what}")
    assert f"\n  {todo}" in found[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("bucket: b", 'bucket is "b", which is not the name of a bucket.'),
        (
            "key: terraform.tfstate",
            'key is "terraform.tfstate", which lacks {environment}, so that all environments '
            "would share one state.",
        ),
        (
            "key: '{environment}/{workspace}'",
            'key is "{environment}/{workspace}", which holds braces other than {environment}.',
        ),
        (
            "key: '/{environment}'",
            'key is "/{environment}", which begins or ends with a slash, has two in a row, or is '
            "very long.",
        ),
        ("lock: dynamo", 'lock is "dynamo", but one of native, dynamodb, none is expected.'),
        ("lock: [none]", "lock is a list, but one of native, dynamodb, none is expected."),
        ("endpoint: s3.example.com", 'endpoint is "s3.example.com", which is not the address'),
        ("endpoint: 'http://[x'", 'endpoint is "http://[x", which is not the address'),
        ("endpoint: http://a:99999", 'endpoint is "http://a:99999", which is not the address'),
        ("endpoint: http://a?x=hunter2", 'endpoint is "http://a", which is not the address'),
        (
            "endpoint: http://ada:hunter2@s3.example.com",
            'endpoint is "…@s3.example.com", which holds a user or a password.',
        ),
        ("acess_key: hunter2", 'The key "acess_key" in state.s3 is not known.'),
        ("secret_key: hunter2", 'The key "secret_key" in state.s3 is not known.'),
    ],
)
def test_each_setting_of_the_state_is_checked(text: str, what: str) -> None:
    start = "bucket: example, " if not text.startswith("bucket") else ""

    found = problems(f"environments: [a]\nstate: {{s3: {{{start}region: eu, {text}}}}}\n")

    assert len(found) == 1
    assert found[0].replace("state.s3.", "").startswith(f"driftctl.yaml:2: {what}")
    assert "hunter2" not in found[0]


@pytest.mark.parametrize("text", ["lock: dynamodb", "dynamodb_table: locks"])
def test_a_table_of_locks_and_its_use_go_together(text: str) -> None:
    (found,) = problems(f"environments: [a]\nstate: {{s3: {{bucket: abc, region: eu, {text}}}}}\n")

    assert "but dynamodb_table is" in found
    assert "Write both `lock: dynamodb` and `dynamodb_table: NAME`, or neither." in found


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("'*'", "which is neither the name of an environment variable nor a glob"),
        ("'*_TOKEN'", "which is neither the name of an environment variable nor a glob"),
        ("TF_CLI_ARGS_plan", "which lets arguments into every command of the engine"),
        ("TF_*", "which lets arguments into every command of the engine"),
        ("TF_WORK*", "which lets TF_WORKSPACE in, but driftctl-py sets that"),
        ("TF_DATA_DIR", "which lets TF_DATA_DIR in, but driftctl-py sets that"),
    ],
)
def test_what_the_engine_may_see_is_named_narrowly(name: str, what: str) -> None:
    (found,) = problems(f"environments: [a]\npass_env: [{name}]\n")

    assert found.startswith("driftctl.yaml:2: pass_env[0] is ")
    assert what in found


def test_a_file_of_the_engine_s_own_configuration_may_be_passed() -> None:
    assert decode("environments: [a]\npass_env: [TF_CLI_CONFIG_FILE]\n").pass_env == (
        "TF_CLI_CONFIG_FILE",
    )


@pytest.mark.parametrize(
    "url",
    [
        ".",
        "..",
        "./infra",
        "../infra",
        "~/infra",
        "/srv/git/infra.git",
        "file:///srv/git/infra.git",
        "https://git.example.com/infra.git",
        "https://git.example.com:8443/infra.git",
        "ssh://git@git.example.com/infra.git",
        "ssh://git.example.com:2222/infra.git",
        "git@git.example.com:infra.git",
        "git.example.com:team/infra.git",
    ],
)
def test_a_source_is_a_path_or_a_safe_url(url: str) -> None:
    assert decode(f"environments: [a]\nsources: {{x: '{url}'}}\n").sources["x"].url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.com/infra.git",
        "git://git.example.com/infra.git",
        "ftp://git.example.com/infra.git",
        "ext::sh -c hunter2",
        "fd::17/hunter2",
        "https://ada:hunter2@git.example.com/infra.git",
        "https://hunter2@git.example.com/infra.git",
        "https://ghp_hunter2@git.example.com/infra.git",
        "https://git.example.com/infra.git?token=hunter2",
        "https://git.example.com/infra.git#hunter2",
        "ssh://git:hunter2@git.example.com/infra.git",
        "ssh://-oProxyCommand=x/infra.git",
        "git:hunter2@git.example.com:infra.git",
        "-upload-pack=x",
        "https://ada:hunter2/x@git.example.com/infra.git",
        "hunter2@git.example.com/infra.git",
        "infra",
    ],
)
@pytest.mark.parametrize("form", ["{{x: '{url}'}}", "{{x: {{url: '{url}'}}}}"])
def test_a_source_that_is_unsafe_is_refused_without_showing_a_secret(url: str, form: str) -> None:
    (found,) = problems(f"environments: [a]\nsources: {form.format(url=url)}\n")

    assert found.startswith("driftctl.yaml:2: sources.x")
    assert "\n  " in found
    assert "hunter2" not in found


def test_a_user_in_an_https_url_is_fine_beside_the_name_of_a_token() -> None:
    config = decode("""\
        environments: [a]
        sources: {x: {url: "https://ada@git.example.com/infra.git", token_env: GIT_TOKEN}}
        """)

    assert config.sources["x"].token_env == "GIT_TOKEN"


@pytest.mark.parametrize("token", ["ghp_hunter2", "hunter2", "'12345'", "12345", "{hunter2: x}"])
def test_a_token_in_the_place_of_its_variable_s_name_is_not_shown(token: str) -> None:
    (found,) = problems(
        "environments: [a]\n"
        f"sources: {{x: {{url: 'https://git.example.com/x', token_env: {token}}}}}\n"
    )

    assert found.startswith("driftctl.yaml:2: sources.x.token_env is ")
    assert "hunter2" not in found
    assert "12345" not in found


def test_a_token_without_https_would_never_be_used() -> None:
    assert problems("environments: [a]\nsources: {x: {url: ./x, token_env: GIT_TOKEN}}\n") == [
        "driftctl.yaml:2: sources.x names a token, but its URL is not https, so nothing would use "
        "it.\n"
        "  Remove token_env, or use an https URL."
    ]


@pytest.mark.parametrize("key", ["token", "password"])
def test_a_secret_under_a_key_of_its_own_is_not_shown(key: str) -> None:
    (found,) = problems(f"environments: [a]\nsources: {{x: {{url: ., {key}: hunter2}}}}\n")

    assert "Name an environment variable under `token_env`" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("glob", "why"),
    [
        ("a/b**", "** takes whole directories"),
        ("'a/[b'", "opens a [ that nothing closes"),
    ],
)
def test_a_glob_that_makes_no_sense_is_refused(glob: str, why: str) -> None:
    (found,) = problems(f"environments:\n- {glob}\n")

    assert "which is not a glob" in found
    assert why in found


def test_a_long_value_is_cut_in_the_middle() -> None:
    (found,) = problems(f"environments: [a]\nengine: begin{'x' * 90_000}end\n")

    assert len(found) < 300
    assert re.search(r'"beginx+…x+end"', found)


def test_a_number_that_a_float_holds_exactly_stays_itself() -> None:
    text = (
        "environments: [a]\n"
        "defaults: {variables: {a: 0.1, b: -1.50, c: 12345678901234567890, d: -0, e: 0.0,"
        " f: 1.0e+3, g: 100.0, h: 2.5e-3}}\n"
    )

    assert decode(text).defaults.variables == {
        "a": 0.1,
        "b": -1.5,
        "c": 12345678901234567890,
        "d": 0,
        "e": 0.0,
        "f": 1000.0,
        "g": 100.0,
        "h": 0.0025,
    }


# What is not to be shown.


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("{address: 'aws_*'}", Mask("aws_*")),
        ("{attribute: password}", Mask(attribute="password")),
        ("{pattern: 'x+', address: 'output.*'}", Mask("output.*", "*", re.compile("x+"))),
    ],
)
def test_a_mask_needs_only_one_of_its_keys(mask: str, expected: Mask) -> None:
    assert decode(f"environments: [a]\nredact: [{mask}]\n").redact == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "redact: [{}]",
            "redact[0] does not say what to hide.\n"
            "  Give it `address`, `attribute`, `pattern`, or several of them.",
        ),
        (
            "redact: [password]",
            "redact[0] is a single value, but a mapping with `address`, `attribute` or `pattern` "
            "is expected.\n  Write a mapping with `address`, `attribute` or `pattern`.",
        ),
        (
            "redact: {pattern: x}",
            "redact is a mapping, but a list of what to hide is expected.\n"
            "  Write a list of what to hide.",
        ),
        (
            "redact: [{path: x}]",
            'The key "path" in redact[0] is not known.\n  Write `attribute`.',
        ),
        (
            "redact: [{pattern: 'hunter2['}]",
            "redact[0].pattern is a value that is not shown, which is not a regular expression of "
            "Python's: unterminated character set.\n  Correct it; single quotes keep a backslash "
            "as it is: pattern: 'AKIA[0-9A-Z]{16}'",
        ),
        (
            "redact: [{pattern: 'a{99999999999999999999}'}]",
            "redact[0].pattern is a value that is not shown, which is not a regular expression of "
            "Python's.\n  Correct it; single quotes keep a backslash as it is: "
            "pattern: 'AKIA[0-9A-Z]{16}'",
        ),
        (
            "redact: [{pattern: 'hunter2|.*'}]",
            "redact[0].pattern is a value that is not shown, which is found in every text, so "
            "nothing would be left to read.\n  Make it narrower, or hide whole attributes: "
            "attribute: 'tags.*'",
        ),
    ],
)
def test_a_mask_that_would_hide_nothing_or_everything_is_refused(text: str, expected: str) -> None:
    assert problems(f"environments: [a]\n{text}\n") == [f"driftctl.yaml:2: {expected}"]


# The effective configuration and the schema.

TREES = {
    "default": ["environments/prod/main.tf", "environments/dev/main.tf", "network/x.tf"],
    "infra": ["teams/[a]*/x/main.tf", "teams/b/y/z.tofu", "teams/b/sandbox/z.tofu"],
}


def test_the_effective_configuration_is_itself_a_file_with_the_same_environments() -> None:
    text = WHOLE.replace("  - environments/*\n", "  - environments/*\n  - network\n").replace(
        '"{source}-{1}"', '"{source}-{2}"'
    )
    config = decode(text.replace("needs: [network]", "needs: []"))
    environments = expand(config, TREES)

    effective = effective_config(config, environments)
    again = decode_config(write_yaml(effective).encode(), filename="driftctl.yaml")

    assert expand(again, TREES) == environments
    assert len(environments) == 5
    assert (again.engine, again.state, again.sources) == (
        config.engine,
        config.state,
        config.sources,
    )
    assert (again.pass_env, again.strict, again.redact, again.data_dir) == (
        config.pass_env,
        config.strict,
        config.redact,
        config.data_dir,
    )
    assert (again.people, again.store_url_env, again.artifacts, again.retention_seconds) == (
        config.people,
        config.store_url_env,
        config.artifacts,
        config.retention_seconds,
    )
    assert json.loads(json.dumps(effective)) == effective
    jsonschema.validate(effective, config_schema())


def test_the_effective_configuration_of_the_smallest_file_shows_every_default() -> None:
    config = decode("environments: [prod]\n")

    assert effective_config(config, expand(config, {"default": []})) == {
        "version": 1,
        "sources": {"default": {"url": ".", "submodules": False}},
        "engine": {"use": "auto", "plugin_cache": True},
        "pass_env": [],
        "state": "none",
        "environments": [
            {
                "name": "prod",
                "path": "prod",
                "source": "default",
                "workspace": "default",
                "interval": "1h",
                "timeout": "1h",
                "variables": {},
                "var_files": [],
                "labels": {},
                "env": {},
                "needs": [],
                "engine": {"use": "auto"},
                "state": "none",
                "apply": {"git": "never", "drift": "never", "reviewed": False},
                "approval": {
                    "count": 1,
                    "groups": [],
                    "expires": "1d",
                    "author_may": False,
                    "unverified": False,
                },
                "apply_grace": "10m",
                "limits": {"failures": 3, "applies_per_day": 0, "heals_per_day": 5},
            }
        ],
        "strict": False,
        "redact": [],
        "people": {},
        "groups": {},
        "retention": "90d",
        "rules": [],
        "windows": [],
        "freezes": [],
        "policies": [],
    }


def test_the_schema_in_the_documentation_is_the_one_of_the_code() -> None:
    # Remake it with: driftctl-py config schema > docs/driftctl.schema.json
    assert (DOCS / "driftctl.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_schema_in_which_every_key_is_described() -> None:
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    undescribed = [
        name
        for record in _records(schema)
        for name, key in record.items()
        if not (isinstance(key, dict) and key.get("description"))
    ]

    assert undescribed == []


def _records(schema: Json) -> Iterator[dict[str, Json]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            assert schema["additionalProperties"] is False
            yield schema["properties"]
        for child in schema.values():
            yield from _records(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _records(child)


DOCUMENTED = re.findall(
    r"```yaml\n(.*?)```", (DOCS / "configuration.md").read_text(encoding="utf-8"), re.DOTALL
)


class _AsEditorsDo(yaml.SafeLoader):
    """A date is a text for them: they read YAML 1.2."""


_AsEditorsDo.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("example", [*DOCUMENTED, WHOLE])
def test_every_example_satisfies_the_schema_and_the_decoder(example: str) -> None:
    # In JSON each key is a text.
    read = json.loads(json.dumps(yaml.load(example, _AsEditorsDo)))
    jsonschema.validate(read, config_schema())

    assert decode(example).entries


def test_every_key_is_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", (DOCS / "configuration.md").read_text("utf-8")))

    assert all_keys() - {"plan", "apply", "s3"} <= documented
    assert len(DOCUMENTED) > 10


def test_every_preset_is_documented_with_its_effect() -> None:
    text = (DOCS / "configuration.md").read_text("utf-8")

    for name, rule in PRESETS.items():
        assert f"| `{name}` | `{rule.effect.value}` |" in text


@pytest.mark.parametrize(
    "text",
    [
        "environments: [a]\nintervall: 1h\n",
        "environments: [a]\ndefaults: {interval: 90}\n",
        "environments: [a]\ndefaults: {interval: ''}\n",
        "environments: []\n",
        "environments: [{source: a}]\n",
        "environments: [a]\nversion: 2\n",
        "environments: [a]\ndefaults: {env: {'1': a}}\n",
        "environments: [a]\nstate: {s3: {bucket: abc}}\n",
        "environments: [a]\nstate: {s3: {bucket: abc, region: eu, key: x}}\n",
        "environments: [a]\ndefaults: {engine: {version: '1'}}\n",
    ],
)
def test_what_the_schema_can_tell_it_refuses_like_the_decoder(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), config_schema())

    assert problems(text)


# Properties.

words = st.sampled_from(
    [
        *sorted(all_keys()),
        "prod",
        "environments/*",
        "**",
        "[",
        "{environment}",
        "{1}",
        "1h",
        "https://u:p@h/x",
        "ext::x",
        "../x",
        "~> 1.0",
        "none",
        "yes",
        "012",
    ]
)
leaves = words | st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.floats()
trees = st.recursive(
    leaves,
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(words | st.text(max_size=4), children, max_size=5)
    ),
    max_leaves=30,
)
files = st.fixed_dictionaries(
    {"environments": trees},
    optional=dict.fromkeys(
        (
            *("sources", "engine", "state", "defaults", "overrides", "pass_env", "people"),
            *("groups", "store", "artifacts", "retention", "rules", "windows", "freezes"),
            "policies",
        ),
        trees,
    ),
)


@given(files | trees)
def test_any_structure_is_a_configuration_or_a_config_error(tree: object) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True).encode()
    try:
        config = decode_config(text, filename="driftctl.yaml")
        expand(config, {name: ["environments/prod/main.tf"] for name in config.sources})
    except ConfigError as error:
        found = error.problems
    else:
        return

    assert found
    for problem in found:
        assert problem.filename == "driftctl.yaml"
        assert 0 < problem.line <= text.count(b"\n") + 1
        assert problem.what
        assert problem.todo


@given(st.binary(max_size=100))
def test_any_bytes_are_a_configuration_or_a_config_error(data: bytes) -> None:
    with pytest.raises(ConfigError):
        decode_config(data, filename="driftctl.yaml")


@given(st.lists(st.sampled_from(WHOLE.splitlines()), max_size=60))
def test_any_lines_of_a_real_file_are_a_configuration_or_a_config_error(lines: list[str]) -> None:
    try:
        config = decode_config("\n".join(lines).encode(), filename="driftctl.yaml")
    except ConfigError as error:
        found = error.problems
    else:
        found = ()
        assert config.entries

    assert all(problem.todo for problem in found)
