"""One comment, of the newest run, whoever comes in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from driftctl_py.core.forge import Comment
from driftctl_py.core.marker import Turn, read_marker
from driftctl_py.core.sticky import (
    BODY_AT_MOST,
    Act,
    Create,
    Edit,
    Leave,
    Wanted,
    Why,
    decide,
    latest,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW = "3f2a91c" + "0" * 33, "77b0de4" + "0" * 33
FIRST = Wanted("### 🟡 Merging changes 1", Turn(11, 1, OLD, 900, "w"))
SECOND = Wanted("### 🔴 Merging destroys 1", Turn(12, 1, NEW, 901, "w"))


def comment(id: int, body: str, *, ours: bool = True) -> Comment:
    return Comment(id, body, "github-actions[bot]" if ours else "ada", ours, NOON, NOON)


def written(id: int, wanted: Wanted, *, head: str = "") -> Comment:
    act = decide([], wanted, head=head)
    assert isinstance(act, Create)
    return comment(id, act.body)


def body_of(wanted: Wanted) -> str:
    return written(1, wanted).body


def test_where_there_is_none_one_is_written_that_begins_with_the_marker() -> None:
    act = decide([comment(1, "Looks good.", ours=False), comment(2, "Coverage: 100 %")], FIRST)

    assert isinstance(act, Create)
    marker, body = read_marker(act.body)
    assert marker is not None
    assert (marker.kind, marker.scope, marker.turn) == ("plan", "", FIRST.turn)
    assert body == FIRST.body


def test_the_next_run_writes_into_the_one_that_is_there() -> None:
    act = decide([written(5, FIRST)], SECOND)

    assert act == Edit(5, body_of(SECOND), Why.CHANGED)


def test_an_older_run_that_ends_late_changes_nothing() -> None:
    assert decide([written(5, SECOND)], FIRST) == Leave(5, Why.OLDER)


def test_another_attempt_of_the_same_run_is_the_newer() -> None:
    again = replace(FIRST, body="### ❌ It failed", turn=replace(FIRST.turn, attempt=2))

    assert decide([written(5, FIRST)], again) == Edit(5, body_of(again), Why.CHANGED)
    assert decide([written(5, again)], FIRST) == Leave(5, Why.OLDER)


def test_a_push_back_to_an_older_commit_is_still_the_newer_run() -> None:
    back = Wanted("### Merging changes 1", Turn(13, 1, OLD, 902, "w"))

    assert decide([written(5, SECOND)], back, head=OLD) == Edit(5, body_of(back), Why.CHANGED)
    # Even where the run of that commit was started again instead.
    again = replace(FIRST, turn=replace(FIRST.turn, attempt=2))
    assert decide([written(5, SECOND)], again, head=OLD) == Edit(5, body_of(again), Why.CHANGED)


def test_nothing_is_written_where_nothing_changed() -> None:
    again = replace(FIRST, turn=replace(FIRST.turn, attempt=2))

    assert decide([written(5, FIRST)], FIRST) == Leave(5, Why.SAME)
    assert decide([written(5, FIRST)], again) == Leave(5, Why.SAME)


def test_words_that_say_nothing_of_what_was_found_are_no_change() -> None:
    first = replace(FIRST, body="Changes 1. [log](https://x/1)", volatile=("https://x/1",))
    again = replace(
        FIRST,
        body="Changes 1. [log](https://x/2)",
        turn=replace(FIRST.turn, attempt=2),
        volatile=("https://x/2",),
    )

    assert decide([written(5, first)], again) == Leave(5, Why.SAME)


def test_a_newer_run_that_finds_the_same_still_says_that_it_was_there() -> None:
    next_ = replace(FIRST, turn=SECOND.turn)
    later = replace(FIRST, body="late", turn=replace(FIRST.turn, number=11))

    act = decide([written(5, FIRST)], next_)

    assert act == Edit(5, body_of(next_), Why.NEXT)
    assert decide([comment(5, act.body)], later) == Leave(5, Why.OLDER)


def test_what_a_person_changed_is_put_back_as_long_as_the_marker_is_there() -> None:
    body = written(5, FIRST).body
    edited = comment(5, body.replace("changes 1", "changes nothing"))

    assert decide([edited], FIRST) == Edit(5, body, Why.EDITED)


def test_line_ends_and_spaces_that_a_forge_changes_are_nobodys_edit() -> None:
    kept = written(5, replace(FIRST, body="one\n\ntwo"))

    returned = replace(kept, body=kept.body.replace("\n", "\r\n") + "\r\n")

    assert decide([returned], replace(FIRST, body="one\n\ntwo")) == Leave(5, Why.SAME)


def test_a_comment_that_a_person_deleted_is_made_anew() -> None:
    assert isinstance(decide([], SECOND), Create)


def test_a_copy_of_our_comment_in_somebody_elses_name_is_not_ours() -> None:
    copied = comment(3, body_of(SECOND), ours=False)

    assert isinstance(decide([copied], FIRST), Create)
    assert decide([copied, written(5, FIRST)], SECOND) == Edit(5, body_of(SECOND), Why.CHANGED)
    assert latest([copied], "") is None


def test_a_marker_anywhere_but_in_the_first_line_is_not_ours() -> None:
    quoted = comment(3, f"Somebody planned this:\n{body_of(SECOND)}")

    assert isinstance(decide([quoted], FIRST), Create)


def test_each_scope_and_each_kind_has_a_comment_of_its_own() -> None:
    network = replace(FIRST, scope="network")
    applied = replace(FIRST, kind="apply")

    assert isinstance(decide([written(5, FIRST)], network), Create)
    assert isinstance(decide([written(5, network)], FIRST), Create)
    assert isinstance(decide([written(5, FIRST)], applied), Create)


def test_of_duplicates_the_oldest_stays_and_says_what_the_newest_run_found() -> None:
    act = decide([written(9, SECOND), written(5, FIRST), comment(7, "Hello")], SECOND)

    assert act == Edit(5, body_of(SECOND), Why.CHANGED, delete=(9,))


def test_duplicates_go_even_where_nothing_else_changed() -> None:
    assert decide([written(5, FIRST), written(9, FIRST)], FIRST) == Leave(5, Why.SAME, delete=(9,))


def test_an_older_run_takes_its_own_duplicate_away_and_never_the_newer_one() -> None:
    assert decide([written(5, SECOND), written(9, FIRST)], FIRST) == Leave(
        5, Why.OLDER, delete=(9,)
    )
    assert decide([written(5, FIRST), written(9, SECOND)], FIRST) == Leave(9, Why.OLDER)


def test_what_a_newer_version_wrote_is_left_alone() -> None:
    ahead = comment(5, body_of(FIRST).replace('{"v":1,', '{"v":2,'))

    assert decide([ahead], SECOND) == Leave(5, Why.AHEAD)


def test_it_says_so_where_the_pull_request_has_moved_on() -> None:
    """A push that starts no run, as one by a bot, leaves the last plan standing."""
    act = decide([written(5, FIRST)], FIRST, head=NEW)

    assert isinstance(act, Edit)
    assert "made of `3f2a91c`, and the pull request is at `77b0de4` now." in act.body
    assert decide([comment(5, act.body)], FIRST, head=NEW) == Leave(5, Why.SAME)
    assert decide([comment(5, act.body)], SECOND, head=NEW) == Edit(5, body_of(SECOND), Why.CHANGED)


def test_outside_ci_the_one_who_writes_is_the_newest() -> None:
    by_hand = Wanted("### Merging changes 2", Turn())

    act = decide([written(5, SECOND)], by_hand, head=NEW)

    assert act == Edit(5, body_of(by_hand), Why.CHANGED)


def test_the_newest_run_is_found_over_all_kinds_of_a_scope() -> None:
    comments = [written(5, replace(SECOND, kind="check")), written(6, FIRST)]

    assert latest(comments, "") == SECOND.turn
    assert latest(comments, "network") is None


def test_the_longest_body_fits_into_a_comment() -> None:
    longest = replace(FIRST, body="x" * BODY_AT_MOST, scope="s" * 24)

    assert len(written(5, longest, head=NEW).body.encode()) <= 65_536


@dataclass
class Hand:
    """A run that has looked and not yet done what it decided: one request at a time."""

    wanted: Wanted
    todo: list[tuple[str, int, str]] = field(default_factory=list)

    def look(self, comments: Sequence[Comment], head: str) -> Act:
        act = decide(comments, self.wanted, head=head)
        match act:
            case Create(body=body):
                self.todo = [("create", 0, body)]
            case Edit(id=id, body=body, delete=delete):
                self.todo = [("edit", id, body), *(("delete", each, "") for each in delete)]
            case Leave(delete=delete):
                self.todo = [("delete", each, "") for each in delete]
        return act


RUNS = st.integers(min_value=0, max_value=2)


class Racing(RuleBasedStateMachine):
    """Three runs of three pushes, each at any point of what it does, and people in between."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[int, Comment] = {}
        self.last = 0
        self.heads = [character * 40 for character in "abc"]
        self.hands = [
            Hand(Wanted(f"### Plan {at}", Turn(11 + at, 1, head, 900 + at, "w")))
            for at, head in enumerate(self.heads)
        ]

    @property
    def comments(self) -> list[Comment]:
        return list(self.there.values())

    def add(self, body: str, *, ours: bool) -> None:
        self.last += 1
        self.there[self.last] = comment(self.last, body, ours=ours)

    @rule(run=RUNS)
    def looks(self, run: int) -> None:
        self.hands[run].look(self.comments, self.heads[-1])

    @rule(run=RUNS)
    def does_one_thing(self, run: int) -> None:
        hand = self.hands[run]
        if not hand.todo:
            return
        what, id, body = hand.todo.pop(0)
        if what == "create":
            self.add(body, ours=True)
        elif what == "delete":
            self.there.pop(id, None)
        elif id in self.there:
            self.there[id] = replace(self.there[id], body=body)
        else:
            # It is gone: what it was to replace must not go too.
            hand.todo = []

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def a_person_copies_one(self, data: st.DataObject) -> None:
        self.add(data.draw(st.sampled_from(self.comments)).body, ours=False)

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def a_person_deletes_one(self, data: st.DataObject) -> None:
        del self.there[data.draw(st.sampled_from(sorted(self.there)))]

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def a_person_edits_one(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.there)))
        self.there[id] = replace(self.there[id], body=self.there[id].body + "\nI was here.")

    def teardown(self) -> None:
        foreign = [each for each in self.comments if not each.ours]
        for run in range(len(self.hands)):
            while self.hands[run].todo:
                self.does_one_thing(run)
        for run in (2, 0, 1, 2):
            for _ in range(5):
                act = self.hands[run].look(self.comments, self.heads[-1])
                if isinstance(act, Leave) and not act.delete:
                    break
                while self.hands[run].todo:
                    self.does_one_thing(run)
            else:
                raise AssertionError(f"run {run} never comes to rest")

        ours = [each.body for each in self.comments if each.ours]
        assert ours == [body_of(self.hands[2].wanted)]
        assert [each for each in self.comments if not each.ours] == foreign


TestRacing = Racing.TestCase
TestRacing.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
