"""Which form a plan comes in, whom that asks, and what is said when nobody can read it."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from driftctl_py.adapters.plan_file import PlanFiles
from driftctl_py.app.render import Engines, PlanReader
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import EngineRun
from driftctl_py.core.masks import Mask
from driftctl_py.core.plan import Plan
from driftctl_py.core.values import Secrets
from driftctl_py.errors import Diagnostic, EngineError, EngineMissing, PlanError
from tests.data import plans

RICH = plans.of("rich")
TERRAFORM = Candidate("terraform", "1.11.4", "/bin/terraform")
TOFU = Candidate("tofu", "1.8.0", "/bin/tofu")
ENCRYPTED = (
    b'{"meta":{"key_provider.pbkdf2.a":"eyJ"},"encrypted_data":"x","encryption_version":"v0"}'
)
REMOTE = b'{"remote_plan_format":1,"run_id":"run-GXfuHMkbyHccAGUg","hostname":"app.terraform.io"}'


@dataclass
class FakeShower:
    """An engine that prints ``says``."""

    says: bytes | EngineError = RICH
    asked: list[tuple[EngineRun, bytes]] = field(default_factory=list)

    def show_into(
        self, run: EngineRun, *, plan: Path, descriptor: int, inherit: Sequence[int] = ()
    ) -> None:
        self.asked.append((run, plan.read_bytes()))
        if isinstance(self.says, EngineError):
            raise self.says
        os.write(descriptor, self.says)


@dataclass
class Desk:
    """A reader on a desk, with a file to read."""

    path: Path
    shower: FakeShower = field(default_factory=FakeShower)
    candidates: tuple[Candidate, ...] = (TERRAFORM, TOFU)
    masks: tuple[Mask, ...] = ()
    started: int = 0

    def engines(self) -> Engines:
        self.started += 1
        return Engines(
            self.shower, self.candidates, Path("/planned"), {"A": "1"}, frozenset({"hunter2!!"})
        )

    def read(self, data: bytes) -> Plan:
        self.path.write_bytes(data)
        reader = PlanReader(PlanFiles(), engines=self.engines, masks=self.masks)
        plan = reader.read(self.path, name="plan.out", secrets=Secrets())
        assert reader.asks_engine is bool(self.started)
        return plan


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "plan")


def saved(version: bytes = b"1.11.4") -> bytes:
    """As much of a plan file as is looked at."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tfplan", b"\x08\x03" + bytes([14 << 3 | 2, len(version)]) + version)
    return file.getvalue()


def test_the_json_of_a_plan_starts_no_engine(desk: Desk) -> None:
    plan = desk.read(RICH)

    assert (plan.engine_version, desk.started) == ("1.15.5", 0)
    assert plan.settings is not None


def test_a_saved_plan_is_shown_by_the_engine_that_made_it(desk: Desk) -> None:
    desk.candidates = (TOFU, TERRAFORM)

    plan = desk.read(saved())

    ((run, data),) = desk.shower.asked
    assert (run.candidate, run.directory, run.environ) == (TERRAFORM, Path("/planned"), {"A": "1"})
    assert data == saved()
    assert plan.joined


def test_an_encrypted_plan_is_shown_by_opentofu(desk: Desk) -> None:
    desk.read(ENCRYPTED)

    assert [run.candidate for run, _ in desk.shower.asked] == [TOFU]


def test_masks_hold_for_both_ways_to_read(desk: Desk) -> None:
    desk.masks = (Mask(attribute="tags.*"),)

    for data in (RICH, saved()):
        assert "growth" not in repr(desk.read(data))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"hello", "plan.out: This is not the JSON of a plan."),
        (b"", "plan.out: There is nothing in it: the plan is empty."),
        (REMOTE, "plan.out: This only says where HCP Terraform keeps the plan."),
        (b"PK\x03\x04", "plan.out: This begins as a saved plan does, but the archive is cut off"),
    ],
)
def test_what_is_no_plan_is_called_by_its_name(desk: Desk, data: bytes, what: str) -> None:
    with pytest.raises(PlanError) as raised:
        desk.read(data)

    assert raised.value.what.startswith(what)
    assert raised.value.todo
    assert desk.started == 0


def test_what_an_engine_prints_instead_of_a_plan_is_refused_too(desk: Desk) -> None:
    desk.shower.says = b""

    with pytest.raises(PlanError, match=r"plan\.out: There is nothing in it"):
        desk.read(saved())


def test_a_version_that_is_not_here_is_named_with_those_that_are(desk: Desk) -> None:
    with pytest.raises(EngineMissing, match=r"plan\.out was made by Terraform or OpenTofu 1\.9\.0"):
        desk.read(saved(b"1.9.0"))

    assert desk.shower.asked == []


@pytest.mark.parametrize(
    ("data", "candidate", "todo"), [(saved(), TERRAFORM, "--chdir"), (ENCRYPTED, TOFU, "TF_ENCRY")]
)
def test_an_engine_that_cannot_read_it_is_quoted_without_secrets(
    desk: Desk, data: bytes, candidate: Candidate, todo: str
) -> None:
    desk.shower.says = EngineError(
        "`show` failed: hunter2!!", diagnostics=(Diagnostic("error", "No hunter2!!"),)
    )

    with pytest.raises(EngineError) as raised:
        desk.read(data)

    assert raised.value.what == (
        f"plan.out could not be read by {candidate.title} ({candidate.path}), run in /planned. "
        "`show` failed: (hidden)"
    )
    assert [item.summary for item in raised.value.diagnostics] == ["No (hidden)"]
    assert todo in raised.value.todo


def test_what_an_engines_error_says_to_do_is_kept(desk: Desk) -> None:
    desk.shower.says = EngineError("It could not be started.", todo="Install it.")

    with pytest.raises(EngineError) as raised:
        desk.read(saved())

    assert raised.value.todo == "Install it."
