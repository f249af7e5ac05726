"""Secrets that we know are hidden in what others say."""

from __future__ import annotations

from driftctl_py.core.known_secrets import hide, hide_in
from driftctl_py.errors import Diagnostic


def test_the_longer_secret_goes_first() -> None:
    assert hide("token hunter2hunter2!", {"hunter2hunter2", "hunter2h"}) == "token (hidden)!"


def test_every_text_of_a_diagnostic_is_searched() -> None:
    found = hide_in(
        (Diagnostic("error", "S3CRETS3", "a S3CRETS3", 'x["S3CRETS3"]', "m.tf:1"),), {"S3CRETS3"}
    )

    assert found == (Diagnostic("error", "(hidden)", "a (hidden)", 'x["(hidden)"]', "m.tf:1"),)
