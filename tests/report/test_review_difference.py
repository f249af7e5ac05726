from __future__ import annotations

import pytest

from driftctl_py.core.consequences import About, At, Consequence, Fact, Subject
from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_diff import Deviation, FactDifference, PlanDifference
from driftctl_py.report.review_difference import difference_sentences

WEB = Subject(About.RESOURCE, "aws_instance.web")


def does(kind: Kind | None) -> Consequence | None:
    return None if kind is None else {At(Fact.KIND): kind.value}


def told(subject: Subject, then: Kind | None, now: Kind | None, *paths: str) -> str:
    facts = tuple(FactDifference(At(Fact.PLANNED, (each,)), 1, 2) for each in paths)
    deviation = Deviation(subject, does(then), does(now), facts)
    (sentence,) = difference_sentences(PlanDifference((deviation,), 1))
    return sentence


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (Kind.UPDATE, Kind.REPLACE, "reviewed: update; now: replace."),
        (None, Kind.DELETE, "reviewed, nothing was to be done with it; now: delete."),
        (Kind.CREATE, None, "reviewed: create; now nothing would be done with it."),
    ],
)
def test_what_is_done_otherwise_is_told_of_both(
    then: Kind | None, now: Kind | None, words: str
) -> None:
    assert told(WEB, then, now, "ami") == f"aws_instance.web: {words}"


def test_of_what_is_done_alike_the_places_are_named() -> None:
    places = [f"p{number}" for number in range(8)]

    assert told(WEB, Kind.UPDATE, Kind.UPDATE, "ami") == (
        "aws_instance.web: update, but otherwise than reviewed (ami)."
    )
    assert told(WEB, Kind.UPDATE, Kind.UPDATE, *places) == (
        "aws_instance.web: update, but otherwise than reviewed (p0, p1, p2, p3, p4, p5 and 2 more)."
    )


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (Subject(About.RESOURCE, "x.y", "dead"), "x.y (deposed object dead)"),
        (Subject(About.OUTPUT, "ip"), "output ip"),
        (Subject(About.PLAN, ""), "The plan itself"),
        (Subject(About.RESOURCE, "x.y\x1b[2J"), "x.y"),
    ],
)
def test_each_thing_has_its_name_and_nothing_that_a_terminal_obeys(
    subject: Subject, name: str
) -> None:
    said = told(subject, Kind.UPDATE, Kind.DELETE)

    assert said.startswith(name)
    assert "\x1b" not in said


def test_what_has_no_kind_and_no_place_is_told_by_its_fact() -> None:
    facts = (FactDifference(At(Fact.PROVIDER), "a", "b"),)
    deviation = Deviation(Subject(About.PROVIDER, "aws"), {}, {}, facts)

    assert difference_sentences(PlanDifference((deviation,), 1)) == (
        "provider aws: the same, but otherwise than reviewed (provider).",
    )


def test_of_many_the_first_are_told() -> None:
    each = Deviation(WEB, None, does(Kind.CREATE), ())

    *said, last = difference_sentences(PlanDifference((each,) * 20, 20))

    assert len(said) == 12
    assert last == "And 8 more."


def test_where_nothing_that_is_kept_differs_it_is_a_secret() -> None:
    (said,) = difference_sentences(PlanDifference((), 3))

    assert said.startswith("What differs is a secret, or a setting")
