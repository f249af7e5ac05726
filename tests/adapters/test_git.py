"""Git sources, on real repositories, with the real git; only the far end of the network is ours."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from driftctl_py.adapters.git import GitSources
from driftctl_py.core.checkout import Revision
from driftctl_py.core.environment import Source
from driftctl_py.errors import DriftctlError, Interrupted, SourceError, Unavailable

HERE = Source("default")
INFRA = Source("infra", url="../remote")
TOKEN = "t0ken-of-ada"  # long enough to be found where it leaked
COMMITTED_AT = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)


class Repository:
    """A real repository to play with."""

    def __init__(self, path: Path, environ: dict[str, str]) -> None:
        self.path = path
        self.environ = environ

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *words],
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def init(self, *words: str) -> Repository:
        self.path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *words)
        return self

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, name: str = "environments/prod/main.tf", text: str = "# first\n") -> str:
        self.write(name, text)
        return self.commit_all()

    def commit_all(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=change")
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    moment = COMMITTED_AT.isoformat()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_AUTHOR_DATE": moment,
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_COMMITTER_DATE": moment,
        # What this machine trusts beyond its own list is no business of these tests.
        "GIT_SSL_CAINFO": "",
    }


@pytest.fixture
def here(tmp_path: Path, environ: dict[str, str]) -> Repository:
    """The repository with the configuration; no commit yet."""
    return Repository(tmp_path / "here", environ).init()


@pytest.fixture
def remote(tmp_path: Path, environ: dict[str, str]) -> Repository:
    repository = Repository(tmp_path / "remote", environ).init()
    repository.commit()
    return repository


@pytest.fixture
def open_sources(
    tmp_path: Path, here: Repository, environ: dict[str, str]
) -> Iterator[Callable[..., GitSources]]:
    """Makes GitSources as a program would; everything is closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(
            at: Path | None = None,
            *,
            ask_timeout_seconds: float = 30.0,
            fetch_timeout_seconds: float = 60.0,
            **more: str,
        ) -> GitSources:
            return stack.enter_context(
                GitSources(
                    tmp_path / "data",
                    here=at or here.path,
                    environ={**environ, **more},
                    ask_timeout_seconds=ask_timeout_seconds,
                    fetch_timeout_seconds=fetch_timeout_seconds,
                )
            )

        yield make


@pytest.fixture
def sources(open_sources: Callable[..., GitSources]) -> GitSources:
    return open_sources()


class Trace:
    """The commands that git ran, as its own trace tells them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def forget(self) -> None:
        self.path.write_text("")

    def commands(self) -> list[str]:
        """Only those that we started ourselves: a helper's session has a slash in its name."""
        events = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [
            event["name"]
            for event in events
            if event["event"] == "cmd_name" and "/" not in event["sid"]
        ]


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    found = Trace(tmp_path / "trace.json")
    found.forget()
    return found


def home_of(tmp_path: Path, name: str = "infra") -> Path:
    (home,) = (tmp_path / "data" / "sources").glob(f"{name}-*")
    return home


def names_under(root: Path) -> set[str]:
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and p.name != ".git"}


# The directory of the configuration, as it lies.


def test_the_current_directory_is_pinned_to_its_commit_and_read_as_it_lies(
    here: Repository, sources: GitSources
) -> None:
    commit = here.commit()

    assert sources.resolve(HERE) == Revision(
        "default", ".", "main", commit, COMMITTED_AT, dirty=False, in_place=True
    )
    assert sources.checkout(HERE, sources.resolve(HERE)).root == here.path


def test_a_configuration_in_a_subdirectory_belongs_to_the_whole_repository(
    here: Repository, open_sources: Callable[..., GitSources]
) -> None:
    here.commit("infra/driftctl.yaml", "version: 1\n")
    sources = open_sources(here.path / "infra")

    revision = sources.resolve(HERE)

    assert sources.checkout(HERE, revision).root == here.path
    assert sources.files(HERE, revision) == {"infra/driftctl.yaml"}


@pytest.mark.parametrize(
    "change", ["modified", "staged", "untracked", "deleted", "mode", "renamed"]
)
def test_a_change_that_no_commit_holds_makes_it_dirty(
    here: Repository, sources: GitSources, change: str
) -> None:
    here.commit("main.tf")
    match change:
        case "modified":
            here.write("main.tf", "# changed\n")
        case "staged":
            here.write("main.tf", "# changed\n")
            here.git("add", "main.tf")
        case "untracked":
            here.write("deep/down/new.tf", "")
        case "deleted":
            (here.path / "main.tf").unlink()
        case "mode":
            (here.path / "main.tf").chmod(0o755)
        case "renamed":
            here.git("mv", "main.tf", "other.tf")

    revision = sources.resolve(HERE)

    assert revision.dirty
    assert revision.short == here.head[:7] + "+dirty"


def test_an_ignored_file_does_not_make_it_dirty_and_is_no_file_of_it(
    here: Repository, sources: GitSources
) -> None:
    here.commit(".gitignore", ".terraform/\n")
    here.write(".terraform/providers", "")

    revision = sources.resolve(HERE)

    assert not revision.dirty
    assert sources.files(HERE, revision) == {".gitignore"}


@pytest.mark.parametrize(
    "name",
    [
        "main.tf",
        "prod/main.tf.json",
        "prod/main.tofu",
        "prod/main.tofu.json",
        "terraform.tfvars",
        "prod/terraform.tfvars",
        "prod/terraform.tfvars.json",
        "prod/secret.auto.tfvars",
        "prod/.auto.tfvars",
        "prod/secret.auto.tfvars.json",
        "ignored/deep/down/main.tf",
    ],
)
@pytest.mark.parametrize("ignored_by", [".gitignore", ".git/info/exclude"])
def test_an_ignored_file_that_an_engine_reads_makes_it_dirty(
    here: Repository, sources: GitSources, name: str, ignored_by: str
) -> None:
    here.write(ignored_by, "*.tf*\n*.tofu*\n*.auto.*\nignored/\n")
    here.commit("README")
    assert not sources.resolve(HERE).dirty

    here.write(name, "")

    assert sources.resolve(HERE).dirty


@pytest.mark.parametrize(
    "name",
    [
        "prod/.terraform/modules/net/main.tf",
        ".terraform/main.tf",
        "prod/.#main.tf",
        "prod/prod.tfvars",
        "prod/my-terraform.tfvars",
        "prod/main.tf.orig",
        "prod/terraform.tfstate",
    ],
)
def test_an_ignored_file_that_no_engine_reads_unasked_does_not_make_it_dirty(
    here: Repository, sources: GitSources, name: str
) -> None:
    here.commit(".gitignore", "*.tf*\n.terraform/\n")

    here.write(name, "")

    assert not sources.resolve(HERE).dirty


def test_a_tracked_file_is_not_dirty_though_a_pattern_would_ignore_it(
    here: Repository, sources: GitSources
) -> None:
    here.commit("terraform.tfvars")
    here.commit(".gitignore", "*.tfvars\n")

    assert not sources.resolve(HERE).dirty


def test_our_own_data_directory_inside_the_repository_does_not_make_it_dirty(
    here: Repository, environ: dict[str, str]
) -> None:
    here.commit(".gitignore", ".driftctl*/\n")
    here.write(".driftctl/work/prod/main.tf", "")
    with GitSources(here.path / ".driftctl", here=here.path, environ=environ) as sources:
        before = sources.resolve(HERE).dirty
        here.write(".driftctl-of-another/main.tf", "")

        assert (before, sources.resolve(HERE).dirty) == (False, True)


