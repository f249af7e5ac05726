"""The store in a bucket: several machines, each with a copy, and an S3 that does not play along.

The bucket is a real moto server's. What it does not do by itself (refuse, fail, answer too late) is
done on the wire: botocore sends and reads as ever.
"""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import boto3
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from driftctl_py.adapters.store import Objects, Store, bucket, numbers, objects, open_bucket_store
from driftctl_py.adapters.store import bucket_locks as locks
from driftctl_py.adapters.store.bucket import FORMAT, _Change, _encoded
from driftctl_py.adapters.store.migrate import VERSION
from driftctl_py.adapters.store.replica import Row, image_of
from driftctl_py.core.audit import verify
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import State
from driftctl_py.errors import DriftctlError, StateError, StoreError, Unavailable
from tests.adapters.stores import (
    APPROVAL,
    LEASE,
    NOON,
    PLANNED,
    RUN,
    Bucket,
    Place,
    client_of,
    clock,
    new_bucket,
)
from tests.e2e.aws_support import REGION, Moto

PREFIX = "drift/control/memory"
OTHER_LEASE = replace(LEASE, run="r2", worker="build-8:4711")
Answer: TypeAlias = AWSResponse | None


@pytest.fixture
def place(in_bucket: Place) -> Place:
    return in_bucket


@pytest.fixture
def empty(in_empty_bucket: Place) -> Place:
    return in_empty_bucket


@pytest.fixture
def lying(in_empty_bucket: Place) -> Bucket:
    """The bucket itself, whatever is in it."""
    assert in_empty_bucket.bucket is not None
    return in_empty_bucket.bucket


Explain = Callable[[BaseException, str], DriftctlError | None]


_registered: list[tuple[Any, str, Any]] = []


@cache
def _client(cloud: Moto) -> Any:
    """One for all wires: it takes longer to make than most tests do. botocore tries once more."""
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=cloud.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 2}),
    )


@pytest.fixture(autouse=True)
def _left_alone() -> Iterator[None]:
    """No test meddles with the next one's requests."""
    yield
    for client, event, act in _registered:
        client.meta.events.unregister(event, act)
    _registered.clear()


class Wire:
    """Between a store and its bucket: what happens to requests, by the name of the operation."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        kms_key_id: str | None = None,
        explain: Explain = lambda error, why: None,
    ) -> None:
        self.client = _client(bucket.cloud)
        self.objects = Objects(
            bucket.name, PREFIX, lambda: self.client, kms_key_id=kms_key_id, explain=explain
        )
        self.seen: list[str] = []

    def on(self, operation: str, act: Callable[[Any], Answer], *, times: int = 1) -> None:
        """Do that to the next ones. What it returns is taken for S3's answer."""
        left = [times]

        def meddle(request: Any, **_: Any) -> Answer:
            self.seen.append(operation)
            if not left[0]:
                return None
            left[0] -= 1
            return act(request)

        event = f"before-send.s3.{operation}"
        self.client.meta.events.register(event, meddle)
        _registered.append((self.client, event, meddle))


class Body:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.data


