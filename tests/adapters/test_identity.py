from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftctl_py.adapters.aws import Aws
from driftctl_py.adapters.identity import caller_identity, key_digest, new_key, os_user
from driftctl_py.core.approval import Identity
from driftctl_py.errors import UsageError
from tests.e2e.aws_support import Moto, moto_server


def aws() -> Aws:
    return Aws(clock=lambda: datetime.now(UTC))


def called(proof: str | None, *, secret: str | None = None, **keys: str) -> Identity:
    return caller_identity(proof, secret=secret, keys=keys, aws=aws(), environ={})


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with moto_server(tmp_path_factory.mktemp("moto") / "moto.log") as server:
        yield server


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


def test_aws_says_who_calls(moto: Moto, tmp_path: Path) -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": moto.endpoint,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }

    found = caller_identity("aws", secret=None, keys={}, aws=aws(), environ=environ)

    assert found.text.startswith("aws:arn:aws:sts::123456789012:")
    assert found.verified


def test_an_aws_that_does_not_know_us_is_an_error(tmp_path: Path) -> None:
    environ = {
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    with pytest.raises(UsageError, match="AWS does not say who we are"):
        caller_identity("aws", secret=None, keys={}, aws=aws(), environ=environ)