def test_dirty_does_not_depend_on_the_users_status_settings(
    here: Repository, sources: GitSources
) -> None:
    here.commit("main.tf")
    here.git("config", "status.showUntrackedFiles", "no")
    here.write("new.tf", "")

    assert sources.resolve(HERE).dirty


def test_the_files_in_place_are_those_that_lie_there(here: Repository, sources: GitSources) -> None:
    here.commit(".gitignore", "*.secret\n")
    here.commit("gone.tf")
    here.commit("kept.tf")
    (here.path / "gone.tf").unlink()
    here.write("new/main.tf", "")
    here.write("a.secret", "")

    assert sources.files(HERE, sources.resolve(HERE)) == {".gitignore", "kept.tf", "new/main.tf"}


def test_a_repository_that_merely_lies_there_is_no_file(
    here: Repository, environ: dict[str, str], sources: GitSources
) -> None:
    here.commit("main.tf")
    Repository(here.path / "nested", environ).init().commit()

    assert sources.files(HERE, sources.resolve(HERE)) == {"main.tf"}


def test_a_file_left_out_by_a_sparse_checkout_does_not_lie_there(
    here: Repository, sources: GitSources
) -> None:
    here.commit("prod/main.tf")
    here.commit("dev/main.tf")
    here.git("sparse-checkout", "set", "prod")

    assert sources.files(HERE, sources.resolve(HERE)) == {"prod/main.tf"}


STRANGE = ("sp ace.tf", "ünï.tf", "new\nline.tf", "tab\t.tf", '"quoted".tf', "-dash.tf", "é/è.tf")


def test_files_of_any_name_are_listed_as_they_are(
    here: Repository, remote: Repository, sources: GitSources
) -> None:
    for name in STRANGE:
        here.write(name, "")
        remote.write(name, "")
    here.commit_all()
    remote.commit_all()
    here.write("un\ntracked.tf", "")

    in_place = sources.files(HERE, sources.resolve(HERE))
    fetched = sources.files(INFRA, sources.resolve(INFRA))

    assert in_place == {*STRANGE, "un\ntracked.tf"}
    assert fetched == {*STRANGE, "environments/prod/main.tf"}


def test_a_name_that_is_not_unicode_still_finds_its_file(
    here: Repository, sources: GitSources
) -> None:
    here.write(os.fsdecode(b"caf\xe9.tf"), "")
    here.commit_all()

    (name,) = sources.files(HERE, sources.resolve(HERE))

    assert (here.path / name).exists()


