"""Reading where a state is: its version, its lock, its bytes. Never writes, never locks."""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from driftctl_py.core.environment import Credentials
from driftctl_py.core.state import (
    LocalAddress,
    LockHolder,
    OtherAddress,
    S3Address,
    StateAddress,
    StateLook,
    lock_holder,
)
from driftctl_py.errors import StateError, Unavailable


class _Clients(Protocol):
    def environ(
        self, credentials: Credentials | None, environ: Mapping[str, str]
    ) -> Mapping[str, str]: ...
    def client(
        self, service: str, *, environ: Mapping[str, str], region: str | None, endpoint: str | None
    ) -> Any: ...
    def credentials_error(self, error: BaseException, purpose: str) -> StateError | None: ...


class StateReader:
    """Looks at states with boto3 or, for local ones, on the disk."""

    def __init__(self, clients: _Clients) -> None:
        self._clients = clients

    def look(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> StateLook:
        """The state's version and lock now. ``directory`` is what local paths are relative to.

        Raises `StateError` (not there for us, not allowed) or `Unavailable` (did not answer).
        """
        match address:
            case S3Address():
                return self._look_s3(address, environ)
            case LocalAddress():
                return _look_local(directory / address.path)
            case OtherAddress():
                return StateLook(version=None, exists=None)

    def read(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> bytes | None:
        """The state's bytes, or None where there are none or the backend cannot be read."""
        match address:
            case S3Address():
                client = self._s3(address, environ)
                with _translated(address, self._clients):
                    return _get(client, address.bucket, address.key)
            case LocalAddress():
                path = directory / address.path
                try:
                    return path.read_bytes()
                except FileNotFoundError:
                    return None
                except OSError as error:
                    raise _unreadable(path, error) from error
            case OtherAddress():
                return None

    def _s3(self, address: S3Address, environ: Mapping[str, str]) -> Any:
        return self._clients.client(
            "s3",
            environ=self._clients.environ(address.credentials, environ),
            region=address.region,
            endpoint=address.endpoint,
        )

    def _look_s3(self, address: S3Address, environ: Mapping[str, str]) -> StateLook:
        from botocore.exceptions import ClientError

        client = self._s3(address, environ)
        with _translated(address, self._clients):
            lock = None
            if address.lock_object:
                body = _get(client, address.bucket, f"{address.key}.tflock")
                lock = None if body is None else lock_holder(body)
            if address.lock_table is not None and lock is None:
                lock = self._dynamodb_lock(address, environ)
            try:
                head = client.head_object(Bucket=address.bucket, Key=address.key)
            except ClientError as error:
                # HEAD carries no body. Credentials that have expired are a bare 400, and a missing
                # bucket looks like a missing key: ask again.
                if error.response["Error"].get("Code") == "400":
                    _get(client, address.bucket, address.key)
                if error.response["Error"].get("Code") not in {"404", "NoSuchKey"}:
                    raise
                client.head_bucket(Bucket=address.bucket)
                return StateLook(version=None, lock=lock, exists=False)
        return StateLook(version=f"{head.get('VersionId', '')} {head['ETag']}", lock=lock)

    def _dynamodb_lock(self, address: S3Address, environ: Mapping[str, str]) -> LockHolder | None:
        client = self._clients.client(
            "dynamodb",
            environ=self._clients.environ(address.credentials, environ),
            region=address.region,
            endpoint=address.lock_endpoint,
        )
        item = client.get_item(
            TableName=address.lock_table,
            Key={"LockID": {"S": f"{address.bucket}/{address.key}"}},
            ConsistentRead=True,
        ).get("Item")
        if item is None:
            return None
        return lock_holder(item.get("Info", {}).get("S", "").encode())


def _get(client: Any, bucket: str, key: str) -> bytes | None:
    from botocore.exceptions import ClientError

    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
        with body:
            data: bytes = body.read()
            return data
    except ClientError as error:
        if error.response["Error"].get("Code") in {"NoSuchKey", "404"}:
            return None
        raise


# What boto3 calls it, for people.
_WHY = {
    "EndpointConnectionError": "the connection was refused, or its name is not known",
    "ConnectTimeoutError": "no connection came about in time",
    "ReadTimeoutError": "no answer came in time",
    "ConnectionClosedError": "it closed the connection",
    "SSLError": "its certificate is not trusted",
    "ProxyConnectionError": "the proxy cannot be reached",
}


class _translated:
    """Turns boto3's errors into ours, naming the state."""

    def __init__(self, address: S3Address, clients: _Clients) -> None:
        self._address = address
        self._clients = clients

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        address = self._address
        if isinstance(error, NoCredentialsError):
            raise StateError(
                f"There are no AWS credentials to read {address} with.",
                todo="Set credentials in driftctl.yaml, AWS_PROFILE, or the usual AWS variables.",
            ) from error
        if error is not None:
            ours = self._clients.credentials_error(error, f"{address} cannot be read")
            if ours is not None:
                raise ours from error
        if isinstance(error, ClientError):
            code = str(error.response["Error"].get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in {"NoSuchBucket", "404"}:
                raise StateError(
                    f"The bucket {address.bucket} does not exist, so {address} cannot be read.",
                    todo="Check state.s3.bucket, or create the bucket first.",
                ) from error
            if status in {401, 403}:
                raise StateError(
                    f"Access to {address} was denied ({code or status}).",
                    todo="Check the credentials and the permissions on the bucket and its KMS key.",
                ) from error
            if code == "ResourceNotFoundException":
                raise StateError(
                    f"The lock table {address.lock_table} does not exist.",
                    todo="Check state.s3.dynamodb_table.",
                ) from error
            raise Unavailable(
                f"{address} could not be read: S3 answered {code or status}.",
                todo="Try again later.",
            ) from error
        if isinstance(error, BotoCoreError):
            where = address.endpoint or "S3"
            raise Unavailable(
                f"{where} did not answer, so {address} cannot be read: "
                f"{_WHY.get(type(error).__name__, type(error).__name__)}.",
                todo="Check state.s3.endpoint and the network, then try again.",
            ) from error


def _look_local(path: Path) -> StateLook:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return StateLook(version=None, exists=False)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        held = _is_locked(descriptor)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    finally:
        os.close(descriptor)
    lock = None
    if held:
        info = path.with_name(f".{path.name}.lock.info")
        lock = lock_holder(info.read_bytes() if info.exists() else b"")
    return StateLook(version=digest, lock=lock)


def _unreadable(path: Path, error: OSError) -> StateError:
    return StateError(
        f"The local state {path} cannot be read: {error.strerror}.",
        todo="Check the file and its permissions.",
    )


def _is_locked(descriptor: int) -> bool:
    """Whether a process holds the engine's lock. The engine uses a POSIX lock on the state file;
    asking (F_GETLK) takes nothing. The lock's info file alone proves nothing: it outlives its
    process. Elsewhere than on Linux the structure differs, so nothing is claimed there."""
    if not sys.platform.startswith("linux"):
        return False
    query = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, query)
    kind: int = struct.unpack("hhqqi4x", answer)[0]
    return kind != fcntl.F_UNLCK
