"""What waits for its time, through the command line: with a real engine and a real store."""

from __future__ import annotations

import pytest

from tests.e2e.support import Site
from tests.e2e.test_applying import drift, in_the_folder, last_run, of, wants

pytestmark = pytest.mark.engine


def test_a_freeze_holds_while_people_say_yes_and_its_end_releases(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, git="gate", drift="auto")
    wants(site, cpus=8)

    frozen = site.main("freeze", "--reason", "Black Friday", "--until", "2h")
    planned = site.main("plan", "prod")
    approved = site.main("approve", "prod", "--reason", "Reviewed.")
    held = site.main("apply", "prod")
    run = last_run(site)
    left, status = of(server, "cpus"), site.main("status")
    shown = site.main("show", "prod", "--format", "json").json
    thawed = site.main("thaw", "--reason", "It is over.")
    applied = site.main("apply", "prod")

    assert frozen.code == 0, frozen.out + frozen.err
    assert "Everything is frozen until 2" in frozen.err
    assert planned.code == 2, planned.out + planned.err
    assert approved.code == 0, approved.out + approved.err
    assert held.code == 2, held.out + held.err
    assert held.out.startswith("prod: held until ") or "\nprod: held until " in held.out
    assert left == 2
    assert run["closed"][0]["by_command"] is True
    assert status.code == 2
    assert status.out.startswith("Nothing is applied anywhere: ")
    assert "1 environment: 1 waits for its time" in status.out
    assert [each["why"] for each in shown["restraints"]] == ["frozen"]
    assert thawed.code == 0, thawed.out + thawed.err
    assert applied.code == 0, applied.out + applied.err
    assert of(server, "cpus") == 8
    # It was the very plan that waited.
    assert last_run(site)["id"] == run["id"]
    assert site.main("audit", "verify").code == 0


def test_a_window_for_commits_holds_them_and_drift_is_healed_all_the_same(s3_site: Site) -> None:
    site = s3_site
    server = in_the_folder(site, git="auto", drift="auto")
    # At every moment: nobody who runs this has to wait for one.
    closed = {
        "name": "never",
        "effect": "deny",
        "cron": "* * * * *",
        "duration": "2m",
        "timezone": "Europe/Berlin",
        "causes": ["commit"],
        "message": "Nobody is there.",
    }
    site.configure(windows=[closed])
    site.commit()
    # Drift is put back at a commit of which it is known that it was applied.
    assert site.main("apply", "prod").code == 0
    wants(site, cpus=8)
    drift(server, image="debian-11")

    held = site.main("apply", "prod")
    image, cpus = of(server, "image"), of(server, "cpus")
    once = site.main("controller", "--once")
    site.configure(windows=None)
    site.commit()
    opened = site.main("apply", "prod")

    assert held.code == 2, held.out + held.err
    assert "No commit is applied during never (driftctl.yaml:" in held.out
    assert (image, cpus) == ("debian-13", 2)
    assert once.code == 2, once.out + once.err
    assert "prod: held; the saved plan waits for its time" in once.err
    assert opened.code == 0, opened.out + opened.err
    assert of(server, "cpus") == 8
