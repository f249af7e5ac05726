"""Artifacts, in a directory and in a bucket: what was kept comes back as it was, or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from driftctl_py.adapters import artifacts as module
from driftctl_py.adapters.artifacts import LocalArtifacts, S3Artifacts
from driftctl_py.core.audit import Anchor
from driftctl_py.errors import ArtifactError, DriftctlError, StateError, Unavailable
from tests.e2e.aws_support import REGION, Moto

PLAN = b"PK\x03\x04 a saved plan"
REFERENCE = f"sha256-{hashlib.sha256(PLAN).hexdigest()}"
OTHER = f"sha256-{hashlib.sha256(b'other').hexdigest()}"
ONE, TWO = Anchor(1, "1" * 64), Anchor(12, "2" * 64)


def now() -> datetime:
    return datetime.now(UTC)


class Shelf(Protocol):
    """One of the two, and what somebody else could do to it."""

    artifacts: LocalArtifacts | S3Artifacts

    def overwrite(self, reference: str, data: bytes) -> None: ...
    def remove(self, reference: str) -> None: ...
    def names(self) -> set[str]: ...


class Directory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.artifacts = LocalArtifacts(path)

    def overwrite(self, reference: str, data: bytes) -> None:
        self._place(reference).write_bytes(data)

    def remove(self, reference: str) -> None:
        self._place(reference).unlink()

    def names(self) -> set[str]:
        found = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)) for path in found}

    def age(self, reference: str) -> None:
        then = (now() - timedelta(days=30)).timestamp()
        os.utime(self._place(reference), (then, then))

    def _place(self, reference: str) -> Path:
        digest = reference.removeprefix("sha256-")
        return self.path / "sha256" / digest[:2] / digest


class Bucket:
    def __init__(self, cloud: Moto) -> None:
        self.name = f"artifacts-{uuid.uuid4().hex[:12]}"
        self.client = cloud.client("s3")
        self.client.create_bucket(
            Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.artifacts = S3Artifacts(self.name, "drift/control/", lambda: self.client)

    def overwrite(self, reference: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=self.key(reference), Body=data)

    def remove(self, reference: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=self.key(reference))

    def names(self) -> set[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {item["Key"].removeprefix("drift/control/") for item in found}

    def key(self, reference: str) -> str:
        return f"drift/control/sha256/{reference.removeprefix('sha256-')}"


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "artifacts")


@pytest.fixture
def bucket(cloud: Moto) -> Bucket:
    return Bucket(cloud)


@pytest.fixture(params=["directory", "bucket"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    found: Shelf = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def artifacts(shelf: Shelf) -> LocalArtifacts | S3Artifacts:
    return shelf.artifacts


def refused(act: Callable[[], object]) -> DriftctlError:
    with pytest.raises(DriftctlError) as caught:
        act()
    assert caught.value.todo
    return caught.value


def test_what_is_kept_comes_back(shelf: Shelf, artifacts: LocalArtifacts, tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(PLAN)

    assert artifacts.put(PLAN) == REFERENCE
    assert artifacts.put_file(tmp_path / "plan") == REFERENCE
    assert len(shelf.names()) == 1
    assert artifacts.get(REFERENCE) == PLAN
    artifacts.get_file(REFERENCE, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == PLAN
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


@pytest.mark.parametrize("data", [b"", b"\0" * 3_000_000], ids=["nothing", "three megabytes"])
def test_any_size_is_kept(artifacts: LocalArtifacts, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    reference = artifacts.put_file(tmp_path / "file")
    artifacts.get_file(reference, tmp_path / "copy")

    assert artifacts.put(data) == reference
    assert artifacts.get(reference) == data
    assert (tmp_path / "copy").read_bytes() == data


def test_what_is_not_there_is_said_not_to_be(artifacts: LocalArtifacts, tmp_path: Path) -> None:
    for act in (
        lambda: artifacts.get(OTHER),
        lambda: artifacts.get_file(OTHER, tmp_path / "copy"),
    ):
        error = refused(act)
        assert isinstance(error, ArtifactError)
        assert f"{OTHER} is not in" in error.what
    assert list(tmp_path.glob("*copy*")) == []


@pytest.mark.parametrize("data", [b"", PLAN + b"!", PLAN.replace(b"a", b"b"), PLAN[:-1]])
def test_what_somebody_changed_is_not_given_out(
    shelf: Shelf, artifacts: LocalArtifacts, tmp_path: Path, data: bytes
) -> None:
    artifacts.put(PLAN)
    shelf.overwrite(REFERENCE, data)

    for act in (
        lambda: artifacts.get(REFERENCE),
        lambda: artifacts.get_file(REFERENCE, tmp_path / "copy"),
    ):
        error = refused(act)
        assert isinstance(error, ArtifactError)
        assert "is not what was put there: somebody changed it" in error.what
    assert list(tmp_path.glob("*copy*")) == []


def test_what_somebody_changed_is_right_when_it_is_put_again(
    shelf: Shelf, artifacts: LocalArtifacts
) -> None:
    artifacts.put(PLAN)
    shelf.overwrite(REFERENCE, b"changed")
    artifacts.put(PLAN)

    assert artifacts.get(REFERENCE) == PLAN


@pytest.mark.parametrize(
    "reference",
    ["", "sha256-", "sha256-../../../etc/passwd", REFERENCE + "/", REFERENCE.upper(), "md5-00"],
)
def test_what_is_no_reference_is_never_taken_for_a_path(
    artifacts: LocalArtifacts, tmp_path: Path, reference: str
) -> None:
    assert "is no reference to an artifact" in refused(lambda: artifacts.get(reference)).what
    refused(lambda: artifacts.get_file(reference, tmp_path / "copy"))


def test_anchors_come_back_in_the_order_of_the_trail(artifacts: LocalArtifacts) -> None:
    assert artifacts.anchors() == ()
    far = Anchor(123_456, "3" * 64)
    for anchor in (TWO, ONE, far, TWO):
        artifacts.anchor(anchor)

    assert artifacts.anchors() == (ONE, TWO, far)


def test_an_anchor_is_never_written_over(artifacts: LocalArtifacts) -> None:
    artifacts.anchor(ONE)
    other = Anchor(1, "f" * 64)

    error = refused(lambda: artifacts.anchor(other))

    assert "was anchored before, with another hash" in error.what
    # Both are there for `audit verify` to see: one of them is not in the trail.
    assert artifacts.anchors() == (ONE, other)


def test_what_is_no_hash_is_not_anchored(shelf: Shelf, artifacts: LocalArtifacts) -> None:
    refused(lambda: artifacts.anchor(Anchor(1, "../../evil")))
    refused(lambda: artifacts.anchor(Anchor(-1, "1" * 64)))

    assert shelf.names() == set()


def test_what_is_old_goes_unless_it_is_to_be_kept(shelf: Shelf, artifacts: LocalArtifacts) -> None:
    kept = artifacts.put(PLAN)
    artifacts.put(b"other")
    artifacts.anchor(ONE)

    assert artifacts.prune(before=now() - timedelta(hours=1), keep=[]) == 0
    assert artifacts.prune(before=now() + timedelta(hours=1), keep=[kept, "sha256-no"]) == 1
    assert artifacts.get(kept) == PLAN
    refused(lambda: artifacts.get(OTHER))
    assert artifacts.anchors() == (ONE,)


def test_old_anchors_go_but_for_the_newest_and_the_forks(
    artifacts: LocalArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANCHORS_KEPT", 3)
    all_of_them = [Anchor(number, f"{number % 10}" * 64) for number in range(1, 8)]
    for each in all_of_them:
        artifacts.anchor(each)
    fork = Anchor(2, "f" * 64)
    refused(lambda: artifacts.anchor(fork))

    assert artifacts.prune(before=now() - timedelta(hours=1), keep=[]) == 0
    removed = artifacts.prune(before=now() + timedelta(hours=1), keep=[])

    # The last one of a day stays too, and a day may end while they are put.
    assert removed in (2, 3)
    assert {all_of_them[1], fork, *all_of_them[4:]} <= set(artifacts.anchors())


def test_the_last_anchor_of_each_day_stays(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANCHORS_KEPT", 1)
    day = datetime(2026, 9, 1, tzinfo=UTC)
    hours = [(1, 3), (2, 9), (3, 23), (4, 24), (5, 47), (6, 49), (7, 50)]
    for number, hour in hours:
        directory.artifacts.anchor(Anchor(number, "1" * 64))
        (place,) = directory.path.glob(f"audit/*/{number:020}-*")
        moment = (day + timedelta(hours=hour)).timestamp()
        os.utime(place, (moment, moment))

    assert directory.artifacts.prune(before=day + timedelta(hours=48.5), keep=[]) == 3
    # The sixth is no older than what is to be kept.
    assert [each.number for each in directory.artifacts.anchors()] == [3, 5, 6, 7]


def test_those_who_put_the_same_at_once_all_have_it(artifacts: LocalArtifacts) -> None:
    start = threading.Barrier(4)
    found: list[bytes] = []

    def put() -> None:
        start.wait()
        for number in range(5):
            found.append(artifacts.get(artifacts.put(PLAN * (number + 1))))

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == sorted(PLAN * (number % 5 + 1) for number in range(20))


# --- in a directory


def test_what_was_put_again_is_not_old(directory: Directory) -> None:
    directory.artifacts.put(PLAN)
    directory.artifacts.put(b"other")
    directory.age(REFERENCE)
    directory.age(OTHER)
    directory.artifacts.put(PLAN)

    assert directory.artifacts.prune(before=now() - timedelta(days=1), keep=[]) == 1
    assert directory.artifacts.get(REFERENCE) == PLAN


def test_a_directory_is_closed_to_others(directory: Directory) -> None:
    directory.artifacts.put(PLAN)
    directory.artifacts.anchor(ONE)

    for path in [directory.path, *directory.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_directory_that_others_can_read_is_refused(directory: Directory) -> None:
    directory.path.chmod(0o755)

    error = refused(lambda: LocalArtifacts(directory.path))

    assert isinstance(error, ArtifactError)
    assert error.todo == f"chmod 700 {directory.path}"


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    directory: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "growing"
    source.write_bytes(PLAN)
    keeps = LocalArtifacts._keeps

    def grown_meanwhile(place: Path, reference: str) -> bool:
        source.write_bytes(PLAN + b" and more")
        return keeps(place, reference)

    monkeypatch.setattr(LocalArtifacts, "_keeps", staticmethod(grown_meanwhile))

    assert "changed while it was read" in refused(lambda: directory.artifacts.put_file(source)).what
    assert directory.names() == set()


def test_what_is_dropped_is_gone_and_dropping_it_again_is_nothing(shelf: Shelf) -> None:
    reference = shelf.artifacts.put(PLAN)

    shelf.artifacts.drop(reference)
    shelf.artifacts.drop(reference)

    with pytest.raises(ArtifactError):
        shelf.artifacts.get(reference)


def test_a_part_that_a_crash_left_behind_is_pruned(directory: Directory) -> None:
    directory.artifacts.put(PLAN)
    part = directory.path / "sha256" / REFERENCE[7:9] / f".{REFERENCE[7:]}.00.part"
    part.write_bytes(b"half")

    removed = directory.artifacts.prune(before=now() + timedelta(hours=1), keep=[REFERENCE])

    assert removed == 0
    assert not part.exists()
    assert directory.artifacts.get(REFERENCE) == PLAN


def test_a_directory_that_cannot_be_written_to_is_said_not_to_be(directory: Directory) -> None:
    place = directory.path / "sha256" / REFERENCE[7:9]
    place.write_text("in the way")

    error = refused(lambda: directory.artifacts.put(PLAN))

    assert isinstance(error, ArtifactError)
    assert f"{place} is not a directory" in error.what


def test_a_directory_that_vanished_is_said_to_have(directory: Directory) -> None:
    (directory.path / "audit").rmdir()

    assert "cannot list its anchors" in refused(directory.artifacts.anchors).what
    (directory.path / "audit").write_text("in the way")
    assert "cannot take an anchor" in refused(lambda: directory.artifacts.anchor(ONE)).what


def test_a_file_that_is_not_there_cannot_be_kept(artifacts: LocalArtifacts, tmp_path: Path) -> None:
    error = refused(lambda: artifacts.put_file(tmp_path / "nothing"))

    assert isinstance(error, ArtifactError)
    assert str(tmp_path / "nothing") in error.what


# --- in a bucket


def test_each_object_is_encrypted_and_checked_by_s3(bucket: Bucket) -> None:
    bucket.artifacts.put(PLAN)

    head = bucket.client.head_object(
        Bucket=bucket.name, Key=bucket.key(REFERENCE), ChecksumMode="ENABLED"
    )
    assert head["ServerSideEncryption"] == "AES256"
    assert "ChecksumSHA256" in head


def test_the_key_of_the_encryption_can_be_chosen(bucket: Bucket, cloud: Moto) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
    artifacts = S3Artifacts(bucket.name, "", lambda: bucket.client, kms_key_id=key)
    artifacts.put(PLAN)
    artifacts.anchor(ONE)

    for name in artifacts_in(bucket):
        head = bucket.client.head_object(Bucket=bucket.name, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    assert artifacts.anchors() == (ONE,)


def artifacts_in(bucket: Bucket) -> list[str]:
    found = bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]
    names = [item["Key"] for item in found]
    assert sorted(names)[0].startswith("audit/00000000000000000001-")
    return names


def test_what_is_there_already_is_not_put_twice(bucket: Bucket) -> None:
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    for _ in range(3):
        bucket.artifacts.put(PLAN)
        bucket.artifacts.anchor(ONE)

    versions = bucket.client.list_object_versions(Bucket=bucket.name)["Versions"]
    assert len(versions) == 2


def test_what_was_put_long_ago_is_put_again_to_be_as_new(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    monkeypatch.setattr(module, "_FRESH", timedelta(seconds=-10))
    bucket.artifacts.put(PLAN)
    bucket.artifacts.put(PLAN)

    assert len(bucket.client.list_object_versions(Bucket=bucket.name)["Versions"]) == 2
    assert bucket.artifacts.get(REFERENCE) == PLAN


def test_more_than_a_page_is_listed_and_pruned(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    for number in range(8):
        bucket.artifacts.put(b"%d" % number)
        bucket.artifacts.anchor(Anchor(number, "1" * 64))

    assert len(bucket.artifacts.anchors()) == 8
    assert bucket.artifacts.prune(before=now() + timedelta(hours=1), keep=[]) == 8
    assert len(bucket.names()) == 8


def test_a_bucket_that_does_not_exist_is_said_not_to(bucket: Bucket) -> None:
    artifacts = S3Artifacts("no-such-bucket-at-all", "a", lambda: bucket.client)

    for act in (lambda: artifacts.put(PLAN), lambda: artifacts.get(REFERENCE), artifacts.anchors):
        error = refused(act)
        assert isinstance(error, ArtifactError)
        assert "the bucket does not exist" in error.what


def test_s3_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, connect_timeout=1, proxies={}),
    )

    error = refused(lambda: S3Artifacts("bucket", "", lambda: client).put(PLAN))

    assert isinstance(error, Unavailable)


def test_what_is_wrong_with_credentials_is_told_by_who_knows(bucket: Bucket) -> None:
    asked: list[str] = []

    def explain(error: BaseException, why: str) -> DriftctlError | None:
        asked.append(why)
        return StateError("Expired.", todo="Log in.") if isinstance(error, ClientError) else None

    artifacts = S3Artifacts("no-such-bucket-at-all", "", lambda: bucket.client, explain=explain)

    assert refused(lambda: artifacts.put(PLAN)).what == "Expired."
    assert asked == [f"the artifact store s3://no-such-bucket-at-all/ cannot take {REFERENCE}"]
