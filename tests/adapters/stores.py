"""Where a store may be, for tests: opened as the program does, and looked into from behind."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from driftctl_py.adapters.store import Objects, Store, open_bucket_store, open_store
from driftctl_py.core.approval import Approval, Binding, Identity
from driftctl_py.core.audit import Event
from driftctl_py.core.lease import Lease
from driftctl_py.core.run import Purpose, Run, State
from tests.adapters.postgres import Server
from tests.e2e.aws_support import REGION, Moto


def clock() -> datetime:
    """The real one."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One of a moto server, below a prefix."""

    cloud: Moto
    name: str

    def objects(self) -> Objects:
        """As the program has it."""
        return Objects(self.name, "drift/control/memory", lambda: client_of(self.cloud))


@cache
def client_of(cloud: Moto) -> Any:
    """One of boto3's, for all tests: it takes longer to make than to use."""
    return cloud.client("s3")


def new_bucket(cloud: Moto) -> Bucket:
    """An empty one."""
    name = f"memory-{uuid.uuid4().hex[:12]}"
    client_of(cloud).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return Bucket(cloud, name)


@dataclass(frozen=True, slots=True)
class Place:
    """A store that can be opened several times, and looked into from behind."""

    directory: Path
    url: str | None = None
    server: Server | None = None
    bucket: Bucket | None = None
    opened: list[Store] = field(default_factory=list)

    def open(self) -> Store:
        """As the program does. Closed when the test ends."""
        store = self.open_as_another()
        self.opened.append(store)
        return store

    def open_as_another(self) -> Store:
        """The same, for whoever closes it himself: another process."""
        if self.bucket is not None:
            return open_bucket_store(self.bucket.objects(), self.directory, now=clock)
        return open_store(self.url, self.directory, now=clock)

    def to_send(self) -> Place:
        """For another process."""
        return replace(self, opened=[], server=None)

    def of_worker(self, number: int) -> Place:
        """For one of several processes. In a bucket every second one is on a machine of its own."""
        if self.bucket is None or number % 2 == 0:
            return self.to_send()
        return replace(self.to_send(), directory=self.directory.with_name(f"machine-{number}"))

    def close(self) -> None:
        """Close all that were opened."""
        for store in self.opened:
            store.close()

    def another(self) -> Place:
        """A second one beside it."""
        directory = self.directory / "another"
        other = placed_in(self.server, directory) if self.server else Place(directory)
        if self.bucket is not None:
            other = replace(other, bucket=new_bucket(self.bucket.cloud))
        return replace(other, opened=self.opened)

    def engine(self) -> Engine:
        """What a person with the database's own tools could do; of a bucket, to our copy of it."""
        if self.bucket is not None:
            (path,) = self.directory.glob("memory/*/copy.db")
            return create_engine(f"sqlite:///{path}", poolclass=NullPool)
        if self.url is None:
            return create_engine(f"sqlite:///{self.directory}/store.db", poolclass=NullPool)
        url = self.url.replace("postgresql:", "postgresql+psycopg:")
        return create_engine(url, poolclass=NullPool)


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RUN = Run("r1", "prod", State.PLANNING, Purpose.RECONCILE, NOON, "plan", "os:ada", "build-7:4711")
PLANNED = Event("planned", NOON, "os:ada", "prod", "r1", {"fingerprint": "f1-abc"})
LEASE = Lease("prod", "r1", "build-7:4711", NOON, NOON, 60.0)
APPROVAL = Approval(
    "a1",
    "r1",
    Binding("prod", "f1-abc", "e3b0", "1d-lineage"),
    Identity("github:ada"),
    True,
    NOON,
    NOON + timedelta(days=1),
    "Announced.",
    "77b0de4",
)


def rows(place: Place, sql: str) -> list[tuple[object, ...]]:
    """What is there."""
    with place.engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql.replace(":", "\\:")))]


def change(place: Place, sql: str) -> None:
    """Do what no program of ours does."""
    with changing(place) as do:
        do(sql)


@contextmanager
def changing(place: Place) -> Iterator[Callable[[str], object]]:
    """The same, many times."""
    with place.engine().connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        yield lambda sql: alone.execute(text(sql.replace(":", "\\:")))


def record_as(place: Place, worker: int, runs: int) -> bytes:
    """What each of several processes does, one at a time: runs, approvals and events."""
    with place.open_as_another() as store:
        for number in range(runs):
            _record(store, f"w{worker}-{number}", str(worker))
        return store.key()


def _record(store: Store, id: str, worker: str) -> None:
    lease = replace(LEASE, run=id, worker=worker)
    run = replace(RUN, id=id, worker=worker)
    told = replace(PLANNED, run=id, who=worker)
    while store.take(lease) is not None:
        time.sleep(0.002)
    store.save(run, told)
    store.save(replace(run, state=State.HELD), replace(told, what="decided"))
    store.approve(replace(APPROVAL, id=f"a-{id}", run=id), replace(told, what="approved"))
    assert store.beat(lease)
    assert store.latest()["prod"].id == id, "somebody else had the run lock too"
    store.free(lease)


def placed_in(server: Server, directory: Path) -> Place:
    """In a schema of its own."""
    return Place(directory, server.url(schema=server.new_schema()), server)