def answer(status: int, code: str) -> Callable[[Any], Answer]:
    """As S3 spells a failure."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
    headers = {"Date": "Tue, 24 Nov 2026 12:00:00 GMT"}
    return lambda request: AWSResponse(request.url, status, headers, Body(text.encode()))


def lost(request: Any) -> Answer:
    """It arrives, and what S3 says to it does not."""
    URLLib3Session().send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def unsent(request: Any) -> Answer:
    raise ReadTimeoutError(endpoint_url=request.url)


def machine(place: Place, name: str) -> Place:
    """Another one, with a disk of its own."""
    return replace(place, directory=place.directory.with_name(name))


def opened(wire: Wire, place: Place) -> Store:
    store = open_bucket_store(wire.objects, place.directory, now=clock)
    place.opened.append(store)
    return store


def names(bucket: Bucket, shelf: str) -> list[str]:
    pages = client_of(bucket.cloud).get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    found = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return [key.removeprefix(f"{PREFIX}/") for key in found if key.startswith(f"{PREFIX}/{shelf}")]


def told(store: Store) -> list[str]:
    count, flaws = verify(store.entries(), [])
    assert flaws == ()
    found = [entry.event.run for entry in store.entries()]
    assert len(found) == count
    return found


def refused(act: Callable[[], object]) -> DriftctlError:
    with pytest.raises(DriftctlError) as caught:
        act()
    assert caught.value.todo
    return caught.value


# --- several machines


def test_what_one_machine_records_another_one_knows_at_once(place: Place) -> None:
    mine, other = place.open(), machine(place, "elsewhere").open()
    pinned = Restraint("prod", Why.PINNED, "Rolled back.", "os:ada", NOON, None, "77b0de4", "r1")

    mine.save(RUN, PLANNED)
    other.save(replace(RUN, state=State.HELD), PLANNED)
    mine.approve(APPROVAL, PLANNED)
    mine.restrain(pinned, PLANNED)
    mine.add_key("ada", "d1", PLANNED)

    for store in (mine, other, machine(place, "third").open()):
        assert store.run("r1") == replace(RUN, state=State.HELD)
        assert store.approvals() == (APPROVAL,)
        assert store.restraints() == (pinned,)
        assert store.keys() == {"ada": "d1"}
        assert store.key() == mine.key()
        assert len(told(store)) == 5
    assert other.lift("prod", Why.PINNED, PLANNED)
    assert other.remove_key("ada", PLANNED)
    assert mine.restraints() == ()
    assert mine.keys() == {}


def test_two_stores_of_one_machine_have_a_copy_each(place: Place, cloud: Moto) -> None:
    mine, other = place.open(), replace(place, bucket=new_bucket(cloud)).open()
    mine.save(RUN)

    assert other.runs() == ()
    assert mine.key() != other.key()


def test_what_changes_nothing_puts_nothing(place: Place, lying: Bucket) -> None:
    store = place.open()
    before = names(lying, "log/")

    assert not store.lift("prod", Why.PINNED, PLANNED)
    assert store.forget(NOON) == 0
    store.add_key("ada", "d", PLANNED)
    refused(lambda: store.add_key("ada", "e", PLANNED))

    assert len(names(lying, "log/")) == len(before) + 1


def take_as(place: Place, worker: str, ready: Any, start: Any, taken: Any) -> None:
    """What each of several processes does: it takes the same locks as the others."""
    # Any: multiprocessing's, which have no names.
    with place.open_as_another() as store:
        ready.release()
        start.wait()
        for number in range(5):
            lease = replace(LEASE, environment=f"e{number}", run=worker, worker=worker)
            if store.take(lease) is None:
                taken.put((lease.environment, worker))
            store.take(lease)


def test_of_machines_that_take_a_lock_at_once_one_has_it(place: Place) -> None:
    context = multiprocessing.get_context("spawn")
    ready, start, taken = context.Semaphore(0), context.Event(), context.Queue()
    places = [machine(place, f"m{number}").to_send() for number in range(2)]
    processes = [
        context.Process(target=take_as, args=(each, f"m{at}:1", ready, start, taken))
        for at, each in enumerate(places)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    start.set()
    for process in processes:
        process.join()

    winners = dict(sorted(taken.get() for _ in range(5)))
    assert taken.empty()
    assert {each.environment: each.worker for each in place.open().leases()} == winners


# --- somebody else is faster, and S3 is slow


def test_whoever_is_not_the_first_tries_again_on_what_is_there_then(
    place: Place, lying: Bucket
) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)

    def overtake(_: Any) -> Answer:
        other.save(replace(RUN, id="r2"), replace(PLANNED, run="r2"))
        return None

    wire.on("PutObject", overtake)
    store.save(RUN, PLANNED)

    assert told(store) == told(other) == ["r2", "r1"]
    assert {run.id for run in other.runs()} == {"r1", "r2"}


def test_what_is_not_allowed_any_more_is_refused_and_not_recorded(
    place: Place, lying: Bucket
) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)
    store.save(replace(RUN, state=State.ALLOWED))

    def overtake(_: Any) -> Answer:
        other.save(replace(RUN, state=State.REJECTED), replace(PLANNED, run="rejected"))
        return None

    wire.on("PutObject", overtake)
    error = refused(lambda: store.save(replace(RUN, state=State.APPLYING), PLANNED))

    assert "is rejected by now" in error.what
    assert told(store) == ["rejected"]
    assert store.run("r1") == other.run("r1") == replace(RUN, state=State.REJECTED)


@pytest.mark.parametrize(
    "trouble",
    [
        answer(409, "ConditionalRequestConflict"),
        answer(503, "SlowDown"),
        answer(500, "InternalError"),
        unsent,
        lost,
    ],
    ids=["conflict", "slow down", "failed", "unsent", "answer lost"],
)
def test_what_s3_could_not_say_is_recorded_once(
    place: Place, lying: Bucket, trouble: Callable[[Any], Answer]
) -> None:
    wire = Wire(lying)
    store = opened(wire, place)
    # More often than botocore tries by itself.
    wire.on("PutObject", trouble, times=4)

    store.save(RUN, PLANNED)
    store.note(replace(PLANNED, run="r2"))

    assert told(store) == told(machine(place, "other").open()) == ["r1", "r2"]
    assert wire.seen.count("PutObject") >= 5


def test_with_trouble_and_machines_that_meet_everything_is_recorded_once(
    place: Place, lying: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "WHOLE_AFTER", 5)
    chance = random.Random(7)
    troubles = [answer(409, "ConditionalRequestConflict"), answer(500, "InternalError"), lost]
    wire = Wire(lying)
    stores = [opened(wire, machine(place, f"m{number}")) for number in range(3)]

    def trouble(request: Any) -> Answer:
        return chance.choice(troubles)(request) if chance.random() < 0.3 else None

    wire.on("PutObject", trouble, times=10_000)

    def record(at: int) -> None:
        for number in range(6):
            run = replace(RUN, id=f"{at}-{number}")
            stores[at].save(run, replace(PLANNED, run=run.id))
            assert stores[at].run(run.id) == run

    threads = [threading.Thread(target=record, args=(at,)) for at in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = sorted(f"{at}-{number}" for at in range(3) for number in range(6))
    assert sorted(told(place.open())) == expected
    assert all(told(each) == told(stores[0]) for each in stores)


def test_whoever_makes_the_store_second_takes_the_first_ones(empty: Place, lying: Bucket) -> None:
    wire, others = Wire(lying), list[Store]()

    def overtake(request: Any) -> Answer:
        if request.url.endswith("log/000000000001"):
            others.append(machine(empty, "other").open())
        return None

    wire.on("PutObject", overtake, times=1000)
    store = opened(wire, empty)

    assert len(others) == 1
    assert store.key() == others[0].key()


def test_what_is_gone_before_it_could_be_read_is_looked_for_again(
    place: Place, lying: Bucket
) -> None:
    other = machine(place, "other").open()
    other.take(OTHER_LEASE)
    wire = Wire(lying)
    store = opened(wire, place)
    other.save(RUN, PLANNED)
    for _ in range(2):
        wire.on("GetObject", answer(404, "NoSuchKey"))

    assert store.run("r1") == RUN
    assert store.take(LEASE) is not None
    wire.on("GetObject", answer(404, "NoSuchKey"))
    other.beat(OTHER_LEASE)
    assert store.leases() == ()
    assert not store.beat(LEASE)
    store.free(LEASE)
    assert len(store.leases()) == 1


def test_what_is_never_there_is_given_up(
    place: Place, lying: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(lying)
    store = opened(wire, place)
    store.take(LEASE)
    machine(place, "other").open().beat(LEASE)
    machine(place, "other").open().note(PLANNED)
    monkeypatch.setattr(bucket, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(locks, "BUSY_SECONDS", 0.1)
    wire.on("GetObject", answer(404, "NoSuchKey"), times=1000)

    for act in (store.runs, lambda: store.beat(LEASE), lambda: store.free(LEASE)):
        assert isinstance(refused(act), Unavailable)


@pytest.mark.parametrize("act", ["beat", "free"])
def test_two_signs_of_life_at_once_are_two(place: Place, lying: Bucket, act: str) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)
    store.take(LEASE)

    def overtake(_: Any) -> Answer:
        assert other.beat(LEASE)
        return None

    wire.on("PutObject", overtake)

    assert getattr(store, act)(LEASE) is (True if act == "beat" else None)
    assert len(other.leases()) == (act == "beat")
    assert len(names(lying, "locks/")) == 3


def test_a_lock_whose_answer_was_lost_is_ours(place: Place, lying: Bucket) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)
    wire.on("PutObject", lost, times=4)

    assert store.take(LEASE) is None

    assert (holder := other.take(OTHER_LEASE)) is not None
    assert holder.run == "r1"
    assert store.beat(LEASE)


def test_who_is_never_answered_says_that_it_is_not_known(
    place: Place, lying: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PATIENCE_SECONDS", 0.1)
    wire = Wire(lying)
    store = opened(wire, place)
    wire.on("PutObject", lost, times=3)
    wire.on("PutObject", answer(503, "SlowDown"), times=1000)

    error = refused(lambda: store.save(RUN, PLANNED))

    assert isinstance(error, Unavailable)
    assert "it is not known whether it is recorded" in error.what
    # It was; and is not lost to whoever asks, nor recorded again by who says it again.
    assert told(store) == ["r1"]
    assert machine(place, "other").open().run("r1") == RUN


def test_who_is_never_the_first_gives_up(
    place: Place, lying: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)
    monkeypatch.setattr(bucket, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(locks, "BUSY_SECONDS", 0.1)

    def overtake(_: Any) -> Answer:
        other.note(PLANNED)
        return None

    wire.on("PutObject", overtake, times=1000)
    error = refused(lambda: store.save(RUN))

    assert isinstance(error, Unavailable)
    assert "we were never the first, so nothing was recorded" in error.what
    assert other.run("r1") is None


def test_whoever_is_never_the_first_at_a_lock_gives_up(
    place: Place, lying: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)
    monkeypatch.setattr(locks, "BUSY_SECONDS", 0.1)

    def overtake(_: Any) -> Answer:
        # A lock that is over the moment that it is taken.
        other.take(replace(OTHER_LEASE, seconds=0.0))
        return None

    wire.on("PutObject", overtake, times=1000)

    assert "we were never the first" in refused(lambda: store.take(LEASE)).what


def test_a_copy_that_somebody_works_at_is_waited_for_and_then_said_to_be(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = place.open(), place.open()
    monkeypatch.setattr(bucket, "BUSY_SECONDS", 0.1)
    inside, done = threading.Event(), threading.Event()

    def dawdle(_: Any) -> None:
        inside.set()
        done.wait()

    thread = threading.Thread(target=lambda: other._database.write(dawdle))
    thread.start()
    inside.wait()
    try:
        error = refused(lambda: mine.note(PLANNED))
    finally:
        done.set()
        thread.join()

    assert isinstance(error, Unavailable)
    assert "has been in use by another process" in error.what
    mine.note(PLANNED)


def test_a_copy_that_could_not_follow_catches_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open()

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(bucket, "settle", full)
        # It is in the bucket, so it is not said that it could not be recorded.
        store.save(RUN, PLANNED)

    assert told(store) == ["r1"]
    assert store.run("r1") == RUN


# --- what is pruned


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is pruned that may be, at once, and whatever comes is late."""
    monkeypatch.setattr(numbers, "LATE", timedelta(seconds=-5))
    monkeypatch.setattr(bucket, "WHOLE_AFTER", 4)
    monkeypatch.setattr(numbers, "KEPT", timedelta(seconds=-5))


