"""Objects below a prefix of a bucket, none of which is ever written over.

Of several who create one of the same name, one does: that is all that the store asks of S3, beside
that it lists what was put (`If-None-Match: *`, strong consistency). What an answer that got lost
leaves open is found out: the bytes that are there are compared with ours. Moments are S3's, since
the clocks of several machines differ.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from secrets import SystemRandom
from typing import Any

from driftctl_py.errors import DriftctlError, StoreError, Unavailable

# For how long S3 may fail before we do: longer than it takes to get over a "slow down".
PATIENCE_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_FIRST_TURN, _SHORTEST_TURN = 0.2, 0.02
_AT_ONCE = 8
# A few small ones are kept in mind: run locks, and what came before our own.
_KNOWN, _SMALL = 30, 1 << 16
# As many as S3 removes at once.
_PAGE = 1000


class NotAllowed(StoreError):
    """A permission is missing; ``todo`` names it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One that is listed. ``name`` is what follows the prefix; ``at`` is when it was put."""

    name: str
    etag: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """What there was at a moment, in the order of the names."""

    at: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Created:
    """One that is there since a moment, and is ours."""

    at: datetime
    etag: str


def attempts(seconds: float) -> Iterator[None]:
    """Again and again where S3 does not get on with it, after pauses that get longer; until it has
    been long enough."""
    until, longest, chance = time.monotonic() + seconds, _FIRST_PAUSE, SystemRandom()
    while True:
        yield
        pause = chance.uniform(longest / 4, longest)
        if time.monotonic() + pause > until:
            return
        time.sleep(pause)
        longest = min(longest * 2, _LONGEST_PAUSE)


def turns(seconds: float) -> Iterator[None]:
    """Again and again where somebody else was faster, until it has been long enough. Who comes new
    lets those go first who have waited, whose pauses get shorter: somebody always gets on, so it is
    not the bucket that has to be spared, but the one who is never the first."""
    until, longest, chance = time.monotonic() + seconds, _FIRST_TURN, SystemRandom()
    while True:
        yield
        pause = chance.uniform(0, longest)
        if time.monotonic() + pause > until:
            return
        time.sleep(pause)
        longest = max(longest * 0.8, _SHORTEST_TURN)


class Objects:
    """See `adapters.artifacts.S3Artifacts` for ``client``, ``kms_key_id`` and ``explain``."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        client: Callable[[], Any],  # boto3 has no types of its own
        *,
        kms_key_id: str | None = None,
        explain: Callable[[BaseException, str], DriftctlError | None] = lambda error, why: None,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._client = client
        self._explain = explain
        self._encryption: Mapping[str, str] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id}
            if kms_key_id
            else {"ServerSideEncryption": "AES256"}
        )
        # What was put stays as it is: the last few need not be asked for again.
        self._known: dict[str, tuple[bytes, Created]] = {}

    @property
    def shown(self) -> str:
        """Where that is, for people."""
        return f"s3://{self._bucket}/{self._prefix}"

    def listed(self, beginning: str, *, after: str = "") -> Listing:
        """Those whose names begin so and come after ``after``."""
        found: list[Item] = []
        moments = []
        after_key = {"StartAfter": self._prefix + after} if after else {}
        with self._translated("be listed", "s3:ListBucket"):
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(
                Bucket=self._bucket, Prefix=self._prefix + beginning, **after_key
            ):
                moments.append(self._moment(page))
                found += [
                    Item(
                        item["Key"].removeprefix(self._prefix),
                        _bare(item["ETag"]),
                        item["Size"],
                        item["LastModified"],
                    )
                    for item in page.get("Contents", [])
                ]
        # The first page's: what is put while the others are fetched may be missing.
        return Listing(moments[0], tuple(found))

    def get(self, item: Item) -> bytes | None:
        """What one holds that was listed; None when it is not there any more."""
        known = self._known.get(item.name)
        if known is None or known[1].etag != item.etag:
            known = self._got(item.name)
        return None if known is None else known[0]

    def get_all(self, items: Sequence[Item]) -> list[bytes | None]:
        """Several, at once."""
        if len(items) < 2:
            return [self.get(item) for item in items]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.get, items))

    def create(self, name: str, data: bytes) -> Created | None:
        """None: somebody else's is there. Raises `Unavailable` where S3 does not say whether ours
        is, and then it may be."""
        from botocore.exceptions import BotoCoreError, ClientError

        failure = ""
        for _ in attempts(PATIENCE_SECONDS):
            try:
                with self._translated("be written", _TO_PUT):
                    return self._know(name, data, self._put(name, data))
            except Unavailable as error:
                # It may be there for all that, and then the next one finds it.
                failure = error.what
            except DriftctlError as error:
                cause = error.__cause__
                if isinstance(cause, ClientError | BotoCoreError) and _status(cause) == 412:
                    found = self._got(name)
                    return found[1] if found is not None and found[0] == data else None
                raise
        raise Unavailable(
            f"{self.shown} did not say within {PATIENCE_SECONDS:.0f} seconds whether {name} was "
            f"written, so it is not known whether it is recorded. {failure}",
            todo="Look when it answers again: driftctl-py runs",
        )

    def remove(self, names: Collection[str]) -> None:
        """Let go of some. One that is gone already is fine."""
        keys = [{"Key": self._prefix + name} for name in names]
        with self._translated("be pruned", "s3:DeleteObject"):
            for first in range(0, len(keys), _PAGE):
                self._client().delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": keys[first : first + _PAGE], "Quiet": True},
                )

    def _put(self, name: str, data: bytes) -> Created:
        answer = self._client().put_object(
            Bucket=self._bucket,
            Key=self._prefix + name,
            Body=data,
            IfNoneMatch="*",
            # S3 refuses what arrives otherwise.
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=b64encode(sha256(data).digest()).decode(),
            **self._encryption,
        )
        return Created(self._moment(answer), _bare(answer["ETag"]))

    def _got(self, name: str) -> tuple[bytes, Created] | None:
        from botocore.exceptions import ClientError

        with self._translated("be read", _TO_GET):
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
                    return None
                raise
            made = Created(answer["LastModified"], _bare(answer["ETag"]))
            with answer["Body"] as body:
                data: bytes = body.read()
        return data, self._know(name, data, made)

    def _know(self, name: str, data: bytes, made: Created) -> Created:
        if len(data) <= _SMALL:
            # Another thread's may be pushed out: then it is asked for again.
            self._known = dict(list(self._known.items())[-_KNOWN:]) | {name: (data, made)}
        return made

    def _moment(self, answer: Mapping[str, Any]) -> datetime:
        # Any: what botocore makes of an answer.
        from email.utils import parsedate_to_datetime

        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            raise StoreError(
                f"{self.shown} does not say what time it is there, so nobody could tell whether a "
                "run lock has expired.",
                todo="Use an S3 that answers with a Date, as HTTP asks for, or store: {url_env: …}",
            )
        return parsedate_to_datetime(date).astimezone(UTC)

    @contextmanager
    def _translated(self, purpose: str, permission: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        what = f"The store {self.shown} cannot {purpose}"
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            if (ours := self._explain(error, f"{what[0].lower()}{what[1:]}")) is not None:
                raise ours from error
            if not isinstance(error, ClientError):
                raise Unavailable(
                    f"{what}: {type(error).__name__}.",
                    todo="Check that S3 can be reached from here, then try again.",
                ) from error
            code = error.response["Error"].get("Code", "")
            status = _status(error)
            if code in ("AccessDenied", "403", "AllAccessDisabled"):
                raise NotAllowed(
                    f"{what}: we are not allowed to.",
                    todo=f"Allow us {permission} there; see the documentation of `store`.",
                ) from error
            if status == 501:
                raise StoreError(
                    f"{what}: this S3 knows no conditional puts ({code}), and without them two "
                    "could take one run lock.",
                    todo="Use another S3, or store: {url_env: DRIFTCTL_STORE_URL}",
                ) from error
            # 409: somebody puts the same name at this very moment.
            if status >= 500 or status == 409 or code in _BUSY:
                raise Unavailable(
                    f"{what}: S3 answered {code}.", todo="Try again in a moment."
                ) from error
            raise StoreError(
                f"{what}: {_WHY.get(code, f'S3 answered {code}')}.",
                todo=f"Check the bucket and what we may do there: aws s3 ls {self.shown}",
            ) from error


_TO_PUT = "s3:PutObject (and kms:GenerateDataKey where a KMS key encrypts)"
_TO_GET = "s3:GetObject (and kms:Decrypt where a KMS key encrypts)"
_WHY = {
    "NoSuchBucket": "the bucket does not exist",
    "PermanentRedirect": "the bucket is in another region",
}
_BUSY = frozenset({"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling"})


def _bare(etag: str) -> str:
    """Some look-alikes quote it in one answer and not in another."""
    return etag.strip('"')


def _status(error: Any) -> int:
    # Any: an error of botocore's, of which only one kind has an answer.
    answer = getattr(error, "response", {})
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
