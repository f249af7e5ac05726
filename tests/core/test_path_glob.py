from __future__ import annotations

import time
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.path_glob import Match, escape, is_glob, parse_glob


def stars(glob: str, path: str) -> tuple[str, ...] | None:
    match = parse_glob(glob).match(path.split("/"))
    return None if match is None else match.stars


@pytest.mark.parametrize(
    ("glob", "path", "taken"),
    [
        ("environments/*", "environments/prod", ("prod",)),
        ("environments/*", "environments", None),
        ("environments/*", "environments/prod/eu", None),
        ("environments/*", "Environments/prod", None),
        ("teams/*/live-*", "teams/data/live-eu", ("data", "eu")),
        ("teams/*/live-*", "teams/data/dead-eu", None),
        ("*-*-*", "a-b-c-d", ("a", "b", "c-d")),
        ("a*a", "a", None),
        ("a*a", "aa", ("",)),
        ("live/**", "live", ("",)),
        ("live/**", "live/a/b", ("a/b",)),
        ("**/prod", "prod", ("",)),
        ("**/prod", "a/b/prod", ("a/b",)),
        ("**/prod", "a/b/prod/c", None),
        ("**/b/**/d", "a/b/c/d", ("a", "c")),
        ("**/x/**/d", "a/b/c/d", None),
        ("a/**/**/b", "a/b", ("",)),
        ("env-?", "env-a", ()),
        ("env-?", "env-", None),
        ("env-[ab]", "env-b", ()),
        ("env-[!ab]", "env-b", None),
        ("env-[!ab]", "env-c", ()),
        ("env-[0-3x]", "env-2", ()),
        ("env-[0-3x]", "env-x", ()),
        ("env-[0-3x]", "env-4", None),
        ("env-[a-]", "env--", ()),
        ("env-[]]", "env-]", ()),
        ("env-[!]]", "env-]", None),
    ],
)
def test_a_glob_takes_what_pathlib_takes_and_says_what_its_stars_took(
    glob: str, path: str, taken: tuple[str, ...] | None
) -> None:
    assert stars(glob, path) == taken


def test_a_match_names_the_components_that_a_wildcard_took_part_in() -> None:
    match = parse_glob("teams/*/**/eu-?").match(["teams", "data", "a", "b", "eu-1"])

    assert match == Match(("data", "a/b"), ("data", "a", "b", "eu-1"))


def test_a_glob_counts_its_stars() -> None:
    assert parse_glob("a/*-*/**/[x]?").stars == 3
    assert parse_glob("a/b").stars == 0
    assert parse_glob("a/**").is_search
    assert not parse_glob("a/*").is_search


@pytest.mark.parametrize("glob", ["a**", "**b", "a/b**/c"])
def test_a_double_star_stands_alone(glob: str) -> None:
    with pytest.raises(ValueError, match="stands alone between two slashes"):
        parse_glob(glob)


@pytest.mark.parametrize("glob", ["a[", "a[]", "a[!]", "a[b/c]"])
def test_a_bracket_that_nothing_closes_is_an_error(glob: str) -> None:
    with pytest.raises(ValueError, match="opens a \\[ that nothing closes"):
        parse_glob(glob)


def test_a_range_over_all_characters_stays_small() -> None:
    assert stars("[ -\U0010ffff]", "a") == ()


def test_no_pattern_is_slow() -> None:
    glob = parse_glob("/".join(["**", "*a" * 40] * 20))
    path = ["a" * 200] * 200

    started = time.perf_counter()
    glob.match([*path, "b"])

    assert time.perf_counter() - started < 5


names = st.text(alphabet="ab-", min_size=1, max_size=4)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
globs = st.lists(st.text(alphabet="ab-*?", min_size=1, max_size=4), min_size=1, max_size=4).map(
    "/".join
)


@given(globs.filter(lambda glob: "**" not in glob), paths)
def test_without_double_stars_the_answer_is_pathlibs(glob: str, path: str) -> None:
    same_depth = glob.count("/") == path.count("/")

    assert (stars(glob, path) is not None) == (same_depth and PurePosixPath(path).match(glob))


@given(st.text(min_size=1, max_size=20).filter(lambda text: "/" not in text))
def test_an_escaped_path_matches_itself_and_has_no_stars(text: str) -> None:
    assert stars(escape(text), text) == ()
    assert is_glob(escape(text)) == is_glob(text)