@pytest.mark.usefixtures("short")
def test_a_new_machine_begins_at_the_last_whole(place: Place, lying: Bucket) -> None:
    store = place.open()
    for number in range(20):
        store.save(replace(RUN, id=f"r{number}"), replace(PLANNED, run=f"r{number}"))

    wire = Wire(lying)
    wire.on("GetObject", lambda _: None)
    new = opened(wire, machine(place, "new"))

    assert told(new) == [f"r{number}" for number in range(20)]
    assert new.latest() == store.latest()
    assert new.key() == store.key()
    # The whole of 20, and 21.
    assert wire.seen.count("GetObject") == 2
    assert names(lying, "whole/") == ["whole/000000000016", "whole/000000000020"]
    assert names(lying, "log/") == [
        "log/000000000001",
        *(f"log/{number:012}" for number in range(16, 22)),
    ]


@pytest.mark.usefixtures("short")
def test_a_machine_that_was_away_for_long_catches_up(place: Place) -> None:
    store, away = place.open(), machine(place, "away").open()
    away.save(replace(RUN, id="before"), replace(PLANNED, run="before"))
    for number in range(13):
        store.note(replace(PLANNED, run=f"r{number}"))

    away.save(replace(RUN, id="after"), replace(PLANNED, run="after"))

    assert told(store) == ["before", *(f"r{number}" for number in range(13)), "after"]
    assert told(away) == told(store)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("before", [0, 1, 5])
