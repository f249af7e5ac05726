"""Reading states from a real S3 API and from the disk, and who holds their locks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from driftctl_py.adapters.aws import Aws
from driftctl_py.adapters.state import StateReader
from driftctl_py.core.environment import Credentials
from driftctl_py.core.state import LocalAddress, LockHolder, OtherAddress, S3Address, StateLook
from driftctl_py.errors import StateError, Unavailable

ENVIRON = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
LOCK = b'{"ID":"1","Who":"ada@build-7","Operation":"OperationTypeApply"}'


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws() -> Aws:
    return Aws(clock=lambda: datetime.now(UTC))


@pytest.fixture
def s3(aws: Aws, endpoint: str) -> Any:
    client = aws.client("s3", environ=ENVIRON, region="us-east-1", endpoint=endpoint)
    client.create_bucket(Bucket="states")
    yield client
    for item in client.list_objects_v2(Bucket="states").get("Contents", []):
        client.delete_object(Bucket="states", Key=item["Key"])
    client.delete_bucket(Bucket="states")


def _address(endpoint: str, **more: Any) -> S3Address:
    return S3Address("states", "prod.tfstate", "us-east-1", endpoint, **more)


def _look(aws: Aws, address: Any, directory: Path = Path("/")) -> StateLook:
    return StateReader(aws).look(address, directory=directory, environ=ENVIRON)


def test_the_version_changes_when_the_state_does(aws: Aws, s3: Any, endpoint: str) -> None:
    address = _address(endpoint)

    s3.put_object(Bucket="states", Key="prod.tfstate", Body=b"one")
    looks = [_look(aws, address), _look(aws, address)]
    s3.put_object(Bucket="states", Key="prod.tfstate", Body=b"two")
    after = _look(aws, address)

    assert looks[0] == looks[1]
    assert looks[0].version != after.version
    assert StateReader(aws).read(address, directory=Path("/"), environ=ENVIRON) == b"two"


def test_a_state_that_is_not_there_yet(aws: Aws, s3: Any, endpoint: str) -> None:
    address = _address(endpoint, lock_object=True)

    assert _look(aws, address) == StateLook(version=None, exists=False)
    assert StateReader(aws).read(address, directory=Path("/"), environ=ENVIRON) is None


def test_the_lock_object_names_its_holder(aws: Aws, s3: Any, endpoint: str) -> None:
    s3.put_object(Bucket="states", Key="prod.tfstate.tflock", Body=LOCK)

    look = _look(aws, _address(endpoint, lock_object=True))
    unasked = _look(aws, _address(endpoint))

    assert look.lock == LockHolder("1", "ada@build-7", "OperationTypeApply")
    assert unasked.lock is None


def test_the_lock_table_names_its_holder(aws: Aws, s3: Any, endpoint: str) -> None:
    environ = {**ENVIRON, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}
    table = aws.client("dynamodb", environ=environ, region="us-east-1", endpoint=None)
    table.create_table(
        TableName="locks",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    address = _address(endpoint, lock_table="locks")
    reader = StateReader(aws)
    free = reader.look(address, directory=Path("/"), environ=environ)
    table.put_item(
        TableName="locks",
        Item={"LockID": {"S": "states/prod.tfstate"}, "Info": {"S": LOCK.decode()}},
    )

    held = reader.look(address, directory=Path("/"), environ=environ)

    assert free.lock is None
    assert held.lock == LockHolder("1", "ada@build-7", "OperationTypeApply")


def test_a_lock_table_that_is_not_there_is_said(aws: Aws, s3: Any, endpoint: str) -> None:
    environ = {**ENVIRON, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}

    with pytest.raises(StateError, match="lock table nowhere does not exist"):
        StateReader(aws).look(
            _address(endpoint, lock_table="nowhere"), directory=Path("/"), environ=environ
        )


def test_a_bucket_that_is_not_there_is_said(aws: Aws, endpoint: str) -> None:
    with pytest.raises(StateError, match="bucket nowhere does not exist"):
        _look(aws, S3Address("nowhere", "k", "us-east-1", endpoint))


def test_an_endpoint_that_is_down_is_said(aws: Aws) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        _look(aws, S3Address("states", "k", "us-east-1", "http://127.0.0.1:9"))


class _Answer(BaseHTTPRequestHandler):
    status = 403

    def do_HEAD(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [(403, StateError, r"was denied \(403\)"), (500, Unavailable, "S3 answered 500")],
)
def test_a_far_end_that_says_no(
    aws: Aws, status: int, error: type[Exception], message: str
) -> None:
    handler = type("Answer", (_Answer,), {"status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = S3Address("b", "k", "us-east-1", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(error, match=message):
            _look(aws, address)
        server.shutdown()


class _Refusal(_Answer):
    """As S3: the reason is in the body, and HEAD has none."""

    status = 400
    code = ""

    def do_GET(self) -> None:
        body = f"<Error><Code>{self.code}</Code><Message>token s3cr3t</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidToken"]
)
@pytest.mark.parametrize("lock_object", [True, False])
def test_expired_credentials_ask_for_a_new_login(aws: Aws, code: str, lock_object: bool) -> None:
    handler = type("Refusal", (_Refusal,), {"code": code})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = _address(f"http://127.0.0.1:{server.server_port}", lock_object=lock_object)
        with pytest.raises(StateError, match="AWS credentials have expired") as caught:
            _look(aws, address)
        server.shutdown()

    assert code in caught.value.what
    assert caught.value.todo.startswith("Log in again")
    assert "s3cr3t" not in caught.value.what


@pytest.mark.parametrize(
    ("error", "what", "todo"),
    [
        (SSOTokenLoadError(error_msg="s3cr3t"), "The AWS login is missing or", "Log in again"),
        (UnauthorizedSSOTokenError(), "The AWS login is missing or", "Log in again"),
        (
            TokenRetrievalError(provider="sso", error_msg="s3cr3t"),
            "The AWS login is missing or",
            "Log in again",
        ),
        (
            CredentialRetrievalError(provider="custom-process", error_msg="s3cr3t"),
            "could not be loaded (CredentialRetrievalError from custom-process)",
            "Check the profile",
        ),
        (ProfileNotFound(profile="plan"), "The AWS profile plan does not exist", "Check the"),
        (NoCredentialsError(), "There are no AWS credentials", "Set credentials"),
    ],
)
def test_credentials_that_cannot_be_had_are_not_called_a_silent_network(
    error: Exception, what: str, todo: str
) -> None:
    class Clients(Aws):
        def client(self, *_: object, **__: object) -> Any:
            return self

        def head_object(self, **_: object) -> None:
            raise error

    own = Clients(clock=lambda: datetime.now(UTC))

    with pytest.raises(StateError) as caught:
        StateReader(own).look(_address("http://s3"), directory=Path("/"), environ={})

    assert what in caught.value.what
    assert "prod.tfstate" in caught.value.what
    assert caught.value.todo.startswith(todo)
    assert "s3cr3t" not in caught.value.what


def test_what_a_credential_process_prints_is_not_repeated(aws: Aws, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile plan]\ncredential_process = sh -c 'echo s3cr3t >&2; exit 1'\n")
    environ = {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "plan"}
    role = Credentials(role_arn="arn:aws:iam::123456789012:role/plan")

    for ask in (
        lambda: aws.client("s3", environ=environ, region="us-east-1", endpoint=None),
        lambda: aws.environ(role, environ),
    ):
        with pytest.raises(StateError, match="credentials could not be loaded") as caught:
            ask()
        assert "s3cr3t" not in caught.value.what


def test_a_profile_that_is_not_there_is_said(aws: Aws, endpoint: str) -> None:
    environ = aws.environ(Credentials(profile="nobody"), ENVIRON)

    assert "AWS_ACCESS_KEY_ID" not in environ
    with pytest.raises(StateError, match="nobody"):
        aws.client("s3", environ=environ, region="us-east-1", endpoint=endpoint)


def test_a_profile_is_looked_up_in_the_files_that_the_environment_names(
    aws: Aws, s3: Any, endpoint: str, tmp_path: Path
) -> None:
    files = tmp_path / "credentials"
    files.write_text("[plan]\naws_access_key_id = test\naws_secret_access_key = test\n")
    environ = aws.environ(Credentials(profile="plan"), {"AWS_SHARED_CREDENTIALS_FILE": str(files)})

    client = aws.client("s3", environ=environ, region="us-east-1", endpoint=endpoint)

    assert [item["Name"] for item in client.list_buckets()["Buckets"]] == ["states"]


def test_a_backends_own_profile_reads_its_state(
    aws: Aws, s3: Any, endpoint: str, tmp_path: Path
) -> None:
    files = tmp_path / "credentials"
    files.write_text("[states]\naws_access_key_id = test\naws_secret_access_key = test\n")
    address = _address(endpoint, credentials=Credentials(profile="states"))
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(files)}

    look = StateReader(aws).look(address, directory=tmp_path, environ=environ)

    assert look.exists is False
    with pytest.raises(StateError, match="states"):
        StateReader(aws).look(address, directory=tmp_path, environ={})


def test_this_machine_is_not_reached_through_a_proxy(
    aws: Aws, s3: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    own = Aws(clock=lambda: datetime.now(UTC))

    look = StateReader(own).look(_address(endpoint), directory=Path("/"), environ=ENVIRON)

    assert look.exists is False


def test_an_assumed_role_is_who_the_engine_is(aws: Aws, endpoint: str) -> None:
    environ = {**ENVIRON, "AWS_ENDPOINT_URL_STS": endpoint, "PATH": "/bin"}
    role = Credentials(role_arn="arn:aws:iam::123456789012:role/plan", external_id="x1")

    first, second = (aws.environ(role, environ) for _ in range(2))

    assert first == second
    assert first["AWS_SESSION_TOKEN"]
    assert first["AWS_ACCESS_KEY_ID"] != "test"
    assert first["PATH"] == "/bin"


def test_no_credentials_change_nothing(aws: Aws) -> None:
    assert aws.environ(None, ENVIRON) is ENVIRON


def test_a_role_that_cannot_be_assumed_is_said(aws: Aws) -> None:
    environ = {**ENVIRON, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"}

    with pytest.raises(Unavailable, match="role/plan could not be assumed"):
        aws.environ(Credentials(role_arn="arn:aws:iam::123456789012:role/plan"), environ)


def test_a_local_state_by_its_content(aws: Aws, tmp_path: Path) -> None:
    address = LocalAddress("terraform.tfstate")

    missing = _look(aws, address, tmp_path)
    (tmp_path / "terraform.tfstate").write_text("{}")
    there = _look(aws, address, tmp_path)

    assert missing == StateLook(version=None, exists=False)
    assert there.version is not None
    assert there.lock is None
    assert StateReader(aws).read(address, directory=tmp_path, environ={}) == b"{}"


def test_a_local_lock_is_seen_while_it_is_held_and_no_longer(aws: Aws, tmp_path: Path) -> None:
    state = tmp_path / "terraform.tfstate"
    state.write_text("{}")
    (tmp_path / ".terraform.tfstate.lock.info").write_bytes(LOCK)
    hold = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        held = _look(aws, LocalAddress("terraform.tfstate"), tmp_path)
        holder.communicate()

    free = _look(aws, LocalAddress("terraform.tfstate"), tmp_path)

    assert held.lock == LockHolder("1", "ada@build-7", "OperationTypeApply")
    assert free.lock is None


def test_a_local_state_that_cannot_be_read_is_said(aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateError, match="cannot be read"):
        _look(aws, LocalAddress("file/terraform.tfstate"), tmp_path)


def test_other_backends_cannot_be_asked(aws: Aws) -> None:
    assert _look(aws, OtherAddress("gcs")) == StateLook(version=None, exists=None)
    assert StateReader(aws).read(OtherAddress("gcs"), directory=Path("/"), environ={}) is None
