"""Reviews in a bucket: apart from the log, and never taken for anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from driftctl_py.adapters.store import Objects, Store, open_bucket_store
from driftctl_py.adapters.store.records import spelled
from driftctl_py.core.approval import Requirement
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import StoreError
from tests.adapters.stores import RUN, Place, client_of, clock

REVIEW = replace(RUN, id="20261124-09", purpose=Purpose.REVIEW, state=State.REVIEWED)
NO_ZONE = REVIEW.started_at.replace(tzinfo=None)
LONG_AGO = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
NEVER_OVER = Requirement(expires_seconds=10**15)


def below(place: Place) -> Objects:
    """Where reviews are."""
    assert place.bucket is not None
    cloud = place.bucket.cloud
    return Objects(place.bucket.name, "drift/control/reviews/runs", lambda: client_of(cloud))


@pytest.fixture
def store(in_bucket: Place) -> Iterator[Store]:
    assert in_bucket.bucket is not None
    with open_bucket_store(
        in_bucket.bucket.objects(),
        in_bucket.directory,
        now=clock,
        reviews=below(in_bucket),
    ) as opened:
        yield opened


def reviews_of(store: Store, environment: str = "prod", limit: int = 10) -> list[str]:
    found = store.runs(environment=environment, states=(State.REVIEWED,), limit=limit)
    return [each.id for each in found]


def test_a_review_is_no_part_of_the_log(store: Store, in_bucket: Place) -> None:
    assert in_bucket.bucket is not None
    before = in_bucket.bucket.objects().listed("").items

    store.save(REVIEW)

    assert in_bucket.bucket.objects().listed("").items == before
    assert store.runs() == ()
    assert store.latest() == {}
    assert store.run(REVIEW.id) == REVIEW
    assert store.find("20261124") == (REVIEW,)
    assert store.run("20261124") is None
    assert store.find("") == ()


def test_the_latest_reviews_of_an_environment_come_first(store: Store) -> None:
    for hour in ("08", "10", "09"):
        store.save(replace(REVIEW, id=f"20261124-{hour}"))
    store.save(replace(REVIEW, id="20261124-11", environment="prod/eu"))
    store.save(replace(REVIEW, id="20261124-12", state=State.FAILED))

    assert reviews_of(store) == ["20261124-10", "20261124-09", "20261124-08"]
    assert reviews_of(store, limit=2) == ["20261124-10"], "the one that failed is the latest"
    assert reviews_of(store, "prod/eu") == ["20261124-11"]
    everywhere = store.runs(states=(State.REVIEWED,))
    assert [each.id[-2:] for each in everywhere] == ["11", "10", "09", "08"]
    assert [each.id for each in store.find("20261124-1")] == [
        "20261124-12",
        "20261124-11",
        "20261124-10",
    ]


def test_what_is_no_review_is_none_whatever_is_written_there(
    store: Store, in_bucket: Place
) -> None:
    objects = below(in_bucket)
    written: list[tuple[str, bytes]] = [
        ("prod/r1", spelled(replace(RUN, state=State.APPLIED)).encode()),
        ("prod/r2", spelled(replace(REVIEW, id="r2", state=State.APPLIED)).encode()),
        ("prod/r3", spelled(replace(REVIEW, id="other")).encode()),
        ("prod/r4", spelled(replace(REVIEW, id="r4", environment="dev")).encode()),
        ("prod/r5", b"\xff{"),
        ("prod/r6", b"{}"),
        ("prod/r7", b'{"artifacts":' + b"[" * 100_000),
        ("prod/r8", spelled(replace(REVIEW, id="r8", started_at=NO_ZONE)).encode()),
        ("prod/r9", spelled(replace(REVIEW, id="r9", started_at=LONG_AGO)).encode()),
        ("prod/r10", spelled(replace(REVIEW, id="r10", requirement=NEVER_OVER)).encode()),
    ]
    for name, text in written:
        objects.create(name, text)

    assert reviews_of(store) == []
    assert [store.run(name.rpartition("/")[2]) for name, _ in written] == [None] * len(written)


def test_a_review_stays_as_it_is(store: Store) -> None:
    store.save(REVIEW)

    with pytest.raises(StoreError, match="another review"):
        store.save(replace(REVIEW, fingerprint="f1-other"))
    assert store.run(REVIEW.id) == REVIEW


def test_all_else_is_as_in_any_store(store: Store) -> None:
    held: Run = replace(RUN, state=State.HELD)
    store.save(held)
    store.save(REVIEW)

    assert store.runs(environment="prod") == (held,)
    assert store.run("r1") == held
    assert store.find("r1") == (held,)


def test_reviews_are_forgotten_with_the_rest(store: Store) -> None:
    store.save(REVIEW)

    assert store.forget(datetime.now(UTC) - timedelta(days=1)) == 0
    assert store.forget(datetime.now(UTC) + timedelta(days=1)) == 1
    assert store.run(REVIEW.id) is None
