"""Ids, commits of the past and authors, from real repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftctl_py.adapters.git_contents import GitContents
from driftctl_py.core.environment import Source
from driftctl_py.errors import SourceError
from tests.adapters.test_git import Repository, environ, here

__all__ = ["environ", "here"]  # fixtures

HERE = Source("default")


@pytest.fixture
def contents(tmp_path: Path, here: Repository) -> Iterator[GitContents]:
    with GitContents(tmp_path / "data", here=here.path, environ=here.environ) as opened:
        yield opened


def apart(here: Repository) -> Source:
    """The same repository as one that is fetched."""
    return Source("apart", url=str(here.path))


@pytest.mark.parametrize("fetched", [False, True])
def test_a_directory_keeps_its_id_for_as_long_as_its_content_stays(
    contents: GitContents, here: Repository, fetched: bool
) -> None:
    source = apart(here) if fetched else HERE
    here.write("modules/web/main.tf", "# web\n")
    here.write("prod.tfvars", "a = 1\n")
    here.commit()
    paths = ["environments/prod", "modules/web", "prod.tfvars", "."]
    first = contents.trees(source, contents.resolve(source), paths)
    here.commit("modules/web/main.tf", "# another\n")
    second = contents.trees(source, contents.resolve(source), paths)

    changed = {path for path in paths if first[path] != second[path]}

    assert changed == {"modules/web", "."}
    assert all(re.fullmatch("[0-9a-f]{40}", each) for each in first.values())


def test_what_a_commit_does_not_hold_is_said_to_be_absent(
    contents: GitContents, here: Repository
) -> None:
    here.commit()

    found = contents.trees(HERE, contents.resolve(HERE), ["nowhere", "environments/*"])

    assert found == {"environments/*": "absent", "nowhere": "absent"}


def test_names_that_git_would_quote_are_found(contents: GitContents, here: Repository) -> None:
    name = 'environments/prüd "one"'
    here.commit(f"{name}/main.tf")

    found = contents.trees(HERE, contents.resolve(HERE), [name])

    assert re.fullmatch("[0-9a-f]{40}", found[name])


@pytest.mark.parametrize("fetched", [False, True])
def test_a_commit_of_the_past_is_laid_out_apart(
    contents: GitContents, here: Repository, fetched: bool
) -> None:
    source = apart(here) if fetched else HERE
    first = here.commit()
    here.commit(text="# second\n")

    found = contents.at(source, first[:8])
    root = Path(contents.checkout(source, found).root)

    assert found.commit == first
    assert not found.in_place
    assert (root / "environments/prod/main.tf").read_text() == "# first\n"
    assert (here.path / "environments/prod/main.tf").read_text() == "# second\n"


def test_the_newest_commit_is_one_of_the_history_too(
    contents: GitContents, here: Repository
) -> None:
    head = here.commit()

    assert contents.at(HERE, head).commit == head


@pytest.mark.parametrize("fetched", [False, True])
def test_a_commit_of_another_branch_is_refused(
    contents: GitContents, here: Repository, fetched: bool
) -> None:
    source = apart(here) if fetched else HERE
    here.commit()
    here.git("checkout", "--quiet", "-b", "other")
    other = here.commit(text="# other\n")
    here.git("checkout", "--quiet", "main")

    with pytest.raises(SourceError, match=f"history of main in .* holds no commit {other}"):
        contents.at(source, other)


@pytest.mark.parametrize("commit", ["main", "HEAD~1", "--all", "abc", "z" * 40])
def test_what_is_no_commit_is_refused(contents: GitContents, here: Repository, commit: str) -> None:
    here.commit()

    with pytest.raises(SourceError, match="is no commit"):
        contents.at(HERE, commit)


def test_a_commit_that_there_never_was_is_refused(contents: GitContents, here: Repository) -> None:
    here.commit()

    with pytest.raises(SourceError, match="holds no commit"):
        contents.at(HERE, "0123456789")


PROD = ("environments/prod",)


@pytest.mark.parametrize("fetched", [False, True])
def test_who_wrote_what_came_since_is_named_once(
    contents: GitContents, here: Repository, fetched: bool
) -> None:
    source = apart(here) if fetched else HERE
    first = here.commit()
    here.environ["GIT_AUTHOR_EMAIL"] = "Grace@Example.com"
    here.commit(text="# second\n")
    here.commit(text="# third\n")
    revision = contents.resolve(source)

    found = contents.authors(source, [first], revision, PROD)

    assert found == ("ada@example.com", "grace@example.com")


def test_who_wrote_a_part_of_a_squashed_commit_is_an_author(
    contents: GitContents, here: Repository
) -> None:
    first = here.commit()
    here.write("environments/prod/main.tf", "# second\n")
    here.git("add", "--all")
    trailers = "Co-authored-by: Grace <Grace@Example.com>\nco-authored-by: ken@example.com"
    here.git("commit", "--quiet", "--message=change", f"--message={trailers}")

    found = contents.authors(HERE, [first], contents.resolve(HERE), PROD)

    assert found == ("ada@example.com", "grace@example.com", "ken@example.com")


def test_who_wrote_something_else_is_no_author(contents: GitContents, here: Repository) -> None:
    first = here.commit()
    here.environ["GIT_AUTHOR_EMAIL"] = "grace@example.com"
    here.commit("README.md", "about\n")
    revision = contents.resolve(HERE)

    assert contents.authors(HERE, [first], revision, PROD) == ()
    assert "grace@example.com" in contents.authors(HERE, [first], revision, (".", *PROD))


@pytest.mark.parametrize("since", ["", "f" * 40])
def test_without_a_beginning_whoever_wrote_any_of_it_is_an_author(
    contents: GitContents, here: Repository, since: str
) -> None:
    here.commit()
    here.environ["GIT_AUTHOR_EMAIL"] = here.environ["GIT_COMMITTER_EMAIL"] = "grace@example.com"
    here.commit("README.md", "The last commit is not by who wrote the code.\n")

    found = contents.authors(HERE, [since], contents.resolve(HERE), PROD)

    assert found == ("ada@example.com",)


def test_nobody_wrote_anything_since_the_same_commit(
    contents: GitContents, here: Repository
) -> None:
    head = here.commit()

    assert contents.authors(HERE, [head], contents.resolve(HERE), PROD) == ()


@pytest.mark.parametrize("fetched", [False, True])
def test_who_wrote_what_was_taken_back_is_an_author_of_going_back_to_it(
    contents: GitContents, here: Repository, fetched: bool
) -> None:
    source = apart(here) if fetched else HERE
    first = here.commit()
    here.environ["GIT_AUTHOR_EMAIL"] = here.environ["GIT_COMMITTER_EMAIL"] = "grace@example.com"
    unapplied = here.commit(text="# a trapdoor\n")
    here.environ["GIT_AUTHOR_EMAIL"] = here.environ["GIT_COMMITTER_EMAIL"] = "ada@example.com"
    reverted = here.commit(text="# first\n")
    back = contents.at(source, unapplied)

    assert contents.authors(source, [reverted, first], back, PROD) == ("grace@example.com",)
    # It was applied once, with whatever that took.
    assert contents.authors(source, [reverted, unapplied, first], back, PROD) == ()
    # Nothing before it is known to have been applied.
    assert contents.authors(source, [reverted], back, PROD) == (
        "ada@example.com",
        "grace@example.com",
    )


@pytest.mark.parametrize("fetched", [False, True])
def test_a_ref_of_its_own_has_a_history_of_its_own(
    contents: GitContents, here: Repository, fetched: bool
) -> None:
    source = apart(here) if fetched else HERE
    here.commit()
    here.git("checkout", "--quiet", "-b", "release")
    released = here.commit(text="# released\n")
    here.commit(text="# released again\n")
    here.git("checkout", "--quiet", "main")
    newest = here.commit(text="# newest\n")

    assert contents.at(source, released, ref="release").commit == released
    with pytest.raises(SourceError, match="history of release in"):
        contents.at(source, newest, ref="release")
    with pytest.raises(SourceError, match="history of main in"):
        contents.at(source, released)
