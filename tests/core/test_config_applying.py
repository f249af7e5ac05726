"""The keys of driftctl.yaml that say what may be applied, and who may say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from textwrap import dedent

import pytest

from driftctl_py.core.approval import People, Requirement
from driftctl_py.core.config import Config, decode_config, effective_config, expand, write_yaml
from driftctl_py.core.config_expand import tightened_by
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.governing import ruling_text
from driftctl_py.core.limits import Limits
from driftctl_py.core.places import S3ArtifactsPlace
from driftctl_py.core.presets import PRESETS
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.window import Freeze, Window, WindowEffect, closed
from driftctl_py.errors import ConfigError

FILES = {"default": ["environments/dev/main.tf", "environments/prod/main.tf"]}
PEOPLE = """\
people:
  ada: [github:ada, ada@example.com]
  grace: [key:grace]
groups: {dba: [ada, grace], net: [grace]}
"""


def decode(text: str) -> Config:
    return decode_config(dedent(text).encode(), filename="driftctl.yaml")


def environments(text: str) -> dict[str, Environment]:
    return {each.name: each for each in expand(decode(text), FILES)}


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        environments(text)
    return [str(problem) for problem in caught.value.problems]


def problem(text: str) -> tuple[str, str]:
    """Of the only one: what, and what to do."""
    (found,) = problems(text)
    what, _, todo = found.partition("\n  ")
    return what, todo


# --- What may be applied -------------------------------------------------------------------------


def test_nothing_is_applied_unless_the_file_says_so() -> None:
    prod = environments("environments: [environments/*]\n")["prod"]

    assert prod.apply == ApplyModes(Mode.NEVER, Mode.NEVER)
    assert prod.requirement == Requirement(1, (), False, False, 86_400)
    assert prod.apply_grace_seconds == 600


def test_one_word_is_for_both_switches() -> None:
    found = environments("environments: [environments/*]\ndefaults: {apply: auto}\n")

    assert found["prod"].apply == ApplyModes(Mode.AUTO, Mode.AUTO)


def test_switches_and_what_an_approval_takes_are_joined_key_by_key() -> None:
    found = environments(
        PEOPLE
        + """\
defaults:
  apply: {drift: auto}
  approval: {groups: [dba], expires: 2h, unverified: true}
  apply_grace: 1m
