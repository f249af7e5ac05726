"""What limits there are unless somebody says otherwise, and what they are called."""

from __future__ import annotations

import pytest

from driftctl_py.core.limits import APPLIES, HEALS, Limits, is_limit, rule_of


def test_failures_block_and_drift_that_comes_back_is_held_unless_somebody_says_otherwise() -> None:
    assert Limits() == Limits(failures=3, applies_per_day=0, heals_per_day=5)


@pytest.mark.parametrize("limit", [APPLIES, HEALS])
def test_what_a_limit_is_called_is_known_again(limit: str) -> None:
    assert is_limit(rule_of(limit, 5))


@pytest.mark.parametrize(
    "rule", ["", "heal-tags", "limits", HEALS, "limits.tags: 3", "apply.drift: auto"]
)
def test_no_other_rule_is_taken_for_a_limit(rule: str) -> None:
    assert not is_limit(rule)
