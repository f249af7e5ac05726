"""An issue per drifted environment: opened, brought up to date, closed, reopened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftctl_py.core.check import Verdict
from driftctl_py.core.drift_issues import (
    Act,
    Change,
    Found,
    Leave,
    Look,
    Open,
    Text,
    decide,
    look_of,
)
from driftctl_py.core.forge import Issue
from driftctl_py.core.marker import Turn, read_marker
from driftctl_py.core.result import Item, Occasion, Result

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST, SECOND = Turn(11, 1, run=900), Turn(12, 1, run=901)
LATER = NOON + timedelta(hours=1)


def drifted(digest: str = "d1", at: datetime = NOON) -> Look:
    words = f"{digest}: 2 objects were changed outside Git"
    return Look("prod", Found.DRIFTED, at, words, words, digest)


def healed(at: datetime = LATER) -> Look:
    return Look("prod", Found.NONE, at, "in sync", "in sync")


def unknown(at: datetime = LATER) -> Look:
    return Look("prod", Found.UNKNOWN, at, "failed: no \\_credentials\\_", "failed")


def write(environment: str, since: datetime, history: Sequence[str]) -> Text:
    return Text(f"Drift in {environment}", f"Since {since:%H:%M}.\n" + "\n".join(history))


def acts(
    existing: Sequence[Issue],
    *looks: Look,
    turn: Turn = FIRST,
    scope: str = "",
    configured: Sequence[str] | None = None,
) -> tuple[Act, ...]:
    return decide(existing, looks, turn=turn, write=write, scope=scope, configured=configured)


def one(
    existing: Sequence[Issue], look: Look, turn: Turn = SECOND, configured: Sequence[str] = ()
) -> Act:
    (act,) = acts(existing, look, turn=turn, configured=configured or None)
    return act


def done(act: Act, issue: Issue | None = None) -> Issue:
    """What is there after it."""
    match act:
        case Open(title=title, body=body):
            return Issue(7, title, body, open=True, ours=True)
        case Change(title=title, body=body, open=is_open):
            assert issue is not None
            return replace(issue, title=title or issue.title, body=body, open=is_open)
        case Leave():
            raise AssertionError(f"nothing was done: {act.why}")


def opened(look: Look | None = None) -> Issue:
    return done(one([], look or drifted(), FIRST))


def closed() -> Issue:
    return done(one([opened()], healed()), opened())


def test_an_issue_is_opened_for_an_environment_that_drifted() -> None:
    act = one([], drifted())

    assert isinstance(act, Open)
    marker, body = read_marker(act.body)
    assert marker is not None
    assert (marker.kind, marker.environment, marker.state) == ("drift", "prod", "open")
    assert (act.title, body) == (
        "Drift in prod",
        "Since 12:00.\n2026-11-24 12:00 UTC: d1: 2 objects were changed outside Git",
    )


@pytest.mark.parametrize("look", [healed(), unknown()])
def test_what_did_not_drift_needs_no_issue(look: Look) -> None:
    assert acts([], look) == ()


def test_the_same_drift_is_written_down_without_a_word_to_anybody() -> None:
    act = one([opened()], drifted(at=LATER))

    assert isinstance(act, Change)
    assert (act.open, act.comment, act.what) == (True, "", "updated")
    marker, body = read_marker(act.body)
    assert marker is not None
    assert marker.turn == SECOND
    assert body == read_marker(opened().body)[1]


def test_the_same_run_writes_nothing_twice() -> None:
    assert one([opened()], drifted(), FIRST) == Leave("prod", 7, "it says the same")


def test_other_drift_is_told_in_the_same_issue() -> None:
    act = one([opened()], drifted("d2", LATER))

    assert isinstance(act, Change)
    assert read_marker(act.body)[1] == (
        "Since 12:00.\n"
        "2026-11-24 12:00 UTC: d1: 2 objects were changed outside Git\n"
        "2026-11-24 13:00 UTC: d2: 2 objects were changed outside Git"
    )
    assert act.comment == ""


def test_the_check_that_finds_it_gone_closes_it_and_says_so() -> None:
    act = one([opened()], healed())

    assert isinstance(act, Change)
    assert (act.open, act.what, act.comment) == (False, "closed", "No drift any more: in sync.")
    _, body = read_marker(act.body)
    assert "> **No drift any more**, 2026-11-24 13:00 UTC: in sync." in body
    # What it was about stays to be read.
    assert read_marker(opened().body)[1] in body


def test_what_is_closed_stays_closed_while_there_is_no_drift() -> None:
    assert one([closed()], healed(LATER + timedelta(hours=1))) == Leave("prod", 7, "no drift")


def test_it_is_reopened_when_even_the_same_drift_returns() -> None:
    act = one([closed()], drifted(at=LATER))

    assert isinstance(act, Change)
    assert (act.open, act.what) == (True, "reopened")
    assert act.comment == "There is drift again: d1: 2 objects were changed outside Git."
    _, body = read_marker(act.body)
    assert body.startswith("Since 13:00.\n2026-11-24 12:00 UTC: d1")
    assert "2026-11-24 13:00 UTC: in sync" in body
    assert "No drift any more" not in body


def test_what_nobody_could_look_at_is_never_closed() -> None:
    act = one([opened()], unknown())

    assert isinstance(act, Change)
    assert (act.open, act.comment) == (True, "")
    assert (
        "> **Whether this is still so is not known.** The check of 2026-11-24 13:00 UTC could not "
        "tell: failed: no \\_credentials\\_.\n\n" in act.body
    )
    assert read_marker(opened().body)[1] in act.body


def test_a_note_takes_the_place_of_the_one_before_and_goes_with_the_next_check() -> None:
    noted = done(one([opened()], unknown()), opened())

    again = done(one([noted], unknown(LATER + timedelta(hours=1))), noted)
    known = done(one([again], drifted(at=LATER)), again)

    assert again.body.count("is not known") == 1
    assert "14:00 UTC could not tell" in again.body
    assert "is not known" not in known.body


def test_who_closes_it_by_hand_has_seen_this_drift_and_hears_of_another() -> None:
    by_hand = replace(opened(), open=False)

    same = one([by_hand], drifted(at=LATER))
    other = one([by_hand], drifted("d2", LATER))

    assert same == Leave("prod", 7, "somebody closed it, and nothing changed")
    assert isinstance(other, Change)
    assert (other.open, other.what) == (True, "reopened")
    assert other.comment == (
        "The drift has become another: d2: 2 objects were changed outside Git."
    )


def test_who_closes_it_by_hand_hears_of_the_same_drift_after_it_was_gone() -> None:
    by_hand = replace(opened(), open=False)

    gone = one([by_hand], healed())

    assert isinstance(gone, Change)
    assert (gone.open, gone.comment) == (False, "")
    again = one([done(gone, by_hand)], drifted(at=LATER))
    assert isinstance(again, Change)
    assert again.open


def test_what_a_person_reopened_is_left_open() -> None:
    reopened = replace(closed(), open=True)

    assert one([reopened], healed()) == Leave(
        "prod", 7, "somebody reopened it, and there is no drift"
    )
    act = one([reopened], drifted(at=LATER))
    assert isinstance(act, Change)
    assert (act.open, act.what, act.comment) == (True, "updated", "")


@pytest.mark.parametrize("issue", [replace(opened(), open=False), replace(closed(), open=True)])
def test_what_a_person_closed_or_reopened_gets_no_note(issue: Issue) -> None:
    assert one([issue], unknown()) == Leave("prod", 7, "it is not known what is now")


def test_an_older_run_never_overwrites_a_newer_one() -> None:
    newer = done(one([], drifted(), SECOND))

    assert one([newer], healed(), FIRST) == Leave("prod", 7, "a newer run has written it")
    # Nor does one that sees the configuration as it was.
    assert acts([newer], turn=FIRST, configured=["staging"]) == ()


def test_an_older_run_takes_its_own_duplicate_back_and_never_the_newer_one() -> None:
    newer = done(one([], drifted(), SECOND))
    mine = replace(opened(), number=9)

    left, duplicate = acts([newer, mine], drifted(), turn=FIRST)

    assert left == Leave("prod", 7, "a newer run has written it")
    assert isinstance(duplicate, Change)
    assert (duplicate.number, duplicate.open) == (9, False)
    behind = [replace(opened(), number=5), newer, mine]
    assert acts(behind, drifted(), turn=FIRST) == (left,)


def test_what_a_newer_version_wrote_is_left_alone() -> None:
    ahead = replace(opened(), body=opened().body.replace('{"v":1,', '{"v":2,'))

    assert one([ahead], healed()) == Leave(
        "prod", 7, "a newer version of driftctl-py has written it"
    )


def test_what_is_not_ours_is_not_touched() -> None:
    foreign = replace(opened(), ours=False)
    other = Issue(3, "Drift in prod", "It is slow.", open=True, ours=True)

    assert isinstance(one([foreign, other], drifted()), Open)
    assert acts([foreign, other], healed(), configured=[]) == ()


def test_each_scope_has_issues_of_its_own() -> None:
    (act,) = acts([opened()], drifted(), scope="network", configured=[])

    assert isinstance(act, Open)


def test_of_two_issues_that_were_opened_at_once_the_older_stays() -> None:
    first, second = opened(), replace(opened(drifted("d2")), number=9)

    kept, duplicate = acts([second, first], drifted("d2", LATER), turn=SECOND)

    assert isinstance(kept, Change)
    assert (kept.number, kept.open) == (7, True)
    assert isinstance(duplicate, Change)
    assert (duplicate.number, duplicate.open) == (9, False)
    assert duplicate.comment == "The same as #7, which stays."
    # And is none of ours from then on.
    both = [done(kept, first), done(duplicate, second)]
    rest = acts(both, healed(), turn=Turn(13, 1, run=902))
    assert [act.number for act in rest if isinstance(act, Change)] == [7]


def test_an_issue_about_an_environment_that_is_gone_is_closed_with_the_reason() -> None:
    (act,) = acts([opened()], turn=SECOND, configured=["staging"])

    assert isinstance(act, Change)
    assert (act.open, act.what) == (False, "closed, since its environment is gone")
    assert "not in the configuration any more" in act.comment
    assert acts([done(act, opened())], turn=SECOND, configured=["staging"]) == ()


def test_an_environment_that_was_not_looked_at_is_not_gone() -> None:
    assert acts([opened()], turn=SECOND, configured=["prod", "staging"]) == ()
    assert acts([opened()], turn=SECOND) == ()


def test_a_marker_that_a_person_spoiled_costs_the_beginning_and_nothing_else() -> None:
    spoiled = replace(opened(), body=opened().body.replace("2026-11-24T12:00:00", "yesterday"))

    act = one([spoiled], drifted(at=LATER))

    assert isinstance(act, Change)
    assert read_marker(act.body)[1].startswith("Since 13:00.")


ITEM = Item("aws_s3_bucket.a", "update", "drift", destroys=False, lines=("! aws_s3_bucket.a",))


def result(verdict: Verdict, *items: Item, minutes: int = 0) -> Result:
    at = NOON + timedelta(minutes=minutes)
    return Result("prod", "environments/prod", Occasion.CHECK, verdict, at, 1.0, items=items)


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (Verdict.DRIFTED, Found.DRIFTED),
        (Verdict.DRIFTED_AND_PENDING, Found.DRIFTED),
        (Verdict.PENDING, Found.NONE),
        (Verdict.IN_SYNC, Found.NONE),
        (Verdict.UNKNOWN, Found.UNKNOWN),
        (Verdict.FAILED, Found.UNKNOWN),
    ],
)
def test_only_a_check_that_saw_everything_says_that_there_is_no_drift(
    verdict: Verdict, found: Found
) -> None:
    look = look_of(result(verdict), words="words", line="line")

    assert (look.environment, look.found, look.words) == ("prod", found, "words")
    assert bool(look.digest) is (found is Found.DRIFTED)


def test_the_same_drift_is_told_by_what_drifted_alone() -> None:
    pending = Item("aws_s3_bucket.b", "create", "commit", destroys=False, lines=("+ b",))

    def digest(*items: Item, minutes: int = 0) -> str:
        known = result(Verdict.DRIFTED, *items, minutes=minutes)
        return look_of(known, words="", line="").digest

    assert digest(ITEM) == digest(pending, ITEM, minutes=60)
    assert digest(ITEM) != digest(replace(ITEM, lines=("! aws_s3_bucket.a", "- tags.team")))
    assert digest(ITEM) != digest(replace(ITEM, address="aws_s3_bucket.c"))
    assert digest(ITEM) != digest(ITEM, ITEM)
