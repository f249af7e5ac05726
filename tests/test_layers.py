"""The layers hold: the same contracts that `lint-imports` checks, as part of the tests."""

from __future__ import annotations

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_nothing_imports_what_it_must_not() -> None:
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS
