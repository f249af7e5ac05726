"""The keys of driftctl.yaml that say when something may be applied, and who else is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from textwrap import dedent

import jsonschema
import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.config import (
    Config,
    config_schema,
    decode_config,
    effective_config,
    expand,
    write_yaml,
)
from driftctl_py.core.config_values import Refusal, cron, moment, moment_text, time_zone
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.policy import CheckProgram, RegoPolicy, Shape
from driftctl_py.core.rule import Effect
from driftctl_py.core.scope import Scope
from driftctl_py.core.window import Freeze, Window, WindowEffect
from driftctl_py.errors import ConfigError

FILES = {"default": ["environments/dev/main.tf", "environments/prod/main.tf"]}


def decode(text: str) -> Config:
    return decode_config(dedent(text).encode(), filename="driftctl.yaml")


def environments(text: str) -> dict[str, Environment]:
    return {each.name: each for each in expand(decode(text), FILES)}


def again(text: str) -> tuple[Config, dict[str, Environment]]:
    """What is read from the effective configuration, which has to satisfy the schema."""
    config = decode(text)
    shown = effective_config(config, expand(config, FILES))
    jsonschema.validate(shown, config_schema())
    assert json.loads(json.dumps(shown)) == shown
    written = write_yaml(shown)
    return decode(written), environments(written)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        environments(text)
    return [str(problem) for problem in caught.value.problems]


def problem(text: str) -> tuple[str, str]:
    """Of the only one: what, and what to do."""
    (found,) = problems(text)
    what, _, todo = found.partition("\n  ")
    return what, todo


# --- Windows and freezes -------------------------------------------------------------------------

TIMES = """\
environments: [environments/*]
overrides: {prod: {labels: {tier: one}}}
windows:
  - name: office
    effect: allow
    cron: "0 9  * * mon-fri"
    duration: 8h
    timezone: Europe/Berlin
    message: Somebody is there.
    causes: [commit]
    when: {environments: [pro?], labels: {tier: one}}
  - {name: month-end, effect: deny, cron: "0 18 L * *", duration: 1d}
freezes:
  - {name: audit, from: 2026-12-01T08:00:00+01:00, until: 2026-12-02, when: {environments: [dev]}}
  - {name: holidays, from: "2026-12-20", message: Nobody is there.}
"""
OFFICE = Window(
    "office",
    WindowEffect.ALLOW,
    "0 9 * * mon-fri",
    8 * 3600,
    "Europe/Berlin",
    "Somebody is there.",
    ("commit",),
    Scope(("pro?",), {"tier": "one"}),
)
MONTH_END = Window("month-end", WindowEffect.DENY, "0 18 L * *", 86_400)
AUDIT = Freeze(
    "audit",
    datetime(2026, 12, 1, 7, tzinfo=UTC),
    datetime(2026, 12, 2, tzinfo=UTC),
    scope=Scope(("dev",)),
)
HOLIDAYS = Freeze("holidays", datetime(2026, 12, 20, tzinfo=UTC), None, "Nobody is there.")


def test_an_environment_has_the_windows_and_freezes_that_speak_of_it() -> None:
    found = environments(TIMES)

    assert found["prod"].timetables == ((OFFICE, MONTH_END),)
    assert found["dev"].timetables == ((MONTH_END,),)
    assert found["prod"].freezes == (HOLIDAYS,)
    assert found["dev"].freezes == (AUDIT, HOLIDAYS)
    places = [each.where for each in (*found["prod"].timetables[0], *found["dev"].freezes)]
    assert places == [f"driftctl.yaml:{line}" for line in (4, 12, 14, 15)]


def test_without_windows_there_is_no_timetable_that_could_be_closed() -> None:
    prod = environments("environments: [environments/*]\nwindows: []\nfreezes: []\n")["prod"]

    assert (prod.timetables, prod.freezes) == ((), ())


def test_the_effective_configuration_has_the_same_windows_and_freezes() -> None:
    _, found = again(TIMES)

    assert found == environments(TIMES)


@pytest.mark.parametrize(
    ("window", "what", "todo"),
    [
        (
            "cron: 0 9 * *",
            'cron is "0 9 * *", which is not the 5 fields of cron.',
            "Write minute, hour, day of the month, month and day of the week, for example "
            '"0 9 * * MON-FRI" for nine on working days.',
        ),
        ("cron: '0 0 9 * * *'", 'cron is "0 0 9 * * *", which is not the 5 fields', "Write"),
        ("cron: '@daily'", 'cron is "@daily", which is not the 5 fields of cron.', "Write"),
        ("cron: '0 0 * * " + "1," * 120 + "1'", 'cron is "0 0 * * 1,1,', "Write"),
        (
            "cron: '0 25 * * *'",
            'cron is "0 25 * * *", of which the hour is "25", and there is no such one.',
            "Write for the hour 0 to 23, * or 9-17.",
        ),
        ("cron: '61 0 * * *'", 'cron is "61 0 * * *", of which the minute is "61"', "Write for"),
        ("cron: '0 0 32 * *'", 'cron is "0 0 32 * *", of which the day of the month', "Write for"),
        ("cron: '0 0 1 13 *'", 'cron is "0 0 1 13 *", of which the month is "13"', "Write for"),
        ("cron: '0 0 * * MOO'", 'cron is "0 0 * * MOO", of which the day of the week', "Write for"),
        ("cron: '0 0 */0 * *'", 'cron is "0 0 */0 * *", of which the day of the', "Write for"),
        (
            "cron: '0 0 30 2 *'",
            'cron is "0 0 30 2 *", which no day ever fits, so it would never begin.',
            "Choose a day that the months have.",
        ),
        ("cron: '0 0 31 4,6 *'", 'cron is "0 0 31 4,6 *", which no day ever fits', "Choose"),
        # The first and the 31st may be a first Sunday; a second one they never are.
        ("cron: '0 0 */30 * SUN#2'", 'cron is "0 0 */30 * SUN#2", which no day ever', "Choose"),
        ("cron: 12", 'cron is "12", which is not the 5 fields of cron.', "Write"),
        ("cron: [a]", "cron is a list, but five fields of cron is expected.", "Write five"),
        (
            "timezone: europe/berlin",
            'timezone is "europe/berlin", which is not the name of a time zone.',
            "Did you mean `Europe/Berlin`? Write a name of the IANA database, for example "
            "Europe/Berlin, or UTC.",
        ),
        (
            "timezone: New York",
            'timezone is "New York", which is not the name of a time zone.',
            "Did you mean `America/New_York`? Write",
        ),
        ("timezone: localtime", 'timezone is "localtime", which is not the name', "Write"),
        ("timezone: Factory", 'timezone is "Factory", which is not the name', "Write"),
        ("timezone: right/Europe/Berlin", 'timezone is "right/Europe/Berlin", which', "Did you"),
        ("timezone: Europe", 'timezone is "Europe", which is not the name', ""),
        ("timezone: ../UTC", 'timezone is "../UTC", which is not the name', ""),
        ("timezone: /etc/passwd", 'timezone is "/etc/passwd", which is not the name', ""),
        ("timezone: '+01:00'", 'timezone is "+01:00", which is not the name', ""),
        ("duration: 90", 'duration is "90", which is not a length of time.', "Add a unit: 90s"),
        (
            "effect: approve",
            'effect is "approve", but one of allow, deny is expected.',
            "Choose one of allow, deny.",
        ),
        (
            "causes: [drfit]",
            'causes[0] is "drfit", but one of drift, commit is expected.',
            "Did you mean `drift`? Choose one of drift, commit.",
        ),
        ("schedule: a", 'The key "schedule" in windows[0] is not known.', "Write `cron`."),
        (
            "when: {types: [a]}",
            'The key "types" in windows[0].when is not known.',
            "Known here: environments, labels.",
        ),
        (
            "when: {environments: [staging]}",
            "The window w speaks of no environment: none has such a name and such labels, so "
            "nothing would use it.",
            "There are: dev, prod.",
        ),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_with_its_line(
    window: str, what: str, todo: str
) -> None:
    given = {"name": "w", "effect": "deny", "cron": "'0 9 * * *'", "duration": "1h"}
    key, _, value = window.partition(": ")
    text = ", ".join(f"{key}: {value}" for key, value in {**given, key: value}.items())

    found, remedy = problem(f"environments: [environments/*]\nwindows:\n  - {{{text}}}\n")

    assert found.replace(": windows[0].", ": ").startswith(f"driftctl.yaml:3: {what}")
    assert remedy.startswith(todo)


@pytest.mark.parametrize(
    "cron", ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 */30 * SUN#1", "*/5 8-18/2 LW JAN,jul 1-5"]
)
def test_a_cron_that_fits_some_day_may_be_as_rare_as_it_likes(cron: str) -> None:
    config = decode(
        f"""\
        environments: [a]
        windows:
          - {{name: w, effect: deny, cron: "{cron}", duration: 1h}}
        """
    )

    assert config.windows[0].window.cron == cron


fields = st.text("0123456789*/,-#?LWMONFRIJA", min_size=1, max_size=6)


@given(st.lists(fields | st.sampled_from(["*", "0", "*/7", "L", "1#2"]), min_size=5, max_size=5))
def test_any_five_fields_begin_some_day_or_are_refused(given_fields: list[str]) -> None:
    text = " ".join(given_fields)
    try:
        found = cron(text)
    except Refusal:
        return

    assert found == text
    assert next(CronSim(found, datetime(2026, 11, 24, tzinfo=UTC))).year < 2076


@pytest.mark.parametrize(
    ("freeze", "what", "todo"),
    [
        (
            "from: 2026-12-20T18:00:00",
            'from is "2026-12-20T18:00:00", which does not say on whose clocks, so it would be '
            "many moments.",
            "Write 2026-12-20T18:00:00Z for UTC, or the offset: 2026-12-20T18:00:00+01:00.",
        ),
        ("from: 2026-12-20 18:00", 'from is "2026-12-20 18:00", which does not say on', "Write"),
        (
            "from: 20.12.2026",
            'from is "20.12.2026", which is neither a day nor a moment.',
            "Write for example 2026-12-20 (midnight in UTC), 2026-12-20T18:00:00Z or "
            "2026-12-20T18:00:00+01:00.",
        ),
        ("from: 2026-1-5", 'from is "2026-1-5", which is neither a day nor a moment.', "Write"),
        ("from: 20261220", 'from is "20261220", which is neither a day nor a moment.', "Write"),
        ("from: 2026-02-30", 'from is "2026-02-30", which is neither a day nor', "Write"),
        ("from: 2026-12-20T25:00:00Z", 'from is "2026-12-20T25:00:00Z", which is', "Write"),
        ("from: 0001-01-01T00:00:00+14:00", 'from is "0001-01-01T00:00:00+14:00", which', "Write"),
        ("from: [2026-12-20]", "from is a list, but a day or a moment is expected.", "Write"),
        ("from:", "from has no value, but a day or a moment is expected.", "Give it"),
        (
            "until: 2026-12-20",
            "freezes[0] ends at 2026-12-20T00:00:00Z, which is not after its beginning at "
            "2026-12-20T00:00:00Z.",
            "Exchange the two, or correct one; a day stands for its midnight in UTC.",
        ),
        ("until: 2026-12-20T00:30:00+01:00", "freezes[0] ends at 2026-12-19T23:30:00Z", "Exch"),
        ("end: 2027-01-01", 'The key "end" in freezes[0] is not known.', "Write `until`."),
        (
            "when: {labels: {tier: two}}",
            "The freeze f speaks of no environment: none has such a name and such labels, so "
            "nothing would use it.",
            "There are: dev, prod.",
        ),
    ],
)
def test_a_freeze_that_makes_no_sense_is_refused_with_its_line(
    freeze: str, what: str, todo: str
) -> None:
    key, _, value = freeze.partition(":")
    given = {"name": "f", "from": "2026-12-20", key: value}
    text = ", ".join(f"{key}: {value}" for key, value in given.items())

    found, remedy = problem(f"environments: [environments/*]\nfreezes:\n  - {{{text}}}\n")

    assert found.replace(": freezes[0].", ": ").startswith(f"driftctl.yaml:3: {what}")
    assert remedy.startswith(todo)


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("2026-12-20", datetime(2026, 12, 20, tzinfo=UTC)),
        ("'2026-12-20'", datetime(2026, 12, 20, tzinfo=UTC)),
        ("2026-12-20T18:00:00Z", datetime(2026, 12, 20, 18, tzinfo=UTC)),
        ("2026-12-20T18:00Z", datetime(2026, 12, 20, 18, tzinfo=UTC)),
        ("2026-12-20t18:00:00z", datetime(2026, 12, 20, 18, tzinfo=UTC)),
        ("2026-12-20 18:00:30+05:30", datetime(2026, 12, 20, 12, 30, 30, tzinfo=UTC)),
        ("'2026-12-20T18:00:00-08:00'", datetime(2026, 12, 21, 2, tzinfo=UTC)),
    ],
)
def test_a_moment_is_the_same_however_it_is_spelled_or_quoted(
    spelled: str, meant: datetime
) -> None:
    config = decode(f"environments: [a]\nfreezes:\n  - {{name: f, from: {spelled}}}\n")

    assert config.freezes[0].freeze.start == meant
    assert config.freezes[0].freeze.start.utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_written_as_it_is_read(at: datetime) -> None:
    whole = at.replace(microsecond=0)

    assert moment(moment_text(whole)) == whole


