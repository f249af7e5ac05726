from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from urllib3 import HTTPResponse

from driftctl_py.adapters.aws import Aws
from driftctl_py.adapters.identity import caller_identity, key_digest, new_key, os_user
from driftctl_py.core.approval import Identity
from driftctl_py.errors import StateError, UsageError
from tests.e2e.aws_support import Moto, moto_server


def aws() -> Aws:
    return Aws(clock=lambda: datetime.now(UTC))


def called(proof: str | None, *, secret: str | None = None, **keys: str) -> Identity:
    return caller_identity(proof, secret=secret, keys=keys, aws=aws(), environ={})


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with moto_server(tmp_path_factory.mktemp("moto") / "moto.log") as server:
        yield server


@dataclass(frozen=True)
class Lookalike:
    """What only a test can put in the place of AWS: it is given, not configured."""

    moto: Moto

    def own_sts(self, *, environ: Mapping[str, str]) -> Any:
        del environ
        return self.moto.client("sts")


def test_a_key_is_whose_the_store_says() -> None:
    secret = new_key()

    found = called(None, secret=f"{secret}\n", grace=key_digest("other"), ada=key_digest(secret))

    assert found == Identity("key:ada")
    assert found.verified


def test_two_keys_are_never_alike_and_the_store_keeps_neither() -> None:
    one, other = new_key(), new_key()

    assert one != other
    assert one not in key_digest(one)


def test_a_key_that_nobody_knows_is_refused_and_not_shown() -> None:
    secret = new_key()

    with pytest.raises(UsageError, match="knows no key") as refused:
        called("key", secret=secret, ada=key_digest("other"))
    assert secret not in refused.value.what + refused.value.todo


def test_a_key_that_is_wanted_and_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match="no approver's key"):
        called("key")


def test_without_a_key_the_operating_system_says_who(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")

    found = called(None)

    assert found == os_user()
    assert found.text != "os:somebody-else"
    assert not found.verified


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)

    assert os_user() == Identity("os:4000000")


def test_what_proves_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="proves nobody's identity"):
        called("my word")


def test_aws_says_who_calls(moto: Moto) -> None:
    found = caller_identity("aws", secret=None, keys={}, aws=Lookalike(moto), environ={})

    assert found.text.startswith("aws:arn:aws:sts::123456789012:")
    assert found.verified


REFUSED = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
HOST = "sts.eu-central-1.amazonaws.com"


def test_nobody_but_aws_is_asked_whatever_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As anybody could who wants to be somebody else: every way to lead the question elsewhere.
    elsewhere = "http://127.0.0.1:1"
    config = tmp_path / "config"
    config.write_text(
        f"[default]\nendpoint_url = {elsewhere}\nservices = mine\nca_bundle = {config}\n"
        "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n"
        f"[services mine]\nsts =\n  endpoint_url = {elsewhere}\n"
    )
    environ = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_ENDPOINT_URL": elsewhere,
        "AWS_ENDPOINT_URL_STS": elsewhere,
        "AWS_CA_BUNDLE": str(config),
        "REQUESTS_CA_BUNDLE": str(config),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "HTTPS_PROXY": elsewhere,
        "https_proxy": elsewhere,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = aws().own_sts(environ=environ)
    asked: list[str] = []

    def answered(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(
            request.url, 403, {}, HTTPResponse(BytesIO(REFUSED), preload_content=False)
        )

    client.meta.events.register("before-send.sts.GetCallerIdentity", answered)
    with pytest.raises(ClientError):
        client.get_caller_identity()

    assert asked == [f"https://{HOST}/"]
    sends = client._endpoint.http_session
    assert sends._verify is True
    assert sends._proxy_config.proxy_url_for(asked[0]) is None


@pytest.mark.parametrize(
    ("region", "host"),
    [
        (None, "sts.us-east-1.amazonaws.com"),
        ("eu-central-1", HOST),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_each_region_has_an_sts_of_its_own(region: str | None, host: str) -> None:
    environ = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    client = aws().own_sts(
        environ={**environ, **({"AWS_DEFAULT_REGION": region} if region else {})}
    )

    assert client.meta.endpoint_url == f"https://{host}"


@pytest.mark.parametrize(
    "region",
    [
        "evil.example.com/",
        "evil.example.com#-1",
        "eu-central-1\n",
        "eu-central-1@x",
        "..",
        "us-iso-east-1",
    ],
)
def test_what_is_no_region_becomes_no_host(region: str) -> None:
    with pytest.raises(StateError, match="is no region"):
        aws().own_sts(environ={"AWS_REGION": region})


def test_an_aws_that_does_not_know_us_is_an_error(tmp_path: Path) -> None:
    environ = {
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    with pytest.raises(UsageError, match="AWS does not say who we are"):
        caller_identity("aws", secret=None, keys={}, aws=aws(), environ=environ)
