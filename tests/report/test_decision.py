from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import Ask, Identity, Passed, People, Requirement, Standing
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Decision,
    Hold,
    Judged,
    Judgement,
    Level,
    Nothing,
    Refuse,
    Ruling,
)
from driftctl_py.core.run import Purpose, State
from driftctl_py.core.window import Closed
from driftctl_py.report.decision import command, person, render_decision_text
from driftctl_py.report.show import columns
from tests.report.plan_reports import EVIL
from tests.report.run_examples import (
    ASKED,
    BY_MODE,
    BY_RULE,
    ENOUGH,
    HEALED,
    JUDGEMENT,
    MADE_AGAIN,
    NIGHTS,
    NOW,
    PARTLY,
    PEOPLE,
    REJECTED,
    REQUIREMENT,
    THAWS,
    UNENDING,
    harmless,
    run,
    said,
)

LONG = 'module.network["eu-central-1"].module.database.aws_db_instance.main["primary-of-all"]'
HELD = Hold(JUDGEMENT, REQUIREMENT, ASKED)
DENIED = Ruling(Level.DENY, "no-destroy", "policy.yaml:3", "Nothing that holds data is destroyed.")


# Any: whatever a run holds.
def shown(decision: Decision, *, width: int = 80, **more: Any) -> str:
    return render_decision_text(run(**more), decision, people=PEOPLE, width=width)


def allowed(count: int, what: str = "update") -> tuple[Judged, ...]:
    return tuple(Judged(f"aws_x.y[{at}]", Cause.COMMIT, what, (BY_MODE,)) for at in range(count))


def test_a_held_plan_names_each_change_its_rule_and_whom_to_ask() -> None:
    assert (
        shown(HELD)
        == """\
prod: held
  drift  aws_ssm_parameter.flag         create     approve  stateful-needs-owner
           What holds data is made again only with its owner's yes.
  drift  module.web.aws…_bucket.assets  tags.team  allow    apply.drift: auto
  stateful-needs-owner (driftctl.yaml:48)
  apply.drift: auto (driftctl.yaml:12)
  needs 1 of: dba (ada, grace); not the author of 77b0de4 (linus); a yes is good
    for 24 h
next: driftctl-py approve prod --reason "…"
"""
    )


def test_what_waits_for_its_time_says_until_when_and_what_to_do_then() -> None:
    decision = Hold(Judgement((HEALED,)), REQUIREMENT, Standing(), (NIGHTS,))

    assert (
        shown(decision)
        == """\
prod: held until 2026-11-24 21:00 UTC
  drift  module.web.aws_s3_bucket.assets  tags.team  allow  apply.drift: auto
  apply.drift: auto (driftctl.yaml:12)
  Commits are applied only during nights (driftctl.yaml:9), next from 2026-11-24
    21:00 UTC (22:00 in Europe/Berlin).
next: from 2026-11-24 21:00 UTC: driftctl-py apply prod
"""
    )


def test_what_waits_for_a_yes_and_for_its_time_tells_both_and_asks_for_the_yes() -> None:
    text = shown(Hold(JUDGEMENT, REQUIREMENT, ASKED, (NIGHTS,)))

    assert text.startswith("prod: held\n")
    assert text.index("needs 1 of: dba") < text.index("only during nights")
    assert text.endswith('next: driftctl-py approve prod --reason "…"\n')


@pytest.mark.parametrize(
    ("closed", "first", "last"),
    [
        ((NIGHTS, THAWS), "held until 2026-11-24 21:00 UTC", "next: from 2026-11-24 21:00"),
        ((replace(THAWS, until=None),), "held", 'next: driftctl-py thaw --reason "…"\n'),
        ((NIGHTS, UNENDING), "held", "freeze audit.\n"),
    ],
)
def test_where_nobody_knows_when_its_time_comes_there_may_be_somebody_who_can_thaw(
    closed: tuple[Closed, ...], first: str, last: str
) -> None:
    text = shown(Hold(JUDGEMENT, REQUIREMENT, ENOUGH, closed))

    assert text.startswith(f"prod: {first}\n")
    assert last in text.splitlines(keepends=True)[-1] or text.endswith(last)


