"""What a file that should be a plan is, from how it begins; and who can read a saved plan.

A saved plan is the engine's own: a zip archive that only the version which made it reads. The few
things it says here (version, family) decide whom to ask; what it means is read from the JSON that
the engine makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.errors import EngineMissing, PlanError

if TYPE_CHECKING:
    from driftctl_py.core.engine_choice import Candidate

# How much of a file `form_of` looks at.
START = 4096

# The members of the archive that are read here, and from planfile.proto the one field of tfplan.
PLAN_MEMBER = "tfplan"
LOCK_MEMBER = ".terraform.lock.hcl"
_ENGINE_VERSION = 14

# A provider's host says which family asked for it, unless somebody wrote it out.
_HOSTS = {"tofu": rb'"registry\.opentofu\.org/', "terraform": rb'"registry\.terraform\.io/'}
_OLDEST_THAT_ENCRYPTS = (1, 7)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was opened: its bytes, and what an engine opens it by. For a file without a name
    that is ``/dev/fd/N``, with N among the descriptors to ``inherit``."""

    data: memoryview = field(repr=False)
    place: Path
    inherit: tuple[int, ...] = ()

    @property
    def form(self) -> Form:
        return form_of(bytes(self.data[:START]))


class Form(Enum):
    """What the bytes are."""

    JSON = "json"
    """Or nothing that is known: the decoder says what is wrong with it."""
    SAVED = "saved"
    ENCRYPTED = "encrypted"
    """By OpenTofu, which wraps it in JSON."""
    REMOTE = "remote"
    """Where a plan lies that HCP Terraform keeps."""


def form_of(start: bytes) -> Form:
    """From the first `START` bytes."""
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Form.SAVED
    head = start.lstrip()
    # By their first keys: a plan may hold anything further down.
    if re.match(rb'\{\s*"(meta|encrypted_data)"\s*:', head) and b'"encrypted_data"' in head:
        return Form.ENCRYPTED
    if re.match(rb'\{\s*"(remote_plan_format|run_id)"\s*:', head):
        return Form.REMOTE
    return Form.JSON


def could_begin_a_plan(start: bytes) -> bool:
    """Whether it is worth reading on. An endless stream of something else is not."""
    head = start.lstrip()
    # UTF-16, and UTF-8 with a mark, get a message of their own.
    return not head or head.startswith((b"{", b"PK", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a saved plan. ``version`` is None where the file does not let it be seen, ``family``
    where nothing in it says so: a plan that needs no provider from a registry is spelled alike by
    both."""

    version: str | None
    family: str | None = None

    def __str__(self) -> str:
        # Here, since most plans come as JSON, and then no engine is chosen.
        from driftctl_py.core.engine_choice import TITLES

        title = TITLES[self.family] if self.family else "Terraform or OpenTofu"
        return title if self.version is None else f"{title} {self.version}"


ENCRYPTED_ORIGIN = Origin(None, "tofu")


def origin_of(members: Mapping[str, bytes]) -> Origin:
    """From the members of the archive that are called `PLAN_MEMBER` and `LOCK_MEMBER`. Raises
    `PlanError` where there is no plan in it."""
    # Here: most files are the JSON of a plan.
    from driftctl_py.core.protobuf import fields

    plan = members.get(PLAN_MEMBER)
    if plan is None:
        raise PlanError(
            "This is a zip archive, but no saved plan: there is no tfplan in it.",
            todo="Name the file that was given to plan -out, or the JSON that show makes of it.",
        )
    try:
        version = next(field.value for field in fields(plan) if field.number == _ENGINE_VERSION)
    except (IndexError, ValueError, StopIteration):
        version = b""
    if not re.fullmatch(rb"\d+\.\d+\.\d+[0-9A-Za-z.+-]*", version):
        raise PlanError(
            "This looks like a saved plan, but does not say which engine made it, so nobody can "
            "be asked to read it.",
            todo="Make its JSON where it was planned: terraform show -json PLANFILE "
            "(or tofu show -json PLANFILE).",
        )
    said = {
        family
        for family, host in _HOSTS.items()
        if re.search(rb"^\s*provider\s+" + host, members.get(LOCK_MEMBER, b""), re.MULTILINE)
        or re.search(rb"provider\[" + host, plan)
    }
    return Origin(version.decode(), said.pop() if len(said) == 1 else None)


def reader_of(origin: Origin, candidates: Sequence[Candidate], *, name: str) -> Candidate:
    """The engine that reads a plan of that origin; ``name`` is the plan's, for messages. Raises
    `EngineMissing`."""
    if origin.version is None:
        able = [item for item in candidates if item.family == "tofu" and _encrypts(item.version)]
        wanted, program = "OpenTofu 1.7 or later", "tofu"
        why = f"{name} is encrypted, which only OpenTofu 1.7 and later can read"
    else:
        able = [item for item in candidates if item.version == origin.version]
        wanted, program = str(origin), "tofu" if origin.family == "tofu" else "terraform"
        why = f"{name} was made by {origin}, and an engine reads only what its own version made"
    # Addresses may name the other family's registry in full, so this is no more than a hint.
    able.sort(key=lambda item: item.family != origin.family)
    if able:
        return able[0]
    found = ", ".join(f"{item.title} ({item.path})" for item in candidates) or "none"
    raise EngineMissing(
        f"{why}; found here: {found}.",
        todo=f"Name {wanted} with --engine PROGRAM, or make the JSON where it was planned: "
        f"{program} show -json PLANFILE | driftctl-py render",
    )


def _encrypts(version: str) -> bool:
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= _OLDEST_THAT_ENCRYPTS
