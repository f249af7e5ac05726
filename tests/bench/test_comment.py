"""The benchmark of the comment measures what it says."""

from __future__ import annotations

import sys

import pytest

from driftctl_py.report.comment import COMMENT_BUDGET
from tests.bench import comment


def test_the_results_hold_what_is_said() -> None:
    results = comment.results_of(2, 9).results

    assert [len(each.items) for each in results] == [9, 9]
    assert [each.destroys for each in results] == [3, 3]
    assert [each.drifted for each in results] == [3, 3]


def test_a_comment_over_its_budget_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comment, "render_comment", lambda _: "x" * (COMMENT_BUDGET + 1))

    with pytest.raises(SystemExit, match="60001 bytes"):
        comment.milliseconds(comment.results_of(1, 1))


def test_it_prints_a_row_for_each_shape_and_whether_the_targets_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(comment, "milliseconds", lambda _: 40.0)
    monkeypatch.setattr(comment, "results_of", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["bench", "--rounds", "1"])

    comment.main()

    said = capsys.readouterr().out
    assert "| 2,000 | 10 | 40 |" in said
    assert said.count("kept") == 4