def test_a_put_that_was_on_its_way_for_long_does_not_count_under_an_old_number(
    place: Place, lying: Bucket, before: int
) -> None:
    wire, other = Wire(lying), machine(place, "other").open()
    store = opened(wire, place)

    def sleep(_: Any) -> Answer:
        for number in range(13):
            other.note(replace(PLANNED, run=f"r{number}"))
        return None

    said = [f"before{number}" for number in range(before)]
    for run in said:
        store.note(replace(PLANNED, run=run))
    wire.on("PutObject", sleep)
    store.save(RUN, replace(PLANNED, run="late"))

    assert told(other) == [*said, *(f"r{number}" for number in range(13)), "late"]
    assert told(store) == told(other)
    # The first one lay there, and meant nothing.
    assert wire.seen.count("PutObject") >= 2


def test_a_late_put_counts_where_nobody_else_was_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "LATE", timedelta(seconds=-5))
    store = place.open()

    store.save(RUN, PLANNED)
    store.note(replace(PLANNED, run="r2"))
    assert store.take(LEASE) is None
    assert store.beat(LEASE)

    assert told(store) == ["r1", "r2"]


@pytest.mark.usefixtures("short")
def test_who_may_not_remove_anything_records_all_the_same(place: Place, lying: Bucket) -> None:
    wire = Wire(lying)
    store = opened(wire, place)
    wire.on("DeleteObjects", answer(403, "AccessDenied"), times=1000)

    for number in range(12):
        store.note(replace(PLANNED, run=f"r{number}"))
        store.take(LEASE)

    assert len(told(machine(place, "new").open())) == 12
    assert len(names(lying, "log/")) == 13
    assert wire.seen


