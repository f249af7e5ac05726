"""Evidence, by the digest of what it holds: saved plans, their redacted JSON, reports; and the
anchors of the audit trail.

In a private directory, or below a prefix of an S3 bucket. What is asked for by its digest is
checked against it, so whoever changes a file, or puts another one in its place, is found out.
Nothing is ever written over something else. An anchor's name says all that it holds, so listing
names is enough to read them; two different ones of a number can both be seen.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from driftctl_py.adapters.private import make_private_directory, sync_directory, written_whole
from driftctl_py.core.audit import Anchor
from driftctl_py.errors import ArtifactError, DriftctlError, Unavailable

_REFERENCE = re.compile(r"sha256-([0-9a-f]{64})")
_ANCHOR = re.compile(r"(\d{20})-([0-9a-f]{64})")
_CHUNK = 1 << 20
_ANCHORS = "audit"
_ANCHORS_KEPT = 1000
_CONTENT = "sha256"
# As many as S3 lists, or removes, at once.
_PAGE = 1000

# What was put long ago and is put again is as new, or it would be pruned while it is needed.
_FRESH = timedelta(days=1)


class LocalArtifacts:
    """A directory that nobody but us may read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with self._translated("be used"):
            for each in (directory, directory / _CONTENT, directory / _ANCHORS):
                make_private_directory(each, ArtifactError)

    def put(self, data: bytes) -> str:
        """Keep it; its reference (``sha256-…``). The same bytes are kept once."""
        reference = _reference(hashlib.sha256(data))
        with self._translated(f"take {reference}"):
            place = self._place(reference)
            if not self._keeps(place, reference):
                with written_whole(place) as file:
                    file.write(data)
        return reference

    def put_file(self, path: Path) -> str:
        """Keep what a file holds, however large."""
        with self._translated(f"take {path}"), path.open("rb") as source:
            reference = _reference(_digest(source))
            place = self._place(reference)
            if not self._keeps(place, reference):
                source.seek(0)
                with written_whole(place) as file:
                    changed = f"{path} changed while it was read"
                    _refuse_other(_copy(source, file), reference, changed)
        return reference

    def get(self, reference: str) -> bytes:
        """Raises `ArtifactError` when it is not there, or is not what it was."""
        with self._opened(reference) as file:
            data = file.read()
        _refuse_other(hashlib.sha256(data), reference, self._spoiled(reference))
        return data

    def get_file(self, reference: str, to: Path) -> None:
        """Lay a private copy at ``to``; nothing is there when it is not what it was."""
        with self._opened(reference) as source, written_whole(to) as file:
            _refuse_other(_copy(source, file), reference, self._spoiled(reference))

    def anchor(self, anchor: Anchor) -> None:
        """Keep the head of the trail. Raises `ArtifactError` when there is another one of that
        number: then both are kept, and `audit verify` names the one that is not in the trail."""
        with self._translated("take an anchor"):
            name = _anchor_name(anchor)
            # A thousand to a directory: it is listed for each one, to see that there is no other.
            place = self._directory / _ANCHORS / f"{anchor.number // 1000:017}" / name
            make_private_directory(place.parent, ArtifactError)
            with suppress(FileExistsError):
                os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                sync_directory(place.parent)
            found = os.listdir(place.parent)  # noqa: PTH208 - only the names
        _refuse_fork(anchor, _anchors(found))

    def anchors(self) -> tuple[Anchor, ...]:
        """All that were ever kept, in the order of the trail."""
        with self._translated("list its anchors"):
            shelves = sorted((self._directory / _ANCHORS).iterdir())
            return _anchors(name for shelf in shelves for name in os.listdir(shelf))  # noqa: PTH208 - names alone, of very many

    def prune(self, *, before: datetime, keep: Collection[str]) -> int:
        """Remove what was put before that moment and is not to be kept; how many. Of the anchors
        stay the newest thousand, and the last one of each day."""
        kept, limit, removed = frozenset(keep), before.timestamp(), 0
        with self._translated("be pruned"):
            for shelf in sorted((self._directory / _CONTENT).iterdir()):
                for path in sorted(shelf.iterdir()):
                    # Parts that a crash left behind have no digest, and go by their age too.
                    if f"sha256-{path.name}" not in kept and path.stat().st_mtime < limit:
                        path.unlink(missing_ok=True)
                        removed += not path.name.startswith(".")
            anchors = {path.name: path for path in self._directory.joinpath(_ANCHORS).glob("*/*")}
            put = {
                name: datetime.fromtimestamp(path.stat().st_mtime, UTC)
                for name, path in anchors.items()
            }
            for name in _superfluous_anchors(put, before):
                anchors[name].unlink(missing_ok=True)
                removed += 1
        return removed

    def drop(self, reference: str) -> None:
        """Let go of it now; nothing happens where it is not there."""
        with self._translated(f"let go of {reference}"):
            self._place(reference).unlink(missing_ok=True)

    def _place(self, reference: str) -> Path:
        digest = _digest_of(reference)
        shelf = self._directory / _CONTENT / digest[:2]
        make_private_directory(shelf, ArtifactError)
        return shelf / digest

    @staticmethod
    def _keeps(place: Path, reference: str) -> bool:
        """Whether it is there, whole; from now on it counts as put now."""
        try:
            with place.open("rb") as file:
                if _reference(_digest(file)) != reference:
                    return False
                os.utime(file.fileno())
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _opened(self, reference: str) -> Iterator[BinaryIO]:
        digest = _digest_of(reference)
        with self._translated(f"give {reference}"):
            try:
                file = (self._directory / _CONTENT / digest[:2] / digest).open("rb")
            except FileNotFoundError as error:
                raise _missing(reference, str(self._directory)) from error
            with file:
                yield file

    def _spoiled(self, reference: str) -> str:
        return f"{reference} in {self._directory} is not what was put there: somebody changed it"

    @contextmanager
    def _translated(self, purpose: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            place = error.filename or self._directory
            raise ArtifactError(
                f"The artifact store {self._directory} cannot {purpose}: "
                f"{error.strerror or error} ({place}).",
                todo=f"Free some space: df -h {self._directory}"
                if full
                else f"Check who may write there: ls -la {self._directory}",
            ) from error


class S3Artifacts:
    """A prefix of a bucket. ``client`` gives a boto3 client, each time it is asked, since
    credentials expire. Encryption is asked for with each object: by the key ``kms_key_id``, or
    else by one of the bucket's own. ``explain`` says what is wrong with our credentials, where
    that is what an error is about, in a sentence that ends in what is not possible for it. What is
    not there may lie ``beside``, where others put it who may not write here."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        client: Callable[[], Any],  # boto3 has no types of its own
        *,
        kms_key_id: str | None = None,
        explain: Callable[[BaseException, str], DriftctlError | None] = lambda error, why: None,
        beside: S3Artifacts | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._client = client
        self._explain = explain
        self._beside = beside
        self._encryption: Mapping[str, str] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id}
            if kms_key_id
            else {"ServerSideEncryption": "AES256"}
        )

    @property
    def _shown(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def put(self, data: bytes) -> str:
        """Keep it; its reference (``sha256-…``). The same bytes are kept once."""
        digest = hashlib.sha256(data)
        self._put(_reference(digest), digest.digest(), lambda: data)
        return _reference(digest)

    def put_file(self, path: Path) -> str:
        """Keep what a file holds. S3 compares it with the digest that it was announced with."""
        try:
            with path.open("rb") as file:
                digest = _digest(file)

                def body() -> BinaryIO:
                    file.seek(0)
                    return file

                self._put(_reference(digest), digest.digest(), body)
        except OSError as error:
            raise ArtifactError(
                f"{path} cannot be read: {error.strerror or error}.",
                todo=f"Check who may read it: ls -la {path}",
            ) from error
        return _reference(digest)

    def get(self, reference: str) -> bytes:
        """Raises `ArtifactError` when it is not there, or is not what it was."""
        try:
            with self._translated(f"give {reference}"), self._body(reference) as body:
                data: bytes = body.read()
        except ArtifactError:
            if self._beside is None:
                raise
            # By what it holds it is the same, wherever it lies.
            return self._beside.get(reference)
        _refuse_other(hashlib.sha256(data), reference, self._spoiled(reference))
        return data

    def get_file(self, reference: str, to: Path) -> None:
        """Lay a private copy at ``to``; nothing is there when it is not what it was."""
        with (
            self._translated(f"give {reference}"),
            self._body(reference) as body,
            written_whole(to) as file,
        ):
            _refuse_other(_copy(body, file), reference, self._spoiled(reference))

    def anchor(self, anchor: Anchor) -> None:
        """Keep the head of the trail. Raises `ArtifactError` when there is another one of that
        number: then both are kept, and `audit verify` names the one that is not in the trail."""
        key = f"{self._prefix}{_ANCHORS}/{_anchor_name(anchor)}"
        with self._translated("take an anchor"):
            self._create(key, anchor.hash.encode(), hashlib.sha256(anchor.hash.encode()).digest())
            # S3 lists what was put before, so of two at a time at least one sees the other.
            beginning = f"{_ANCHORS}/{anchor.number:020}-"
            found = [name for name, _ in self._listed(beginning)]
        _refuse_fork(anchor, _anchors(found))

    def anchors(self) -> tuple[Anchor, ...]:
        """All that were ever kept, in the order of the trail."""
        with self._translated("list its anchors"):
            return _anchors(name for name, _ in self._listed(f"{_ANCHORS}/"))

    def prune(self, *, before: datetime, keep: Collection[str]) -> int:
        """Remove what was put before that moment and is not to be kept; how many. Of the anchors
        stay the newest thousand, and the last one of each day. A bucket with versions keeps those
        for as long as its own rules say."""
        kept, removed = frozenset(keep), 0
        with self._translated("be pruned"):
            old = [
                f"{_CONTENT}/{name}"
                for name, at in self._listed(f"{_CONTENT}/")
                if at < before and f"sha256-{name}" not in kept
            ]
            put = dict(self._listed(f"{_ANCHORS}/"))
            old += [f"{_ANCHORS}/{name}" for name in _superfluous_anchors(put, before)]
            for first in range(0, len(old), _PAGE):
                names = old[first : first + _PAGE]
                keys = [{"Key": f"{self._prefix}{name}"} for name in names]
                answer = self._client().delete_objects(
                    Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
                )
                failed = answer.get("Errors", [])
                removed += len(names) - len(failed)
                if failed:
                    raise ArtifactError(
                        f"{self._shown} did not let us remove {len(failed)} old artifacts: "
                        f"{failed[0].get('Code')}.",
                        todo="Allow s3:DeleteObject there, or keep artifacts for ever.",
                    )
        return removed + (self._beside.prune(before=before, keep=keep) if self._beside else 0)

    def drop(self, reference: str) -> None:
        """Let go of it now; nothing happens where it is not there."""
        with self._translated(f"let go of {reference}"):
            key = f"{self._prefix}{_CONTENT}/{_digest_of(reference)}"
            self._client().delete_object(Bucket=self._bucket, Key=key)

    def _put(self, reference: str, digest: bytes, body: Callable[[], bytes | BinaryIO]) -> None:
        key = f"{self._prefix}{_CONTENT}/{_digest_of(reference)}"
        with self._translated(f"take {reference}"):
            if not self._create(key, body(), digest) and not self._is_fresh(key, digest):
                self._overwrite(key, body(), digest)

    def _create(self, key: str, body: bytes | BinaryIO, digest: bytes) -> bool:
        """False when there is one already."""
        from botocore.exceptions import ClientError

        try:
            self._overwrite(key, body, digest, IfNoneMatch="*")
        except ClientError as error:
            # 409: another one is putting the same at this very moment.
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412):
                return False
            raise
        return True

    def _overwrite(
        self, key: str, body: bytes | BinaryIO, digest: bytes, **conditions: str
    ) -> None:
        self._client().put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            # S3 refuses what arrives otherwise.
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=b64encode(digest).decode(),
            **self._encryption,
            **conditions,
        )

    def _is_fresh(self, key: str, digest: bytes) -> bool:
        """Whether what is there is right, and was put not long ago, by S3's own clock."""
        from botocore.exceptions import ClientError

        try:
            head = self._client().head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                return False
            raise
        date = head["ResponseMetadata"]["HTTPHeaders"]["date"]
        from email.utils import parsedate_to_datetime

        age = parsedate_to_datetime(date).astimezone(UTC) - head["LastModified"]
        return bool(head.get("ChecksumSHA256") == b64encode(digest).decode() and age < _FRESH)

    @contextmanager
    def _body(self, reference: str) -> Iterator[Any]:
        # Any: a stream of botocore's, which has no types.
        from botocore.exceptions import ClientError

        key = f"{self._prefix}{_CONTENT}/{_digest_of(reference)}"
        try:
            body = self._client().get_object(Bucket=self._bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
                raise _missing(reference, self._shown) from error
            raise
        with body:
            yield body

    def _listed(self, beginning: str) -> Iterator[tuple[str, datetime]]:
        """Names after the last slash of ``beginning``, and when each was put."""
        start = self._prefix + beginning
        pages = self._client().get_paginator("list_objects_v2")
        for page in pages.paginate(
            Bucket=self._bucket, Prefix=start, PaginationConfig={"PageSize": _PAGE}
        ):
            for item in page.get("Contents", []):
                yield item["Key"].rpartition("/")[2], item["LastModified"]

    def _spoiled(self, reference: str) -> str:
        return f"{reference} in {self._shown} is not what was put there: somebody changed it"

    @contextmanager
    def _translated(self, purpose: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        what = f"The artifact store {self._shown} cannot {purpose}"
        try:
            yield
        except ClientError as error:
            if (ours := self._explain(error, f"{what[0].lower()}{what[1:]}")) is not None:
                raise ours from error
            code = error.response["Error"].get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= 500 or code in _BUSY:
                raise Unavailable(
                    f"{what}: S3 answered {code}.", todo="Try again in a moment."
                ) from error
            raise ArtifactError(
                f"{what}: {_WHY.get(code, f'S3 answered {code}')}.",
                todo=f"Check the bucket and what we may do there: aws s3 ls {self._shown}",
            ) from error
        except BotoCoreError as error:
            if (ours := self._explain(error, f"{what[0].lower()}{what[1:]}")) is not None:
                raise ours from error
            raise Unavailable(
                f"{what}: {type(error).__name__}.",
                todo="Check that S3 can be reached from here, then try again.",
            ) from error
        except OSError as error:
            raise ArtifactError(
                f"{what}: {error.strerror or error} ({error.filename}).",
                todo="Check the disk: df -h",
            ) from error


_WHY = {
    "NoSuchBucket": "the bucket does not exist",
    "AccessDenied": "we are not allowed to",
    "403": "we are not allowed to",
    "PermanentRedirect": "the bucket is in another region",
}
_BUSY = frozenset({"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling"})


def _reference(digest: Any) -> str:
    # Any: hashlib's objects have a name only to type checkers.
    return f"sha256-{digest.hexdigest()}"


def _digest_of(reference: str) -> str:
    """Of a reference that may come from a store that somebody edited: never a path."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ArtifactError(
            f"{reference!r} is no reference to an artifact (sha256-…), so nothing was read.",
            todo="Whoever recorded it was not driftctl-py; driftctl-py audit verify",
        )
    return found[1]


def _digest(file: BinaryIO) -> Any:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest


def _copy(source: Any, target: BinaryIO) -> Any:
    """Copy all of it; the digest of what went by."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest


def _refuse_other(digest: Any, reference: str, what: str) -> None:
    if _reference(digest) != reference:
        raise ArtifactError(f"{what}.", todo="Nothing was done with it. Plan again.")


def _missing(reference: str, where: str) -> ArtifactError:
    return ArtifactError(
        f"{reference} is not in {where}: it was pruned, or somebody removed it.",
        todo="Nothing was done with it. Plan again.",
    )


def _anchor_name(anchor: Anchor) -> str:
    name = f"{anchor.number:020}-{anchor.hash}"
    if _ANCHOR.fullmatch(name) is None:
        raise ArtifactError(
            f"The head of the trail, entry {anchor.number}, has no hash that could be anchored.",
            todo="Somebody edited the store; driftctl-py audit verify",
        )
    return name


def _anchors(names: Iterator[str] | Collection[str]) -> tuple[Anchor, ...]:
    found = (_ANCHOR.fullmatch(name) for name in names)
    return tuple(sorted((Anchor(int(each[1]), each[2]) for each in found if each), key=_in_order))


def _in_order(anchor: Anchor) -> tuple[int, str]:
    return anchor.number, anchor.hash


def _superfluous_anchors(put: Mapping[str, datetime], before: datetime) -> list[str]:
    """Names of those of before that moment that others make superfluous: an anchor vouches for all
    entries up to it, but a younger one may be of a trail that was written anew by then."""
    names = sorted(name for name in put if _ANCHOR.fullmatch(name))
    # Two of one number show that the trail was written anew: both are evidence.
    count = Counter(name.partition("-")[0] for name in names)
    last_of_day = {put[name].date(): name for name in names}
    kept = {*names[-_ANCHORS_KEPT:], *last_of_day.values()}
    return [
        name
        for name in names
        if name not in kept and put[name] < before and count[name.partition("-")[0]] == 1
    ]


def _refuse_fork(anchor: Anchor, anchors: Collection[Anchor]) -> None:
    others = [each for each in anchors if each.number == anchor.number and each != anchor]
    if others:
        raise ArtifactError(
            f"Entry {anchor.number} of the audit trail was anchored before, with another hash: "
            "the trail was written anew, or two stores share these artifacts.",
            todo="driftctl-py audit verify",
        )
