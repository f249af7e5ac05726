"""A local state that lies where it is not needed any more: an `init` would migrate and empty it."""

from __future__ import annotations

import pytest

from tests.e2e.support import DATA, Site, verdicts

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("in_bucket", [True, False])
@pytest.mark.parametrize("declared", [True, False])
def test_a_leftover_state_is_left_alone_and_so_is_the_bucket(
    site: Site, *, in_bucket: bool, declared: bool
) -> None:
    site.environment("dev", DATA + (site.backend_block(site.key("dev")) if declared else ""))
    if in_bucket:
        site.apply("dev")
        state = site.snapshot()[0][site.key("dev")]
    else:
        state = (
            b'{"version":4,"terraform_version":"1.6.0","serial":3,'
            b'"lineage":"3b1cd5f0-0000-4000-8000-000000000000","outputs":{},"resources":[]}'
        )
    leftover = site.repo / "environments" / "dev" / "terraform.tfstate"
    leftover.write_bytes(state)
    backup = leftover.with_name("terraform.tfstate.backup")
    backup.write_bytes(state)
    site.configure()
    site.commit()
    before = (site.snapshot(), site.listing())

    report = site.check()

    assert verdicts(report) == {"dev": "in sync" if in_bucket else "pending"}
    assert (site.snapshot(), site.listing()) == before
    assert leftover.read_bytes() == backup.read_bytes() == state
