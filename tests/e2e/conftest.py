"""One moto server for all end-to-end tests of a session, and a fresh site for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.aws_support import REGION, Moto, moto_server
from tests.e2e.support import Site, new_site
from tests.engines import Engine, embedded, engines, label


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """S3 and DynamoDB over HTTP."""
    with moto_server(tmp_path_factory.mktemp("moto") / "moto.log") as moto:
        yield moto


@pytest.fixture
def bucket(cloud: Moto) -> str:
    """A new bucket that keeps every version."""
    name = f"states-{uuid.uuid4().hex[:12]}"
    client = cloud.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture(params=engines(), ids=label)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine of this machine in turn."""
    found: Engine = request.param
    return found


@pytest.fixture
def site(tmp_path: Path, engine: Engine, cloud: Moto, bucket: str) -> Site:
    """With each engine, its states in a bucket."""
    return new_site(tmp_path, engine, cloud, bucket)


@pytest.fixture
def local_site(tmp_path: Path, engine: Engine) -> Site:
    """With each engine, its states in local files."""
    return new_site(tmp_path, engine)


@pytest.fixture
def embedded_site(tmp_path: Path) -> Site:
    """With the embedded engine and local states, where engines and backends do not differ."""
    return new_site(tmp_path, embedded())


@pytest.fixture
def s3_site(tmp_path: Path, cloud: Moto, bucket: str) -> Site:
    """With the embedded engine and states in a bucket, where engines do not differ."""
    return new_site(tmp_path, embedded(), cloud, bucket)


@pytest.fixture
def new_sites(tmp_path: Path) -> Callable[[str, Engine], Site]:
    """Several sites in one test."""
    return lambda name, engine: new_site(tmp_path / name, engine)
