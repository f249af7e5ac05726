"""The evaluator that workflows are tried with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.github.expressions import evaluate, fill

CONTEXTS = {
    "vars": {"ROLE": "arn:aws:iam::123456789012:role/plan"},
    "needs": {"which": {"result": "success", "outputs": {"count": "2", "matrix": '{"a": [1]}'}}},
    "functions": {"cancelled": lambda: False, "always": lambda: True},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vars.ROLE != ''", True),
        ("vars.MISSING == ''", True),
        ("${{ !cancelled() && needs.which.result == 'success' }}", True),
        ("always() && needs.which.outputs.count == '0' || vars.ROLE == 'x'", False),
        ("(needs.which.outputs.count == '2') && 'it''s'", "it's"),
        ("fromJSON(needs.which.outputs.matrix)", {"a": [1]}),
        ("'MAIN' == 'main'", True),
        ("startsWith(vars.ROLE, 'ARN:') && startsWith('a', 'b') == false", True),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(text: str, value: Any) -> None:
    assert evaluate(text, CONTEXTS) == value


def test_expressions_in_a_text_are_replaced_and_what_is_not_there_is_nothing() -> None:
    assert fill("${{ needs.which.outputs.count }} of ${{vars.NONE}}.", CONTEXTS) == "2 of ."


@pytest.mark.parametrize(
    "text", ["a b", "vars.ROLE ++ 1", "startsWith('a' 'b')", "secrets.TOKEN", "hashFiles('**')"]
)
def test_what_is_not_understood_is_no_value(text: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        evaluate(text, CONTEXTS)
