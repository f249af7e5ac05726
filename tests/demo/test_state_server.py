"""The playground's S3: moto's own answers, and objects that outlive the server."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytest.importorskip("moto")

from driftctl_py.adapters.process import Background
from driftctl_py.demo import serving
from driftctl_py.demo.state_server import BUCKET, HOST, REGION, ready_file
from driftctl_py.errors import Unavailable


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / ".playground").mkdir()
    return tmp_path.resolve()


class Servers:
    """Starts servers and sees to it that none outlives the test."""

    def __init__(self) -> None:
        self.started: list[Background] = []

    def start(self, directory: Path, **options: Any) -> serving.Running:
        running, background = serving.start(directory, environ=os.environ, **options)
        self.started.append(background)
        return running


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    for background in made.started:
        background.terminate()


def client(running: serving.Running) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=running.url,
        region_name=REGION,
        aws_access_key_id="demo",
        aws_secret_access_key="demo",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("POST", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until(condition: Any, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def test_every_object_is_a_file_before_the_client_hears_of_it(
    directory: Path, servers: Servers
) -> None:
    s3 = client(servers.start(directory))
    s3.put_object(Bucket=BUCKET, Key="prod/terraform.tfstate", Body=b"one")
    first = (directory / "state/prod/terraform.tfstate").read_bytes()
    s3.put_object(Bucket=BUCKET, Key="prod/terraform.tfstate", Body=b"two")
    s3.put_object(Bucket=BUCKET, Key="prod/terraform.tfstate.tflock", Body=b"{}")
    second = (directory / "state/prod/terraform.tfstate").read_bytes()
    s3.delete_object(Bucket=BUCKET, Key="prod/terraform.tfstate.tflock")
    left = [path for path in (directory / "state").rglob("*") if path.is_file()]
    s3.close()

    assert (first, second) == (b"one", b"two")
    assert left == [directory / "state/prod/terraform.tfstate"]


def test_a_server_that_was_killed_is_started_again_with_every_object(
    directory: Path, servers: Servers
) -> None:
    running = servers.start(directory)
    s3 = client(running)
    s3.put_object(Bucket=BUCKET, Key="dev/terraform.tfstate", Body=b"\x00state")
    os.kill(running.pid, signal.SIGKILL)
    servers.started[0].process.wait()
    again = servers.start(directory, port=running.port)
    body = s3.get_object(Bucket=BUCKET, Key="dev/terraform.tfstate")["Body"].read()
    s3.close()

    assert again.port == running.port
    assert body == b"\x00state"


def test_of_many_who_take_a_native_lock_one_gets_it(directory: Path, servers: Servers) -> None:
    running = servers.start(directory)
    outcomes: list[str] = []

    def take() -> None:
        s3 = client(running)
        try:
            s3.put_object(Bucket=BUCKET, Key="dev/x.tflock", Body=b"{}", IfNoneMatch="*")
            outcomes.append("taken")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
        finally:
            s3.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["taken"]


def test_nothing_but_the_bucket_is_served(directory: Path, servers: Servers) -> None:
    running = servers.start(directory)
    s3 = client(running)
    s3.put_object(Bucket=BUCKET, Key="dev/terraform.tfstate", Body=b"one")
    reset = get(running.port, "/moto-api/reset")
    other = get(running.port, "/another-bucket")
    s3.close()

    assert reset == (404, b"There is nothing here but the bucket of a driftctl-py playground.\n")
    assert other[0] == 404
    assert (directory / "state/dev/terraform.tfstate").read_bytes() == b"one"


def test_a_key_that_leads_out_of_the_folder_is_never_written(
    directory: Path, servers: Servers
) -> None:
    s3 = client(servers.start(directory))
    s3.put_object(Bucket=BUCKET, Key="a/../../escaped", Body=b"one")
    s3.put_object(Bucket=BUCKET, Key="plain", Body=b"two")
    s3.close()

    assert not (directory / "escaped").exists()
    assert [path.name for path in (directory / "state").rglob("*")] == ["plain"]


def test_a_server_is_found_and_stopped_by_its_directory(directory: Path, servers: Servers) -> None:
    running = servers.start(directory)
    found = serving.find(directory)
    stopped = serving.stop(directory)

    assert found == running
    assert stopped is True
    assert serving.find(directory) is None
    assert serving.stop(directory) is False


def test_a_server_can_be_restarted_on_its_port_at_once(directory: Path, servers: Servers) -> None:
    running = servers.start(directory)
    for _ in range(3):
        serving.stop(directory)
        running = servers.start(directory, port=running.port)

    assert serving.find(directory) == running


def test_a_server_of_another_directory_is_never_stopped(
    directory: Path, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    running = servers.start(directory)
    other = tmp_path_factory.mktemp("other").resolve()
    (other / ".playground").mkdir()
    # A stale file, and the port has since been taken by somebody else.
    ready_file(other).write_bytes(ready_file(directory).read_bytes())

    assert serving.stop(other) is False
    assert serving.find(directory) == running


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "port": 1}'])
def test_a_file_that_makes_no_sense_means_that_none_is_running(directory: Path, text: str) -> None:
    ready_file(directory).write_text(text)

    assert serving.find(directory) is None


def test_a_port_that_is_taken_is_an_error_that_says_so(directory: Path, servers: Servers) -> None:
    running = servers.start(directory)
    other = directory / "other"
    (other / ".playground").mkdir(parents=True)
    with pytest.raises(Unavailable) as caught:
        serving.start(other, environ=os.environ, port=running.port)

    assert "did not start" in caught.value.what
    assert "in use" in caught.value.what
    assert str(other / ".playground" / "state-server.log") in caught.value.todo


def test_a_server_ends_when_the_demo_that_started_it_is_gone(directory: Path) -> None:
    # The demo is a process that starts a server, says which, and is then killed.
    code = (
        "import os, pathlib, time\n"
        "from driftctl_py.demo import serving\n"
        f"directory = pathlib.Path({str(directory)!r})\n"
        "r, _ = serving.start(directory, environ=os.environ, parent=os.getpid())\n"
        "print(r.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    demo = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    port = int(demo.stdout.readline())
    running = serving.find(directory)
    demo.kill()
    demo.communicate()

    assert running is not None
    assert running.port == port
    assert wait_until(lambda: not ready_file(directory).exists())
    assert serving.find(directory) is None
