"""A watched repository's own configuration, from real Git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftctl_py.adapters.git_contents import GitContents
from driftctl_py.app.order import Order
from driftctl_py.app.preparation import Settings
from driftctl_py.app.tightening import Tightening
from driftctl_py.core.approval import Requirement
from driftctl_py.core.environment import ApplyModes, Environment, Mode, Source
from driftctl_py.errors import ConfigError
from tests.adapters.test_git import Repository, environ, here

__all__ = ["environ", "here"]  # fixtures

OWN = Environment(
    "prod",
    "environments/prod",
    "infra",
    apply=ApplyModes(git=Mode.GATE, drift=Mode.AUTO),
    requirement=Requirement(count=2, groups=("dba", "ops")),
)


@pytest.fixture
def contents(tmp_path: Path, here: Repository) -> Iterator[GitContents]:
    with GitContents(tmp_path / "data", here=here.path, environ=here.environ) as opened:
        yield opened


def tightened(contents: GitContents, url: str) -> Environment:
    source = Source("infra", url)
    settings = Settings({}, (), {"infra": source})
    order = Order(OWN, contents.resolve(source), "plan", "os:ada")
    return (
        Tightening(sources=contents, contents=contents, settings=settings)
        .tightened(order)
        .environment
    )


def says(here: Repository, text: str) -> None:
    here.write("driftctl.yaml", text)
    here.commit()


COPY = """\
version: 1
people: {eve: ["github:eve"]}
groups: {everybody: [eve]}
defaults:
  apply: auto
  approval: {count: 1, groups: [everybody], author_may: true, unverified: true, expires: 1h}
environments:
  - environments/*
"""


def test_a_copy_that_is_looser_changes_nothing_but_what_it_has_stricter(
    contents: GitContents, here: Repository
) -> None:
    says(here, COPY)

    found = tightened(contents, str(here.path))

    assert found.apply == OWN.apply
    assert (found.requirement.count, found.requirement.groups) == (2, ("dba", "ops"))
    assert not found.requirement.author_may
    assert not found.requirement.unverified
    assert found.requirement.expires_seconds == 3600
    # Whom they want asked is asked as well.
    assert found.requirement.each_of == ("everybody",)


def test_a_copy_that_is_stricter_is_heard(contents: GitContents, here: Repository) -> None:
    says(here, COPY.replace("apply: auto", "apply: {drift: never}").replace("1h", "48h"))

    found = tightened(contents, str(here.path))

    assert found.apply == ApplyModes(git=Mode.GATE, drift=Mode.NEVER)
    assert found.requirement.expires_seconds == OWN.requirement.expires_seconds


def test_a_freeze_in_a_copy_freezes_and_a_window_that_allows_opens_nothing(
    contents: GitContents, here: Repository
) -> None:
    freeze = "freezes: [{name: audit, from: 2026-12-01}]\n"
    says(
        here,
        COPY + freeze + "windows: [{name: w, effect: allow, cron: '* * * * *', duration: 1d}]\n",
    )

    found = tightened(contents, str(here.path))

    assert [each.name for each in found.freezes] == ["audit"]
    assert found.freezes[0].where.startswith("driftctl.yaml of ")
    assert [[each.name for each in timetable] for timetable in found.timetables] == [["w"]]


def test_a_copy_that_names_a_program_is_refused_and_not_left_out(
    contents: GitContents, here: Repository
) -> None:
    says(here, COPY + "policies: [{name: p, run: [./check.sh, '{plan}']}]\n")

    with pytest.raises(ConfigError, match="The policy p is named by the watched repository"):
        tightened(contents, str(here.path))


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nenvironments: [environments/*]\n",
        "version: 1\ndefaults: {apply: never}\nenvironments: [elsewhere]\n",
    ],
    ids=["says nothing", "of another directory"],
)
def test_what_a_copy_does_not_say_stays(contents: GitContents, here: Repository, text: str) -> None:
    here.write("elsewhere/main.tf", "")
    says(here, text)

    assert tightened(contents, str(here.path)) == OWN


def test_a_repository_without_a_copy_has_no_say(contents: GitContents, here: Repository) -> None:
    here.commit()

    assert tightened(contents, str(here.path)) == OWN


def test_the_file_that_we_were_started_with_is_no_copy(
    contents: GitContents, here: Repository
) -> None:
    says(here, "version: 1\ndefaults: {apply: never}\nenvironments: [environments/*]\n")

    assert tightened(contents, ".") == OWN


@pytest.mark.parametrize("text", ["", "version: 1\nenvironments: [nowhere]\noverrides: 3\n"])
def test_a_copy_that_cannot_be_read_lets_nothing_through(
    contents: GitContents, here: Repository, text: str
) -> None:
    says(here, text)

    with pytest.raises(ConfigError, match=r"driftctl.yaml of .* at "):
        tightened(contents, str(here.path))
