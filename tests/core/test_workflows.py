"""Workflows made of templates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.workflows import Choices, fill
from driftctl_py.errors import UsageError

CHOICES = Choices("main", "driftctl.yaml", "driftctl-py==1.0", "terraform", "1.11.4", "example")


def test_each_choice_takes_its_place() -> None:
    template = "@BRANCH@ @CONFIG@ @INSTALL@ @ENGINE@ @ENGINE_VERSION@ checkout@08c6 a@b.c"

    assert fill(template, CHOICES) == (
        "main driftctl.yaml driftctl-py==1.0 terraform 1.11.4 checkout@08c6 a@b.c"
    )


@pytest.mark.parametrize("hostile", ['main", evil: "', "a${{github.token}}", "a\nb", "release/*"])
def test_what_would_mean_something_else_makes_no_workflow(hostile: str) -> None:
    with pytest.raises(UsageError, match="The branch"):
        fill("@BRANCH@", replace(CHOICES, branch=hostile))


@given(st.text())
def test_it_is_never_the_full_hour(repository: str) -> None:
    choices = replace(CHOICES, repository=repository)

    assert 3 <= choices.minute <= 57
    assert fill("@MINUTE@", choices) == str(choices.minute)
