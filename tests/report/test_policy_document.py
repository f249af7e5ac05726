"""What `policy explain|replay|test|lint --format json` print is what their schema promises. What
the documents hold in each case is ``test_policy_text``'s, beside the same in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from driftctl_py.app.policy import LIMITS, POLICIES, WINDOWS
from driftctl_py.core.approval import Requirement, Standing
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Decision,
    Hold,
    Judgement,
    Level,
    Nothing,
    Refuse,
)
from driftctl_py.core.environment import Mode
from driftctl_py.core.explanation import Asked, Reason
from driftctl_py.core.policy_lint import Lint
from driftctl_py.core.policy_replay import Replay, Replayed
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import Answer
from driftctl_py.report.policy_document import (
    render_explanation_json,
    render_lint_json,
    render_replay_json,
    render_tests_json,
)
from tests.report.test_policy_text import (
    BUCKET,
    GATE,
    NO,
    NOW,
    OTHERS,
    STRICTER,
    WEAKER,
    explained,
    explanation,
    judged,
    outcome,
    rule,
    subject,
)

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "policy.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
BESIDE = {POLICIES: Asked.NOT, WINDOWS: Asked.NOW, LIMITS: Asked.NONE}


def as_promised(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(document)
    return document


JUDGEMENT = Judgement((judged(NO, GATE), replace(judged(), deposed="ab12")), (GATE,))


@pytest.mark.parametrize(
    ("decision", "what"),
    [
        (Nothing("In sync."), "nothing"),
        (Apply(JUDGEMENT), "apply"),
        (Hold(JUDGEMENT, Requirement(), Standing(missing=1)), "hold"),
        (Refuse(("It is denied.",), JUDGEMENT), "refuse"),
    ],
)
def test_an_explanation(decision: Decision, what: str) -> None:
    counts = (Reason("at_least", Answer.NO, ("2",), ("1",)),)
    of = explained(
        rule(types=("aws_db_*",), attributes=("tags",)),
        subject(changed=None, deposed="ab12"),
        subject("output.url", is_object=False, type=""),
        counts=counts,
    )
    found = explanation(
        of,
        explained(rule(Effect.ALLOW), subject(is_known=False)),
        judgement=JUDGEMENT,
        decision=decision,
        beside=BESIDE,
        then=JUDGEMENT,
        silent=(Rule("dev", Effect.DENY),),
    )

    document = as_promised(render_explanation_json(found))

    assert document["decision"]["is"] == what
    assert document["asked"] == {"policies": "not asked", "windows": "asked", "limits": "none"}
    first = as_promised(render_explanation_json(replace(found, then=None, rules=())))
    assert first["judged_then"] is None


def test_a_replay() -> None:
    found = Replay(
        plans=3,
        different=[STRICTER, WEAKER, OTHERS, Replayed("run-8", "prod", NOW)],
        unreadable=[Replayed("run-9", "prod", NOW, unreadable="It is gone.")],
        changes=1,
        gone=Counter({"old": 2}),
        oldest=NOW,
    )

    assert len(as_promised(render_replay_json(found))["different"]) == 4
    assert as_promised(render_replay_json(Replay()))["since"] is None


def test_tests() -> None:
    failed = outcome(Level.WARN, rule(), rule(types=("aws_db_*",)))

    assert as_promised(render_tests_json([outcome(Level.DENY, rule()), failed]))["failed"] == 1
    nowhere = as_promised(render_tests_json([replace(failed, environment="")]))
    assert nowhere["outcomes"][0]["environment"] is None


def test_lint() -> None:
    findings = [
        Lint("driftctl.yaml:4", "dead", "It never matches.", "Take it out."),
        Lint("", "odd", "It is odd.", "Look at it.", note=True),
    ]

    assert len(as_promised(render_lint_json(findings, rules=2))["findings"]) == 2


def test_the_schema_is_one_and_knows_every_word() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    defs = SCHEMA["$defs"]
    change = defs["judgement"]["properties"]["changes"]["items"]["properties"]

    assert defs["level"]["enum"] == [each.name.lower() for each in Level]
    assert defs["mode"]["enum"] == [each.value for each in Mode]
    assert set(defs["asked"]["enum"]) == {each.value for each in Asked}
    assert set(defs["reason"]["properties"]["holds"]["enum"]) == {each.value for each in Answer}
    assert change["cause"]["enum"] == [each.value for each in Cause]
    effects = defs["explanation"]["properties"]["rules"]["items"]["properties"]["effect"]["enum"]
    assert effects == [each.value for each in Effect]


@pytest.mark.parametrize("at", range(5))
def test_the_schema_has_teeth(at: int) -> None:
    of = explained(rule(types=("aws_db_*",)), subject(BUCKET))
    document = as_promised(render_explanation_json(explanation(of, beside=BESIDE)))
    objects = list(_objects(document))
    del objects[at][next(iter(objects[at]))]

    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)
