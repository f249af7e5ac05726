"""Advice for engine errors that we know."""

from __future__ import annotations

import pytest

from driftctl_py.core.remedy import remedy
from driftctl_py.errors import Diagnostic

VARIABLE = "No value for required variable"


@pytest.mark.parametrize(
    ("summary", "detail", "says"),
    [
        (VARIABLE, 'The variable "size" is not set', "TF_VAR_size is set here but not passed on"),
        (VARIABLE, 'The variable "name" is not set', "`var_files` in driftctl.yaml (name)"),
        (VARIABLE, "something else", "(NAME)"),
        ("Failed to query available provider packages", "", "engine.provider_mirror"),
        ("Failed to install provider", "", "engine.provider_mirror"),
    ],
)
def test_a_known_error_has_a_remedy(summary: str, detail: str, says: str) -> None:
    errors = [Diagnostic("error", "Something unknown"), Diagnostic("error", summary, detail)]

    assert says in remedy(errors, {"TF_VAR_size"})


def test_an_unknown_error_has_none() -> None:
    assert remedy([Diagnostic("error", "Invalid reference")], ()) == ""
