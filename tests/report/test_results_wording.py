from __future__ import annotations

from typing import Any

import pytest

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Gated, Occasion, Result, Results, Standing
from driftctl_py.core.run import State
from driftctl_py.report import results_wording
from driftctl_py.report.results_wording import Effects, Rank
from tests.report.result_examples import (
    DEV,
    HELD,
    ORDINARY,
    PROD,
    QA,
    STAGING,
    changed,
    drifted,
    failed,
    item,
    replaced,
    result_of,
)


def applied(environment: str, state: State, *items: Any, **more: Any) -> Result:
    return result_of(environment, *items, occasion=Occasion.APPLY, state=state.value, **more)


UNKNOWN = result_of(
    "eu", verdict=Verdict.UNKNOWN, reason="It was locked.", totals=None, drifted=None
)
REFUSED = result_of("us", changed("x.y"), gate=Gated(Standing.REFUSED))


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (
            ORDINARY.results,
            "Merging destroys 1 (to replace it), changes 3 and adds 2 in 2 of 3 environments; "
            "2 objects drifted",
        ),
        ((result_of("a", item("x.y", "delete")),), "Merging destroys 1 in 1 environment"),
        (
            (result_of("a", item("x.y", "delete"), replaced("x.a"), replaced("x.b")),),
            "Merging destroys 3 (2 to replace them) in 1 environment",
        ),
        (
            (result_of("a", item("x.y", "delete"), replaced("x.a")), DEV, QA, UNKNOWN, REFUSED),
            "Merging destroys 2 (1 to replace it) and changes 1 in 2 of 5 environments; "
            "1 environment failed; 1 environment unknown; 1 environment refused",
        ),
        (
            (result_of("a", item("x.y", "unknown"), item("x.a", "forget")),),
            "Merging does what this version does not know to 1 and forgets 1 in 1 environment",
        ),
        (
            (result_of("a", item("x.y", "forget-then-create"), item("x.a", "no-op")),),
            "Merging moves 1 and forgets and makes anew 1 in 1 environment",
        ),
        (
            (result_of("a", item("x.y", "no-op"), totals=Totals(import_=1)),),
            "Merging imports 1 in 1 environment",
        ),
        (
            (result_of("a", verdict=Verdict.PENDING, outputs=("+ output.a",)), DEV),
            "Merging changes outputs alone in 1 of 2 environments",
        ),
        ((QA,), "What merging would do is not known; 1 environment failed"),
        (
            (QA, DEV, DEV),
            "What merging would do is not known; 2 environments in sync; 1 environment failed",
        ),
        ((), "No environment is concerned"),
        (
            (result_of("a", item("x.y", "no-op", cause="drift")),),
            "Merging changes nothing; 1 object drifted",
        ),
    ],
)
def test_a_pull_request_is_answered_in_one_line(results: tuple[Result, ...], words: str) -> None:
    assert results_wording.headline(Results(results)) == words


def test_what_is_missing_or_unreadable_is_never_nothing() -> None:
    for found in (Results((), missing=("a",)), Results((), unreadable=("a.json: empty",))):
        assert results_wording.headline(found).startswith("What merging would do is not known; 1 ")
        assert results_wording.icon_of_all(found) == "❌"
        assert not results_wording.changes_nothing(found)


def test_an_environment_that_says_nothing_else_is_in_sync_beside_one_that_died() -> None:
    assert results_wording.headline(Results((DEV,), missing=("edge",))) == (
        "What merging would do is not known; 1 environment in sync; 1 environment failed"
    )


def test_totals_that_destroy_more_than_is_named_count() -> None:
    lost = result_of("a", totals=Totals(destroy=2), verdict=Verdict.PENDING)

    assert results_wording.headline(Results((lost,))) == "Merging destroys 2 in 1 environment"
    assert results_wording.rank(lost) is Rank.DESTROYS


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (
            Results(
                (
                    result_of("a", drifted(), occasion=Occasion.CHECK),
                    result_of("b", occasion=Occasion.CHECK),
                ),
                missing=("c",),
                unreadable=("d.json",),
            ),
            "3 environments: 1 failed, 1 drifted, 1 in sync; 1 result unreadable",
        ),
        (
            Results(
                (
                    applied("a", State.APPLIED, replaced(), changed("x.y")),
                    applied("b", State.HELD, changed("x.y")),
                    applied("c", State.IN_SYNC),
                    applied("d", State.STALE),
                ),
                missing=("e",),
                unreadable=("f.json",),
            ),
            "Applied 1 of 5 environments: 1 replaced, 1 changed; "
            "1 failed, 1 held, 1 stale, 1 in sync, 1 result unreadable",
        ),
        (
            Results((applied("a", State.UNVERIFIED), applied("b", State.NOT_CONVERGED))),
            "Applied 2 environments; 1 not converged, 1 applied, not verified",
        ),
        (Results((applied("a", State.IN_SYNC),)), "Nothing to apply"),
        (Results((applied("a", State.REFUSED), DEV)), "Nothing was applied; 1 refused, 1 in sync"),
    ],
)
def test_checks_and_applies_are_answered_too(results: Results, words: str) -> None:
    assert results_wording.headline(results) == words