def test_old_signs_of_life_are_pruned(
    place: Place, lying: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "KEPT", timedelta(seconds=-5))
    store = place.open()
    store.take(LEASE)
    for _ in range(5):
        assert store.beat(LEASE)
    store.free(LEASE)

    assert names(lying, "locks/") == [
        "locks/prod/000000000001",
        "locks/prod/000000000006",
        "locks/prod/000000000007",
    ]
    assert store.leases() == ()


# --- run locks


def test_a_machine_whose_clock_is_wrong_takes_no_lock_over(place: Place, lying: Bucket) -> None:
    place.open().take(LEASE)
    with open_bucket_store(
        lying.objects(),
        machine(place, "ahead").directory,
        now=lambda: clock() + timedelta(days=1),
    ) as ahead:
        holder = ahead.take(OTHER_LEASE)

        assert holder is not None
        assert holder.run == "r1"
        assert abs(holder.beat_at - clock()) < timedelta(minutes=1)
        # And its own are not younger than they are.
        assert ahead.take(replace(OTHER_LEASE, environment="dev", seconds=0.0)) is None
        time.sleep(1.1)
        assert place.open().take(replace(LEASE, environment="dev")) is None


@pytest.mark.parametrize("environment", ["a/b", "späť %2F", ".."])
def test_an_environment_may_have_any_name(place: Place, environment: str) -> None:
    store = place.open()
    lease = replace(LEASE, environment=environment)

    assert store.take(lease) is None
    assert [each.environment for each in store.leases()] == [environment]
    assert store.beat(lease)
    store.free(lease)
    assert store.leases() == ()


def test_what_is_no_lock_is_said_to_be_none(place: Place, lying: Bucket) -> None:
    store = place.open()
    lying.objects().create("locks/prod/000000000001", b'{"format": 2}')

    assert "no run lock that this version can read" in refused(lambda: store.take(LEASE)).what
    assert "no run lock that this version can read" in refused(store.leases).what


# --- what else may be wrong with it


def test_a_bucket_that_is_gone_is_said_to_be(place: Place, lying: Bucket) -> None:
    wrong = Objects("no-such-bucket", PREFIX, lambda: client_of(lying.cloud))

    error = refused(lambda: open_bucket_store(wrong, place.directory, now=clock))

    assert isinstance(error, StoreError)
    assert error.what == (
        "The store s3://no-such-bucket/drift/control/memory/ cannot be listed: the bucket does not "
        "exist."
    )


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("ListObjectsV2", "s3:ListBucket"),
        ("PutObject", "s3:PutObject (and kms:GenerateDataKey where a KMS key encrypts)"),
        ("GetObject", "s3:GetObject (and kms:Decrypt where a KMS key encrypts)"),
    ],
)
def test_a_permission_that_is_missing_is_named(
    place: Place, lying: Bucket, operation: str, permission: str
) -> None:
    machine(place, "other").open().save(RUN, PLANNED)
    wire = Wire(lying)
    wire.on(operation, answer(403, "AccessDenied"), times=1000)

    error = refused(lambda: opened(wire, place).save(replace(RUN, id="r2")))

    assert isinstance(error, StoreError)
    assert "we are not allowed to" in error.what
    assert f"Allow us {permission} there" in error.todo