@given(st.text(max_size=20))
def test_any_text_is_a_time_zone_or_refused(text: str) -> None:
    try:
        found = time_zone(text)
    except Refusal:
        found = text

    assert found == text


def test_two_windows_or_freezes_have_two_names() -> None:
    found, todo = problem(
        """\
        environments: [environments/*]
        windows:
          - {name: w, effect: deny, cron: "0 9 * * *", duration: 1h}
        freezes:
          - {name: w, from: 2026-12-20}
        """
    )

    assert found == "driftctl.yaml:5: The freeze w has the name of the window in line 3."
    assert todo == (
        "Give each freeze its own name, so that a plan that waits can tell for which one."
    )


# --- Policies ------------------------------------------------------------------------------------

PEOPLE = "people: {ada: [github:ada]}\ngroups: {dba: [ada]}\n"
POLICIES = """\
environments: [environments/*]
people: {ada: [github:ada]}
groups: {dba: [ada]}
policies:
  - {name: buckets, rego: policy, rego_version: v1}
  - name: old
    rego: [policy/old, /opt/lib.rego]
    rego_version: v0
    input: scalr
    package: terraform.analysis
    levels: {deny: deny, costly: approve, warn: warn}
    program: ./bin/opa
    context: {tags: [a, {b: 1}], "run-type": null}
    groups: [dba]
    timeout: 10s
    when: {environments: [prod]}
  - {name: short, run: [checkov, -f, "{plan}"]}
  - name: long
    run: [./check.sh, "--plan={plan}", "--plan={plan}"]
    exit_codes: {0: allow, 1: approve, "2": warn, 3: deny}
    plan: whole
    env: [BC_API_KEY]
    groups: [dba]
    timeout: 10m
    when: {environments: [dev]}
"""
BUCKETS = RegoPolicy("buckets", ("policy",), "v1")
OLD = RegoPolicy(
    "old",
    ("policy/old", "/opt/lib.rego"),
    "v0",
    Shape.SCALR,
    "terraform.analysis",
    {"deny": Effect.DENY, "costly": Effect.APPROVE, "warn": Effect.WARN},
    "./bin/opa",
    {"tags": ["a", {"b": 1}], "run-type": None},
    ("dba",),
    10,
    Scope(("prod",)),
)
SHORT = CheckProgram("short", ("checkov", "-f", "{plan}"))
LONG = CheckProgram(
    "long",
    ("./check.sh", "--plan={plan}", "--plan={plan}"),
    {1: Effect.APPROVE, 2: Effect.WARN, 3: Effect.DENY},
    True,
    ("BC_API_KEY",),
    ("dba",),
    600,
    Scope(("dev",)),
)