@pytest.mark.parametrize(
    ("result", "sign"),
    [
        (STAGING, "🔴"),
        (PROD, "🟣"),
        (DEV, "🟢"),
        (QA, "❌"),
        (UNKNOWN, "❔"),
        (REFUSED, "⛔"),
        (result_of("a", changed("x.y")), "🟡"),
        (result_of("a", item("x.y", "unknown")), "🔴"),
        (applied("a", State.APPLIED, replaced()), "🟢"),
        (applied("a", State.HELD, replaced()), "🟡"),
        (applied("a", State.REFUSED), "⛔"),
        (applied("a", State.UNKNOWN), "❔"),
        (applied("a", State.PARTLY_APPLIED), "❌"),
        (failed("a", totals=Totals(destroy=1)), "🔴"),
    ],
)
def test_each_has_a_sign(result: Result, sign: str) -> None:
    assert results_wording.icon(result) == sign


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (STAGING, "1 replaced, 1 changed, 1 added"),
        (PROD, "2 changed, 1 added; 2 of them changed outside Git"),
        (DEV, "in sync"),
        (QA, "failed: terraform plan failed."),
        (failed("a", ""), "failed"),
        (UNKNOWN, "unknown: It was locked."),
        (result_of("a", verdict=Verdict.UNKNOWN), "unknown"),
        (REFUSED, "refused: 1 changed"),
        (
            result_of("a", drifted(), drifted("x.y")),
            "not from this pull request: 2 objects were changed outside Git",
        ),
        (
            result_of("a", drifted(), occasion=Occasion.CHECK),
            "1 object was changed outside Git",
        ),
        (
            result_of("a", verdict=Verdict.PENDING, outputs=("+ output.a",)),
            "outputs alone",
        ),
        (result_of("a", verdict=Verdict.PENDING), "pending"),
        (
            applied("a", State.APPLIED, item("x.y", "delete"), replaced()),
            "applied: 1 destroyed, 1 replaced",
        ),
        (result_of("a", item("x.y", "unknown")), "1 not known to this version"),
        (
            applied("a", State.UNVERIFIED, verdict=Verdict.UNKNOWN, reason="No plan came about."),
            "applied, not verified: No plan came about.",
        ),
    ],
)
def test_each_has_a_clause(result: Result, words: str) -> None:
    assert results_wording.about(result) == words


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (STAGING, "needs 1 of: dba (ada, grace)"),
        (result_of("a", gate=Gated(Standing.HELD, needs="2 of: net")), "needs 2 of: net"),
        (result_of("a", gate=Gated(Standing.HELD)), "held"),
        (PROD, "allowed"),
        (DEV, "in sync"),
        (QA, "failed"),
        (UNKNOWN, "unknown"),
        (REFUSED, "refused"),
        (result_of("a", changed("x.y")), "pending"),
        (result_of("a", changed("x.y"), occasion=Occasion.CHECK, gate=HELD), "pending"),
        (applied("a", State.APPLIED), "applied"),
        (applied("a", State.PARTLY_APPLIED, verdict=Verdict.FAILED), "partly applied"),
        (applied("a", State.HELD, gate=HELD), "needs 1 of: dba (ada, grace)"),
        (result_of("a", changed("x.y"), occasion=Occasion.APPLY), "pending"),
    ],
)
def test_the_last_column_says_what_becomes_of_it(result: Result, words: str) -> None:
    assert results_wording.outcome(result) == words


def test_what_is_not_known_is_not_none() -> None:
    assert results_wording.numbers(QA) == ("?", "?", "?", "?")
    assert results_wording.numbers(STAGING) == ("2", "1", "1", "–")


def test_what_was_applied_is_not_quiet() -> None:
    quiet = applied("a", State.IN_SYNC)

    assert results_wording.changes_nothing(Results((quiet,)))
    assert not results_wording.changes_nothing(Results((applied("a", State.APPLIED),)))
    assert not results_wording.changes_nothing(Results(()))


def test_where_nothing_is_concerned_there_is_no_more_to_say() -> None:
    assert results_wording.concerns_nothing(Results(()))
    assert results_wording.headline(Results(())) == "No environment is concerned"
    assert not results_wording.concerns_nothing(Results((), missing=("prod",)))
    assert not results_wording.concerns_nothing(Results((), unreadable=("x: damaged",)))


def test_effects_of_nothing_are_none() -> None:
    assert not Effects()
    assert results_wording.counted(Effects()) == ""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["+ output.a", "+     1  # planned"], "outputs"),
        (["! ~ output.a"], "outputs"),
        (["! action.a.b: apply runs this action (after create)"], "actions"),
        (["- output.a", "! action.a.b: apply runs this action"], "outputs and actions"),
        ([], "what is no object"),
    ],
)
def test_what_is_no_object_is_named(lines: list[str], words: str) -> None:
    assert results_wording.beside(lines) == words
