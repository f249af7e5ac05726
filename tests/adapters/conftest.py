"""Databases and buckets for the tests of what remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.postgres import NoServer, Server, running_server
from tests.adapters.stores import Place, client_of, new_bucket, placed_in
from tests.e2e.aws_support import Moto, moto_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One PostgreSQL for all tests of a session that ask for it."""
    try:
        with running_server() as server:
            yield server
    except NoServer as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres(server: Server, tmp_path: Path) -> Iterator[Place]:
    """A new schema."""
    place = placed_in(server, tmp_path / "data")
    yield place
    place.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    """A new directory."""
    place = Place(tmp_path / "data")
    yield place
    place.close()


@pytest.fixture
def in_empty_bucket(cloud: Moto, tmp_path: Path) -> Iterator[Place]:
    """A new bucket."""
    place = Place(tmp_path / "data", bucket=new_bucket(cloud))
    yield place
    place.close()


@pytest.fixture(scope="session")
def first_entry(cloud: Moto, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """What a store that was just made puts: its name and itself."""
    bucket = new_bucket(cloud)
    Place(tmp_path_factory.mktemp("memory") / "data", bucket=bucket).open_as_another().close()
    found = cloud.objects(bucket.name)
    (name,) = (name for name in found if "/log/" in name)
    return name, found[name]


@pytest.fixture
def in_bucket(in_empty_bucket: Place, first_entry: tuple[str, bytes]) -> Place:
    """A new bucket, in which a store was made by another machine: to make it anew for each test
    would take as long as most of them."""
    assert in_empty_bucket.bucket is not None
    name, data = first_entry
    bucket = in_empty_bucket.bucket
    client_of(bucket.cloud).put_object(Bucket=bucket.name, Key=name, Body=data)
    return in_empty_bucket


@pytest.fixture(params=["sqlite", "postgres", "in_bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each in turn."""
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """S3 over HTTP."""
    with moto_server(tmp_path_factory.mktemp("moto") / "moto.log") as moto:
        yield moto
