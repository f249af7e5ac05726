"""What a file is from how it begins, and whom a saved plan can be read by."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.saved_plan import (
    ENCRYPTED_ORIGIN,
    Form,
    Opened,
    Origin,
    could_begin_a_plan,
    form_of,
    origin_of,
    reader_of,
)
from driftctl_py.errors import EngineMissing, PlanError
from tests.data import plans

TERRAFORM = Candidate("terraform", "1.9.0", "/bin/terraform")
TOFU = Candidate("tofu", "1.9.0", "/bin/tofu")
OLD_TOFU = Candidate("tofu", "1.6.3-dev", "/old/tofu")


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"PK\x03\x04\x14", Form.SAVED),
        (b"PK\x05\x06", Form.SAVED),
        (b'{"meta":{"key_provider.pbkdf2.a":"eyJ"},"encrypted_data":"x', Form.ENCRYPTED),
        (b'\n{ "encrypted_data" : "x"', Form.ENCRYPTED),
        (b'{"remote_plan_format":1,"run_id":"run-GXfuHMkbyHccAGUg"}', Form.REMOTE),
        (b'{"meta":{"a":1}}', Form.JSON),
        (b'{"configuration":{"meta":{},"encrypted_data":"x"}}', Form.JSON),
        (b"", Form.JSON),
    ],
)
def test_a_form_is_known_by_its_beginning(start: bytes, form: Form) -> None:
    assert form_of(start) is form
    assert Opened(memoryview(start), Path("plan")).form is form


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_the_json_of_a_real_plan_is_json(path: Path) -> None:
    start = path.read_bytes()[:4096]

    assert form_of(start) is Form.JSON
    assert could_begin_a_plan(start)


@pytest.mark.parametrize(
    ("start", "could"),
    [
        (b"", True),
        (b"\n  \n", True),
        (b" {", True),
        (b"PK\x03\x04", True),
        (b"\xef\xbb\xbf{", True),
        (b"\xff\xfe{\0", True),
        (b"y\ny\ny\n", False),
        (b"\0\0\0\0", False),
        (b"Terraform will perform the following actions:", False),
    ],
)
def test_an_endless_stream_of_something_else_is_told_by_its_beginning(
    start: bytes, could: bool
) -> None:
    assert could_begin_a_plan(start) is could


def tfplan(version: bytes = b"1.9.0", provider: str = "terraform.io/builtin/terraform") -> bytes:
    """As much of one as is looked at: a change (3) with its provider (8), the version (14)."""
    address = f'provider["{provider}"]'.encode()
    change = bytes([8 << 3 | 2, len(address)]) + address
    return (
        b"\x08\x03"
        + bytes([3 << 3 | 2, len(change)])
        + change
        + bytes([14 << 3 | 2, len(version)])
        + version
    )


@pytest.mark.parametrize(
    ("provider", "lock", "origin"),
    [
        ("terraform.io/builtin/terraform", b"", Origin("1.9.0")),
        ("registry.terraform.io/hashicorp/aws", b"", Origin("1.9.0", "terraform")),
        ("registry.opentofu.org/hashicorp/aws", b"", Origin("1.9.0", "tofu")),
        (
            "terraform.io/builtin/terraform",
            b'# x\nprovider "registry.opentofu.org/hashicorp/aws" {\n',
            Origin("1.9.0", "tofu"),
        ),
        (
            "registry.terraform.io/hashicorp/aws",
            b'provider "registry.opentofu.org/hashicorp/random" {\n',
            Origin("1.9.0"),
        ),
    ],
)
def test_a_saved_plan_says_who_made_it(provider: str, lock: bytes, origin: Origin) -> None:
    members = {"tfplan": tfplan(provider=provider), ".terraform.lock.hcl": lock}

    assert origin_of(members) == origin


@given(st.binary())
def test_an_archive_that_is_no_plan_is_refused_and_nothing_worse(plan: bytes) -> None:
    with pytest.raises(PlanError, match="does not say which engine made it"):
        origin_of({"tfplan": plan})


@pytest.mark.parametrize("version", [b"", b"1.9", b"latest", b"1.9.0\x1b[2J", "1.9.٠".encode()])
def test_a_version_is_a_version(version: bytes) -> None:
    with pytest.raises(PlanError, match="does not say which engine made it"):
        origin_of({"tfplan": tfplan(version)})


def test_an_archive_without_a_plan_says_so() -> None:
    with pytest.raises(PlanError, match=r"This is a zip archive, but no saved plan"):
        origin_of({"README.md": b"hello"})


def test_a_plan_is_read_by_the_version_that_made_it() -> None:
    assert reader_of(Origin("1.6.3-dev"), [TERRAFORM, OLD_TOFU], name="p") is OLD_TOFU


def test_of_two_of_one_version_the_family_decides() -> None:
    assert reader_of(Origin("1.9.0", "tofu"), [TERRAFORM, TOFU], name="p") is TOFU
    assert reader_of(Origin("1.9.0", "terraform"), [TOFU, TERRAFORM], name="p") is TERRAFORM
    assert reader_of(Origin("1.9.0"), [TERRAFORM, TOFU], name="p") is TERRAFORM


def test_addresses_written_out_for_the_other_registry_keep_nobody_from_reading() -> None:
    assert reader_of(Origin("1.9.0", "terraform"), [TOFU], name="p") is TOFU


def test_an_encrypted_plan_goes_to_an_opentofu_that_knows_encryption() -> None:
    assert reader_of(ENCRYPTED_ORIGIN, [TERRAFORM, OLD_TOFU, TOFU], name="p") is TOFU


@pytest.mark.parametrize(
    ("origin", "candidates", "what", "todo"),
    [
        (
            Origin("1.8.5", "tofu"),
            [TERRAFORM, OLD_TOFU],
            "plan.out was made by OpenTofu 1.8.5, and an engine reads only what its own version "
            "made; found here: Terraform 1.9.0 (/bin/terraform), OpenTofu 1.6.3-dev (/old/tofu).",
            "Name OpenTofu 1.8.5 with --engine PROGRAM, or make the JSON where it was planned: "
            "tofu show -json PLANFILE | driftctl-py render",
        ),
        (
            Origin("1.8.5"),
            [],
            "plan.out was made by Terraform or OpenTofu 1.8.5, and an engine reads only what its "
            "own version made; found here: none.",
            "Name Terraform or OpenTofu 1.8.5 with --engine PROGRAM, or make the JSON where it was "
            "planned: terraform show -json PLANFILE | driftctl-py render",
        ),
        (
            ENCRYPTED_ORIGIN,
            [TERRAFORM, OLD_TOFU],
            "plan.out is encrypted, which only OpenTofu 1.7 and later can read; found here: "
            "Terraform 1.9.0 (/bin/terraform), OpenTofu 1.6.3-dev (/old/tofu).",
            "Name OpenTofu 1.7 or later with --engine PROGRAM, or make the JSON where it was "
            "planned: tofu show -json PLANFILE | driftctl-py render",
        ),
    ],
)
def test_where_nobody_can_read_it_the_message_says_who_could(
    origin: Origin, candidates: list[Candidate], what: str, todo: str
) -> None:
    with pytest.raises(EngineMissing) as raised:
        reader_of(origin, candidates, name="plan.out")

    assert (raised.value.what, raised.value.todo) == (what, todo)


def test_an_origin_reads_as_a_person_would_say_it() -> None:
    assert str(ENCRYPTED_ORIGIN) == "OpenTofu"
    assert str(Origin("1.9.0", "terraform")) == "Terraform 1.9.0"
