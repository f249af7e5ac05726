"""What explain, replay, test and lint found, in words and as documents."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from driftctl_py.core.approval import Requirement, Standing
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Decision,
    Hold,
    Judged,
    Judgement,
    Level,
    Nothing,
    Refuse,
    Ruling,
)
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.explanation import (
    Asked,
    ChangeExplained,
    Explanation,
    Reason,
    RuleExplained,
    explain_change,
)
from driftctl_py.core.policy_lint import Lint
from driftctl_py.core.policy_replay import Because, Difference, Replay, Replayed
from driftctl_py.core.policy_tests import Case, DescribedChange, Outcome, run_case
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import Answer, Subject
from driftctl_py.core.window import Closed
from driftctl_py.report.policy_document import (
    render_explanation_json,
    render_lint_json,
    render_replay_json,
    render_tests_json,
)
from driftctl_py.report.policy_junit import render_tests_junit
from driftctl_py.report.policy_text import (
    because_words,
    reason_words,
    render_explanation_text,
    render_lint_text,
    render_replay_text,
    render_tests_text,
)

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
BUCKET = "aws_s3_bucket.assets"
DB = "aws_db_instance.main"
GATE = Ruling(Level.APPROVE, "apply.git: gate")
NO = Ruling(Level.DENY, "no-destroys", "driftctl.yaml:4", groups=("dba",))
ENVIRONMENT = Environment("prod", "environments/prod", apply=ApplyModes(Mode.GATE, Mode.AUTO))


def subject(address: str = BUCKET, *actions: str, **more: object) -> Subject:
    facts: dict[str, object] = {"type": address.partition(".")[0], "changed": ()} | more
    return Subject(
        (address, str(facts.pop("deposed", ""))),
        (address,),
        (address,),
        frozenset(actions or ("update",)),
        frozenset({"commit"}),
        bool(facts.pop("is_object", True)),
        bool(facts.pop("is_known", True)),
        **facts,  # type: ignore[arg-type]  # by the name of each
    )


def rule(effect: Effect = Effect.DENY, **when: object) -> Rule:
    return Rule("it", effect, where="driftctl.yaml:4", **when)  # type: ignore[arg-type]  # by the name of each


def why(of: Rule, what: Subject) -> list[str]:
    explained = explain_change(of, what)
    return [reason_words(each, explained) for each in (*explained.against, *explained.doubts)]


@pytest.mark.parametrize(
    ("of", "what", "said"),
    [
        (
            rule(actions=("delete", "replace")),
            subject(),
            "actions: asks for delete or replace; this is update",
        ),
        (
            rule(Effect.ALLOW, actions=("update",)),
            subject(BUCKET, "update", "move"),
            "actions: allows update only; this is move and update",
        ),
        (rule(types=("aws_db_*",)), subject(), "types: asks for aws_db_*; this is aws_s3_bucket"),
        (
            rule(types=("*",)),
            subject("output.url", is_object=False, type=""),
            "types: asks for *; this has none",
        ),
        (
            rule(attributes=("tags",)),
            subject(changed=("size", "acl")),
            "attributes: asks for tags; this changes size and acl",
        ),
        (
            rule(attributes=("tags",)),
            subject(BUCKET, "create"),
            "attributes: asks for tags; this is create",
        ),
        (
            rule(attributes=("tags",)),
            subject("output.url", is_object=False),
            "attributes: asks for tags; this has none",
        ),
        (
            rule(attributes=("tags",)),
            subject(changed=None),
            "attributes: asks for tags; that cannot be told, so it counts as met",
        ),
        (
            rule(Effect.ALLOW, attributes=("tags",)),
            subject(changed=("size",)),
            "attributes: allows an update of tags only; this changes size",
        ),
        (
            rule(Effect.ALLOW, attributes=("tags",)),
            subject(BUCKET, "replace", changed=("tags.team",)),
            "attributes: allows an update of tags only; this is replace",
        ),
        (
            rule(Effect.ALLOW, attributes=("tags",)),
            subject(changed=None),
            "attributes: asks for tags; that cannot be told, so it is not allowed",
        ),
        (
            rule(Effect.ALLOW),
            subject(is_known=False),
            "it is done in a way that this version does not know, which no rule allows",
        ),
        (
            rule(addresses=tuple(f"a{at}.*" for at in range(10))),
            subject(),
            "addresses: asks for a0.*, a1.*, a2.*, a3.*, a4.*, a5.*, a6.*, a7.* or 2 more; "
            "this is aws_s3_bucket.assets",
        ),
    ],
)
def test_a_condition_is_told_with_what_it_asks_and_what_there_is(
    of: Rule, what: Subject, said: str
) -> None:
    assert why(of, what) == [said]


def explained(of: Rule, *changes: Subject, counts: tuple[Reason, ...] = ()) -> RuleExplained:
    return RuleExplained(of, tuple(explain_change(of, each) for each in changes), counts)


def judged(*rulings: Ruling, address: str = BUCKET) -> Judged:
    return Judged(address, Cause.COMMIT, "delete", rulings)


def explanation(*rules: RuleExplained, **more: object) -> Explanation:
    judgement = Judgement((judged(NO, GATE),))
    facts: dict[str, object] = {
        "name": "plan.json",
        "environment": ENVIRONMENT,
        "rules": rules,
        "silent": (),
        "judgement": judgement,
        "decision": Refuse(("It is denied.",), judgement),
        "at": NOW,
        "beside": {"policies": Asked.NOT, "windows": Asked.NOW, "limits": Asked.NONE},
    }
    return Explanation(**(facts | more))  # type: ignore[arg-type]  # by the name of each


def test_an_explanation_begins_with_the_answer_and_goes_rule_by_rule() -> None:
    of = rule(actions=("delete",))
    text = render_explanation_text(
        explanation(
            explained(of, subject(BUCKET, "delete"), subject(DB)),
            silent=(Rule("dev", Effect.DENY),),
        )
    )

    assert text == (
        "prod: would be refused\n"
        "  plan.json, by the rules of now\n"
        "  It is denied.\n"
        "  not asked, since of others: dev\n"
        "\n"
        "deny  it (driftctl.yaml:4): matches 1 of 2 changes\n"
        "  yes aws_s3_bucket.assets\n"
        "  no  aws_db_instance.main  actions: asks for delete; this is update\n"
        "\n"
        "together, with apply.git: gate and apply.drift: auto\n"
        "  commit  aws_s3_bucket.assets  delete  deny  no-destroys (driftctl.yaml:4)\n"
        "\n"
        "asked as of 2026-11-24 09:14 UTC: windows\n"
        "not asked: policies\n"
        "next: driftctl-py plan prod\n"
    )


def test_what_speaks_is_coloured() -> None:
    speaks = explained(rule(), subject())
    silent = explained(replace(rule(types=("b",)), name="other"), subject())

    text = render_explanation_text(explanation(speaks, silent), color=True)

    assert "\x1b[31mdeny  it (driftctl.yaml:4): matches 1 of 1 change\x1b[0m\n" in text
    assert "\ndeny  other (driftctl.yaml:4): matches none of 1 change\n" in text


def test_counts_and_several_reasons_stand_below() -> None:
    of = replace(rule(types=("aws_db_*",), actions=("delete",), at_least=2, share=5), where="")
    counts = (
        Reason("at_least", Answer.NO, ("2",), ("1",)),
        Reason("at_most", Answer.YES, ("9",), ("1",)),
        Reason("share", Answer.YES, ("5",), ("1", "10")),
    )
    text = render_explanation_text(
        explanation(explained(of, subject(DB, "delete", deposed="ab12"), subject(), counts=counts))
    )

    assert (
        "deny  it: matches 1 of 2 changes, and says nothing, since of its counts\n"
        "  no  at_least: asks for 2 or more that match; there are 1\n"
        "      at_most: asks for no more than 9 that match; there are 1\n"
        "      share: asks for 5 % of all objects; it is 1 of 10\n"
        "  yes aws_db_instance.main (deposed ab12)\n"
        "  no  aws_s3_bucket.assets\n"
        "        types: asks for aws_db_*; this is aws_s3_bucket\n"
        "        actions: asks for delete; this is update\n"
    ) in text


def test_many_changes_are_counted() -> None:
    changes = [subject(f"a.b{at}", "delete") for at in range(30)]
    changes += [subject(f"a.c{at}") for at in range(30)]

    text = render_explanation_text(explanation(explained(rule(actions=("delete",)), *changes)))

    assert "  … 10 more match; --format json lists all\n" in text
    assert "  … 20 more do not match; --format json lists all\n" in text


WAITS = Closed("It is frozen.")


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (Nothing("All is one."), "prod: nothing to apply. All is one.\n"),
        (Apply(Judgement()), "prod: would be applied without asking\n"),
        (
            Hold(Judgement((judged(GATE),)), Requirement(), Standing(), (WAITS,)),
            "prod: would be held until people say yes\n  plan.json, by the rules of now\n"
            "  It is frozen.\n",
        ),
        (
            Hold(
                Judgement((judged(Ruling(Level.ALLOW, "yes")),)),
                Requirement(),
                Standing(),
                (WAITS,),
            ),
            "prod: would be held until it is the time\n",
        ),
    ],
)
def test_the_first_line_is_what_would_be_decided(decision: Decision, said: str) -> None:
    assert render_explanation_text(explanation(decision=decision)).startswith(said)
    assert json.loads(render_explanation_json(explanation(decision=decision)))["decision"]["is"]


def test_what_a_run_was_judged_as_is_told_where_it_differs() -> None:
    then = Judgement((judged(GATE),))
    asked = {"limits": Asked.THEN}

    text = render_explanation_text(explanation(then=then, beside=asked))
    alike = render_explanation_text(explanation(then=Judgement((judged(NO),)), beside=asked))

    assert "  When the run was judged, it was approve.\n" in text
    assert text.endswith("\nasked when the run was judged: limits\n")
    assert "When the run was judged, it was" not in alike


def test_a_plan_of_nothing_says_so() -> None:
    text = render_explanation_text(
        explanation(judgement=Judgement(), decision=Nothing("All is one."))
    )

    assert "  nothing would be changed\n" in text


def test_nothing_in_an_explanation_is_a_command_to_a_log() -> None:
    odd = subject("a.b\x1b[31m\n::error::x")

    text = render_explanation_text(explanation(explained(rule(), odd)))

    assert "\x1b" not in text
    assert "\n::" not in text


def test_the_document_of_an_explanation_has_every_condition() -> None:
    of = rule(types=("aws_db_*",), attributes=("tags",))
    counts = (Reason("at_least", Answer.NO, ("2",), ("1",)),)
    found = explanation(
        explained(of, subject(changed=None, deposed="ab12"), counts=counts),
        then=Judgement((judged(GATE),)),
        silent=(Rule("dev", Effect.DENY),),
    )

    document = json.loads(render_explanation_json(found))

    assert (document["schema_version"], document["document"]) == (1, "policy-explanation")
    (told,) = document["rules"]
    assert told["changes"] == [
        {
            "address": BUCKET,
            "deposed": "ab12",
            "matched": False,
            "conditions": [
                {
                    "condition": "types",
                    "holds": "no",
                    "asked": ["aws_db_*"],
                    "found": ["aws_s3_bucket"],
                },
                {"condition": "attributes", "holds": "unknown", "asked": ["tags"], "found": None},
            ],
        }
    ]
    assert told["counts"][0]["condition"] == "at_least"
    assert document["judgement"]["level"] == "deny"
    assert document["judged_then"]["level"] == "approve"
    assert document["asked"]["policies"] == "not asked"
    assert document["decision"] == {"is": "refuse", "reasons": ["It is denied."]}


STRICTER = Replayed(
    "run-2",
    "prod",
    NOW,
    Level.APPROVE,
    Level.DENY,
    changes=(Difference(BUCKET, "", Level.APPROVE, Level.DENY),),
    because=(
        Because(NO, (BUCKET, DB, "a.b", "c.d"), is_new=True),
        Because(Ruling(Level.WARN, "w"), (BUCKET,), is_new=True),
        Because(GATE, (BUCKET,), is_new=False),
    ),
)
WEAKER = Replayed(
    "run-1",
    "development",
    NOW - timedelta(days=1),
    Level.DENY,
    Level.ALLOW,
    because=(
        Because(Ruling(Level.ALLOW, "heal"), (BUCKET,), is_new=True),
        Because(Ruling(Level.WARN, "new"), (BUCKET,), is_new=True),
        Because(NO, (), is_new=False),
    ),
)
OTHERS = Replayed(
    "run-0",
    "prod",
    NOW,
    Level.APPROVE,
    Level.APPROVE,
    (),
    ("dba", "security"),
    because=(Because(Ruling(Level.WARN, "w"), (DB,), is_new=True), Because(GATE, (DB,), True)),
)


def test_a_replay_tells_what_differs_and_because_of_what() -> None:
    found = Replay(
        plans=1312,
        different=[STRICTER, WEAKER, OTHERS],
        unreadable=[Replayed("run-9", "prod", NOW, unreadable="It is gone.")],
        changes=1,
        gone=Counter({"old": 2}),
        oldest=NOW - timedelta(days=1),
    )

    assert render_replay_text(found, width=100) == (
        "Of 1,312 plans since 2026-11-23 09:14 UTC 3 would be decided differently: 1 stricter, "
        "1 weaker, 1 by\n  asking others.\n"
        "\n"
        "run-2  prod         2026-11-24 09:14 UTC  approve → deny\n"
        "    now deny of dba by no-destroys (driftctl.yaml:4): aws_s3_bucket.assets, "
        "aws_db_instance.main,\n      a.b and 1 more\n"
        "run-1  development  2026-11-23 09:14 UTC  deny → allow\n"
        "    now allow by heal: aws_s3_bucket.assets\n"
        "    no longer deny of dba by no-destroys (driftctl.yaml:4): the plan as a whole\n"
        "run-0  prod         2026-11-24 09:14 UTC  approve, asking nobody in particular → dba and "
        "security\n"
        "    now approve by apply.git: gate: aws_db_instance.main\n"
        "not decided anew: run-9 of prod: It is gone.\n"
        "not decided anew: 2 plans of old, which the configuration does not have\n"
        "1 plan more would be decided alike, with another word for single changes\n"
        "Policies, checks and limits were not asked again: what they said then stands.\n"
    )
    document = json.loads(render_replay_json(found))
    assert (document["stricter"], document["weaker"], document["asks_others"]) == (1, 1, 1)
    assert document["different"][0]["changes"][0]["now"] == "deny"
    assert document["different"][0]["because"][2]["is"] == "gone"
    assert document["unreadable"][0]["why"] == "It is gone."
    assert document["unknown_environments"] == {"old": 2}


def test_a_replay_colours_what_is_stricter_and_what_is_not() -> None:
    found = Replay(2, [STRICTER, WEAKER])

    text = render_replay_text(found, color=True)

    assert "\x1b[31mapprove → deny\x1b[0m" in text
    assert "\x1b[32mdeny → allow\x1b[0m" in text


@pytest.mark.parametrize(
    ("plans", "said"),
    [
        (0, "No stored plan was decided anew.\n"),
        (1, "1 plan since 2026-11-24 09:14 UTC is decided as it was.\n"),
        (7, "7 plans since 2026-11-24 09:14 UTC are decided as they were.\n"),
    ],
)
def test_a_replay_without_a_difference_says_so(plans: int, said: str) -> None:
    assert render_replay_text(Replay(plans, oldest=NOW)).startswith(said)


def test_an_unread_replay_is_a_document_too() -> None:
    empty = Replayed("run-9", "prod", NOW)

    document = json.loads(render_replay_json(Replay(different=[empty])))

    assert (document["since"], document["different"][0]["then"]) == (None, None)
    assert "?" in render_replay_text(Replay(1, [empty]))


def test_what_is_gone_of_a_plan_as_a_whole_is_named_so() -> None:
    assert because_words(Because(GATE, (), is_new=False)) == (
        "no longer approve by apply.git: gate: the plan as a whole"
    )


def outcome(expect: Level, *rules: Rule, rule: str = "") -> Outcome:
    changes = (DescribedChange(BUCKET, ("delete",)),)
    case = Case("no <destroys>", expect, "prod", changes, rule=rule, where="driftctl_test.yaml:3")
    return run_case(case, replace(ENVIRONMENT, rules=rules))


def test_tests_are_told_line_by_line_and_failures_with_why() -> None:
    passed = outcome(Level.DENY, rule())
    speaks, counts = rule(), replace(rule(at_least=2, at_most=5), name="counts")
    silent = replace(rule(types=("aws_db_*",)), name="silent")
    failed = outcome(Level.WARN, speaks, counts, silent)

    text = render_tests_text([passed, failed], width=100)

    assert text == (
        "ok      no <destroys>\n"
        "failed  no <destroys>\n"
        "        driftctl_test.yaml:3\n"
        "        Expected warn, and it is deny.\n"
        "        aws_s3_bucket.assets: deny by it (driftctl.yaml:4), approve by apply.git: gate\n"
        "        counts: at_least: asks for 2 or more that match; there are 1\n"
        "        silent: aws_s3_bucket.assets: types: asks for aws_db_*; this is aws_s3_bucket\n"
        "1 of 2 tests failed.\n"
    )
    document = json.loads(render_tests_json([passed, failed]))
    assert (document["tests"], document["failed"]) == (2, 1)
    assert [each["passed"] for each in document["outcomes"]] == [True, False]
    assert document["outcomes"][1]["why"][1] == "Expected warn, and it is deny."


def test_a_test_of_one_rule_tells_why_that_one_was_silent_and_no_other() -> None:
    silent = replace(rule(types=("aws_db_*",)), name="silent")
    other = replace(rule(actions=("create",)), name="other")

    text = render_tests_text([outcome(Level.DENY, silent, other, rule="silent")], width=100)

    assert "silent: aws_s3_bucket.assets: types" in text
    assert "other:" not in text


def test_all_tests_passed() -> None:
    assert render_tests_text([outcome(Level.DENY, rule())], color=True) == (
        "\x1b[32mok    \x1b[0m  no <destroys>\n\x1b[1m1 test passed.\x1b[0m\n"
    )


def test_tests_are_junit_for_what_shows_those() -> None:
    passed, failed = outcome(Level.DENY, rule()), outcome(Level.WARN, rule())
    nowhere = replace(failed, environment="")

    root = ElementTree.fromstring(render_tests_junit([passed, failed, nowhere]))

    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    cases = root.findall(".//testcase")
    assert [each.get("name") for each in cases] == ["no <destroys>"] * 3
    assert [each.get("classname") for each in cases] == ["prod", "prod", "rules"]
    (failure,) = cases[1].findall("failure")
    assert failure.get("message") == "Expected warn, and it is deny."
    assert "deny by it (driftctl.yaml:4)" in (failure.text or "")


def test_lint_says_where_what_and_what_to_do() -> None:
    found = [
        Lint("driftctl.yaml:4", "dead", "The rule dead never matches.", "Take it out."),
        Lint("", "odd", "The rule odd is odd.", "Look at it.", note=True),
    ]

    assert render_lint_text(found, rules=2) == (
        "driftctl.yaml:4: The rule dead never matches.\n"
        "  Take it out.\n"
        "note: The rule odd is odd.\n"
        "  Look at it.\n"
        "1 finding in 2 rules, 1 note.\n"
    )
    document = json.loads(render_lint_json(found, rules=2))
    assert [each["level"] for each in document["findings"]] == ["warning", "note"]
    assert [each["where"] for each in document["findings"]] == ["driftctl.yaml:4", None]


def test_lint_of_what_is_sound_says_so() -> None:
    assert render_lint_text([], rules=1) == "nothing is wrong with 1 rule.\n"


def test_a_change_explained_is_called_by_its_key() -> None:
    assert ChangeExplained(subject(deposed="ab12"), Effect.DENY, ()).key == (BUCKET, "ab12")