def test_where_there_is_room_a_rule_stands_beside_its_change_with_its_line() -> None:
    text = shown(HELD, width=110)

    assert "allow    apply.drift: auto (driftctl.yaml:12)\n" in text
    assert "\n  apply.drift: auto (driftctl.yaml:12)" not in text


def test_what_must_be_read_is_never_cut_and_comes_first() -> None:
    judged = Judged(LONG, Cause.BOTH, "replace", (DENIED,), deposed="5c1d")
    changes = (*allowed(30), MADE_AGAIN, judged)

    text = shown(Refuse(("It must not be.",), Judgement(changes)))

    lines = text.splitlines()
    assert lines[1] == "  It must not be."
    assert "".join(line[20:62].strip() for line in lines[2:5]).startswith(LONG)
    assert "(deposed object 5c1d)" in " ".join(text.split())
    assert text.index("no-destroy") < text.index("stateful-needs-owner") < text.index("aws_x.y[0]")
    assert max(map(columns, lines)) <= 80


def test_of_what_is_allowed_twenty_are_listed_and_the_rest_is_counted() -> None:
    text = shown(Apply(Judgement(allowed(25))))

    assert "aws_x.y[19] " in text
    assert "aws_x.y[20] " not in text
    assert "  … 5 more allowed; --format json lists all\n" in text


def test_what_destroys_is_listed_however_much_of_it_is_allowed() -> None:
    text = shown(Apply(Judgement((*allowed(21), *allowed(25, "delete")))))

    assert text.count("  delete  ") == 25
    assert text.index("delete") < text.index("update")
    assert "  … 1 more allowed" in text


def test_a_rule_that_says_the_same_again_is_not_repeated() -> None:
    again = replace(MADE_AGAIN, address="aws_ssm_parameter.other")

    text = shown(Hold(Judgement((MADE_AGAIN, again)), REQUIREMENT, ASKED))

    assert text.count("What holds data") == 1


def test_several_rules_that_came_to_the_same_are_all_named() -> None:
    other = Ruling(Level.APPROVE, "office-hours", "driftctl.yaml:60")
    third = replace(other, rule="slow", message="It takes an hour.", where="")
    judged = replace(MADE_AGAIN, rulings=(BY_RULE, other, third, BY_MODE))

    text = shown(Hold(Judgement((judged,)), REQUIREMENT, ASKED))

    assert (
        "           office-hours (driftctl.yaml:60)\n           slow: It takes an hour.\n" in text
    )
    assert "apply.drift" not in text


def test_what_was_warned_of_is_told_to_whoever_is_asked_for_a_yes() -> None:
    warned = Ruling(Level.WARN, "scan", "driftctl.yaml:70", "It is open to all.")
    silent = Ruling(Level.WARN, "wide", "")
    judged = replace(MADE_AGAIN, rulings=(silent, BY_MODE, warned, BY_RULE))

    text = shown(Hold(Judgement((judged,), (warned,)), REQUIREMENT, ASKED))

    assert (
        "           warn by wide\n           warn by scan (driftctl.yaml:70): It is open to all.\n"
    ) in text


def test_a_denial_hides_nothing_that_others_have_to_say() -> None:
    warned = Ruling(Level.WARN, "scan", "", "It is open to all.")
    judged = replace(MADE_AGAIN, rulings=(DENIED, BY_RULE, warned))

    text = shown(Refuse(("No.",), Judgement((judged,), (warned, DENIED))), width=100)

    assert text.count("warn by scan: It is open to all.") == 2
    assert "approve by stateful-needs-owner (driftctl.yaml:48): What holds data" in text
    assert text.index("approve by stateful") < text.rindex("warn by scan")


def test_where_a_rule_stands_is_told_below_before_an_address_is_broken() -> None:
    ruling = replace(BY_RULE, message="")
    judged = replace(MADE_AGAIN, address="module.web.folder_server.web[0]", rulings=(ruling,))

    text = shown(Hold(Judgement((judged,)), REQUIREMENT, ASKED), width=90)

    assert (
        "  drift  module.web.folder_server.web[0]  create  approve  stateful-needs-owner\n" in text
    )
    assert "\n  stateful-needs-owner (driftctl.yaml:48)\n" in text


def test_what_was_said_of_the_plan_as_a_whole_has_a_line_of_its_own() -> None:
    wide = Ruling(Level.WARN, "wide-reach", "", "Half of the objects change.")

    text = shown(Hold(Judgement((MADE_AGAIN,), (wide, BY_MODE)), REQUIREMENT, ASKED))

    assert "\n         the plan as a whole" in text
    assert "warn     wide-reach\n           Half of the objects change.\n" in text


