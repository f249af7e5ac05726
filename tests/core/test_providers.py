from __future__ import annotations

import pytest

from driftctl_py.core.providers import unlisted

AWS = "registry.terraform.io/hashicorp/aws"
TOFU_AWS = "registry.opentofu.org/hashicorp/aws"
EVIL = "registry.terraform.io/evil/aws"


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ([], (TOFU_AWS, EVIL, AWS)),
        ([AWS], (TOFU_AWS, EVIL)),
        (["hashicorp/aws"], (EVIL,)),
        (["hashicorp/*"], (EVIL,)),
        (["registry.terraform.io/hashicorp/*"], (TOFU_AWS, EVIL)),
        # A star reaches over no slash, and no part may be left out.
        (["registry.terraform.io/*"], (TOFU_AWS, EVIL, AWS)),
        (["registry.terraform.io/*/aws"], (TOFU_AWS,)),
        (["hashi/aws"], (TOFU_AWS, EVIL, AWS)),
        (["*/aws", "*/*/*"], ()),
    ],
)
def test_only_what_is_listed_may_be_run(allowed: list[str], refused: tuple[str, ...]) -> None:
    assert unlisted([TOFU_AWS, EVIL, AWS], allowed) == tuple(sorted(refused))


def test_of_nothing_nothing_is_refused() -> None:
    assert unlisted([], []) == ()
