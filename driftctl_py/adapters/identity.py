"""Who calls: an approver's key, the AWS caller, or, unverified, the operating system's user."""

from __future__ import annotations

import hashlib
import hmac
import os
import pwd
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from driftctl_py.core.approval import Identity
from driftctl_py.errors import UsageError

# What a key begins with, so that scanners for secrets find one that got lost.
_PREFIX = "driftctl-key-"


class _Clients(Protocol):
    def own_sts(self, *, environ: Mapping[str, str]) -> Any: ...


def os_user() -> Identity:
    """Who runs this process, from the system's list of users; never from a variable that anybody
    can set."""
    number = os.getuid()
    try:
        return Identity(f"os:{pwd.getpwuid(number).pw_name}")
    except KeyError:
        return Identity(f"os:{number}")


def new_key() -> str:
    """A secret for an approver: 256 bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def key_digest(secret: str) -> str:
    """What is kept of it. Without salt or stretching: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def caller_identity(
    proof: str | None,
    *,
    secret: str | None,
    keys: Mapping[str, str],
    aws: _Clients,
    environ: Mapping[str, str],
) -> Identity:
    """Who calls, by that ``proof`` (``key``, ``aws`` or ``os``). Without one: by a key if there is
    a ``secret``, else as the operating system says. AWS is only asked where that is wanted.

    Raises `UsageError` where there is no such proof.
    """
    if proof is None:
        proof = "key" if secret else "os"
    if proof == "key":
        return _by_key(secret, keys)
    if proof == "aws":
        return _by_aws(aws, environ)
    if proof == "os":
        return os_user()
    raise UsageError(
        f"{proof!r} proves nobody's identity here.", todo="Choose one of: key, aws, os."
    )


def _by_key(secret: str | None, keys: Mapping[str, str]) -> Identity:
    if not secret:
        raise UsageError(
            "There is no approver's key.",
            todo="Set DRIFTCTL_APPROVER_KEY to the secret that `driftctl-py key add NAME` printed.",
        )
    digest = key_digest(secret.strip())
    found = [name for name, kept in keys.items() if hmac.compare_digest(kept, digest)]
    if not found:
        raise UsageError(
            "The store knows no key with the secret in DRIFTCTL_APPROVER_KEY.",
            todo="It may have been removed. Have another made: driftctl-py key add NAME",
        )
    return Identity(f"key:{found[0]}")


def _by_aws(aws: _Clients, environ: Mapping[str, str]) -> Identity:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        # Not where ``environ`` leads: whoever sets it could have anything answered.
        arn = str(aws.own_sts(environ=environ).get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else ""
        why = code or type(error).__name__
        raise UsageError(
            f"AWS does not say who we are ({why}).",
            todo="Log in (aws sso login), or look at: aws sts get-caller-identity",
        ) from error
    return Identity(f"aws:{arn}")
