"""Who holds a state lock, in the words of real engines."""

from __future__ import annotations

import pytest

from driftctl_py.core.state import LockHolder
from driftctl_py.core.state_lock import holder_in
from driftctl_py.errors import Diagnostic

DETAIL = """\
Error message: resource temporarily unavailable
Lock Info:
  ID:        da4554fe-b2dc-9aeb-3c0d-7232493b5dd7
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@build-7
  Version:   1.11.4
  Created:   2026-11-24 03:08:21.14582065 +0000 UTC
  Info:


Terraform acquires a state lock to protect the state from being written
by multiple users at the same time. Please resolve the issue above and try
again.
"""
OTHER = Diagnostic("error", "Invalid provider", "Lock Info:\n  ID: 1\n")


def _locked(detail: str) -> Diagnostic:
    return Diagnostic("error", "Error acquiring the state lock", detail)


def test_the_holder_is_named_with_all_that_is_known_of_him() -> None:
    assert holder_in([OTHER, _locked(DETAIL)]) == LockHolder(
        id="da4554fe-b2dc-9aeb-3c0d-7232493b5dd7",
        who="ada@build-7",
        operation="OperationTypeApply",
        created="2026-11-24 03:08:21.14582065 +0000 UTC",
    )


@pytest.mark.parametrize("detail", ["", "ID: 5", "Lock Info:\n  ID:\n  Who:   \n  Path: x"])
def test_a_lock_is_one_even_where_nobody_is_named(detail: str) -> None:
    assert holder_in([_locked(detail)]) == LockHolder()


def test_what_is_said_twice_counts_as_it_was_said_first() -> None:
    detail = DETAIL + "\n  Who: somebody-else\n"

    assert holder_in([_locked(detail)]) == holder_in([_locked(DETAIL)])


def test_errors_about_something_else_name_nobody() -> None:
    assert holder_in([OTHER]) is None
    assert holder_in([]) is None