def test_who_may_only_read_can(place: Place, lying: Bucket) -> None:
    machine(place, "other").open().save(RUN, PLANNED)
    wire = Wire(lying)
    wire.on("PutObject", answer(403, "AccessDenied"), times=1000)

    store = opened(wire, place)

    assert store.runs() == (RUN,)
    assert store.leases() == ()
    assert told(store) == ["r1"]
    assert wire.seen == []


def test_who_may_only_read_begins_nothing(empty: Place, lying: Bucket) -> None:
    wire = Wire(lying)
    wire.on("PutObject", answer(403, "AccessDenied"), times=1000)

    error = refused(lambda: opened(wire, empty))

    assert "is empty, and we are not allowed to begin it" in error.what
    assert "driftctl-py status" in error.todo


def test_credentials_that_expired_are_said_to_have(place: Place, lying: Bucket) -> None:
    wire = Wire(
        lying,
        explain=lambda error, why: StateError(f"Expired, so {why}.", todo="Log in."),
    )
    wire.on("ListObjectsV2", answer(400, "ExpiredToken"), times=1000)

    error = refused(lambda: opened(wire, place))

    assert error.what == (
        f"Expired, so the store s3://{lying.name}/drift/control/memory/ cannot be listed."
    )


def test_an_s3_that_cannot_be_reached_is_unavailable(place: Place, lying: Bucket) -> None:
    wire = Wire(lying)
    store = opened(wire, place)
    wire.on("ListObjectsV2", unsent, times=1000)

    error = refused(store.latest)

    assert isinstance(error, Unavailable)
    assert "cannot be listed: ReadTimeoutError" in error.what


@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, ("AES256", None)), ("alias/plans", ("aws:kms", "alias/plans"))],
)
def test_everything_is_encrypted(
    empty: Place, lying: Bucket, key: str | None, expected: tuple[str, str | None]
) -> None:
    store = opened(Wire(lying, kms_key_id=key), empty)
    store.save(RUN, PLANNED)
    store.take(LEASE)

    for name in lying.cloud.objects(lying.name):
        head = client_of(lying.cloud).head_object(Bucket=lying.name, Key=name)
        assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == expected


def test_an_s3_without_conditional_puts_is_refused(empty: Place, lying: Bucket) -> None:
    wire = Wire(lying)

    def forget(request: Any) -> Answer:
        del request.headers["If-None-Match"]
        return None

    wire.on("PutObject", forget, times=1000)
    error = refused(lambda: opened(wire, empty))

    assert "two could take one run lock" in error.what
    assert names(lying, "log/") == []


def test_an_s3_that_knows_no_conditional_puts_is_refused(empty: Place, lying: Bucket) -> None:
    wire = Wire(lying)
    wire.on("PutObject", answer(501, "NotImplemented"), times=1000)

    assert "this S3 knows no conditional puts" in refused(lambda: opened(wire, empty)).what


def test_an_s3_that_does_not_tell_the_time_is_refused(empty: Place, lying: Bucket) -> None:
    wire = Wire(lying)
    text = b"<?xml version='1.0'?><ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"
    wire.on("ListObjectsV2", lambda request: AWSResponse(request.url, 200, {}, Body(text)))

    assert "does not say what time it is" in refused(lambda: opened(wire, empty)).what


# --- the schema, and what others put there


def put(lying: Bucket, number: int, **changes: Any) -> None:
    """What another version, or somebody else, might put as an entry of the log."""
    change = _Change(FORMAT, VERSION, number, "", "once", [])
    data = _encoded(msgspec.structs.replace(change, **changes))
    assert lying.objects().create(f"log/{number:012}", data)