def test_a_change_that_no_rule_speaks_of_is_denied_and_says_so() -> None:
    assert "deny  no rule\n" in shown(Refuse(("No.",), Judgement((replace(HEALED, rulings=()),))))


def test_a_name_of_a_rule_that_leaves_no_room_stands_below() -> None:
    rule = replace(BY_RULE, rule="what-holds-data-is-made-again-only-with-its-owner")

    text = shown(Hold(Judgement((replace(MADE_AGAIN, rulings=(rule,)),)), REQUIREMENT, ASKED))

    lines = text.splitlines()
    assert lines[1] == "  drift  aws_ssm_parameter.flag  create  approve"
    assert (
        lines[2]
        == "           what-holds-data-is-made-again-only-with-its-owner (driftctl.yaml:48)"
    )


def test_where_nothing_leaves_room_the_address_gets_what_there_is() -> None:
    judged = Judged("module.web.aws_instance.web[0]", Cause.BOTH, "user_data.script[0].body", ())

    text = shown(Refuse(("No.",), Judgement((replace(judged, rulings=(BY_RULE,)),))))

    assert max(map(columns, text.splitlines())) <= 80
    assert "".join(line[20:45].strip() for line in text.splitlines()[2:4]) == judged.address


def test_what_was_said_so_far_and_why_some_of_it_does_not_count() -> None:
    requirement = Requirement(count=2, groups=("dba", "ops", "empty"), expires_seconds=3 * 86_400)

    text = " ".join(shown(Hold(JUDGEMENT, requirement, PARTLY)).split())

    assert (
        "approved by ada (github:ada) at 2026-11-24 09:13 UTC, good until 2026-11-25 09:14 UTC: "
        "The flag is ours." in text
    )
    assert (
        "does not count: ken (os:ken, unverified): the operating system's word does not count"
        in text
    )
    assert "needs 1 more of: dba (ada, grace), ops (ken), empty (nobody is in it);" in text
    assert "a yes is good for 3 d" in text


@pytest.mark.parametrize(
    ("groups", "standing", "words"),
    [
        ((), Standing(missing=1, lacking=("dba",)), "needs 1 of: dba (ada, grace);"),
        (("dba",), Standing(missing=1, lacking=("dba",)), "needs 1 of: dba (ada, grace); not"),
        (
            ("dba",),
            Standing(missing=2, lacking=("ops", "empty")),
            "needs 2 of: dba (ada, grace); among them one of ops (ken), and one of empty (nobody "
            "is in it);",
        ),
        ((), Standing(missing=2, lacking=("ops",)), "needs 2 of: any group; among them one of ops"),
        (
            ("dba", "ops"),
            Standing(missing=1, lacking=("dba", "ops")),
            "needs 1 of: dba (ada, grace), ops (ken); among them one of dba (ada, grace), and one "
            "of ops (ken);",
        ),
        (
            (),
            Standing(missing=2, lacking=("dba",), short=(Ask(2, ("dba",)),)),
            "needs 2 of: dba (ada, grace); not",
        ),
        (
            (),
            Standing(missing=2, lacking=("ops",), short=(Ask(2, ("dba", "ops")),)),
            "needs 2 of: dba (ada, grace), ops (ken); among them one of ops (ken);",
        ),
        (
            ("dba",),
            Standing(missing=2, lacking=("dba",), short=(Ask(2, ("dba",)),)),
            "needs 2 of: dba (ada, grace); not",
        ),
        (
            ("ops",),
            Standing(missing=2, lacking=("dba",), short=(Ask(2, ("dba",)), Ask(1))),
            "needs 2 of: ops (ken); among them 2 of dba (ada, grace), and 1 of any group;",
        ),
        (
            (),
            Standing(missing=3, short=(Ask(2, ("dba", "ops")),)),
            "needs 3 of: any group; among them 2 of dba (ada, grace) or ops (ken);",
        ),
        ((), Standing(missing=2, short=(Ask(2),)), "needs 2 of: any group; not"),
    ],
)
def test_whom_rules_want_to_be_asked_is_named(
    groups: tuple[str, ...], standing: Standing, words: str
) -> None:
    text = shown(Hold(JUDGEMENT, Requirement(groups=groups), standing))

    assert words in " ".join(text.split())


