"""What the tests with the real AWS provider stand on: a moto server, and the provider itself.

The server is a process of its own, so that neither its threads nor its warnings are the tests'.
Not an account of AWS: what moto answers differently is named where it matters.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-central-1"
REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
MIRROR_VARIABLE = "DRIFTCTL_TEST_PROVIDER_MIRROR"

# Where software that no package manager brought usually lies, each in a directory of its own.
_SHELVES = ("usr/share", "usr/local/share", "opt", "srv")


@dataclass(frozen=True, slots=True)
class Moto:
    """A cloud that listens on this machine only."""

    endpoint: str

    def client(self, service: str) -> Any:
        """boto3's client; Any because boto3 makes its methods when it runs."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def settings(self, home: Path) -> dict[str, str]:
        """The environment variables that lead everything that speaks to AWS here, and away from
        the files in which a person keeps real credentials."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(home / "no-aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-aws-credentials"),
        }

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Everything in a bucket, byte for byte."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def versions(self, bucket: str) -> list[tuple[str, str]]:
        """Every version of every object that there ever was, with what deleted it."""
        pages = self.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
        return sorted(
            (item["Key"], item["VersionId"])
            for page in pages
            for kind in ("Versions", "DeleteMarkers")
            for item in page.get(kind, [])
        )


@contextmanager
def moto_server(log: Path) -> Iterator[Moto]:
    """moto with all of its services, until the block ends."""
    program = Path(__file__).with_name("moto_serial.py")
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, str(program)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            port = server.stdout.readline().decode().strip()
            assert port, f"moto ended: {log.read_text()}"
            yield Moto(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def provider_mirror(into: Path, environ: Mapping[str, str]) -> Path | None:
    """A mirror with the AWS provider for Terraform and for OpenTofu alike, made of one that is
    found on this machine; None where there is none.

    OpenTofu reads ``hashicorp/aws`` as its own registry's, and follows no symbolic link above
    the version, so the directories are made and only what is in them is linked.
    """
    found = _find_mirror(environ)
    if found is None:
        return None
    for host in REGISTRIES:
        aws = found / REGISTRIES[0] / "hashicorp" / "aws"
        target = into / host / "hashicorp" / "aws"
        for entry in aws.iterdir():
            if entry.is_dir():  # unpacked: VERSION/PLATFORM/
                (target / entry.name).mkdir(parents=True)
                for platform in entry.iterdir():
                    (target / entry.name / platform.name).symlink_to(platform)
            else:  # packed: terraform-provider-aws_VERSION_PLATFORM.zip
                target.mkdir(parents=True, exist_ok=True)
                (target / entry.name).symlink_to(entry)
    return into


def registries_answer() -> bool:
    """Whether the provider could be downloaded. It is 120 MB, so it is not tried out."""
    try:
        for host in REGISTRIES:
            url = f"https://{host}/.well-known/terraform.json"
            with urllib.request.urlopen(url, timeout=10) as answer:
                answer.read()
    except (urllib.error.URLError, OSError):
        return False
    return True


def fingerprint(directory: Path) -> dict[str, str]:
    """Every file below a directory with a hash of its content: to see that nothing was touched."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _find_mirror(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(MIRROR_VARIABLE):
        # Named and wrong is a mistake, not a machine without a mirror.
        assert _holds_aws(Path(named)), f"{MIRROR_VARIABLE}={named} holds no hashicorp/aws"
        return Path(named)
    home = Path(environ.get("HOME", "/"))
    shelves = [shelf for shelf in (Path("/", name) for name in _SHELVES) if shelf.is_dir()]
    children = [child for shelf in shelves for child in sorted(shelf.iterdir())]
    places = [
        home / ".terraform.d" / "plugins",
        home / ".local" / "share" / "terraform" / "plugins",
        *children,
        *(child / "plugins" for child in children),
    ]
    return next((place for place in places if _holds_aws(place)), None)


def _holds_aws(mirror: Path) -> bool:
    aws = mirror / REGISTRIES[0] / "hashicorp" / "aws"
    try:
        return any(aws.iterdir())
    except OSError:
        return False