def test_an_environment_has_the_policies_that_speak_of_it_in_the_order_of_the_file() -> None:
    found = environments(POLICIES)

    assert found["prod"].policies == (BUCKETS, OLD, SHORT)
    assert found["dev"].policies == (BUCKETS, SHORT, LONG)
    assert [each.where for each in found["dev"].policies] == [
        f"driftctl.yaml:{line}" for line in (5, 17, 18)
    ]


def test_the_effective_configuration_has_the_same_policies() -> None:
    _, found = again(POLICIES)

    assert found == environments(POLICIES)


REGO = "name: p, rego: policy, rego_version: v1"
RUN = "name: p, run: [x, '{plan}']"


@pytest.mark.parametrize(
    ("policy", "what", "todo"),
    [
        (
            "name: p, rego: policy",
            "policies[0] lacks the key `rego_version`.",
            "Add it: Which Rego it is: v1 since OPA 1.0",
        ),
        (
            "name: p, rego_version: v1",
            "policies[0] lacks the key `rego`.",
            "Add it: Files or directories",
        ),
        (
            "name: p, rego: policy, rego_version: 1",
            'policies[0].rego_version is "1", but one of v0, v1 is expected.',
            "Did you mean `v1`? Choose one of v0, v1.",
        ),
        (
            "name: p, rego: [], rego_version: v1",
            "policies[0].rego is an empty list.",
            "Give it a path, or a list of paths.",
        ),
        (
            "name: p, rego: '', rego_version: v1",
            "policies[0].rego is empty, but the path of a file or a directory is expected.",
            "Give it a value",
        ),
        (
            "name: p, rego: {a: b}, rego_version: v1",
            "policies[0].rego is a mapping, but a path, or a list of paths is expected.",
            "Write a path, or a list of paths.",
        ),
        (
            "name: p, rego: 'https://ada:hunter2@example.com/p?x=hunter2', rego_version: v1",
            'policies[0].rego is "…@example.com/p", but policies are read from files.',
            "Keep them beside this file, or fetch them before driftctl-py runs.",
        ),
        (
            f"{REGO}, input: atlantis",
            'policies[0].input is "atlantis", but one of plan, spacelift, hcp, scalr, digger is',
            "Choose one of plan",
        ),
        (
            f"{REGO}, package: data.main",
            'policies[0].package is "data.main", which is not the name of a package, without data.',
            "Write the name of a package",
        ),
        (
            f"{REGO}, levels: {{deny: allow}}",
            'policies[0].levels.deny is "allow", but one of warn, approve, deny is expected.',
            "A policy only restricts: choose one of warn, approve, deny. To apply something "
            "without asking, write a rule or `apply: auto`.",
        ),
        (
            f"{REGO}, levels: {{deny: dney}}",
            'policies[0].levels.deny is "dney", but one of warn, approve, deny is expected.',
            "Did you mean `deny`? Choose one of warn, approve, deny.",
        ),
        (
            f"{REGO}, program: rego",
            'policies[0].program is "rego", which is no program for Rego.',
            "Choose opa, conftest or the path of one of them, written with a slash.",
        ),
        (f"{REGO}, program: bin/", 'policies[0].program is "bin/", which is no', "Choose opa"),
        (
            f"{REGO}, groups: [dba]",
            "policies[0] names groups, but none of its levels is approve, so nobody is asked.",
            "Say of which results they are asked: levels: {deny: deny, warn: approve}; or leave "
            "the groups out.",
        ),
        (
            f"{REGO}, groups: [dbas], levels: {{deny: approve}}",
            "The policy p asks dbas, but there is no group of that name.",
            "Did you mean `dba`? There are: dba.",
        ),
        (f"{REGO}, context: [a]", "policies[0].context is a list, but a mapping from", "Write"),
        (
            f"{REGO}, context: {{a: no}}",
            "policies[0].context.a is a word that older YAML reads as true or false and newer as "
            "text.",
            "Write true or false",
        ),
        (
            f"{REGO}, exit_codes: {{1: deny}}",
            'The key "exit_codes" in policies[0] is not known.',
            "It goes with `run`, and this policy is Rego.",
        ),
        (
            f"{REGO}, when: {{environments: [staging]}}",
            "The policy p speaks of no environment: none has such a name and such labels, so "
            "nothing would use it.",
            "There are: dev, prod.",
        ),
        (
            "name: p, run: 'checkov -f {plan}'",
            "policies[0].run is a single value, but a list of words, for example [checkov, -f, "
            '"{plan}"] is expected.',
            "Write a list of words",
        ),
        (
            "name: p, run: [checkov, -f, {plan: }]",
            "policies[0].run[2] is a mapping, but a word of the command, in quotes where it holds "
            'braces ("{plan}") is expected.',
            "Write a word",
        ),
        (
            "name: p, run: [checkov, -d, .]",
            "policies[0].run is not given the plan, so it would look at something else.",
            'Put "{plan}", in quotes, where the program wants the path of the plan\'s JSON.',
        ),
        ("name: p, run: ['{plan}']", "policies[0].run is not given the plan", "Put"),
        ("name: p, run: []", "policies[0].run is an empty list.", "Give it a list of words"),
        (
            f"{RUN}, exit_codes: {{0: allow, 2: allow}}",
            "policies[0].exit_codes.2 is allow, but a program that ends with anything but 0 may "
            "have found nothing or may have failed.",
            "Write warn, approve or deny.",
        ),
        (
            f"{RUN}, exit_codes: {{256: deny}}",
            'the key of policies[0].exit_codes is "256", which no program ends with.',
            "Write a number from 0 to 255.",
        ),
        (
            f"{RUN}, exit_codes: {{-1: deny}}",
            'the key of policies[0].exit_codes is "-1", which no program ends with.',
            "Write a number from 0 to 255.",
        ),
        (
            f"{RUN}, exit_codes: {{1: deny, '1': warn}}",
            "`1` is given twice, first in line 5; one of them would be lost.",
            "Remove one, or join the two.",
        ),
        (
            f"{RUN}, groups: [dba]",
            "policies[0] names groups, but no exit code means approve, so nobody is asked.",
            "Say after which they are asked: exit_codes: {2: approve}; or leave the groups out.",
        ),
        (
            f"{RUN}, plan: secret",
            'policies[0].plan is "secret", but one of redacted, whole is expected.',
            "Choose one of redacted, whole.",
        ),
        (
            f"{RUN}, env: [A=hunter2]",
            "policies[0].env[0] is a value that is not shown, which is not the name of an "
            "environment variable.",
            "Write the name of an environment variable.",
        ),
        (
            f"{RUN}, rego: policy",
            'The key "rego" in policies[0] is not known.',
            "One policy is either `rego` or `run`: write two.",
        ),
        (
            f"{RUN}, levels: {{deny: deny}}",
            'The key "levels" in policies[0] is not known.',
            "It goes with `rego`, and this policy is a program.",
        ),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_its_line(
    policy: str, what: str, todo: str
) -> None:
    found, remedy = problem(
        PEOPLE + f"environments: [environments/*]\npolicies:\n  - {{{policy}}}\n"
    )

    assert found.startswith(f"driftctl.yaml:5: {what}")
    assert remedy.startswith(todo)
    assert "hunter2" not in found + remedy


def test_a_policy_is_a_mapping() -> None:
    assert problem("environments: [environments/*]\npolicies: [policy]\n") == (
        "driftctl.yaml:2: policies[0] is a single value, but a mapping with `name`, and `rego` or "
        "`run` is expected.",
        "Write a mapping with `name`, and `rego` or `run`.",
    )


@pytest.mark.parametrize(
    "policy", [f"{REGO}, levels: {{deny: approve}}", f"{RUN}, exit_codes: {{2: approve}}"]
)
def test_a_policy_may_ask_only_where_somebody_could_say_yes(policy: str) -> None:
    text = f"""\
environments: [environments/*]
overrides: {{prod: {{apply: {{drift: auto}}}}}}
people: {{ada: [github:ada], linus: ["os:linus"]}}
groups: {{dba: [ada], web: [linus]}}
policies:
  - {{{policy}, groups: [dba, web]}}
"""

    assert problem(text) == (
        "driftctl.yaml:6: The policy p asks for a yes, but it takes 1 in web whose identity "
        "counts, and nobody could approve.",
        "Put more people with an identity of github, aws or key into the groups, or ask for fewer.",
    )
    assert environments(text.replace(", web]", "]"))
    assert environments(
        text.replace("prod:", "dev:").replace("groups: [dba, web]", "when: {environments: [prod]}")
    )


@pytest.mark.parametrize("name", ["PGPASSWORD", "STORE_URL"])
def test_no_check_is_given_what_opens_the_store(name: str) -> None:
    text = f"""\
        environments: [environments/*]
        store: {{url_env: STORE_URL}}
        policies:
          - {{name: p, run: [x, "{{plan}}"], env: [HTTPS_PROXY, {name}]}}
        """

    assert problem(text) == (
        f"driftctl.yaml:4: The policy p is to see {name}, which opens the store.",
        "Take it out of `env`: a check has no business there.",
    )


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"])
def test_no_check_is_given_what_opens_the_bucket_that_the_store_is_in(name: str) -> None:
    text = f"""\
        environments: [environments/*]
        store: artifacts
        artifacts: {{s3: {{bucket: plans, region: eu-central-1}}}}
        policies:
          - {{name: p, run: [x, "{{plan}}"], env: [AWS_REGION, {name}]}}
        """

    assert problem(text) == (
        f"driftctl.yaml:5: The policy p is to see {name}, which opens the store.",
        "Take it out of `env`: a check has no business there.",
    )
    assert environments(text.replace("store: artifacts", "strict: true"))


def test_a_policy_has_another_name_than_every_rule() -> None:
    found, todo = problem(
        """\
        environments: [environments/*]
        rules:
          - {name: r, effect: deny, when: {actions: [delete]}}
        policies:
          - {name: r, rego: policy, rego_version: v1}
        """
    )

    assert found == "driftctl.yaml:5: The policy r has the name of the rule in line 3."
    assert todo == "Give each policy its own name, so that a decision can tell which one it was."


def test_providers_are_addresses_or_globs_in_small_letters() -> None:
    said = "providers: [registry.terraform.io/HashiCorp/*, cloudflare/cloudflare]"

    assert decode(f"environments: [a]\n{said}\n").providers == (
        "registry.terraform.io/hashicorp/*",
        "cloudflare/cloudflare",
    )
    assert decode("environments: [a]\nproviders: []\n").providers == ()
    assert decode("environments: [a]\n").providers is None
    (found,) = problems("environments: [a]\nproviders: [aws]\n")
    assert "aws" in found
    assert "which is no address of a provider" in found
    assert "HOST/NAMESPACE/TYPE" in found


def test_reviewed_is_joined_with_the_switches_beside_it() -> None:
    config = decode(
        "environments: [a, b]\ndefaults: {apply: {git: auto, reviewed: true}}\n"
        "overrides: {b: {apply: {drift: auto, reviewed: false}}}\n"
    )

    a, b = expand(config, {"default": ["a/main.tf", "b/main.tf"]})

    assert (a.reviewed, b.reviewed) == (True, False)
    assert b.apply == ApplyModes(Mode.AUTO, Mode.AUTO)