def test_a_shallow_detached_clone_as_a_workflow_makes_it_is_read_in_place(
    tmp_path: Path, remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    remote.commit(text="# second\n")
    clone = Repository(tmp_path / "clone", remote.environ)
    remote.git("clone", "--quiet", "--depth=1", f"file://{remote.path}", str(clone.path))
    clone.git("checkout", "--quiet", "--detach")
    sources = open_sources(clone.path)

    revision = sources.resolve(HERE)

    assert (revision.ref, revision.commit, revision.dirty) == ("HEAD", remote.head, False)
    assert sources.files(HERE, revision) == {"environments/prod/main.tf"}


def test_a_ref_of_a_shallow_clone_is_laid_out_like_any_other(
    tmp_path: Path, remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    remote.commit(text="# second\n")
    clone = tmp_path / "clone"
    remote.git("clone", "--quiet", "--depth=1", f"file://{remote.path}", str(clone))
    sources = open_sources(clone)

    revision = sources.resolve(HERE, "main")

    assert revision.commit == remote.head
    root = Path(sources.checkout(HERE, revision).root)
    assert (root / "environments/prod/main.tf").read_text() == "# second\n"


def test_the_current_directory_at_a_ref_is_what_that_commit_holds(
    here: Repository, sources: GitSources
) -> None:
    commit = here.commit("main.tf", "# committed\n")
    here.write("main.tf", "# not yet\n")

    revision = sources.resolve(HERE, "HEAD")
    root = Path(sources.checkout(HERE, revision).root)

    assert revision == Revision("default", ".", "main", commit, COMMITTED_AT)
    assert (root / "main.tf").read_text() == "# committed\n"
    assert (here.path / "main.tf").read_text() == "# not yet\n"


def test_reading_in_place_costs_few_processes_and_writes_nothing(
    here: Repository, open_sources: Callable[..., GitSources], trace: Trace
) -> None:
    here.commit("main.tf")
    # The same content at another time: `git status` would like to note that in its index.
    os.utime(here.path / "main.tf", (1, 1))
    sources = open_sources(GIT_TRACE2_EVENT=str(trace.path))
    before = {path: path.stat().st_mtime_ns for path in here.path.rglob("*")}

    revision = sources.resolve(HERE)
    sources.checkout(HERE, revision)
    sources.files(HERE, revision)

    assert trace.commands() == ["rev-parse", "status", "log", *["ls-files"] * 3]
    assert {path: path.stat().st_mtime_ns for path in here.path.rglob("*")} == before


def test_inside_a_git_hook_the_hooks_own_repository_is_not_taken_for_ours(
    here: Repository,
    remote: Repository,
    open_sources: Callable[..., GitSources],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = here.commit("ours.tf")
    inherited = {
        "GIT_DIR": str(remote.path / ".git"),
        "GIT_WORK_TREE": str(remote.path),
        "GIT_INDEX_FILE": str(remote.path / ".git" / "index"),
        "GIT_PREFIX": "deep/",
    }
    for name, value in inherited.items():
        monkeypatch.setenv(name, value)
    sources = open_sources(**inherited)

    revision = sources.resolve(HERE)
    root = Path(sources.checkout(HERE, sources.resolve(HERE, "main")).root)

    assert (revision.commit, revision.dirty) == (commit, False)
    assert sources.files(HERE, revision) == names_under(root) == {"ours.tf"}


def test_a_hook_or_watcher_of_the_users_repository_does_not_run(
    tmp_path: Path, here: Repository, sources: GitSources
) -> None:
    here.commit("main.tf")
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    here.git("config", "core.fsmonitor", str(program))
    for hook in ("post-checkout", "post-index-change"):
        shutil.copy(program, here.path / ".git" / "hooks" / hook)

    sources.checkout(HERE, sources.resolve(HERE))
    sources.checkout(HERE, sources.resolve(HERE, "main"))

    assert not ran.exists()


def test_a_directory_without_git_is_an_error_that_says_how_to_begin(
    tmp_path: Path, open_sources: Callable[..., GitSources]
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()

    with pytest.raises(SourceError, match="not in a Git repository") as caught:
        open_sources(plain).resolve(HERE)

    assert f"cd {plain} && git init" in caught.value.todo


def test_a_repository_without_a_commit_is_an_error_that_says_to_commit(
    here: Repository, sources: GitSources
) -> None:
    here.write("main.tf", "")

    with pytest.raises(SourceError, match="no commit yet") as caught:
        sources.resolve(HERE)

    assert "commit" in caught.value.todo


def test_a_bare_repository_has_no_files_to_read_in_place(
    tmp_path: Path, environ: dict[str, str], open_sources: Callable[..., GitSources]
) -> None:
    bare = Repository(tmp_path / "bare.git", environ).init("--bare")

    with pytest.raises(SourceError, match="bare Git repository"):
        open_sources(bare.path).resolve(HERE)


def test_a_directory_that_is_gone_is_an_error(
    tmp_path: Path, open_sources: Callable[..., GitSources]
) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        open_sources(tmp_path / "gone").resolve(HERE)


# Refs.


def test_every_way_to_name_a_commit_finds_it(remote: Repository, sources: GitSources) -> None:
    first = remote.head
    remote.git("tag", "light")
    remote.git("tag", "--annotate", "--message=x", "v1.0")
    tag_object = remote.git("rev-parse", "v1.0")
    second = remote.commit(text="# second\n")
    remote.git("branch", "feature/x", first)

    def found(ref: str | None) -> tuple[str, str]:
        revision = sources.resolve(INFRA, ref)
        return revision.ref, revision.commit

    assert found(None) == ("main", second)
    assert found("HEAD") == ("main", second)
    assert found("main") == ("main", second)
    assert found("refs/heads/main") == ("main", second)
    assert found("feature/x") == ("feature/x", first)
    assert found("light") == ("light", first)
    assert found("v1.0") == ("v1.0", first)
    assert found("refs/tags/v1.0") == ("v1.0", first)
    assert found(first) == (first, first)
    assert found(first.upper()) == (first, first)
    assert found(tag_object) == (tag_object, first)


def test_a_given_ref_outranks_the_sources_own(remote: Repository, sources: GitSources) -> None:
    first = remote.head
    remote.git("branch", "old", first)
    second = remote.commit(text="# second\n")

    assert sources.resolve(replace(INFRA, ref="old")).commit == first
    assert sources.resolve(replace(INFRA, ref="old"), "main").commit == second


def test_a_revision_says_where_it_is_from_and_when(remote: Repository, sources: GitSources) -> None:
    first = sources.resolve(INFRA)
    again = sources.resolve(INFRA)

    assert first == again == Revision("infra", "../remote", "main", remote.head, COMMITTED_AT)


def test_a_remote_with_sha256_names_is_read(
    tmp_path: Path, environ: dict[str, str], sources: GitSources
) -> None:
    other = Repository(tmp_path / "other", environ).init("--object-format=sha256")
    commit = other.commit("main.tf")

    revision = sources.resolve(Source("other", url=str(other.path)))

    assert revision.commit == commit
    assert sources.files(Source("other", url=str(other.path)), revision) == {"main.tf"}


def test_a_commit_from_an_impossible_year_has_no_date_and_is_read_all_the_same(
    remote: Repository, sources: GitSources
) -> None:
    remote.environ["GIT_COMMITTER_DATE"] = "@4000000000000 +0000"
    commit = remote.commit("main.tf")

    found = [sources.resolve(INFRA), sources.resolve(INFRA)]

    assert [(revision.commit, revision.committed_at) for revision in found] == [(commit, None)] * 2


def test_a_name_that_is_branch_and_tag_at_once_must_be_told_apart(
    remote: Repository, sources: GitSources
) -> None:
    first = remote.head
    remote.git("tag", "--annotate", "--message=x", "both")
    remote.git("branch", "both")
    assert sources.resolve(INFRA, "both").commit == first
    second = remote.commit(text="# second\n")
    remote.git("branch", "--force", "both")

    with pytest.raises(SourceError, match="both a branch and a tag") as caught:
        sources.resolve(INFRA, "both")

    assert "refs/heads/both" in caught.value.todo
    assert sources.resolve(INFRA, "refs/heads/both").commit == second
    assert sources.resolve(INFRA, "refs/tags/both").commit == first


def test_an_unknown_ref_names_those_that_may_have_been_meant(
    remote: Repository, sources: GitSources
) -> None:
    remote.git("branch", "release/1.2")

    with pytest.raises(SourceError, match="no branch or tag 'mian'") as caught:
        sources.resolve(INFRA, "mian")

    assert "main" in caught.value.todo


def test_an_abbreviated_commit_is_refused_with_the_way_to_complete_it(
    remote: Repository, sources: GitSources
) -> None:
    short = remote.head[:7]

    with pytest.raises(SourceError) as caught:
        sources.resolve(INFRA, short)

    assert caught.value.todo.endswith(f"git rev-parse {short}")


def test_a_branch_that_only_origin_has_says_how_to_get_it(
    tmp_path: Path, remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    remote.git("branch", "release")
    remote.git("clone", "--quiet", str(remote.path), str(tmp_path / "clone"))

    with pytest.raises(SourceError) as caught:
        open_sources(tmp_path / "clone").resolve(HERE, "release")

    assert caught.value.todo.endswith("git branch release origin/release")


def test_a_commit_that_the_remote_lacks_is_an_error(
    remote: Repository, sources: GitSources
) -> None:
    with pytest.raises(SourceError, match="has no commit " + "1" * 40):
        sources.resolve(INFRA, "1" * 40)


def test_a_tag_of_something_else_than_a_commit_is_an_error(
    remote: Repository, sources: GitSources
) -> None:
    remote.git("tag", "tree", "HEAD^{tree}")

    with pytest.raises(SourceError, match="not a commit"):
        sources.resolve(INFRA, "tree")


def test_an_empty_remote_is_an_error(
    tmp_path: Path, environ: dict[str, str], sources: GitSources
) -> None:
    Repository(tmp_path / "empty", environ).init()

    with pytest.raises(SourceError, match="nothing to plan"):
        sources.resolve(Source("empty", url="../empty"))


def test_a_remote_whose_default_branch_does_not_exist_is_an_error(
    remote: Repository, sources: GitSources
) -> None:
    remote.git("symbolic-ref", "HEAD", "refs/heads/gone")

    with pytest.raises(SourceError, match="which branch is its default") as caught:
        sources.resolve(INFRA)

    assert "main" in caught.value.todo


@pytest.mark.parametrize("ref", ["-x", "--upload-pack=touch ran", "refs/pull/1/head", "a..b"])
def test_an_unsafe_ref_never_reaches_git(sources: GitSources, remote: Repository, ref: str) -> None:
    with pytest.raises(SourceError):
        sources.resolve(INFRA, ref)


@pytest.mark.parametrize("url", ["ext::touch ran", "fd::7", "-uran", "git://h.example/x"])
def test_an_unsafe_url_never_reaches_git(
    tmp_path: Path, sources: GitSources, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SourceError):
        sources.resolve(Source("bad", url=url))
    assert not (tmp_path / "ran").exists()


def test_a_rewritten_url_cannot_bring_back_a_transport_that_is_refused(
    tmp_path: Path, environ: dict[str, str], sources: GitSources
) -> None:
    ran = tmp_path / "ran"
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(
        f'[url "ext::touch {ran} "]\n\tinsteadOf = https://git.example/\n'
        '[protocol "ext"]\n\tallow = always\n'
    )

    with pytest.raises(SourceError, match="not allowed"):
        sources.resolve(Source("bad", url="https://git.example/infra"))
    assert not ran.exists()


# What a fetch costs and keeps.


def test_an_unchanged_source_costs_one_ls_remote_and_nothing_else(
    remote: Repository, open_sources: Callable[..., GitSources], trace: Trace
) -> None:
    open_sources().resolve(INFRA)
    sources = open_sources(GIT_TRACE2_EVENT=str(trace.path))

    sources.resolve(INFRA)

    assert trace.commands() == ["ls-remote"]


def test_a_commit_that_is_here_costs_nothing(
    remote: Repository, open_sources: Callable[..., GitSources], trace: Trace
) -> None:
    open_sources().resolve(INFRA)
    sources = open_sources(GIT_TRACE2_EVENT=str(trace.path))

    sources.resolve(INFRA, remote.head)

    assert trace.commands() == []


def test_a_moved_branch_is_fetched(remote: Repository, sources: GitSources) -> None:
    first = sources.resolve(INFRA)
    remote.commit(text="# second\n")

    second = sources.resolve(INFRA)

    assert (first.commit, second.commit) == (remote.git("rev-parse", "HEAD~"), remote.head)


def test_a_branch_may_become_a_directory_of_branches(
    remote: Repository, sources: GitSources
) -> None:
    remote.git("branch", "release")
    sources.resolve(INFRA, "release")
    remote.commit(text="# second\n")
    remote.git("branch", "--delete", "--force", "release")
    remote.git("branch", "release/1.2")

    assert sources.resolve(INFRA, "release/1.2").commit == remote.head


def test_a_force_push_does_not_take_away_a_commit_in_use(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    lost = remote.commit("lost.tf")
    revision = sources.resolve(INFRA)
    remote.git("reset", "--quiet", "--hard", "HEAD~")
    remote.commit("other.tf")
    remote.git("reflog", "expire", "--expire=now", "--all")
    remote.git("gc", "--quiet", "--prune=now")

    sources.resolve(INFRA)
    mirror = Repository(home_of(tmp_path) / "repo.git", remote.environ)
    mirror.git("gc", "--quiet", "--prune=now")

    assert "lost.tf" in sources.files(INFRA, revision)
    assert (Path(sources.checkout(INFRA, revision).root) / "lost.tf").exists()
    assert revision.commit == lost


def test_only_heads_and_tags_are_fetched(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    base = remote.head
    remote.git("tag", "v1")
    proposed = remote.commit("proposed.tf")
    remote.git("update-ref", "refs/pull/1/head", proposed)
    remote.git("reset", "--quiet", "--hard", base)

    sources.resolve(INFRA)

    mirror = Repository(home_of(tmp_path) / "repo.git", remote.environ)
    refs = mirror.git("for-each-ref", "--format=%(refname)").splitlines()
    assert refs == [f"refs/driftctl/keep/{base}", "refs/heads/main", "refs/tags/v1"]
    with pytest.raises(subprocess.CalledProcessError):
        mirror.git("cat-file", "-e", proposed)


def test_the_commit_of_a_pull_request_can_be_named_all_the_same(
    remote: Repository, sources: GitSources
) -> None:
    base = remote.head
    proposed = remote.commit("proposed.tf")
    remote.git("update-ref", "refs/pull/1/head", proposed)
    remote.git("reset", "--quiet", "--hard", base)

    revision = sources.resolve(INFRA, proposed)

    assert "proposed.tf" in sources.files(INFRA, revision)


def test_a_lock_file_that_a_crash_left_does_not_stop_the_next_fetch(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    sources.resolve(INFRA)
    (home_of(tmp_path) / "repo.git" / "refs" / "heads" / "main.lock").touch()
    second = remote.commit(text="# second\n")

    assert sources.resolve(INFRA).commit == second


def test_a_mirror_that_a_crash_left_half_made_is_made_anew(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    sources.resolve(INFRA)
    repo = home_of(tmp_path) / "repo.git"
    shutil.rmtree(repo)
    (repo / "objects").mkdir(parents=True)
    (home_of(tmp_path) / "repo.git.half").mkdir()

    assert sources.resolve(INFRA).commit == remote.head


def test_everything_of_ours_is_private(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    sources.checkout(INFRA, sources.resolve(INFRA))

    for path in (tmp_path / "data", tmp_path / "data" / "sources", home_of(tmp_path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


# Worktrees.


def test_a_commit_is_laid_out_once(
    remote: Repository, open_sources: Callable[..., GitSources], trace: Trace
) -> None:
    sources = open_sources(GIT_TRACE2_EVENT=str(trace.path))
    revision = sources.resolve(INFRA)
    root = Path(sources.checkout(INFRA, revision).root)
    trace.forget()

    assert names_under(root) == {"environments/prod/main.tf"} == sources.files(INFRA, revision)
    assert sources.checkout(INFRA, revision).root == root
    assert open_sources().checkout(INFRA, revision).root == root
    assert trace.commands() == ["ls-tree"]


def test_two_commits_lie_side_by_side(remote: Repository, sources: GitSources) -> None:
    first = sources.resolve(INFRA)
    remote.commit(text="# second\n")
    second = sources.resolve(INFRA)

    texts = [
        (Path(sources.checkout(INFRA, revision).root) / "environments/prod/main.tf").read_text()
        for revision in (first, second)
    ]

    assert texts == ["# first\n", "# second\n"]


@pytest.mark.parametrize("damage", ["no mark", "no directory", "emptied"])
def test_a_half_made_worktree_is_noticed_and_made_anew(
    remote: Repository, open_sources: Callable[..., GitSources], damage: str
) -> None:
    first = open_sources()
    revision = first.resolve(INFRA)
    root = Path(first.checkout(INFRA, revision).root)
    first.close()
    ready = root.with_name(root.name + ".ready")
    match damage:
        case "no mark":
            ready.unlink()
            (root / "environments/prod/main.tf").write_text("half")
        case "no directory":
            shutil.rmtree(root)
        case "emptied":
            ready.unlink()
            shutil.rmtree(root)
            root.mkdir()

    root = Path(open_sources().checkout(INFRA, revision).root)

    assert (root / "environments/prod/main.tf").read_text() == "# first\n"


@pytest.mark.parametrize("deleted", [".", "repo.git"])
def test_a_mirror_that_was_deleted_is_fetched_anew_for_a_checkout(
    tmp_path: Path,
    with_submodule: Repository,
    open_sources: Callable[..., GitSources],
    deleted: str,
) -> None:
    with open_sources() as sources:
        revision = sources.resolve(WITH_SUBMODULES)
        sources.checkout(WITH_SUBMODULES, revision)
    shutil.rmtree(home_of(tmp_path) / deleted)

    files = open_sources().files(WITH_SUBMODULES, revision)

    assert "modules/shared/deep/inner.tf" in files


def test_a_half_made_worktree_with_an_errored_state_is_not_replaced(
    remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    with open_sources() as sources:
        revision = sources.resolve(INFRA)
        root = Path(sources.checkout(INFRA, revision).root)
    (root / "environments/prod/errored.tfstate").write_text("{}")
    root.with_name(f"{root.name}.ready").unlink()

    with pytest.raises(SourceError, match=r"holds an errored\.tfstate"):
        open_sources().checkout(INFRA, revision)

    assert (root / "environments/prod/errored.tfstate").exists()


def test_eight_threads_get_the_same_worktree_and_hold_it_once(
    tmp_path: Path, remote: Repository, open_sources: Callable[..., GitSources], trace: Trace
) -> None:
    sources = open_sources(GIT_TRACE2_EVENT=str(trace.path))

    together = threading.Barrier(8)

    def check(_: int) -> str:
        together.wait()
        revision = sources.resolve(INFRA)
        together.wait()
        root = Path(sources.checkout(INFRA, revision).root)
        return (root / "environments/prod/main.tf").read_text() + str(root)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(check, range(8)))

    sources.prune(())

    assert len(found) == 1
    assert trace.commands().count("fetch") == trace.commands().count("log") == 1
    assert trace.commands().count("worktree") == 2  # add, and the prune of a moment ago
    assert worktrees(tmp_path) == set()


_CHECK_IN_A_PROCESS = """
import sys
from pathlib import Path
from driftctl_py.adapters.git import GitSources
from driftctl_py.core.environment import Source

data, here, commits = sys.argv[1], sys.argv[2], sys.argv[3:]
with GitSources(Path(data), here=Path(here), environ={**__import__("os").environ}) as sources:
    source = Source("infra", url="../remote")
    for commit in commits:
        revision = sources.resolve(source, commit)
        root = Path(sources.checkout(source, revision).root)
        print((root / "environments/prod/main.tf").read_text().strip(), flush=True)
    sys.stdin.read()
"""


def start_check(tmp_path: Path, here: Repository, *refs: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHECK_IN_A_PROCESS, str(tmp_path / "data"), str(here.path), *refs],
        env=here.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_the_mirror_and_the_worktrees(
    tmp_path: Path, here: Repository, remote: Repository
) -> None:
    refs = [remote.head, *(remote.commit(text=f"# {number}\n") for number in range(4))]

    with start_check(tmp_path, here, *refs) as one, start_check(tmp_path, here, *refs) as other:
        outputs = [process.communicate(timeout=60)[0].splitlines() for process in (one, other)]

    assert outputs == [["# first", "# 0", "# 1", "# 2", "# 3"]] * 2
    assert (one.returncode, other.returncode) == (0, 0)


# Pruning.


def worktrees(tmp_path: Path) -> set[str]:
    return {path.name for path in (home_of(tmp_path) / "worktrees").iterdir() if path.is_dir()}


def test_pruning_removes_what_is_not_in_use_and_nothing_else(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    old = sources.resolve(INFRA)
    sources.checkout(INFRA, old)
    remote.commit(text="# second\n")
    new = sources.resolve(INFRA)
    sources.checkout(INFRA, new)

    sources.prune({("infra", new.commit), ("another", old.commit)})

    assert worktrees(tmp_path) == {new.commit}
    mirror = Repository(home_of(tmp_path) / "repo.git", remote.environ)
    assert mirror.git("for-each-ref", "--format=%(refname)", "refs/driftctl") == (
        f"refs/driftctl/keep/{new.commit}"
    )
    assert mirror.git("worktree", "list", "--porcelain").count("worktree ") == 2
    assert sorted(p.name for p in (home_of(tmp_path) / "worktrees").iterdir()) == [
        new.commit,
        f"{new.commit}.ready",
    ]


def test_a_pruned_commit_can_be_checked_out_again(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    revision = sources.resolve(INFRA)
    sources.checkout(INFRA, revision)

    sources.prune(())

    assert worktrees(tmp_path) == set()
    assert names_under(Path(sources.checkout(INFRA, revision).root)) == {
        "environments/prod/main.tf"
    }


def test_pruning_never_removes_an_errored_state(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    revision = sources.resolve(INFRA)
    root = Path(sources.checkout(INFRA, revision).root)
    (root / "environments/prod/errored.tfstate").write_text("{}")

    sources.prune(())

    assert (root / "environments/prod/errored.tfstate").exists()
    mirror = Repository(home_of(tmp_path) / "repo.git", remote.environ)
    assert revision.commit in mirror.git("for-each-ref", "refs/driftctl")


def test_pruning_removes_a_half_made_worktree(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    sources.resolve(INFRA)
    (home_of(tmp_path) / "worktrees" / ("1" * 40)).mkdir(parents=True)

    sources.prune(())

    assert worktrees(tmp_path) == set()


def test_pruning_leaves_alone_what_another_process_uses(
    tmp_path: Path, here: Repository, remote: Repository, sources: GitSources
) -> None:
    commit = sources.resolve(INFRA).commit
    with start_check(tmp_path, here, commit) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "# first\n"
        sources.prune(())
        during = worktrees(tmp_path)
        other.communicate(timeout=60)

    sources.prune(())

    assert during == {commit}
    assert worktrees(tmp_path) == set()


def test_pruning_leaves_alone_a_source_of_the_same_name_in_another_configuration(
    tmp_path: Path,
    remote: Repository,
    environ: dict[str, str],
    open_sources: Callable[..., GitSources],
) -> None:
    Repository(tmp_path / "theirs", environ).init().commit(text="# theirs\n")
    theirs = replace(INFRA, url="../theirs")
    # Its process has ended, so no lease protects what it will want again.
    with open_sources() as other:
        their_revision = other.resolve(theirs)
        their_root = Path(other.checkout(theirs, their_revision).root)
    ours = open_sources()
    our_root = Path(ours.checkout(INFRA, ours.resolve(INFRA)).root)

    ours.prune(())

    assert not our_root.exists()
    assert names_under(their_root) == {"environments/prod/main.tf"}
    mirror = Repository(their_root.parent.parent / "repo.git", environ)
    assert their_revision.commit in mirror.git("for-each-ref", "refs/driftctl")


def test_pruning_leaves_alone_a_source_that_was_not_resolved(
    tmp_path: Path, remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    with open_sources() as other:
        revision = other.resolve(INFRA)
        other.checkout(INFRA, revision)

    open_sources().prune(())

    assert worktrees(tmp_path) == {revision.commit}


def test_pruning_keeps_what_either_of_two_names_for_the_same_directory_needs(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    one, other = replace(INFRA, name="in-fra"), replace(INFRA, name="in_fra")
    old = sources.resolve(one)
    sources.checkout(one, old)
    remote.commit(text="# second\n")
    new = sources.resolve(other)
    sources.checkout(other, new)

    sources.prune({("in-fra", old.commit), ("in_fra", new.commit)})

    names = {path.name for path in (home_of(tmp_path, "in_fra") / "worktrees").glob("*.ready")}
    assert names == {f"{old.commit}.ready", f"{new.commit}.ready"}


def test_pruning_with_nothing_to_do_starts_no_process(
    remote: Repository, open_sources: Callable[..., GitSources], trace: Trace
) -> None:
    sources = open_sources(GIT_TRACE2_EVENT=str(trace.path))
    sources.prune(())
    revision = sources.resolve(INFRA)
    sources.checkout(INFRA, revision)
    trace.forget()

    sources.prune({("infra", revision.commit)})

    assert trace.commands() == []


# Submodules and links.


@pytest.fixture
def with_submodule(tmp_path: Path, remote: Repository, environ: dict[str, str]) -> Repository:
    """``remote`` with a submodule by a relative URL, which holds another one."""
    allow = ("-c", "protocol.file.allow=always")
    inner = Repository(tmp_path / "inner", environ).init()
    inner.commit("inner.tf")
    module = Repository(tmp_path / "module", environ).init()
    module.commit("module.tf")
    module.git(*allow, "submodule", "--quiet", "add", "../inner", "deep")
    module.commit_all()
    remote.git("config", "remote.origin.url", str(remote.path))
    remote.git(*allow, "submodule", "--quiet", "add", "../module", "modules/shared")
    remote.commit_all()
    return remote


WITH_SUBMODULES = replace(INFRA, submodules=True)


def test_submodules_are_fetched_with_relative_urls_and_recursively(
    with_submodule: Repository, sources: GitSources
) -> None:
    revision = sources.resolve(WITH_SUBMODULES)

    files = sources.files(WITH_SUBMODULES, revision)
    root = Path(sources.checkout(WITH_SUBMODULES, revision).root)

    assert (
        files
        == names_under(root)
        == {
            ".gitmodules",
            "environments/prod/main.tf",
            "modules/shared/.gitmodules",
            "modules/shared/module.tf",
            "modules/shared/deep/inner.tf",
        }
    )


def test_without_the_option_a_submodule_is_neither_fetched_nor_a_file(
    with_submodule: Repository, sources: GitSources
) -> None:
    revision = sources.resolve(INFRA)

    assert sources.files(INFRA, revision) == {".gitmodules", "environments/prod/main.tf"}
    assert names_under(Path(sources.checkout(INFRA, revision).root)) == {
        ".gitmodules",
        "environments/prod/main.tf",
    }


def test_a_worktree_with_submodules_is_another_one_and_pruned_the_same(
    tmp_path: Path, with_submodule: Repository, sources: GitSources
) -> None:
    revision = sources.resolve(INFRA)
    plain = sources.checkout(INFRA, revision).root
    full = sources.checkout(WITH_SUBMODULES, revision).root
    assert plain != full

    sources.prune({("infra", revision.commit)})
    kept = worktrees(tmp_path)
    sources.prune(())

    assert kept == {revision.commit, revision.commit + "+submodules"}
    assert worktrees(tmp_path) == set()


def test_submodules_in_place_are_files_where_they_are_wanted(
    with_submodule: Repository, open_sources: Callable[..., GitSources]
) -> None:
    sources = open_sources(with_submodule.path)
    revision = sources.resolve(HERE)

    assert sources.files(HERE, revision) == {".gitmodules", "environments/prod/main.tf"}
    assert "modules/shared/module.tf" in sources.files(replace(HERE, submodules=True), revision)


def test_a_change_in_a_submodule_makes_it_dirty(
    with_submodule: Repository, open_sources: Callable[..., GitSources]
) -> None:
    with_submodule.write("modules/shared/module.tf", "# changed\n")

    assert open_sources(with_submodule.path).resolve(HERE).dirty


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../home", "up/../../../../x"])
def test_a_link_that_leads_out_of_the_repository_is_refused(
    tmp_path: Path, remote: Repository, sources: GitSources, target: str
) -> None:
    (remote.path / "up").symlink_to("environments/..")
    (remote.path / "environments/prod/out.tf").symlink_to(target)
    remote.commit_all()
    revision = sources.resolve(INFRA)

    with pytest.raises(SourceError, match="outside the repository") as caught:
        sources.checkout(INFRA, revision)

    assert "environments/prod/out.tf" in caught.value.what
    assert target in caught.value.what
    assert worktrees(tmp_path) == set()


def test_a_tracked_link_out_of_the_current_directory_is_refused(
    here: Repository, sources: GitSources
) -> None:
    (here.path / "secrets").symlink_to("/etc")
    here.commit_all()

    with pytest.raises(SourceError, match=r"secrets at .* is a symbolic link to /etc"):
        sources.checkout(HERE, sources.resolve(HERE))


@pytest.mark.parametrize("name", ["main.tf", "prod", "deep/down/new.tf"])
def test_a_link_out_of_the_current_directory_is_refused_before_it_is_tracked(
    here: Repository, sources: GitSources, name: str
) -> None:
    """``main.tf`` takes the place of a tracked file, ``prod`` that of a tracked directory."""
    here.commit("main.tf")
    here.commit("prod/main.tf")
    shutil.rmtree(here.path / "prod")
    link = here.path / name
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/etc")

    with pytest.raises(SourceError, match=f"{name} at .* is a symbolic link to /etc"):
        sources.checkout(HERE, sources.resolve(HERE))


def test_a_new_link_that_stays_in_the_current_directory_is_followed(
    here: Repository, sources: GitSources
) -> None:
    here.commit("prod/main.tf")
    (here.path / "dev").symlink_to("prod")

    assert sources.checkout(HERE, sources.resolve(HERE)).root == here.path


@pytest.mark.parametrize("name", ["tools", "prod/.terraform/aws", ".driftctl/work/aws"])
def test_a_link_that_is_ignored_or_that_a_program_made_is_none_of_our_business(
    here: Repository, environ: dict[str, str], name: str
) -> None:
    here.commit(".gitignore", "tools\n")
    link = here.path / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/usr/bin")

    with GitSources(here.path / ".driftctl", here=here.path, environ=environ) as sources:
        assert sources.checkout(HERE, sources.resolve(HERE)).root == here.path


def test_a_link_that_stays_inside_is_kept(remote: Repository, sources: GitSources) -> None:
    (remote.path / "environments/dev").symlink_to("prod")
    (remote.path / "dangling").symlink_to("not/yet/there")
    remote.commit_all()

    root = Path(sources.checkout(INFRA, sources.resolve(INFRA)).root)

    assert (root / "environments/dev/main.tf").read_text() == "# first\n"


def test_a_hook_or_template_of_the_users_does_not_run_in_our_mirror(
    tmp_path: Path, environ: dict[str, str], remote: Repository, sources: GitSources
) -> None:
    ran = tmp_path / "ran"
    hook = tmp_path / "template" / "hooks" / "post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(
        f"[init]\n\ttemplateDir = {tmp_path / 'template'}\n[core]\n\thooksPath = {hook.parent}\n"
    )

    sources.checkout(INFRA, sources.resolve(INFRA))

    assert not ran.exists()
    assert not (home_of(tmp_path) / "repo.git" / "hooks").exists()


# The network: a real https server on this machine.


class GitServer:
    """Serves ``root`` as GitHub would, over TLS, or misbehaves as told."""

    def __init__(self, root: Path, certificate: Path, environ: dict[str, str]) -> None:
        self.root = root
        self.environ = environ
        self.mode = "serve"
        self.asked: list[Message] = []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that gave up is what some of these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        authorization = request.headers.get("Authorization")
        self.asked.append(request.headers)
        if self.mode == "hang":
            self.closing.wait(30)
        elif self.mode == "echo":
            told = base64.b64decode((authorization or "Basic ").removeprefix("Basic "))
            body = b"You said " + told + b" (" + (authorization or "").encode() + b")\n"
            request.send_response(500)
            request.send_header("Content-Type", "text/plain")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        elif self.mode == "503":
            request.send_error(503)
        elif self.mode == "404":
            request.send_error(404)
        elif (
            authorization
            != "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
            and self.mode == "private"
        ):
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.end_headers()
        else:
            self.serve(request)

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        path, _, query = request.path.partition("?")
        length = int(request.headers.get("Content-Length") or 0)
        done = subprocess.run(
            ["git", "http-backend"],
            input=request.rfile.read(length),
            env={
                **self.environ,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": request.command,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(length),
                "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            },
            capture_output=True,
            check=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value[:3]) for name, value in fields if name == "Status"), 200)
        request.send_response(status)
        for name, value in fields:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(path),
            "-out",
            str(path.with_suffix(".crt")),
        ],
        check=True,
        capture_output=True,
    )
    with path.open("a") as pem:
        pem.write(path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def server(tmp_path: Path, certificate: Path, environ: dict[str, str]) -> Iterator[GitServer]:
    environ["GIT_SSL_CAINFO"] = str(certificate)
    found = GitServer(tmp_path, certificate, environ)
    yield found
    found.close()


def https(server: GitServer, *, token_env: str | None = None) -> Source:
    return Source("infra", url=f"{server.url}/remote/.git", token_env=token_env)


def everything_said(error: BaseException) -> str:
    """What a person could see of it: message, remedy, and a traceback with all its causes."""
    seen, said = error, [repr(error)]
    if isinstance(error, DriftctlError):
        said += [error.what, error.todo]
    while cause := (seen.__cause__ or seen.__context__):
        said += [repr(cause), str(cause)]
        seen = cause
    return "\n".join(said)


def test_an_https_source_is_read_like_any_other(
    remote: Repository, server: GitServer, sources: GitSources
) -> None:
    revision = sources.resolve(https(server))

    assert revision.commit == remote.head
    assert revision.display_url == f"{server.url}/remote/.git"
    assert sources.files(https(server), revision) == {"environments/prod/main.tf"}


def test_a_token_opens_a_private_source_and_is_written_nowhere(
    tmp_path: Path,
    remote: Repository,
    server: GitServer,
    open_sources: Callable[..., GitSources],
    trace: Trace,
) -> None:
    server.mode = "private"
    sources = open_sources(GIT_TOKEN=TOKEN, GIT_TRACE2_EVENT=str(trace.path))
    source = https(server, token_env="GIT_TOKEN")

    revision = sources.resolve(source)
    sources.checkout(source, revision)

    assert revision.commit == remote.head
    secret = base64.b64encode(f"x-access-token:{TOKEN}".encode())
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert len(written) > 5
    for path in (*written, trace.path):
        assert TOKEN.encode() not in path.read_bytes()
        assert secret not in path.read_bytes()


def test_a_token_replaces_a_header_that_the_user_has_configured_for_the_host(
    remote: Repository,
    server: GitServer,
    environ: dict[str, str],
    open_sources: Callable[..., GitSources],
) -> None:
    server.mode = "private"
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(
        f'[http "{server.url}/"]\n\textraHeader = Authorization: Basic b2xkOm9sZA==\n'
    )
    sources = open_sources(
        GIT_TOKEN=TOKEN,
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="http.userAgent",
        GIT_CONFIG_VALUE_0="ours",
    )

    assert sources.resolve(https(server, token_env="GIT_TOKEN")).commit == remote.head
    assert {headers["User-Agent"] for headers in server.asked} == {"ours"}


def test_the_users_own_credential_helper_opens_a_private_source(
    remote: Repository,
    server: GitServer,
    environ: dict[str, str],
    open_sources: Callable[..., GitSources],
) -> None:
    server.mode = "private"
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(
        '[credential]\n\thelper = "!f() { echo username=x-access-token; '
        f'echo password={TOKEN}; }}; f"\n'
    )

    assert open_sources().resolve(https(server)).commit == remote.head


@pytest.mark.parametrize("tracing", [False, True])
def test_a_wrong_token_is_an_error_that_does_not_repeat_it(
    remote: Repository, server: GitServer, open_sources: Callable[..., GitSources], tracing: bool
) -> None:
    server.mode = "private"
    wrong = "wr0ng-token-of-ada"
    # With these two, git itself prints every header as it is.
    more = {"GIT_CURL_VERBOSE": "1", "GIT_TRACE_REDACT": "0"} if tracing else {}
    sources = open_sources(GIT_TOKEN=wrong, **more)

    with pytest.raises(SourceError, match="does not accept the token in GIT_TOKEN") as caught:
        sources.resolve(https(server, token_env="GIT_TOKEN"))

    said = everything_said(caught.value)
    assert wrong not in said
    assert base64.b64encode(f"x-access-token:{wrong}".encode()).decode() not in said


def test_a_server_that_repeats_the_token_does_not_make_us_repeat_it(
    remote: Repository, server: GitServer, open_sources: Callable[..., GitSources]
) -> None:
    server.mode = "echo"
    sources = open_sources(GIT_TOKEN=TOKEN)

    with pytest.raises(Unavailable, match=r"You said x-access-token:\*\*\*") as caught:
        sources.resolve(https(server, token_env="GIT_TOKEN"))

    said = everything_said(caught.value)
    assert TOKEN not in said
    assert base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode() not in said


def test_a_source_that_asks_for_a_password_says_how_to_give_it_a_token(
    remote: Repository, server: GitServer, sources: GitSources
) -> None:
    server.mode = "private"
    began = time.monotonic()

    with pytest.raises(SourceError, match="asks for a password") as caught:
        sources.resolve(https(server))

    assert "token_env" in caught.value.todo
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "GIT_TOKEN, which is not set"),
        (" ", "GIT_TOKEN, which is empty"),
        ("a\nb", "one line"),
    ],
)
def test_a_token_that_is_missing_or_broken_is_an_error_that_names_the_variable(
    remote: Repository,
    server: GitServer,
    open_sources: Callable[..., GitSources],
    value: str | None,
    what: str,
) -> None:
    sources = open_sources(**({} if value is None else {"GIT_TOKEN": value}))

    with pytest.raises(SourceError, match=what) as caught:
        sources.resolve(https(server, token_env="GIT_TOKEN"))

    assert "export GIT_TOKEN=" in caught.value.todo
    assert server.asked == []


def test_a_token_for_a_source_that_cannot_use_it_is_an_error(
    remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    with pytest.raises(SourceError, match="would never be used"):
        open_sources(GIT_TOKEN=TOKEN).resolve(replace(INFRA, token_env="GIT_TOKEN"))


def test_a_certificate_that_is_not_trusted_is_an_error(
    remote: Repository,
    server: GitServer,
    environ: dict[str, str],
    open_sources: Callable[..., GitSources],
) -> None:
    sources = open_sources(GIT_SSL_CAINFO="/dev/null")

    with pytest.raises(SourceError, match="certificate is not trusted") as caught:
        sources.resolve(https(server))

    assert "http.sslCAInfo" in caught.value.todo


def test_a_server_that_hangs_is_given_up_and_nothing_of_git_is_left(
    remote: Repository, server: GitServer, open_sources: Callable[..., GitSources]
) -> None:
    server.mode = "hang"
    sources = open_sources(ask_timeout_seconds=1.0)
    began = time.monotonic()

    with pytest.raises(Unavailable, match="not done within 1 seconds"):
        sources.resolve(https(server))

    assert time.monotonic() - began < 20  # the server would hang for 30
    assert processes_that_mention(server.url) == []


def processes_that_mention(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if text in words:
                found.append(words)
    return found


def test_stopping_ends_a_fetch_at_once_and_starts_no_other(
    remote: Repository, server: GitServer, sources: GitSources
) -> None:
    server.mode = "hang"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sources.resolve, https(server))
        while not server.asked:
            time.sleep(0.01)
        sources.stop()
        with pytest.raises(Interrupted):
            waiting.result(timeout=5)

    with pytest.raises(Interrupted):
        sources.resolve(INFRA)
    assert processes_that_mention(server.url) == []


@pytest.mark.parametrize(
    ("mode", "kind", "what"),
    [("503", Unavailable, "503"), ("404", SourceError, "none that you may see")],
)
def test_a_server_that_refuses_is_an_error_with_its_status(
    remote: Repository,
    server: GitServer,
    sources: GitSources,
    mode: str,
    kind: type[DriftctlError],
    what: str,
) -> None:
    server.mode = mode

    with pytest.raises(kind, match=what):
        sources.resolve(https(server))


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/infra", "ssh://git@127.0.0.1:1/infra"])
def test_a_host_that_does_not_answer_is_unavailable(sources: GitSources, url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        sources.resolve(Source("infra", url=url))

    assert "127.0.0.1:1/infra (source 'infra') cannot be read" in caught.value.what
    assert "git@" not in caught.value.what


def test_a_path_without_a_repository_is_an_error(tmp_path: Path, sources: GitSources) -> None:
    with pytest.raises(SourceError, match="no Git repository"):
        sources.resolve(Source("infra", url="../nothing"))


def test_a_source_from_the_network_cannot_name_a_directory_of_this_machine_as_a_submodule(
    tmp_path: Path,
    remote: Repository,
    server: GitServer,
    environ: dict[str, str],
    sources: GitSources,
) -> None:
    private = Repository(tmp_path / "private", environ).init()
    private.commit("secret.tf")
    remote.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(private.path), "sub"
    )
    remote.commit_all()
    source = replace(https(server), submodules=True)
    revision = sources.resolve(source)

    with pytest.raises(SourceError, match="transport 'file' not allowed"):
        sources.checkout(source, revision)

    assert worktrees(tmp_path) == set()


def test_the_token_opens_submodules_on_the_same_host(
    tmp_path: Path,
    remote: Repository,
    server: GitServer,
    environ: dict[str, str],
    open_sources: Callable[..., GitSources],
) -> None:
    module = Repository(tmp_path / "module", environ).init()
    module.commit("module.tf")
    remote.git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(module.path),
        "shared",
    )
    remote.git("config", "--file", ".gitmodules", "submodule.shared.url", "../../module/.git")
    remote.commit_all()
    server.mode = "private"
    sources = open_sources(GIT_TOKEN=TOKEN)
    source = replace(https(server, token_env="GIT_TOKEN"), submodules=True)

    files = sources.files(source, sources.resolve(source))

    assert files == {".gitmodules", "environments/prod/main.tf", "shared/module.tf"}


# ssh: a program in its place shows what git would have run.


@pytest.fixture
def fake_ssh(tmp_path: Path) -> Path:
    """Stands on the PATH as ``ssh``, notes its words, and runs what it was to run over there."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/ssh.log\n'
        'for last; do :; done\ncase "$last" in git-*) exec sh -c "$last";; esac\n'
    )
    program.chmod(0o755)
    return program


def test_ssh_never_asks_and_does_not_wait_for_ever(
    tmp_path: Path,
    remote: Repository,
    environ: dict[str, str],
    fake_ssh: Path,
    open_sources: Callable[..., GitSources],
) -> None:
    sources = open_sources(PATH=f"{fake_ssh.parent}:{environ['PATH']}")

    revision = sources.resolve(Source("infra", url=f"git@git.example:{remote.path}"))

    assert revision.commit == remote.head
    assert revision.display_url == f"git.example:{remote.path}"
    words = (tmp_path / "ssh.log").read_text()
    assert "-oBatchMode=yes -oConnectTimeout=20" in words


@pytest.mark.parametrize("where", ["environment", "configuration"])
def test_the_users_own_ssh_command_is_used_as_it_is(
    tmp_path: Path,
    remote: Repository,
    environ: dict[str, str],
    fake_ssh: Path,
    open_sources: Callable[..., GitSources],
    where: str,
) -> None:
    command = f"{fake_ssh} -i key"
    more = {}
    if where == "environment":
        more["GIT_SSH_COMMAND"] = command
    else:
        Path(environ["GIT_CONFIG_GLOBAL"]).write_text(f"[core]\n\tsshCommand = {command}\n")
    sources = open_sources(**more)

    sources.resolve(Source("infra", url=f"ssh://git@git.example{remote.path}"))

    words = (tmp_path / "ssh.log").read_text()
    assert "-i key" in words
    assert "BatchMode" not in words


# The machine.


def test_a_repository_of_another_user_is_an_error_that_says_how_to_trust_it(
    here: Repository, remote: Repository, open_sources: Callable[..., GitSources]
) -> None:
    here.commit()
    # Git's own switch for its own tests of this.
    sources = open_sources(GIT_TEST_ASSUME_DIFFERENT_OWNER="1")

    with pytest.raises(SourceError, match="belongs to another user") as in_place:
        sources.resolve(HERE)
    with pytest.raises(SourceError, match="belongs to another user") as fetched:
        sources.resolve(INFRA)

    trust = "git config --global --add safe.directory "
    assert in_place.value.todo.endswith(trust + str(here.path))
    assert fetched.value.todo.endswith(trust + str(remote.path / ".git"))


def test_who_waits_for_another_process_can_be_stopped(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    sources.resolve(INFRA)
    remote.commit(text="# second\n")
    lock = os.open(home_of(tmp_path) / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sources.resolve, INFRA)
        time.sleep(0.3)
        before = waiting.done()
        sources.stop()
        with pytest.raises(Interrupted):
            waiting.result(timeout=5)
    os.close(lock)

    assert not before


_HANG = """
import os, sys
from pathlib import Path
from driftctl_py.adapters.git import GitSources
from driftctl_py.core.environment import Source

print("ready", flush=True)
sources = GitSources(Path(sys.argv[1]), here=Path(sys.argv[2]), environ={**os.environ})
try:
    sources.resolve(Source("infra", url=sys.argv[3]))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_leaves_no_git_behind(
    tmp_path: Path, here: Repository, remote: Repository, server: GitServer
) -> None:
    server.mode = "hang"
    words = [sys.executable, "-c", _HANG, str(tmp_path / "data"), str(here.path)]

    with subprocess.Popen(
        [*words, f"{server.url}/remote/.git"], env=here.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        while not server.asked:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)

    assert output == "ready\ninterrupted\n"
    assert processes_that_mention(server.url) == []


_ON_A_FULL_DISK = """
import os, sys
from pathlib import Path
from driftctl_py.adapters.git import GitSources
from driftctl_py.core.environment import Source
from driftctl_py.errors import Unavailable

sources = GitSources(Path(sys.argv[1]), here=Path(sys.argv[2]), environ={**os.environ})
source = Source("infra", url="../remote")
try:
    sources.checkout(source, sources.resolve(source))
except Unavailable as error:
    print(error.what, error.todo)
"""


@pytest.mark.parametrize("kilobytes", [40, 400, 500])
def test_a_full_disk_is_an_error_that_says_where_to_make_room(
    tmp_path: Path, here: Repository, remote: Repository, kilobytes: int
) -> None:
    (remote.path / "large").write_bytes(os.urandom(300_000))
    remote.commit_all()
    small = tmp_path / "small"
    small.mkdir()
    own_mounts = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size={kilobytes}k none {small}"
    try:
        subprocess.run([*own_mounts, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine does not let us mount a small disk of our own")

    done = subprocess.run(
        [
            *own_mounts,
            f'{mount} && exec "$@"',
            "sh",
            sys.executable,
            "-c",
            _ON_A_FULL_DISK,
            str(small / "data"),
            str(here.path),
        ],
        env=here.environ,
        capture_output=True,
        text=True,
        check=True,
    )

    assert re.search(r"the disk seems to be full|No space left on device", done.stdout)
    assert f"Make room for {small / 'data'}" in done.stdout


def test_a_data_directory_that_cannot_be_written_is_an_error_that_names_it(
    tmp_path: Path, remote: Repository, sources: GitSources
) -> None:
    (tmp_path / "data").write_text("a file where a directory should be")

    with pytest.raises(Unavailable, match="cannot be written") as caught:
        sources.resolve(INFRA)

    assert str(tmp_path / "data") in caught.value.todo


def test_a_machine_without_git_is_an_error_that_says_to_install_it(
    tmp_path: Path, here: Repository
) -> None:
    program = (
        "from pathlib import Path\n"
        "from driftctl_py.adapters.git import GitSources\n"
        "from driftctl_py.core.environment import Source\n"
        "from driftctl_py.errors import SourceError\n"
        f"here = Path({str(here.path)!r})\n"
        "sources = GitSources(here / 'data', here=here, environ={})\n"
        "try:\n    sources.resolve(Source('default'))\n"
        "except SourceError as error:\n    print(error.what, error.todo)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "git cannot be run" in done.stdout
    assert "Install Git" in done.stdout


def test_importing_the_adapter_does_not_import_gitpython() -> None:
    program = "import sys, driftctl_py.adapters.git; print('git' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