@pytest.mark.parametrize(
    ("count", "words"), [(4, "1 older one does not count"), (5, "2 older ones do not count")]
)
def test_of_what_does_not_count_the_last_are_told(count: int, words: str) -> None:
    passed = tuple(
        Passed(said(reason=str(at), at=NOW - timedelta(hours=at)), f"it is of {at} h ago")
        for at in range(count)
    )

    text = shown(Hold(JUDGEMENT, REQUIREMENT, Standing(missing=1, passed=passed)))

    assert f"count: ada (github:ada): it is of 2 h ago\n  … {words}; --format json" in text


def test_what_is_passed_over_for_the_same_reason_is_told_once() -> None:
    passed = tuple(
        Passed(said(reason=str(at), at=NOW - timedelta(hours=at)), "it was used.")
        for at in range(5)
    )

    text = shown(Hold(JUDGEMENT, REQUIREMENT, Standing(missing=1, passed=passed)))

    assert text.count("does not count") == 1
    assert "does not count: ada (github:ada): it was used (5 times)\n" in text
    assert "older" not in text


def test_a_no_that_stands_is_all_there_is_to_say() -> None:
    text = shown(Hold(JUDGEMENT, REQUIREMENT, replace(REJECTED, missing=0)))

    assert "needs 1 of" not in text


def test_a_no_is_shown_with_its_reason() -> None:
    text = shown(Hold(JUDGEMENT, REQUIREMENT, REJECTED))

    assert "rejected by grace (github:grace) at 2026-11-24 09:13 UTC: Not on a Friday." in text


def test_a_yes_that_is_over_before_its_time_comes_is_told_of() -> None:
    given = said()
    until = given.expires_at
    later = Hold(JUDGEMENT, REQUIREMENT, Standing((given,)), (Closed("A.", until), Closed("B.")))
    before = replace(later, closed=(Closed("A.", until - timedelta(seconds=1)), Closed("B.")))

    text = " ".join(shown(later).split())

    assert "A. B. The yes of ada (github:ada) is over by then, at 2026-11-25 09:14 UTC:" in text
    assert "is over by then" not in " ".join(shown(before).split())


def test_an_author_who_may_and_a_requirement_without_groups() -> None:
    requirement = Requirement(author_may=True, expires_seconds=600)
    hold = Hold(replace(JUDGEMENT, changes=(HEALED,)), requirement, ASKED)

    assert "  needs 1 of: any group; a yes is good for 10 min\n" in shown(hold)


def test_many_authors_are_counted_and_strangers_called_by_their_address() -> None:
    authors = ("linus@example.org", *(f"{at}@example.org" for at in range(7)))

    text = " ".join(shown(HELD, authors=authors, commit="").split())

    assert (
        "not the authors (0@example.org, 1@example.org, 2@example.org, 3@example.org, "
        "4@example.org and 3 more)" in text
    )


def test_nothing_to_apply_is_one_line() -> None:
    text = shown(Nothing("The environment is what the code says."), drifted=0)

    assert text == "prod: nothing to apply. The environment is what the code says.\n"


def test_drift_that_apply_leaves_can_be_accepted() -> None:
    text = shown(Nothing("Apply leaves it."), drifted=1)

    assert text.endswith('\nnext: driftctl-py accept prod --reason "…"\n')


@pytest.mark.parametrize(("approvals", "word"), [((), "allowed"), ((said(),), "approved")])
def test_what_may_be_applied_says_on_whose_word(approvals: tuple[()], word: str) -> None:
    text = shown(Apply(JUDGEMENT, approvals))

    assert text.startswith(f"prod: {word}\n")
    assert ("approved by ada" in text) is bool(approvals)
    assert text.endswith("\nnext: driftctl-py apply prod\n")


def test_a_refusal_says_every_reason_and_the_way_out() -> None:
    text = shown(Refuse(("One.", "Two."), todo='driftctl-py resume prod --reason "…"'))

    assert text == ('prod: refused\n  One.\n  Two.\nnext: driftctl-py resume prod --reason "…"\n')