environments:
  - path: environments/*
    apply: {git: gate}
    approval: {count: 2, groups: [net, dba]}
overrides:
  dev:
    apply: {git: auto}
    approval: {author_may: true, unverified: false, groups: []}
    apply_grace: 2m
"""
    )

    assert found["prod"].apply == ApplyModes(Mode.GATE, Mode.AUTO)
    assert found["prod"].requirement == Requirement(2, ("net", "dba"), False, True, 7200)
    assert found["prod"].apply_grace_seconds == 60
    assert found["dev"].apply == ApplyModes(Mode.AUTO, Mode.AUTO)
    assert found["dev"].requirement == Requirement(2, (), True, False, 7200)
    assert found["dev"].apply_grace_seconds == 120


@pytest.mark.parametrize(
    ("setting", "what", "todo"),
    [
        (
            "apply: gated",
            'apply is "gated", but one of auto, gate, never is expected.',
            "Did you mean `gate`? Choose one of auto, gate, never.",
        ),
        (
            "apply: {git: yes}",
            'apply.git is "yes", but one of auto, gate, never is expected.',
            "Choose one of auto, gate, never.",
        ),
        (
            "apply: {commits: auto}",
            'The key "commits" in defaults.apply is not known.',
            "Write `git`.",
        ),
        (
            "apply: [auto]",
            "apply is a list, but one of auto, gate, never, or a mapping with `git` and `drift` "
            "is expected.",
            "Write one of auto",
        ),
        (
            "approval: {count: 0}",
            'approval.count is "0", but a whole number from 1 to 100 is expected.',
            "Write such a number",
        ),
        (
            "approval: {groups: dba}",
            "approval.groups is a single value, but a list of groups is expected.",
            "Write a list of groups.",
        ),
        (
            "approval: {approvers: [ada]}",
            'The key "approvers" in defaults.approval is not known.',
            "Name groups under `groups`.",
        ),
        (
            "approval: {expires: 0s}",
            'approval.expires is "0s", which is not between one second and 366 days.',
            "Choose a length in between.",
        ),
        (
            "approval: {author_may: maybe}",
            'approval.author_may is "maybe", but true or false is expected.',
            "Write true or false, without quotes.",
        ),
        (
            "apply_grace: 10",
            'apply_grace is "10", which is not a length of time.',
            "Add a unit: 10s, 10m, 10h or 10d.",
        ),
    ],
)
def test_each_of_these_settings_is_checked(setting: str, what: str, todo: str) -> None:
    found, remedy = problem(f"environments: [a]\ndefaults: {{{setting}}}\n")

    assert found.replace(": defaults.", ": ") == f"driftctl.yaml:2: {what}"
    assert remedy.startswith(todo)


# --- Who may say so ------------------------------------------------------------------------------


def test_a_group_that_nobody_declared_is_an_error_with_its_line() -> None:
    text = """\
environments:
  - path: environments/*
    approval: {groups: [dab]}
groups:
  dba: [ada]
people: {ada: [github:ada]}
"""

    assert problem(text) == (
        "driftctl.yaml:3: approval.groups names dab, but there is no group of that name.",
        "Did you mean `dba`? There are: dba.",
    )
    assert problem("environments: [a]\noverrides: {a: {approval: {groups: [dba]}}}\n") == (
        "driftctl.yaml:2: approval.groups names dba, but there is no group of that name.",
        "There are: none.",
    )


def test_a_group_that_cannot_be_read_is_not_called_missing_as_well() -> None:
    text = """\
environments: [a]
defaults: {approval: {groups: [dba]}}
groups: {dba: ada}
"""

    assert problem(text)[0] == (
        "driftctl.yaml:3: groups.dba is a single value, but a list of persons is expected."
    )


def test_a_member_that_nobody_knows_is_an_error_with_its_line() -> None:
    text = """\
environments: [a]
people:
  ada: [github:ada]
groups:
  dba:
    - ada
    - graec
"""

    assert problem(text) == (
        "driftctl.yaml:7: groups.dba names graec, but `people` knows nobody of that name.",
        "Say who it is: people: {graec: [github:LOGIN]}",
    )
    assert problem(text.replace("graec", "adaa"))[1].startswith("Did you mean `ada`? ")


@pytest.mark.parametrize(
    ("ada", "grace"),
    [
        ("github:ada", "github:Ada"),
        ("os:root", "os:root"),
        ("ada@example.com", "Ada@example.com"),
        (
            '"aws:arn:aws:sts::123456789012:assumed-role/Admin/*"',
            "aws:arn:aws:sts::123456789012:assumed-role/Admin/grace",
        ),
    ],
)
def test_nobody_may_be_taken_for_somebody_else(ada: str, grace: str) -> None:
    text = f"environments: [a]\npeople:\n  ada: [{ada}]\n  grace:\n    - {grace}\n"

    assert problem(text) == (
        f"driftctl.yaml:5: {grace} would be ada and grace, so nobody could tell who said yes.",
        "Give each identity to one person.",
    )


@pytest.mark.parametrize(
    "identity",
    [
        "github:ada",
        "github:ada-lovelace",
        "github:renovate[bot]",
        "aws:arn:aws:iam::123456789012:user/ada",
        "aws:arn:aws:iam::123456789012:user/staff/ada",
        "aws:arn:aws:iam::123456789012:root",
        "aws:arn:aws-us-gov:sts::123456789012:assumed-role/Admin/ada@example.com",
        "aws:arn:aws:sts::123456789012:assumed-role/Admin/*",
        "aws:arn:aws:sts::123456789012:federated-user/ada",
        "key:ada.laptop",
        "os:ada",
        "ada@example.com",
        "17+ada@users.noreply.github.com",
    ],
)
def test_an_identity_says_how_somebody_is_known(identity: str) -> None:
    config = decode(f"environments: [a]\npeople: {{ada: ['{identity}']}}\n")

    assert config.people == People({"ada": (identity,)}, {})


@pytest.mark.parametrize(
    ("identity", "what", "todo"),
    [
        ("ada", "which is neither an identity nor an e-mail address.", "Write github:LOGIN"),
        ("gitlab:ada", "which is neither an identity nor an e-mail address.", "Write github:"),
        ("*@example.com", "which is neither an identity nor an e-mail address.", "Write github:"),
        ("github:*", "which nobody can be.", "Write for example github:ada."),
        ("os:", "which nobody can be.", "Write for example os:ada."),
        ("aws:*", "which is not the ARN of a caller.", "Write what `aws sts"),
        (
            "aws:arn:aws:iam::123456789012:user/*",
            "which is not the ARN of a caller.",
            "Write what `aws sts",
        ),
        (
            "aws:arn:aws:sts::123456789012:assumed-role/*",
            "which is not the ARN of a caller.",
            "Write what `aws sts",
        ),
        (
            "aws:arn:aws:sts::123456789012:assumed-role/Admin/g*",
            "which is not the ARN of a caller.",
            "Write what `aws sts",
        ),
        (
            "aws:arn:aws:iam::123456789012:role/staff/Admin",
            "but what AWS says of who is in a role is the ARN of a session.",
            "Write aws:arn:aws:sts::123456789012:assumed-role/Admin/SESSION, or * for any session: "
            '"aws:arn:aws:sts::123456789012:assumed-role/Admin/*"',
        ),
    ],
)
def test_what_is_no_identity_is_refused(identity: str, what: str, todo: str) -> None:
    found, remedy = problem(f"environments: [a]\npeople: {{ada: ['{identity}']}}\n")

    assert found.startswith("driftctl.yaml:2: people.ada[0] is ")
    assert found.endswith(what)
    assert remedy.startswith(todo)


def test_a_key_in_the_place_of_its_name_is_not_shown() -> None:
    what, _ = problem("environments: [a]\npeople: {ada: ['key:hunter2/hunter2+==']}\n")

    assert "hunter2" not in what


# --- What nobody could ever approve --------------------------------------------------------------


def test_a_gate_without_people_could_never_be_opened() -> None:
    assert problem("environments: [environments/*]\ndefaults: {apply: {drift: gate}}\n") == (
        "driftctl.yaml:1: dev, prod: apply is gate, but `people` names nobody, so no plan could "
        "ever be approved.",
        "Say who may: people: {ada: [github:ada]} and groups: {platform: [ada]}; or choose auto "
        "or never.",
    )


@pytest.mark.parametrize(
    ("approval", "what"),
    [
        (
            "{count: 2, groups: [net]}",
            "it takes 2 in net whose identity counts, and only grace could approve.",
        ),
        (
            "{count: 3}",
            "it takes 3 in any group whose identity counts, and only ada, grace could approve.",
        ),
        (
            "{groups: [web]}",
            "it takes 1 in web whose identity counts, and nobody could approve.",
        ),
    ],
)
def test_a_gate_for_more_than_there_are_could_never_be_opened(approval: str, what: str) -> None:
    text = f"""\
environments: [environments/*]
overrides:
  prod: {{apply: {{git: gate}}, approval: {approval}}}
people: {{ada: [github:ada], grace: [key:grace], linus: [os:linus, linus@example.com]}}
groups: {{dba: [ada, grace], net: [grace, linus], web: [linus]}}
"""

    found, todo = problem(text)

    assert found == f"driftctl.yaml:3: prod: apply is gate, but {what}"
    assert todo.startswith("Put more people")


def test_an_unverified_identity_opens_a_gate_only_where_it_counts() -> None:
    text = """\
environments: [environments/*]
defaults: {apply: gate, approval: {groups: [web], unverified: true}}
people: {linus: [os:linus]}
groups: {web: [linus]}
overrides: {prod: {interval: 5m}}
"""

    assert environments(text)["prod"].requirement.unverified
    assert problem(text.replace("true", "false"))[0].startswith("driftctl.yaml:1: dev, prod: ")


def test_many_environments_with_one_fault_are_one_problem() -> None:
    config = decode("environments: [environments/*]\ndefaults: {apply: gate}\n")

    with pytest.raises(ConfigError) as caught:
        expand(config, {"default": [f"environments/{name}/main.tf" for name in "abcd"]})

    (found,) = caught.value.problems
    assert str(found).startswith("driftctl.yaml:1: a, b, c, …: apply is gate")


def test_without_a_gate_nobody_has_to_be_named() -> None:
    assert environments("environments: [environments/*]\ndefaults: {apply: auto}\n")


# --- Where it is remembered ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://driftctl@db.example.com/driftctl",
        "postgresql://db.example.com:5433/driftctl?sslmode=verify-full",
    ],
)
def test_a_store_may_be_named_where_its_url_holds_no_password(url: str) -> None:
    config = decode(f"environments: [a]\nstore: {{url: '{url}'}}\n")

    assert (config.store_url, config.store_url_env) == (url, None)
    assert effective_config(config, [])["store"] == {"url": url}


@pytest.mark.parametrize(
    ("store", "what"),
    [
        ("{}", "store needs one of `url` and `url_env`, and has neither."),
        (
            "{url: 'postgresql://h/d', url_env: URL}",
            "store needs one of `url` and `url_env`, and has both.",
        ),
        (
            "{url: 'postgresql://ada:hunter2@h/d'}",
            "store.url is a URL that is not repeated here, which holds a password",
        ),
        (
            "{url: 'postgresql://h/d?user=ada&password=hunter2'}",
            "store.url is a URL that is not repeated here, which holds a password",
        ),
        ("{url: 'mysql://hunter2@h/d'}", 'store.url is "…@h/d", which is not the URL of a Post'),
        ("{url: 'postgresql://h'}", 'store.url is "postgresql://h", which is not the URL'),
        ("{url: 'postgresql://h:port/d'}", "store.url is "),
        ("{url: 'postgresql://h/d#hunter2'}", "store.url is "),
        (
            "{url_env: 'postgresql://ada:hunter2@h/d'}",
            "store.url_env is a value that is not repeated here, since it may hold a password",
        ),
        ("{password: hunter2}", 'The key "password" in store is not known.'),
        (
            "postgresql://ada:hunter2@h/d",
            "store is a value that is not repeated here, since it may hold a password, but it must "
            "be the word `artifacts`, or a mapping with `url_env` or `url`.",
        ),
        ("[a]", "store is a list, but `artifacts`, or a mapping with `url_env` or `url` is"),
    ],
)
def test_a_store_is_a_postgresql_and_its_password_no_part_of_the_file(
    store: str, what: str
) -> None:
    found, todo = problem(f"environments: [a]\nstore: {store}\n")

    assert found.startswith(f"driftctl.yaml:2: {what}")
    assert "hunter2" not in found + todo


def test_the_store_may_be_where_the_artifacts_are() -> None:
    config = decode(
        "environments: [a]\nstore: artifacts\nartifacts: {s3: {bucket: plans, region: eu}}\n"
    )

    assert config.store_in_artifacts
    assert (config.store_url, config.store_url_env) == (None, None)
    assert effective_config(config, [])["store"] == "artifacts"


def test_a_store_where_the_artifacts_are_needs_a_bucket() -> None:
    assert problem("environments: [a]\nstore: artifacts\n") == (
        "driftctl.yaml:2: The store is to be where the artifacts are, but those are in the data "
        "directory.",
        "Say which bucket it is: artifacts: {s3: {bucket: BUCKET, region: REGION}}",
    )


def test_where_evidence_is_kept() -> None:
    config = decode("environments: [a]\nartifacts: {s3: {bucket: plans, region: eu}}\n")

    assert config.artifacts == S3ArtifactsPlace("plans", "eu")
    assert config.retention_seconds == 90 * 86_400
    assert effective_config(config, [])["artifacts"] == {"s3": {"bucket": "plans", "region": "eu"}}


@pytest.mark.parametrize(
    ("artifacts", "what"),
    [
        ("{}", "artifacts lacks the key `s3`."),
        ("{s3: {bucket: plans}}", "artifacts.s3 lacks the key `region`."),
        (
            "{s3: {bucket: plans, region: eu, prefix: /a}}",
            'artifacts.s3.prefix is "/a", which cannot be what the keys of objects begin with.',
        ),
        (
            "{s3: {bucket: plans, region: eu, prefix: a//b}}",
            'artifacts.s3.prefix is "a//b", which cannot be what the keys of objects begin with.',
        ),
        (
            "{s3: {bucket: plans, region: eu, secret_key: hunter2}}",
            'The key "secret_key" in artifacts.s3 is not known.',
        ),
    ],
)
def test_a_place_for_evidence_is_checked(artifacts: str, what: str) -> None:
    found, _ = problem(f"environments: [a]\nartifacts: {artifacts}\n")

    assert found == f"driftctl.yaml:2: {what}"


# --- What the watched repository's own copy adds -------------------------------------------------

OWN = Environment("prod", "environments/prod", apply=ApplyModes(Mode.AUTO, Mode.AUTO))


def test_a_copy_is_heard_for_the_directory_that_is_meant_and_for_no_other() -> None:
    theirs = decode(
        """\
        sources:
          here: {url: .}
          elsewhere: {url: ../other}
        environments:
          - {path: environments/dev, source: here, apply: never}
          - {path: environments/prod, source: here, apply: {git: gate}}
          - {path: environments/prod, name: theirs, source: elsewhere, apply: never}
        """
    )

    assert tightened_by(OWN, theirs, FILES["default"]).apply == ApplyModes(Mode.GATE, Mode.AUTO)


def test_a_copy_that_does_not_fit_its_own_repository_is_refused() -> None:
    theirs = decode("environments: [environments/*, teams/*]\n")

    with pytest.raises(ConfigError, match="teams"):
        tightened_by(OWN, theirs, FILES["default"])


def test_a_copy_may_add_rules_that_restrict_and_none_that_allows() -> None:
    ours = Rule("ours", Effect.WARN)
    theirs = decode(
        """\
        environments: [{path: environments/prod, name: live, labels: {tier: one}}]
        rules:
          - {name: a, effect: deny, when: {environments: [live], actions: [delete]}}
          - {name: b, effect: allow, when: {actions: [update]}}
          - {name: c, effect: warn, when: {labels: {tier: two}}}
          - {name: d, effect: approve, when: {labels: {tier: one}}}
        """
    )

    found = tightened_by(replace(OWN, rules=(ours,)), theirs, FILES["default"])

    assert [each.name for each in found.rules] == ["ours", "a", "d"]


def test_a_copy_adds_a_timetable_of_its_own_and_freezes_that_speak_of_its_environment() -> None:
    ours = (Window("ours", WindowEffect.ALLOW, "0 9 * * *", 3600),)
    frozen = Freeze("frozen", datetime(2026, 12, 20, tzinfo=UTC), None)
    own = replace(OWN, timetables=(ours,), freezes=(frozen,))
    theirs = decode(
        """\
        environments: [{path: environments/prod, name: live}]
        windows:
          - {name: always, effect: allow, cron: "* * * * *", duration: 1d,
             when: {environments: [live]}}
          - {name: other, effect: deny, cron: "* * * * *", duration: 1d,
             when: {environments: [prod]}}
        freezes:
          - {name: audit, from: 2026-12-01}
          - {name: frozen, from: 2026-12-20}
          - {name: others, from: 2026-12-01, when: {environments: [prod]}}
        """
    )

    found = tightened_by(own, theirs, FILES["default"])

    assert [[each.name for each in timetable] for timetable in found.timetables] == [
        ["ours"],
        ["always"],
    ]
    assert [each.name for each in found.freezes] == ["frozen", "audit"]
    assert tightened_by(found, theirs, FILES["default"]) == found
    # At nine both let it; later theirs alone does not make up for ours.
    nine, ten = (datetime(2026, 11, 24, hour, 30, tzinfo=UTC) for hour in (9, 10))
    assert not closed(found.timetables, (), {"drift"}, nine)
    assert closed(found.timetables, (), {"drift"}, ten)


def test_of_limits_the_stricter_counts_and_what_a_copy_does_not_say_stays() -> None:
    own = replace(OWN, limits=Limits(0, 10, 5))
    text = """\
environments: [environments/*]
defaults: {limits: {failures: 4, heals_per_day: 0}}
overrides: {prod: {limits: {applies_per_day: %d}}}
"""

    strict = tightened_by(own, decode(text % 7), FILES["default"])
    loose = tightened_by(own, decode(text % 11), FILES["default"])

    assert strict.limits == Limits(4, 7, 5)
    assert loose.limits == Limits(4, 10, 5)
    assert tightened_by(own, decode("environments: [environments/*]\n"), FILES["default"]) == own


def test_a_copy_that_wants_policies_to_be_asked_is_refused_and_says_where_they_go() -> None:
    theirs = decode(
        """\
        environments: [environments/*]
        policies:
          - {name: a, rego: policy, rego_version: v1, when: {environments: [dev]}}
          - {name: b, run: [./check.sh, "{plan}"]}
          - {name: c, rego: policy, rego_version: v1, when: {environments: [prod]}}
        """
    )

    with pytest.raises(ConfigError) as caught:
        tightened_by(OWN, theirs, FILES["default"])

    assert [str(each) for each in caught.value.problems] == [
        f"driftctl.yaml:{line}: The policy {name} is named by the watched repository itself, whose "
        "programs and Rego are not run, so what it asks for is not known.\n"
        "  Write it into the configuration that driftctl-py is started with, together with its "
        "files, and take it out of this one."
        for line, name in ((4, "b"), (5, "c"))
    ]
    elsewhere = replace(OWN, path="environments/other")
    assert tightened_by(elsewhere, theirs, FILES["default"]) == elsewhere


# --- Rules ---------------------------------------------------------------------------------------

WHOLE = """\
environments: [environments/*]
people: {ada: [key:ada]}
groups: {dba: [ada]}
rules:
  - name: all-of-it
    effect: approve
    message: Ask them.
    groups: [dba]
    count: 2
    when:
      environments: [pro?]
      addresses: ["module.db.*"]
      types: [aws_db_*]
      providers: [aws]
      actions: [delete, replace]
      causes: [commit]
      attributes: [size]
      values: {acl: ["public-*"], "ingress.*": ["", 0.0.0.0/0]}
      holds_data: true
      at_least: 2
      share: 10
  - {name: tags, effect: allow, when: {attributes: [tags], at_most: 3}}
"""


def test_an_environment_has_the_rules_that_speak_of_it_in_the_order_of_the_file() -> None:
    found = environments(WHOLE)

    assert found["prod"].rules == (
        Rule(
            "all-of-it",
            Effect.APPROVE,
            "Ask them.",
            ("dba",),
            ("pro?",),
            {},
            ("module.db.*",),
            ("aws_db_*",),
            ("aws",),
            ("delete", "replace"),
            ("commit",),
            ("size",),
            True,
            2,
            None,
            10,
            {"acl": ("public-*",), "ingress.*": ("", "0.0.0.0/0")},
            2,
        ),
        Rule("tags", Effect.ALLOW, attributes=("tags",), at_most=3),
    )
    assert [each.where for each in found["prod"].rules] == ["driftctl.yaml:5", "driftctl.yaml:22"]
    assert [each.name for each in found["dev"].rules] == ["tags"]


def test_the_effective_configuration_has_the_same_rules() -> None:
    config = decode(WHOLE)
    shown = effective_config(config, expand(config, FILES))

    again = decode_config(write_yaml(shown).encode(), filename="driftctl.yaml")

    assert [each.rule for each in again.rules] == [each.rule for each in config.rules]


def test_a_rule_governs_by_what_it_says_and_not_by_where_it_stands() -> None:
    one = Rule("r", Effect.DENY, types=("a", "b"), where="driftctl.yaml:4")

    def text(*rules: Rule) -> bytes:
        return ruling_text(replace(OWN, rules=rules))

    assert text(one) == text(replace(one, types=("b", "a", "b"), where="driftctl.yaml:9"))
    others = (
        replace(one, message="No."),
        replace(one, values={"a": ("b",)}),
        replace(one, count=2),
    )
    assert len({text(), text(one), *map(text, others)}) == 5


@pytest.mark.parametrize(
    ("rule", "what", "todo"),
    [
        (
            "{name: r, effect: forbid, when: {}}",
            'rules[0].effect is "forbid", but one of allow, warn, approve, deny is expected.',
            "Choose one of allow, warn, approve, deny.",
        ),
        (
            "{name: r, effect: deny, when: {type: [a]}}",
            'The key "type" in rules[0].when is not known.',
            "Write `types`, a list.",
        ),
        (
            "{name: r, effect: deny, groups: [dba], when: {}}",
            "rules[0].groups says who is asked, but its effect is deny, which asks nobody.",
            "Write `effect: approve`, or leave `groups` out.",
        ),
        (
            "{name: r, effect: deny, count: 2, when: {}}",
            "rules[0].count says who is asked, but its effect is deny, which asks nobody.",
            "Write `effect: approve`, or leave `count` out.",
        ),
        (
            "{name: r, effect: approve, count: 0, when: {}}",
            'rules[0].count is "0", but a whole number from 1 to 100 is expected.',
            "Write such a number, without quotes and without a leading zero.",
        ),
        (
            "{name: r, effect: deny, when: {values: {acl: []}}}",
            "rules[0].when.values.acl is an empty list.",
            "Give it a list of names or globs, for example [0.0.0.0/0].",
        ),
        (
            "{name: r, effect: deny, when: {values: {public: [true]}}}",
            "rules[0].when.values.public[0] is `true`, which YAML reads as a boolean, but a value "
            "or a glob is expected.",
            'Quote it: "true".',
        ),
        (
            "{name: r, effect: approve, groups: [dbas], when: {}}",
            "The rule r asks dbas, but there is no group of that name.",
            "Did you mean `dba`? There are: dba, net.",
        ),
        (
            "{name: r, effect: allow, when: {at_most: 3, environments: [prod]}}",
            "rules[0] allows whatever there is to do.",
            "Say under `when` which changes are meant; to apply everything without asking, write "
            "`apply: auto` for the environment.",
        ),
        (
            "{name: r, effect: allow, when: {values: {}}}",
            "rules[0].when.values is an empty mapping.",
            "Give it a mapping from attributes to lists of globs, or remove it.",
        ),
        (
            "{name: r, effect: allow, when: {types: [a], labels: {}}}",
            "rules[0].when.labels is an empty mapping.",
            "Give it a mapping from labels to values, or remove it.",
        ),
        (
            "{name: r, effect: allow, when: {types: [a], share: 3}}",
            "rules[0] allows only where more than a few things change (share).",
            "To allow a few at a time, write `at_most`.",
        ),
        (
            "{name: r, effect: deny, when: {at_most: 3}}",
            "rules[0] would deny a few changes, and not many of them (at_most).",
            "Write `at_least`, or `effect: allow`.",
        ),
        (
            "{name: r, effect: deny, when: {environments: [staging]}}",
            "The rule r speaks of no environment: none has such a name and such labels, so nothing "
            "would use it.",
            "There are: dev, prod.",
        ),
        (
            "{name: r, effect: deny}",
            "rules[0] lacks the key `when`.",
            "Add it: Which changes it is about: all conditions must hold, of each list any.",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(
    rule: str, what: str, todo: str
) -> None:
    found, remedy = problem(PEOPLE + f"environments: [environments/*]\nrules:\n  - {rule}\n")

    assert found == f"driftctl.yaml:7: {what}"
    assert remedy == todo


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (
            "count: 3",
            "it takes 3 in any group whose identity counts, and only ada, grace could approve.",
        ),
        (
            "count: 2, groups: [net]",
            "it takes 2 in net whose identity counts, and only grace could approve.",
        ),
        (
            "groups: [dba, web]",
            "it takes 1 in web whose identity counts, and nobody could approve.",
        ),
    ],
)
def test_a_rule_that_asks_for_more_than_there_are_could_never_be_met(rule: str, what: str) -> None:
    text = f"""\
environments: [environments/*]
people: {{ada: [github:ada], grace: [key:grace], linus: [os:linus]}}
groups: {{dba: [ada, grace], net: [grace, linus], web: [linus]}}
overrides: {{prod: {{apply: {{drift: auto}}}}}}
rules:
  - {{name: r, effect: approve, {rule}, when: {{environments: [prod], actions: [delete]}}}}
"""

    found, todo = problem(text)

    assert found == f"driftctl.yaml:6: The rule r asks for a yes, but {what}"
    assert todo.startswith("Put more people")
    # Where the operating system's word counts, where nothing is applied, where it is not meant.
    for before, after in (
        ("{drift: auto}}", "{drift: auto}, approval: {unverified: true}}"),
        ("{drift: auto}", "{drift: never}"),
        ("[prod]", "[dev]"),
        ("effect: approve, " + rule, "effect: deny"),
    ):
        assert environments(text.replace(before, after))


def test_a_rule_that_asks_where_nobody_is_named_says_how_to_name_somebody() -> None:
    text = """\
environments: [environments/*]
defaults: {apply: auto}
rules:
  - {name: r, effect: approve, when: {actions: [delete]}}
"""

    assert problem(text) == (
        "driftctl.yaml:4: The rule r asks for a yes, but `people` names nobody, so no plan could "
        "ever be approved.",
        "Say who may: people: {ada: [github:ada]} and groups: {platform: [ada]}; or use deny.",
    )


# --- Limits --------------------------------------------------------------------------------------


def test_limits_are_joined_key_by_key_and_nought_is_an_answer() -> None:
    text = """\
environments:
  - path: environments/*
    limits: {applies_per_day: 7}
defaults: {limits: {failures: 0, applies_per_day: 9}}
overrides: {prod: {limits: {applies_per_day: 0, heals_per_day: 1}}}
"""
    found = environments(text)

    assert found["dev"].limits == Limits(0, 7, Limits().heals_per_day)
    assert found["prod"].limits == Limits(0, 0, 1)
    config = decode(text)
    shown = write_yaml(effective_config(config, expand(config, FILES)))
    assert environments(shown) == found


@pytest.mark.parametrize(
    ("limits", "what", "todo"),
    [
        (
            "{failures: -1}",
            'limits.failures is "-1", but a whole number from 0 to 1000 is expected.',
            "Write such a number",
        ),
        (
            "{per_day: 3}",
            'The key "per_day" in defaults.limits is not known.',
            "Did you mean `",
        ),
        ("3", "limits is a single value, but a mapping with `failures` and the like", "Write a"),
    ],
)
def test_each_limit_is_checked(limits: str, what: str, todo: str) -> None:
    found, remedy = problem(f"environments: [a]\ndefaults: {{limits: {limits}}}\n")

    assert found.replace(": defaults.", ": ").startswith(f"driftctl.yaml:2: {what}")
    assert remedy.startswith(todo)


# --- Presets -------------------------------------------------------------------------------------

PRESET_RULES = """\
environments: [environments/*]
people: {ada: [key:ada], grace: [key:grace]}
groups: {dba: [ada, grace]}
overrides: {prod: {labels: {tier: one}}}
rules:
  - preset: protect-stateful
  - preset: no-destroy-without-approval
    when: {environments: [pro?], labels: {tier: one}}
    groups: [dba]
    count: 2
    message: Ask them.
  - {preset: no-destroy-without-approval, name: ask-in-dev, when: {environments: [dev]}}
  - {preset: heal-tags, when: {}}
"""


def test_a_preset_is_an_ordinary_rule_that_may_speak_of_less_and_ask_others() -> None:
    found = environments(PRESET_RULES)
    asking = PRESETS["no-destroy-without-approval"]

    assert found["prod"].rules == (
        PRESETS["protect-stateful"],
        replace(
            asking,
            environments=("pro?",),
            labels={"tier": "one"},
            groups=("dba",),
            count=2,
            message="Ask them.",
        ),
        PRESETS["heal-tags"],
    )
    assert found["dev"].rules == (
        PRESETS["protect-stateful"],
        replace(asking, name="ask-in-dev", environments=("dev",)),
        PRESETS["heal-tags"],
    )
    assert [each.where for each in found["dev"].rules] == [
        f"driftctl.yaml:{line}" for line in (6, 12, 13)
    ]


def test_the_effective_configuration_writes_presets_out_as_ordinary_rules() -> None:
    config = decode(PRESET_RULES)
    shown = write_yaml(effective_config(config, expand(config, FILES)))

    assert "preset" not in shown
    assert [each.rule for each in decode(shown).rules] == [each.rule for each in config.rules]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_could_be_written_as_a_rule(name: str) -> None:
    people = "people: {ada: [key:ada]}\ngroups: {dba: [ada]}\n"
    config = decode(f"{people}environments: [a]\nrules: [{{preset: {name}}}]\n")

    again = decode(
        write_yaml(effective_config(config, [])).replace("environments: []", "environments: [a]")
    )

    assert again.rules[0].rule == config.rules[0].rule == PRESETS[name]


@pytest.mark.parametrize(
    ("rule", "what", "todo"),
    [
        (
            "preset: protect-statefull",
            'rules[0].preset is "protect-statefull", but one of protect-stateful, '
            "no-destroy-without-approval, access-needs-approval, heal-tags is expected.",
            "Did you mean `protect-stateful`? Choose one of",
        ),
        (
            "preset: protect-stateful, groups: [dba]",
            "rules[0].groups says who is asked, but protect-stateful asks nobody: its effect is "
            "deny.",
            "Leave `groups` out.",
        ),
        (
            "preset: heal-tags, count: 2",
            "rules[0].count says who is asked, but heal-tags asks nobody: its effect is allow.",
            "Leave `count` out.",
        ),
        (
            "preset: access-needs-approval, groups: [dbas]",
            "The rule access-needs-approval asks dbas, but there is no group of that name.",
            "Did you mean `dba`? There are: dba, net.",
        ),
        (
            "preset: heal-tags, when: {types: [aws_*]}",
            'The key "types" in rules[0].when is not known.',
            "A preset only ever speaks of fewer environments: `driftctl-py config show` writes it "
            "out as an ordinary rule, to be changed as you like.",
        ),
        (
            "preset: heal-tags, effect: deny",
            'The key "effect" in rules[0] is not known.',
            "A preset only ever speaks of fewer environments",
        ),
        (
            "preset: heal-tags, when: {environments: [staging]}",
            "The rule heal-tags speaks of no environment: none has such a name and such labels, so "
            "nothing would use it.",
            "There are: dev, prod.",
        ),
    ],
)
def test_a_preset_that_makes_no_sense_is_refused_with_its_line(
    rule: str, what: str, todo: str
) -> None:
    found, remedy = problem(PEOPLE + f"environments: [environments/*]\nrules:\n  - {{{rule}}}\n")

    assert found == f"driftctl.yaml:7: {what}"
    assert remedy.startswith(todo)


def test_one_preset_twice_needs_two_names() -> None:
    found, _ = problem(
        "environments: [environments/*]\nrules: [{preset: heal-tags}, {preset: heal-tags}]\n"
    )

    assert found == "driftctl.yaml:2: The rule heal-tags has the name of the rule in line 2."


def test_two_rules_have_two_names() -> None:
    found, _ = problem(
        """\
        environments: [environments/*]
        rules:
          - {name: r, effect: deny, when: {actions: [delete]}}
          - {name: r, effect: warn, when: {}}
        """
    )

    assert found == "driftctl.yaml:4: The rule r has the name of the rule in line 3."


def test_a_rule_stands_in_a_file_wherever_that_lies() -> None:
    text = b"environments: [environments/*]\nrules: [{name: r, effect: warn, when: {}}]\n"
    ours = decode_config(text, filename="/home/ada/infra/driftctl.yaml")
    theirs = decode_config(text, filename="driftctl.yaml of https://example.com/infra at 77b0de4")

    assert [each.rules[0].rule.where for each in (ours, theirs)] == [
        "driftctl.yaml:2",
        "driftctl.yaml of https://example.com/infra at 77b0de4:2",
    ]