def digest_of_last(store: Store) -> str:
    database = store._database
    assert isinstance(database, bucket.BucketDatabase)
    at = database._replica.position()
    assert at is not None
    return at.digest


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"schema": "0999"}, "has the schema 0999, and this version of driftctl-py knows none"),
        ({"format": 2}, "is written in the format 2, and this version of driftctl-py knows none"),
    ],
)
def test_what_a_newer_version_has_put_is_refused_and_left_alone(
    place: Place, lying: Bucket, changes: dict[str, Any], what: str
) -> None:
    store = place.open()
    put(lying, 2, before=digest_of_last(store), **changes)

    for act in (store.latest, lambda: store.save(RUN), machine(place, "new").open):
        assert what in refused(act).what

    assert len(names(lying, "log/")) == 2


def test_an_older_schema_is_brought_up_to_date_once(empty: Place, lying: Bucket) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        # The one that comes before the first.
        connection.execute("CREATE TABLE alembic_version (version_num)")
        older = image_of(connection)
    put(lying, 1, schema="0000", whole=older)
    start, stores = threading.Barrier(2), list[Store]()

    def open_at_once(name: str) -> None:
        start.wait()
        stores.append(machine(empty, name).open())

    threads = [threading.Thread(target=open_at_once, args=(f"m{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(names(lying, "log/")) == 2
    assert stores[0].key() == stores[1].key()
    stores[0].save(RUN, PLANNED)
    assert told(stores[1]) == ["r1"]


def test_a_machine_follows_when_another_brings_the_schema_up_to_date(
    place: Place, lying: Bucket
) -> None:
    store = place.open()
    store.save(RUN, PLANNED)
    database = store._database
    assert isinstance(database, bucket.BucketDatabase)
    image = database._replica.image()
    other = replace(PLANNED, run="r2")
    put(lying, 3, before=digest_of_last(store), whole=image)

    store.note(other)

    assert told(store) == told(machine(place, "new").open()) == ["r1", "r2"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (Row("secrets", False, {"id": 1}), "tells of secrets (id)"),
        (Row("runs", False, {"colour": "red"}), "tells of runs (colour)"),
        (Row("alembic_version", False, {"version_num": "0999"}), "tells of alembic_version"),
        (Row("runs", True, {}), "tells of runs ()"),
    ],
)
def test_rows_that_this_version_does_not_know_are_refused_whole(
    place: Place, lying: Bucket, row: Row, what: str
) -> None:
    store = place.open()
    key = Row("approver_keys", False, {"name": "eve", "digest": "d"})
    put(lying, 2, before=digest_of_last(store), rows=[key, row])

    assert what in refused(store.keys).what
    assert what in refused(store.keys).what


def test_a_database_that_does_things_by_itself_is_refused(empty: Place, lying: Bucket) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("CREATE VIEW runs AS SELECT 1 AS number")
        put(lying, 1, whole=image_of(connection))

    assert "does things by itself" in refused(empty.open).what


@pytest.mark.parametrize(
    ("number", "data", "what"),
    [
        (2, b"garbage", "damaged at log/000000000002: it cannot be read"),
        (2, zlib.compress(b"\x93"), "damaged at log/000000000002: it cannot be read"),
        (3, b"", "damaged at log/000000000002: it is missing"),
    ],
)
def test_a_log_that_is_damaged_is_said_to_be(
    place: Place, lying: Bucket, number: int, data: bytes, what: str
) -> None:
    store = place.open()
    lying.objects().create(f"log/{number:012}", data)

    assert what in refused(store.latest).what
    assert what in refused(lambda: store.save(RUN)).what


def test_a_whole_that_is_no_database_is_damage_and_the_copy_stays(
    place: Place, lying: Bucket
) -> None:
    store = place.open()
    before = digest_of_last(store)
    put(lying, 2, before=before, whole=b"This is no database." * 500)

    assert "what is to be the whole of it is no database" in refused(store.latest).what
    assert digest_of_last(store) == before


def test_an_entry_that_does_not_follow_is_damage(place: Place, lying: Bucket) -> None:
    store = place.open()
    put(lying, 2, before="0" * 64)

    assert "it does not follow from the one before it" in refused(store.latest).what


def test_a_beginning_that_is_none_is_damage(empty: Place, lying: Bucket) -> None:
    put(lying, 1)

    assert "it is no beginning" in refused(empty.open).what


def test_what_others_lay_beside_the_log_is_left_alone(place: Place, lying: Bucket) -> None:
    for name in ("log/README", "log/000000000002.bak", "whole/notes", "locks/prod/README"):
        lying.objects().create(name, b"ours")
    store = place.open()

    store.save(RUN, PLANNED)
    assert store.take(LEASE) is None
    assert len(store.leases()) == 1
    assert told(store) == ["r1"]


def test_a_store_that_was_removed_does_not_come_back_empty(empty: Place, lying: Bucket) -> None:
    store = empty.open()
    store.save(RUN, PLANNED)
    lying.objects().remove(names(lying, ""))

    error = refused(lambda: store.save(replace(RUN, id="r2")))

    assert isinstance(error, StoreError)
    assert "is not the one that this machine knows: it ends before entry 2" in error.what
    assert refused(empty.open).what == error.what
    assert names(lying, "") == []


def test_an_older_store_in_its_place_is_refused(place: Place, lying: Bucket) -> None:
    store = place.open()
    store.save(RUN, PLANNED)
    lying.objects().remove(["log/000000000002"])
    replaced = machine(place, "other").open()
    replaced.note(replace(PLANNED, run="forged"))

    assert "it has another entry 2" in refused(store.runs).what
    assert "it has another entry 2" in refused(lambda: store.note(PLANNED)).what


# --- the copy


def copy_of(place: Place) -> Path:
    (path,) = place.directory.glob("memory/*/copy.db")
    return path


@pytest.mark.parametrize("damage", [b"This is no database." * 100, None])
def test_a_copy_that_is_lost_or_damaged_is_made_anew(place: Place, damage: bytes | None) -> None:
    store = place.open()
    store.save(RUN, PLANNED)
    store.close()
    path = copy_of(place)
    for part in path.parent.glob("copy.db*"):
        part.unlink()
    if damage is not None:
        path.write_bytes(damage)
        path.chmod(0o600)

    assert place.open().run("r1") == RUN


def test_a_copy_that_is_lost_while_it_is_open_is_made_anew(place: Place) -> None:
    store, other = place.open(), machine(place, "other").open()
    store.save(RUN, PLANNED)
    for part in copy_of(place).parent.glob("copy.db*"):
        part.unlink()

    other.save(replace(RUN, id="r2"), PLANNED)

    assert store.run("r2") is not None
    store.save(replace(RUN, id="r3"), PLANNED)
    assert {run.id for run in place.open().runs()} == {"r1", "r2", "r3"}


def test_a_copy_that_others_can_read_is_refused(place: Place) -> None:
    place.open().close()
    copy_of(place).chmod(0o644)

    assert "is open to other users (mode 0644)" in refused(place.open).what


def test_a_copy_is_closed_to_others(place: Place) -> None:
    store = place.open()
    store.save(RUN)

    modes = {path.stat().st_mode & 0o777 for path in copy_of(place).parent.iterdir()}

    assert modes == {0o600}


def test_a_place_for_the_copy_that_cannot_be_used_is_said_to_be(place: Place) -> None:
    place.directory.mkdir(mode=0o700)
    (place.directory / "memory").write_text("")

    assert "cannot be used" in refused(place.open).what


def test_threads_share_a_copy(place: Place) -> None:
    store = place.open()

    def record(worker: int) -> None:
        for number in range(4):
            store.save(replace(RUN, id=f"{worker}-{number}"), PLANNED)
            assert store.run(f"{worker}-{number}")

    threads = [threading.Thread(target=record, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(told(store)) == 12


def test_reading_loads_neither_sqlalchemy_nor_alembic(place: Place, lying: Bucket) -> None:
    machine(place, "other").open().save(RUN, PLANNED)
    script = (
        "import sys, pickle; place = pickle.load(sys.stdin.buffer);"
        "loaded = {'sqlalchemy', 'alembic'} & sys.modules.keys();"
        "[sys.modules.pop(name) for name in list(sys.modules) if name.split('.')[0] in loaded];"
        "store = place.open();"
        "assert store.latest() and store.runs() and store.restraints() == store.leases() == ();"
        "assert list(store.entries()) and store.key();"
        "assert not {'sqlalchemy', 'alembic'} & sys.modules.keys()"
    )
    import pickle

    done = subprocess.run(
        [sys.executable, "-c", script],
        input=pickle.dumps(place.to_send()),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
