"""What may be kept of an assessment, and for which plan it holds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.assessment import Assessment, Status, assess
from driftctl_py.core.assessment_memory import digest_of_plan, pack, unpack
from driftctl_py.core.plan import Change, Joined, Kind, Plan
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import UNKNOWN, Value

PLANS = sorted((Path(__file__).parents[1] / "data/plans").glob("*/*.json"))


def _equivalent(recorded: Value, real: Value) -> Assessment:
    change = Change("x.y", Kind.NO_OP, {"v": real}, {"v": real}, actions=("no-op",))
    drift = Change("x.y", Kind.UPDATE, {"v": recorded}, {"v": real}, actions=("update",))
    return assess(Plan("1", joined=(Joined(change, drift),), complete=True))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_only_what_is_simply_in_sync_is_kept_and_comes_back_as_it_was(path: Path) -> None:
    assessment = assess(decode_plan(path.read_bytes()))

    packed = pack(assessment)

    if packed is not None:
        assert assessment.status is Status.IN_SYNC
        assert unpack(packed) == assessment
    else:
        in_sync = assessment.status is Status.IN_SYNC
        assert not in_sync or not assessment.complete or assessment.failed_checks


def test_there_are_real_plans_of_both_sorts() -> None:
    kept = {pack(assess(decode_plan(path.read_bytes()))) is not None for path in PLANS}

    assert kept == {True, False}


def test_equivalents_are_kept() -> None:
    packed = pack(_equivalent(None, {}))

    assert packed is not None
    assert unpack(packed) == _equivalent(None, {})


def test_what_would_come_back_as_something_else_is_not_kept() -> None:
    marked = _equivalent(None, {})
    (finding,) = marked.equivalent

    for odd in (UNKNOWN, Decimal("1.50"), object()):
        (each,) = finding.attributes
        object.__setattr__(each, "planned", odd)
        assert pack(marked) is None


@given(st.binary())
def test_other_bytes_are_no_assessment(data: bytes) -> None:
    unpack(data)
    digest_of_plan({"tfplan": data})


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


MOMENT = _field(21, b"2026-11-23T09:00:00Z")[1:]
VERSION = b"\x08\x03"
NUMBERS = b"\x10\x96\x01" + b"\x11" + b"8" * 8 + b"\x15four"


def _entry(*change: bytes, address: bytes = b"x.y") -> bytes:
    """A change as planfile.proto spells it: the address is field 13, the change itself field 9."""
    return _field(13, address) + _field(9, b"".join(change))


VALUES = _field(2, b"before") + _field(2, b"after")
PATHS = [_field(3, b"secret"), _field(3, b"token"), _field(4, b"secret")]
PLAN = VERSION + _field(5, b"output") + NUMBERS + _field(3, _entry(VALUES, *PATHS))


def _digest(plan: bytes, **others: bytes) -> str | None:
    return digest_of_plan({"tfplan": plan, "tfstate": b"{}", **others})


def test_two_plans_of_the_same_thing_are_the_same() -> None:
    first = PLAN + b"\xaa\x01" + MOMENT
    second = first.replace(b"09:00:00Z", b"10:30:00Z")

    assert _digest(first) == _digest(second) is not None


def test_the_order_of_sets_and_maps_does_not_count() -> None:
    entries = [_field(6, b"a=1"), _field(6, b"b=2")]
    shuffled = VERSION + _field(5, b"output") + NUMBERS + _field(3, _entry(VALUES, *PATHS[::-1]))

    assert _digest(VERSION + b"".join(entries)) == _digest(VERSION + b"".join(reversed(entries)))
    assert _digest(PLAN) == _digest(shuffled)
    assert _digest(PLAN) == _digest(PLAN, tfstate=b"{ }")


@pytest.mark.parametrize(
    ("plan", "others"),
    [
        (PLAN.replace(b"after", b"aftes"), {}),
        (PLAN.replace(b"x.y", b"x.z"), {}),
        (PLAN.replace(b"token", b"tokes"), {}),
        (PLAN.replace(VALUES, _field(2, b"after") + _field(2, b"before")), {}),
        (PLAN + _field(3, _entry(VALUES, *PATHS)), {}),
        (PLAN, {"tfconfig/m-/main.tf": b""}),
    ],
)
def test_anything_else_makes_another_plan(plan: bytes, others: dict[str, bytes]) -> None:
    changed = _digest(plan, **others)

    assert changed is not None
    assert changed != _digest(PLAN)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"tfstate": b"{}"},
        {"tfplan": b"\x0a\x05abc"},
        {"tfplan": b"\x0b"},
        {"tfplan": b"\x80"},
        {"tfplan": b"\x09123"},
        {"tfplan": b"\x08\x04"},
        {"tfplan": VERSION + _field(3, b"\x0a\x05abc")},
    ],
)
def test_what_engines_do_not_write_has_no_digest(members: dict[str, bytes]) -> None:
    assert digest_of_plan(members) is None
