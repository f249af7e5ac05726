from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.version_constraint import Term, parse, satisfies

numbers = st.integers(min_value=0, max_value=30)
versions = st.builds("{}.{}.{}".format, numbers, numbers, numbers)


@pytest.mark.parametrize(
    ("version", "constraint", "fits"),
    [
        ("1.6.3", ">= 1.6, < 2", True),
        ("2.0.0", ">= 1.6, < 2", False),
        ("1.5.7", ">= 1.6, < 2", False),
        ("1.11.4", "~> 1.10", True),
        ("2.0.0", "~> 1.10", False),
        ("1.9.9", "~> 1.10", False),
        ("1.10.5", "~> 1.10.2", True),
        ("1.10.1", "~> 1.10.2", False),
        ("1.11.0", "~> 1.10.2", False),
        ("3.0.0", "~> 1", True),
        ("1.10.0", "1.10", True),
        ("1.10.1", "1.10", False),
        ("1.10.1", "= 1.10.1", True),
        ("1.10.1", "!= 1.10.1", False),
        ("1.10.2", "!= 1.10.1", True),
        ("1.10.1", "> 1.10.1", False),
        ("1.10.2", ">1.10.1", True),
        ("1.10.1", "<= 1.10.1", True),
        ("1.10.2", "<=1.10.1", False),
        ("v1.10.2", ">= v1.9", True),
        ("1.2.3.4", "> 1.2.3", True),
        ("1.2.3", "= 1.2.3.0", True),
    ],
)
def test_a_version_meets_a_constraint_as_the_engine_reads_it(
    version: str, constraint: str, fits: bool
) -> None:
    assert satisfies(version, constraint) is fits


def test_a_development_build_counts_as_the_release_that_it_becomes() -> None:
    assert satisfies("1.13.0-dev", ">= 1.13")
    assert satisfies("1.13.0-rc1+build.5", "~> 1.13.0")


@pytest.mark.parametrize("constraint", ["", ">= ", "latest", ">= 1.6,", "1.x", "=> 1.6", "~1.2"])
def test_what_is_not_a_constraint_is_refused_with_an_example(constraint: str) -> None:
    with pytest.raises(ValueError, match=r'not a version constraint; .* ">= 1\.6, < 2"'):
        parse(constraint)


def test_a_constraint_on_a_pre_release_is_refused_as_the_engine_refuses_it() -> None:
    with pytest.raises(ValueError, match=r'names a pre-release, .* write "1\.12\.0"\.'):
        parse(">= 1.12.0-beta1")


@pytest.mark.parametrize("version", ["", "latest", "1.", "1.2.3 beta", "9" * 5000])
def test_what_is_not_a_version_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="is not a version such as"):
        satisfies(version, ">= 1")


def test_a_constraint_is_parsed_into_its_terms() -> None:
    assert parse(">= 1.6, < 2") == (Term(">=", (1, 6, 0), 2), Term("<", (2, 0, 0), 1))


@given(st.text())
def test_any_text_is_a_constraint_or_a_value_error(text: str) -> None:
    try:
        terms = parse(text)
    except ValueError:
        return

    assert terms


@given(versions, versions)
def test_opposite_operators_never_agree(version: str, other: str) -> None:
    for one, opposite in (("=", "!="), (">", "<="), ("<", ">=")):
        assert satisfies(version, f"{one} {other}") is not satisfies(version, f"{opposite} {other}")


@given(versions, numbers, numbers, numbers)
def test_the_pessimistic_operator_is_a_range(version: str, a: int, b: int, c: int) -> None:
    assert satisfies(version, f"~> {a}.{b}.{c}") is satisfies(
        version, f">= {a}.{b}.{c}, < {a}.{b + 1}"
    )
    assert satisfies(version, f"~> {a}.{b}") is satisfies(version, f">= {a}.{b}, < {a + 1}")
