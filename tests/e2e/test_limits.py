"""Limits on the command line, with a real engine whose applies fail; and in the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from driftctl_py.app.limits import Limiting
from driftctl_py.app.ports import Store
from driftctl_py.core.approval import People
from driftctl_py.core.environment import Environment
from driftctl_py.core.limiting import limited
from driftctl_py.core.limits import Limits
from tests.core.test_limiting import NOW, heals, question
from tests.e2e.support import Site, documented

# Fails for as long as there is no file that says otherwise.
BREAKS = """\
resource "terraform_data" "bad" {
  provisioner "local-exec" { command = "test -e $HOME/mended" }
}
"""


def breaking(site: Site) -> Path:
    """An environment whose applies fail; what has to be there to mend it."""
    site.environment("prod", BREAKS)
    site.settings["defaults"] = {"apply": {"git": "auto", "drift": "auto"}}
    site.configure()
    site.commit()
    return site.root / "home" / "mended"


def states(site: Site) -> list[str]:
    """Of all runs, the first one first."""
    runs: list[dict[str, Any]] = site.main("runs", "prod", "--format", "json").json["runs"]
    return [each["state"] for each in reversed(runs)]


@pytest.mark.engine
def test_three_applies_that_fail_block_and_who_unblocks_gives_three_more(s3_site: Site) -> None:
    site = s3_site
    mended = breaking(site)

    first, second, third = (site.main("apply", "prod") for _ in range(3))
    refused = site.main("apply", "prod")
    before = site.snapshot()[0]
    again = site.main("plan", "prod")

    assert [each.code for each in (first, second, third)] == [1, 1, 1]
    assert "blocked" not in first.out + second.out
    assert "prod is blocked now: 3 applies in a row failed" in " ".join(third.out.split())
    assert 'driftctl-py unblock prod --reason "…"' in third.out
    assert refused.code == again.code == 1
    assert documented(refused.out)
    assert site.snapshot()[0] == before
    assert states(site) == ["partly applied"] * 3 + ["refused"] * 2
    assert "blocked" in site.main("status").out

    unblocked = site.main("unblock", "prod", "--reason", "The command was wrong.")
    fourth, fifth = (site.main("apply", "prod") for _ in range(2))
    mended.touch()
    sixth = site.main("apply", "prod")

    assert unblocked.code == 0, unblocked.out + unblocked.err
    assert [each.code for each in (fourth, fifth, sixth)] == [1, 1, 0], sixth.out + sixth.err
    assert states(site)[-3:] == ["partly applied", "partly applied", "applied"]
    assert site.main("audit", "verify").code == 0


def test_what_limits_say_is_in_the_page_about_trouble() -> None:
    limiting = Limiting(cast(Store, None), people=People(), clock=lambda: NOW)
    environment = Environment("prod", "environments/prod", limits=Limits(0, 3, 3))
    instead = limiting._instead(environment)

    found = limited(question(limits=environment.limits, instead=instead), heals(3))
    (of_change,), (of_plan,) = found.of_change.values(), found.of_plan

    assert documented(instead)
    for ruling in (*of_change, of_plan):
        assert ruling.message.endswith(instead)
        assert documented(ruling.message.removesuffix(instead))
