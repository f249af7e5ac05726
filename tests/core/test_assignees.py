from __future__ import annotations

import pytest

from driftctl_py.core.approval import People
from driftctl_py.core.assignees import assignees

PEOPLE = People(
    aliases={
        "ada": ("github:ada-l", "ada@example.com"),
        "grace": ("aws:arn:aws:iam::123456789012:user/grace", "github:grace", "github:ada-l"),
        "linus": ("linus@example.com",),
    },
    groups={"dba": ("ada", "grace", "ken"), "nobody": ()},
)


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("dba", ("ada-l", "grace")),
        ("ada", ("ada-l",)),
        ("linus", ()),
        ("nobody", ()),
        ("margaret-h", ("margaret-h",)),
        ("team.platform/x", ()),
        ("@everyone", ()),
    ],
)
def test_an_owner_is_whoever_github_knows_of_them(owner: str, expected: tuple[str, ...]) -> None:
    assert assignees(owner, PEOPLE) == expected
