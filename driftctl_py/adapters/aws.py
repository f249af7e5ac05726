"""Who we are in AWS: one set of credentials, for the engine's environment and for boto3 alike."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftctl_py.core.environment import Credentials
from driftctl_py.errors import StateError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

# Temporary credentials are renewed while they still outlive a long plan's start.
_RENEW_BEFORE = timedelta(minutes=15)
_FILES = {
    "config_file": "AWS_CONFIG_FILE",
    "credentials_file": "AWS_SHARED_CREDENTIALS_FILE",
    "ca_bundle": "AWS_CA_BUNDLE",
}
_STATIC = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# What AWS answers to temporary credentials whose time is over. S3 says 400 to most of them.
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidToken"})
# botocore's classes by name, since older ones lack some. A login's errors have a common base.
_LOGIN = frozenset(
    {
        "LoginError",
        "NoAuthTokenError",
        "RefreshWithMFAUnsupportedError",
        "SSOError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
_CREDENTIALS = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "CredentialRetrievalError",
        "InfiniteLoopConfigError",
        "InvalidConfigError",
        "MetadataRetrievalError",
        "PartialCredentialsError",
        "UnknownCredentialError",
        "UnknownTokenProviderError",
    }
)
# It becomes part of a host's name.
_REGION = re.compile(r"[a-z]{2}(?:-gov)?-[a-z]+-[0-9]{1,2}")
_LOG_IN = "Log in again (aws sso login, or renew AWS_SESSION_TOKEN), then check again."


@dataclass(frozen=True, slots=True)
class _Assumed:
    environ: Mapping[str, str]
    expires_at: datetime


class Aws:
    """Sessions and clients, made once per identity and shared by all threads."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._assumed: dict[tuple[object, ...], _Assumed] = {}
        self._clients: dict[tuple[object, ...], Any] = {}

    def environ(
        self, credentials: Credentials | None, environ: Mapping[str, str]
    ) -> Mapping[str, str]:
        """The engine's environment with the right AWS identity in it.

        Static keys win over a profile in every AWS SDK, so they are taken out where a profile or
        a role is configured.
        """
        if credentials is None or not (credentials.profile or credentials.role_arn):
            return environ
        base = {name: value for name, value in environ.items() if name not in _STATIC}
        if credentials.profile:
            base["AWS_PROFILE"] = credentials.profile
        elif credentials.role_arn:
            base = dict(environ)
        if not credentials.role_arn:
            return base
        with self._lock:
            key = (credentials, _identity(base))
            assumed = self._assumed.get(key)
            if assumed is None or assumed.expires_at - _RENEW_BEFORE < self._clock():
                assumed = self._assumed[key] = self._assume(credentials, base)
        rest = {
            name: value for name, value in base.items() if name not in {*_STATIC, "AWS_PROFILE"}
        }
        return {**rest, **assumed.environ}

    def client(
        self, service: str, *, environ: Mapping[str, str], region: str | None, endpoint: str | None
    ) -> Any:  # boto3 has no types of its own
        """A boto3 client that is whoever ``environ`` says."""
        with self._lock:
            key = (service, region, endpoint, _identity(environ))
            if key not in self._clients:
                self._clients[key] = _new_client(service, environ, region, endpoint)
            return self._clients[key]

    def own_sts(self, *, environ: Mapping[str, str]) -> Any:  # boto3 has no types of its own
        """A client of AWS's own STS with the credentials of ``environ``, whatever endpoint, proxy
        or certificates are configured: what it answers must not be anybody else's word.

        Raises `StateError` for a region that has none, and as `client` does.
        """
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        if _REGION.fullmatch(region) is None:
            raise StateError(
                f"{region!r} is no region with an STS at amazonaws.com or amazonaws.com.cn.",
                todo="Set AWS_REGION to one of yours, such as eu-central-1.",
            )
        china = ".cn" if region.startswith("cn-") else ""
        endpoint = f"https://sts.{region}.amazonaws.com{china}"
        return _new_client("sts", environ, region, endpoint, only_there=True)

    def credentials_error(self, error: BaseException, purpose: str) -> StateError | None:
        """What is wrong with our credentials, or None where ``error`` is about something else.

        ``purpose`` ends the sentence, as in "the state cannot be read".
        """
        return _credentials_error(error, purpose)

    def _assume(self, credentials: Credentials, environ: Mapping[str, str]) -> _Assumed:
        from botocore.exceptions import BotoCoreError, ClientError

        role = credentials.role_arn or ""
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        request: dict[str, str] = {
            "RoleArn": role,
            "RoleSessionName": credentials.session_name,
        }
        if credentials.external_id:
            request["ExternalId"] = credentials.external_id
        try:
            client = _new_client("sts", environ, region, None)
            answer = client.assume_role(**request)["Credentials"]
        except ClientError as error:
            if (ours := _credentials_error(error, f"{role} cannot be assumed")) is not None:
                raise ours from error
            raise StateError(
                f"AWS did not let us assume {role}: {error.response['Error'].get('Code')}.",
                todo="Check the role's trust policy and the credentials that assume it.",
            ) from error
        except BotoCoreError as error:
            if (ours := _credentials_error(error, f"{role} cannot be assumed")) is not None:
                raise ours from error
            raise Unavailable(
                f"{role} could not be assumed: {str(error).rstrip('.')}.",
                todo="Check the AWS credentials.",
            ) from error
        return _Assumed(
            {
                "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
                "AWS_SESSION_TOKEN": answer["SessionToken"],
            },
            answer["Expiration"].astimezone(UTC),
        )