def test_a_refusal_without_a_way_out_has_no_next() -> None:
    assert "next" not in shown(Refuse(("One.",)))


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        (Purpose.RECONCILE, ""),
        (Purpose.HEAL, "puts drift back at 77b0de4"),
        (Purpose.ACCEPT, "records in the state"),
        (Purpose.ROLLBACK, "goes back to 77b0de4"),
        (Purpose.REVIEW, "nothing is kept that could be applied"),
    ],
)
def test_what_a_plan_is_for_is_said_where_it_is_not_what_git_says(
    purpose: Purpose, words: str
) -> None:
    text = shown(Apply(Judgement()), purpose=purpose)

    assert words in text
    assert len(text.splitlines()) <= 4 if words else len(text.splitlines()) == 2


def test_who_somebody_is_and_how_that_is_known() -> None:
    said_of = [person(Identity(text), PEOPLE) for text in ("github:ada", "os:ken", "os:eve")]

    assert said_of == ["ada (github:ada)", "ken (os:ken, unverified)", "os:eve (unverified)"]
    assert person(Identity("key:eve"), PEOPLE) == "key:eve"


def test_a_name_that_the_shell_would_read_otherwise_is_quoted() -> None:
    assert command("apply", "a b") == "driftctl-py apply 'a b'"


def test_colour_only_repeats_what_words_say() -> None:
    plain = render_decision_text(run(), HELD)
    coloured = render_decision_text(run(), HELD, color=True)

    assert "\x1b" not in plain
    assert "\x1b[33mapprove\x1b[0m" in coloured
    for code in ("0", "1", "31", "32", "33", "35"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_reaches_a_terminal_as_it_came(evil: str) -> None:
    ruling = Ruling(Level.APPROVE, evil, evil, evil, (evil,))
    judged = Judged(evil, Cause.DRIFT, evil, (ruling, replace(ruling, rule="x")), evil)
    standing = Standing(given=(said(reason=evil),), missing=1)
    people = People({evil: ("github:ada",)}, {evil: (evil,)})
    hold = Hold(Judgement((judged,), (ruling,)), Requirement(groups=(evil,)), standing)

    for decision in (hold, Refuse((evil,), todo=evil), Nothing(evil)):
        made = run(State.HELD, environment=evil, authors=(evil,))
        text = render_decision_text(made, decision, people=people)

        assert harmless(text)


@given(
    st.lists(st.text("abc.[]\"'…日", min_size=1, max_size=120), max_size=6),
    st.integers(60, 140),
)
def test_it_stays_within_the_width(addresses: list[str], width: int) -> None:
    changes = tuple(
        Judged(each, Cause.COMMIT, "update", (BY_RULE if at % 2 else BY_MODE,))
        for at, each in enumerate(addresses)
    )

    text = render_decision_text(
        run(), Hold(Judgement(changes), REQUIREMENT, ASKED), people=PEOPLE, width=width
    )

    assert max(map(columns, text.splitlines())) <= width


def reviewed(decision: Decision, **more: Any) -> str:
    return shown(decision, purpose=Purpose.REVIEW, state=State.REVIEWED, **more)


@pytest.mark.parametrize(
    ("decision", "words", "step"),
    [
        (Nothing("Code, state and cloud are one."), "nothing to apply. Code, state", ""),
        (Apply(JUDGEMENT), "would be applied; it is allowed", ""),
        (Apply(JUDGEMENT, (said(),)), "would be applied; it is approved", ""),
        (HELD, "would be held", 'driftctl-py approve 20261124T091200-3f2a --reason "…"'),
        (Hold(JUDGEMENT, REQUIREMENT, ENOUGH, (NIGHTS,)), "would be held", ""),
        (Refuse(("No.",), JUDGEMENT, "Mend it."), "would be refused", "Mend it."),
    ],
)
def test_a_review_says_what_would_be_and_names_no_plan_that_waits(
    decision: Decision, words: str, step: str
) -> None:
    text = reviewed(decision)

    assert text.startswith(f"prod: {words}")
    assert ("\nnext:" in text) is bool(step)
    assert step in text
    assert "driftctl-py apply" not in text


def test_a_review_tells_what_it_is_not_the_time_for_now() -> None:
    text = reviewed(Apply(JUDGEMENT), closed=(UNENDING,))

    assert text.startswith("prod: would be applied; it is allowed\n")
    assert "Nothing is applied during the freeze audit." in text
