"""The trail, tampered with in every way there is: `verify` names what was done, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import Approval, Binding, Identity
from driftctl_py.core.audit import START, Anchor, Entry, Event, Flaw, chained, tells_of, verify

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLANNED = Event("planned", NOON, "os:ada", "prod", "r1", {"fingerprint": "f1-abc"})


def trail(events: Sequence[Event]) -> list[Entry]:
    entries: list[Entry] = []
    for number, event in enumerate(events, 1):
        entries.append(chained(event, number, entries[-1].hash if entries else START))
    return entries


def five() -> list[Entry]:
    return trail([replace(PLANNED, run=f"r{number}") for number in range(1, 6)])


def anchor(entry: Entry) -> Anchor:
    return Anchor(entry.number, entry.hash)


def said(entries: Sequence[Entry], anchors: Sequence[Anchor] = ()) -> list[str]:
    return [flaw.what for flaw in verify(entries, anchors)[1]]


def test_an_untouched_trail_has_no_flaw() -> None:
    entries = five()

    assert verify(iter(entries), [anchor(each) for each in entries]) == (5, ())


def test_an_empty_trail_without_anchors_has_no_flaw() -> None:
    assert verify([], []) == (0, ())


def test_the_hash_of_an_entry_stays_what_it_is_from_version_to_version() -> None:
    assert chained(PLANNED, 1, START).hash == (
        "f5aaeeb474e0c662996cd1d6d7e7a0132e1712859be496306a03fcf240b16c7c"
    )


def test_one_moment_has_one_hash_in_every_zone() -> None:
    elsewhere = replace(PLANNED, at=NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))

    assert chained(elsewhere, 1, START) == chained(PLANNED, 1, START)


EDITS: dict[str, Callable[[Event], Event]] = {
    "what": lambda event: replace(event, what="approved"),
    "at": lambda event: replace(event, at=event.at + timedelta(microseconds=1)),
    "who": lambda event: replace(event, who="os:grace"),
    "environment": lambda event: replace(event, environment="staging"),
    "run": lambda event: replace(event, run="r9"),
    "evidence": lambda event: replace(event, evidence={"fingerprint": "f1-abd"}),
}


def test_every_field_of_an_event_has_an_edit_here() -> None:
    assert EDITS.keys() == {each.name for each in fields(Event)}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_field_is_found(edit: Callable[[Event], Event]) -> None:
    entries = five()
    entries[2] = replace(entries[2], event=edit(entries[2].event))

    assert verify(entries, []) == (
        5,
        (Flaw(3, "Entry 3 was edited: what it says does not give the hash it has."),),
    )


def test_an_edited_entry_with_its_hash_made_anew_is_not_what_the_next_one_follows() -> None:
    entries = five()
    other = replace(entries[2].event, who="os:grace")
    entries[2] = chained(other, 3, entries[1].hash)

    (flaw,) = verify(entries, [])[1]

    assert flaw.number == 4
    assert flaw.what.startswith("Entry 4 does not follow entry 3: it names ")


def test_a_trail_that_was_written_anew_is_not_the_one_that_was_anchored() -> None:
    entries = five()
    anew = trail([replace(each.event, who="os:grace") for each in entries])

    flaws = verify(anew, [anchor(entries[4])])[1]

    assert [flaw.number for flaw in flaws] == [5]
    assert "the trail was written anew from there or before" in flaws[0].what


def test_a_trail_that_does_not_begin_at_the_start_is_named() -> None:
    entries = [chained(PLANNED, 1, "f" * 64)]

    assert said(entries) == [
        "Entry 1 is not the first of a trail: it names ffffffffffff… as the hash of the one "
        "before, which is 000000000000…."
    ]


@pytest.mark.parametrize(
    ("gone", "what"),
    [
        ([0], "Entry 1 is missing."),
        ([2], "Entry 3 is missing."),
        ([1, 2, 3], "Entries 2 to 4 are missing."),
    ],
)
def test_missing_entries_are_named(gone: list[int], what: str) -> None:
    entries = [each for at, each in enumerate(five()) if at not in gone]

    assert said(entries) == [what]


def test_swapped_entries_are_named() -> None:
    entries = five()
    entries[1], entries[2] = entries[2], entries[1]

    assert said(entries) == [
        "Entry 2 is missing.",
        "Entry 2 comes after entry 3: out of order, or twice.",
    ]


def test_swapped_events_are_named() -> None:
    entries = five()
    entries[1], entries[2] = (
        replace(entries[1], event=entries[2].event),
        replace(entries[2], event=entries[1].event),
    )

    assert [flaw.number for flaw in verify(entries, [])[1]] == [2, 3]


def test_a_cut_end_is_found_by_its_anchor_and_by_nothing_else() -> None:
    entries = five()

    assert said(entries[:3]) == []
    assert said(entries[:3], [anchor(entries[2]), anchor(entries[4])]) == [
        "Entry 5 was anchored, but the trail ends at entry 3: the rest was cut off."
    ]
    assert said([], [anchor(entries[1])]) == [
        "Entry 2 was anchored, but the trail is empty: the rest was cut off."
    ]


def test_two_anchors_of_one_number_cannot_both_be_right() -> None:
    entries = five()

    flaws = verify(entries, [anchor(entries[1]), Anchor(2, "f" * 64)])[1]

    assert [flaw.number for flaw in flaws] == [2]


EVENTS = st.builds(
    Event,
    what=st.text(),
    at=st.datetimes(timezones=st.just(UTC)),
    who=st.text(),
    environment=st.text(),
    run=st.text(),
    evidence=st.dictionaries(st.text(), st.text(), max_size=3),
)


@given(st.lists(EVENTS, max_size=5))
def test_whatever_was_recorded_verifies(events: list[Event]) -> None:
    entries = trail(events)

    assert verify(entries, [anchor(each) for each in entries]) == (len(events), ())


@given(EVENTS, EVENTS)
def test_two_events_have_one_hash_only_when_they_are_one(one: Event, other: Event) -> None:
    hashes = {chained(each, 1, START).hash for each in (one, other)}

    assert (len(hashes) == 1) == (one == other)


# --- approvals

BINDING = Binding("prod", "f1-abc", "e3b0", "1d-lineage")
YES = Approval(
    "a1", "r1", BINDING, Identity("github:ada"), True, NOON, NOON + timedelta(days=1), "Read it."
)
NO = replace(YES, id="a2", yes=False, by=Identity("github:grace"))


def said_of(approval: Approval) -> Event:
    binding = approval.binding
    return Event(
        "approved" if approval.yes else "rejected",
        approval.at,
        approval.by.text,
        binding.environment,
        approval.run,
        {
            "approval": approval.id,
            "fingerprint": binding.fingerprint,
            "governing": binding.governing,
            "lineage": binding.lineage,
        },
    )


def began(*approvals: str, **more: str) -> Event:
    evidence = {"fingerprint": "f1-abc", "governing": "e3b0", "approvals": " ".join(approvals)}
    return Event("apply began", NOON, "os:ada", "prod", "r1", {**evidence, **more})


def checked(
    events: Sequence[Event], *approvals: Approval, anchored: int | None = None
) -> list[tuple[int, str]]:
    entries = trail(events)
    anchors = [anchor(each) for each in entries[:anchored]]
    return [(each.number, each.what) for each in verify(entries, anchors, approvals)[1]]


def test_an_apply_rests_on_what_was_approved_before() -> None:
    events = [said_of(YES), said_of(NO), began("a1"), began("a1", lineage="1d-lineage"), began()]

    assert checked(events, YES, NO) == []


def test_an_apply_on_an_approval_that_nobody_gave_is_named() -> None:
    what = "Entry 1 applies on the strength of the approval a1, which no earlier entry records."

    assert checked([began("a1")]) == [(1, what)]
    assert checked([began("a1"), said_of(YES)], YES) == [(1, what)]
    # A no is no approval.
    assert len(checked([said_of(NO), began("a2")], NO)) == 1


@pytest.mark.parametrize(
    "apply",
    [
        began("a1", fingerprint="f1-abd"),
        began("a1", governing="e3b1"),
        began("a1", lineage="another"),
        replace(began("a1"), environment="dev"),
    ],
)
def test_an_apply_on_an_approval_of_something_else_is_named(apply: Event) -> None:
    what = "Entry 2 applies on the strength of the approval a1, which was given for something else."

    assert checked([said_of(YES), apply], YES) == [(2, what)]


def test_a_kept_approval_without_an_entry_was_not_given() -> None:
    assert checked([PLANNED], YES) == [
        (
            1,
            "The approval a1 of prod by github:ada is kept, but no entry says just that: it was "
            "not given.",
        )
    ]


def test_an_approval_that_is_kept_otherwise_than_it_was_given_is_named_twice() -> None:
    other = replace(YES, by=Identity("github:grace"))

    first, second = checked([said_of(YES)], other)

    assert first == (1, "The approval a1 that entry 1 records is not what is kept of it.")
    assert "by github:grace is kept, but no entry says just that" in second[1]


def test_an_approval_that_is_not_kept_any_more_is_missed() -> None:
    assert checked([said_of(NO)]) == [
        (1, "The approval a2 that entry 1 records is not kept any more.")
    ]
    # One that was given while we looked is not.
    assert checked([PLANNED, said_of(NO)], anchored=1) == []


def test_without_the_approvals_only_the_trail_is_looked_at() -> None:
    assert verify(trail([said_of(YES), said_of(NO)]), []) == (2, ())


OTHERS = [
    replace(YES, id="a9"),
    replace(YES, run="r9"),
    replace(YES, binding=replace(BINDING, lineage="another")),
    replace(YES, by=Identity("github:grace")),
    replace(YES, yes=False),
    replace(YES, at=NOON + timedelta(seconds=1)),
    replace(YES, violations=("edited",)),
    replace(YES, violations=()),
]


@pytest.mark.parametrize("other", OTHERS)
def test_an_entry_tells_of_one_approval_and_of_no_other(other: Approval) -> None:
    (entry,) = trail([said_of(YES)])

    assert tells_of(entry, YES)
    assert not tells_of(entry, other)


def test_an_entry_tells_of_the_violations_that_there_were() -> None:
    given = replace(YES, violations=("d1", "d2"))
    said = said_of(given)
    (entry,) = trail([replace(said, evidence={**said.evidence, "violations": given.seal})])

    assert tells_of(entry, given)
    for others in (("d1", "d2", "d3"), ("d1",), (), None):
        assert not tells_of(entry, replace(given, violations=others))


def test_an_entry_that_was_edited_tells_of_nothing() -> None:
    (entry,) = trail([replace(said_of(YES), who="github:eve")])

    assert not tells_of(replace(entry, event=said_of(YES)), YES)