def _credentials_error(error: BaseException, purpose: str) -> StateError | None:
    # botocore's own words are left out: they quote what a credential process printed.
    from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound

    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code")
        if code not in _EXPIRED:
            return None
        return StateError(
            f"The AWS credentials have expired or are no longer valid ({code}), so {purpose}.",
            todo=_LOG_IN,
        )
    if isinstance(error, NoCredentialsError):
        return StateError(
            f"There are no AWS credentials, so {purpose}.",
            todo="Set credentials in driftctl.yaml, AWS_PROFILE, or the usual AWS variables.",
        )
    if isinstance(error, ProfileNotFound):
        return StateError(
            f"The AWS profile {error.kwargs.get('profile')} does not exist, so {purpose}.",
            todo="Check the profile in driftctl.yaml, AWS_PROFILE and AWS_CONFIG_FILE.",
        )
    name = type(error).__name__
    names = {base.__name__ for base in type(error).__mro__}
    if names & _LOGIN:
        return StateError(
            f"The AWS login is missing or has expired ({name}), so {purpose}.", todo=_LOG_IN
        )
    if names & _CREDENTIALS:
        provider = getattr(error, "kwargs", {}).get("provider")
        where = f"{name} from {provider}" if provider else name
        return StateError(
            f"The AWS credentials could not be loaded ({where}), so {purpose}.",
            todo="Check the profile and what it names: a login, a role or a credential process.",
        )
    return None


# An endpoint of a kind of its own would be asked instead of the one that is given.
_ONLY_THERE: Mapping[str, Any] = {
    "ignore_configured_endpoint_urls": True,
    "inject_host_prefix": False,
    "use_dualstack_endpoint": False,
    "use_fips_endpoint": False,
}


def _is_loopback(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "").hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _identity(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(item for item in environ.items() if item[0].startswith("AWS_")))


def _new_client(
    service: str,
    environ: Mapping[str, str],
    region: str | None,
    endpoint: str | None,
    *,
    only_there: bool = False,
) -> Any:
    """``only_there``: nothing that is configured leads to anybody but ``endpoint``."""
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ConfigNotFound,
        ConfigParseError,
        ProfileNotFound,
    )

    try:
        profile = environ.get("AWS_PROFILE")
        static = environ.get("AWS_ACCESS_KEY_ID")
        base = botocore.session.Session(profile=None if static else profile)
        # botocore reads these from our own environment; the configuration may say otherwise.
        for variable, name in _FILES.items():
            if name in environ:
                base.set_config_variable(variable, environ[name])
        session = boto3.Session(
            aws_access_key_id=static,
            aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY") if static else None,
            aws_session_token=environ.get("AWS_SESSION_TOKEN") if static else None,
            botocore_session=base,
            region_name=region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
        )
        endpoint = (
            endpoint
            or environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
            or environ.get("AWS_ENDPOINT_URL")
        )
        return session.client(
            service,
            endpoint_url=endpoint,
            # True are botocore's own certificates, before AWS_CA_BUNDLE and the profile's.
            verify=True if only_there else None,
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"mode": "standard", "max_attempts": 3},
                # Look-alikes have no wildcard DNS for bucket names.
                s3={"addressing_style": "path"} if endpoint else None,
                # As the engine's SDK does it: this machine is not reached through a proxy.
                proxies={} if only_there or _is_loopback(endpoint) else None,
                **_ONLY_THERE if only_there else {},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        # These say which profile or file, and quote nothing of it.
        if not isinstance(error, ConfigNotFound | ConfigParseError | ProfileNotFound):
            ours = _credentials_error(error, "AWS cannot be reached")
            if ours is not None:
                raise ours from error
        raise StateError(
            f"AWS cannot be reached as configured: {str(error).rstrip('.')}.",
            todo="Check the profile, region and endpoint in driftctl.yaml.",
        ) from error
