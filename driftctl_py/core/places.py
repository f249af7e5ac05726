"""Where evidence lies: plain facts of the configuration, for the adapter that goes there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3ArtifactsPlace:
    """A prefix in an S3 bucket; ``prefix`` is empty or ends in no slash. ``endpoint`` is for S3
    look-alikes, ``kms_key_id`` the key that encrypts, where it is not the bucket's own."""

    bucket: str
    region: str
    prefix: str = ""
    endpoint: str | None = None
    kms_key_id: str | None = None
