"""Git: which commit is meant, and its files on the disk.

A remote source has one bare repository of ours, which fetches heads and tags, and one worktree
per commit, which nobody writes to. A commit in use is kept by a ref of our own, so that a
force-push cannot take it away. The directory that holds the configuration (URL ``.``) is read
as it lies and never written to.

    data_dir/sources/NAME-HASH/
        lock                    held (flock) while anything below changes
        repo.git/               driftctl/COMMIT in it: this commit is here and kept; its date
        worktrees/COMMIT/       the files
        worktrees/COMMIT.ready  written last: without it the worktree is half-made; held (flock,
                                shared) by every process that uses the worktree

Not here: what may be an address or a ref (``core/git_url.py``), how git is run and its failures
are explained (``git_command.py``), and private copies that an engine may write to.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import Self

from driftctl_py.adapters.git_command import Answer, GitCommands, Remote
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.environment import Source
from driftctl_py.core.git_url import (
    Trouble,
    check_ref,
    is_commit,
    looks_abbreviated,
    near,
    parse_address,
    ref_candidates,
    short_ref,
    trouble_in,
)
from driftctl_py.errors import Interrupted, SourceError, Unavailable

_HEADS_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_KEEP = "refs/driftctl/keep/"
_LOST_STATE = "errored.tfstate"
_LOCK_PATIENCE_SECONDS = 3600.0
# What an engine reads unasked, wherever it lies. It passes over code whose name starts with a
# dot, but not over such variables; what is below .terraform it fetched itself.
_READ_BY_ENGINES = (
    *(f":(glob)**/[!.]*.{end}" for end in ("tf", "tf.json", "tofu", "tofu.json")),
    *(f":(glob)**/terraform.{end}" for end in ("tfvars", "tfvars.json")),
    *(f":(glob)**/*.auto.{end}" for end in ("tfvars", "tfvars.json")),
    ":(exclude,glob)**/.terraform/**",
)


@dataclass(frozen=True, slots=True)
class _Mirror:
    """A source that is fetched: how to reach it, and where we keep it."""

    source: Source
    remote: Remote
    home: Path

    @property
    def url(self) -> str:
        return self.remote.address.url

    @property
    def display(self) -> str:
        return self.remote.address.display

    @property
    def repo(self) -> Path:
        return self.home / "repo.git"

    @property
    def exists(self) -> bool:
        return (self.repo / "HEAD").exists()

    @property
    def worktrees(self) -> Path:
        return self.home / "worktrees"

    @property
    def fetch_anew(self) -> str:
        return f"If it happens again, have it fetched anew: rm -r {quote(str(self.repo))}"

    def note(self, commit: str) -> Path:
        """Says that the commit is in the repository and kept; its text is the commit's date."""
        return self.repo / "driftctl" / commit

    def knows(self, worktree: str) -> bool:
        """Whether git has a note of the worktree; not after the repository was deleted."""
        return (self.repo / "worktrees" / worktree).is_dir()

    def worktree_name(self, commit: str) -> str:
        return commit + ("+submodules" if self.source.submodules else "")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of ``git ls-files -t -s``. ``mode`` is empty for a file that is not tracked."""

    path: str
    mode: str
    gone: bool

    @classmethod
    def read(cls, line: bytes, root: Path) -> _Entry:
        tag, _, rest = line.partition(b" ")
        if tag == b"?":
            return cls(os.fsdecode(rest), "", False)
        facts, _, name = rest.partition(b"\t")
        path = os.fsdecode(name)
        # S: left out by a sparse checkout, unless somebody put it there all the same.
        gone = tag == b"R" or (tag == b"S" and not os.path.lexists(root / path))
        return cls(path, facts[:6].decode("ascii"), gone)


_SUBMODULE = "160000"


class GitSources:
    """All Git sources of one configuration. Thread-safe; several processes may share a
    ``data_dir``. Close it (or use ``with``) to let go of the worktrees that it handed out.

    ``here`` is the directory of driftctl.yaml: the URL ``.`` and relative paths start there.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        here: Path,
        environ: Mapping[str, str],
        ask_timeout_seconds: float = 60.0,
        fetch_timeout_seconds: float = 3600.0,
    ) -> None:
        self._data_dir = data_dir
        self._sources = data_dir / "sources"
        self._here = here
        self._home_dir = environ.get("HOME", "~")
        self._git = GitCommands(data_dir, environ)
        self._ask_timeout = ask_timeout_seconds
        self._fetch_timeout = fetch_timeout_seconds
        self._guard = threading.Lock()
        self._mutexes: dict[Path, threading.Lock] = {}
        self._leases: dict[tuple[Path, str], int] = {}
        # Two names may share a home: what is not safe in a file name is written alike.
        self._resolved: dict[Path, set[str]] = {}
        self._top: Path | None = None

    # What the application asks.

    def resolve(self, source: Source, ref: str | None = None) -> Revision:
        """The commit that ``ref`` (else the source's own ref) means now. An unchanged remote
        source costs one ``git ls-remote``; a full commit that is here already costs nothing."""
        wanted = ref if ref is not None else source.ref
        if wanted is not None:
            check_ref(wanted)
        if wanted is None and parse_address(source.url).transport == "here":
            return self._in_place(source)
        mirror = self._mirror(source)
        if wanted is not None and is_commit(wanted):
            name = commit = wanted.lower()
        else:
            name, commit = self._ask(mirror, wanted)
        commit, committed_at = self._have(mirror, commit, wanted or "HEAD")
        with self._guard:
            self._resolved.setdefault(mirror.home, set()).add(source.name)
        return Revision(source.name, mirror.display, name, commit, committed_at)

    def files(self, source: Source, revision: Revision) -> frozenset[str]:
        """Every file in the revision, by its path from the root. A source that is planned in
        place holds what lies there: tracked or new, but neither ignored nor deleted."""
        if revision.in_place:
            root = self._root(source)
            entries = self._index(root, others=True)
            names = {entry.path for entry in entries if entry.mode != _SUBMODULE}
            names -= {entry.path for entry in entries if entry.gone}
            if source.submodules:
                names.update(self._files_with_submodules(root))
            return frozenset(names)
        if source.submodules:
            root = Path(self.checkout(source, revision).root)
            return frozenset(self._files_with_submodules(root))
        mirror = self._mirror(source)
        self._have(mirror, revision.commit, revision.ref)
        tree = self._git.must(
            self._git.run(mirror.repo, "ls-tree -r -z --full-tree", revision.commit, bare=True),
            f"The files of {revision.short} in source {source.name!r} cannot be listed",
            todo=mirror.fetch_anew,
        )
        return frozenset(path for mode, path in _tree_lines(tree.out) if mode != _SUBMODULE)

    def checkout(self, source: Source, revision: Revision) -> Checkout:
        """The revision's files on the disk, to be read only. The same directory every time, until
        it is pruned; no other process prunes it while we live."""
        if revision.in_place:
            root = self._root(source)
            _refuse_links_out_of(root, self._links_in_place(root), revision)
            return Checkout(revision, root)
        mirror = self._mirror(source)
        name = mirror.worktree_name(revision.commit)
        root = mirror.worktrees / name
        if self._leased(mirror.home, name):
            return Checkout(revision, root)
        self._have(mirror, revision.commit, revision.ref)
        with self._locked(mirror.home):
            # Another thread may have been quicker.
            if not self._leased(mirror.home, name):
                ready = mirror.worktrees / f"{name}.ready"
                if not (ready.exists() and root.is_dir() and mirror.knows(name)):
                    self._lay_out(mirror, revision, root, ready)
                lease = os.open(ready, os.O_RDONLY)
                fcntl.flock(lease, fcntl.LOCK_SH)
                with self._guard:
                    self._leases[mirror.home, name] = lease
        return Checkout(revision, root)

    def prune(self, in_use: Collection[tuple[str, str]]) -> None:
        """Remove what none of these (source name, commit) needs: worktrees, and our hold on the
        commits. Only of sources that we resolved: another configuration may share the
        ``data_dir``, and name a source as we do. What another process uses stays, and so does a
        worktree in which an engine left an ``errored.tfstate``: it may be the only copy of what
        was built."""
        with self._guard:
            resolved = [(home, frozenset(names)) for home, names in self._resolved.items()]
        for home, names in resolved:
            if (home / "repo.git").is_dir():
                self._prune_source(home, {commit for name, commit in in_use if name in names})

    def stop(self) -> None:
        """End every running git, and start no more: for when a person pressed Ctrl-C. Whoever
        waits for one gets Interrupted."""
        self._git.stop()

    def close(self) -> None:
        """Let other processes prune the worktrees that we were handed."""
        with self._guard:
            leases = list(self._leases.values())
            self._leases.clear()
        for lease in leases:
            os.close(lease)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # The directory of the configuration, as it lies.

    def _in_place(self, source: Source) -> Revision:
        root = self._root(source)
        status = self._git.must(
            self._git.run(
                root,
                "status --porcelain=v2 --branch -z --untracked-files=normal "
                "--ignore-submodules=none",
            ),
            f"The state of the work tree at {root} cannot be read",
        )
        lines = [os.fsdecode(line) for line in status.out.split(b"\0") if line]
        headers = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
        commit = headers.get("branch.oid", "(initial)")
        if commit == "(initial)":
            raise SourceError(
                f"The Git repository at {root} has no commit yet, so nothing says what its "
                "infrastructure should be.",
                todo=f"Commit what is there: cd {quote(str(root))} && git add . && git commit",
            )
        branch = headers.get("branch.head", "(detached)")
        found = self._inspect(root, commit)
        return Revision(
            source=source.name,
            display_url=".",
            ref="HEAD" if branch == "(detached)" else branch,
            commit=commit,
            committed_at=found[1] if found else None,
            dirty=len(headers) < len(lines) or self._reads_ignored_files(root),
            in_place=True,
        )

    def _reads_ignored_files(self, root: Path) -> bool:
        """Whether an engine would read a file that git ignores: it is planned, but is not what
        the commit says. What we laid out ourselves is not meant."""
        ours, top = os.path.realpath(self._data_dir), os.path.realpath(root)
        not_ours: tuple[str, ...] = ()
        if ours != top and _is_within(ours, top):
            not_ours = (f":(exclude,literal){os.path.relpath(ours, top)}",)
        answer = self._git.must(
            self._git.run(
                root, "ls-files -o -i --exclude-standard -z --", *_READ_BY_ENGINES, *not_ours
            ),
            f"The ignored files of the work tree at {root} cannot be listed",
        )
        return bool(answer.out)

    def _root(self, source: Source) -> Path:
        """The top of the work tree that ``here`` is in."""
        with self._guard:
            if self._top is not None:
                return self._top
        here = self._here
        if not here.is_dir():
            raise SourceError(
                f"The directory {here} does not exist, so source {source.name!r} has nothing to "
                "read.",
                todo="Run driftctl-py where driftctl.yaml is, or name it with --config.",
            )
        answer = self._git.run(here, "rev-parse --show-toplevel")
        if "not a git repository" in answer.err:
            raise SourceError(
                f"{here} is not in a Git repository, so nothing says what its infrastructure "
                "should be.",
                todo=f"Make it one: cd {quote(str(here))} && git init && git add . && git commit",
            )
        if "must be run in a work tree" in answer.err:
            raise SourceError(
                f"{here} is in a bare Git repository, which holds no files to plan.",
                todo="Give the source a ref, or run driftctl-py in a clone of it.",
            )
        self._git.must(answer, f"The Git repository at {here} cannot be read")
        top = Path(os.fsdecode(answer.out.removesuffix(b"\n")))
        with self._guard:
            self._top = top
        return top

    def _index(self, root: Path, *, others: bool = False) -> list[_Entry]:
        """The tracked files; with ``others`` also the new ones, and which are deleted."""
        more = ("-o", "-d", "--exclude-standard") if others else ()
        answer = self._git.must(
            self._git.run(root, "ls-files -z -t -s -c", *more),
            f"The files of the work tree at {root} cannot be listed",
        )
        entries = [_Entry.read(line, root) for line in answer.out.split(b"\0") if line]
        # A nested repository that is not a submodule is listed as one name with a slash.
        return [entry for entry in entries if not entry.path.endswith("/")]

    def _links_in_place(self, root: Path) -> Iterator[Path]:
        """What may be a link: not only where the index says so, for a file may have been replaced
        by one. New ones of an engine (to its plugin cache) and of ours are not meant."""
        data_dir = os.path.realpath(self._data_dir)
        for entry in self._index(root, others=True):
            path = root / entry.path
            theirs = ".terraform" in path.relative_to(root).parts
            if entry.mode or not (theirs or _is_within(str(path), data_dir)):
                yield path

    def _files_with_submodules(self, root: Path) -> Iterator[str]:
        answer = self._git.must(
            self._git.run(root, "ls-files -z -s --recurse-submodules"),
            f"The files of the submodules at {root} cannot be listed",
        )
        for mode, path in _tree_lines(answer.out):
            if mode != _SUBMODULE and os.path.lexists(root / path):
                yield path

    # A remote: what does it say, what do we have?

    def _mirror(self, source: Source) -> _Mirror:
        address = parse_address(source.url)
        if address.transport == "here":
            address = replace(address, url=str(self._root(source)))
        elif address.transport == "path":
            path = re.sub(r"^~(?=/|$)", lambda _: self._home_dir, address.url)
            address = replace(address, url=os.path.normpath(self._here / path))
        digest = hashlib.sha256(address.url.encode(errors="surrogateescape")).hexdigest()[:12]
        home = self._sources / f"{_safe_name(source.name)}-{digest}"
        return _Mirror(source, self._git.remote(source, address), home)

    def _ask(self, mirror: _Mirror, ref: str | None) -> tuple[str, str]:
        """(name to show, commit) that the remote has for ``ref`` now."""
        candidates = ref_candidates(ref)
        refs, default = self._ls_remote(mirror, *candidates)
        if candidates == ("HEAD",):
            if "HEAD" in refs:
                return short_ref(default), refs["HEAD"]
            raise self._unknown_ref(mirror, "HEAD")
        # The commit of an annotated tag is the peeled one.
        found = {name: refs.get(f"{name}^{{}}", refs[name]) for name in candidates if name in refs}
        names = [name for name in found if not name.endswith("^{}")]
        if not names:
            raise self._unknown_ref(mirror, ref or "HEAD")
        if len({found[name] for name in names}) > 1:
            raise SourceError(
                f"{ref!r} is both a branch and a tag of {mirror.display}, at different commits.",
                todo=f"Say which: ref: refs/heads/{ref} or ref: refs/tags/{ref}",
            )
        return short_ref(names[0]), found[names[0]]

    def _ls_remote(self, mirror: _Mirror, *patterns: str) -> tuple[dict[str, str], str]:
        """Refs by name, and the full name of the default branch (``HEAD`` if it has none)."""
        answer = self._git.must(
            self._git.run(
                mirror.repo,
                "ls-remote --quiet --symref --",
                mirror.url,
                *patterns,
                bare=True,
                remote=mirror.remote,
                timeout=self._ask_timeout,
            ),
            f"The Git repository {mirror.display} (source {mirror.source.name!r}) cannot be read",
            remote=mirror.remote,
        )
        refs: dict[str, str] = {}
        default = "HEAD"
        for line in os.fsdecode(answer.out).split("\n"):
            value, _, name = line.partition("\t")
            if not value.startswith("ref: "):
                refs[name] = value
            elif name == "HEAD":
                default = value.removeprefix("ref: ")
        return refs, default

    def _unknown_ref(self, mirror: _Mirror, ref: str) -> SourceError:
        refs, _ = self._ls_remote(mirror)
        full = [name for name in refs if name.startswith(("refs/heads/", "refs/tags/"))]
        names = {short_ref(name) for name in full if not name.endswith("^{}")}
        if not names:
            return SourceError(
                f"The Git repository {mirror.display} has no branch and no tag, so there is "
                "nothing to plan.",
                todo="Push a first commit to it.",
            )
        some = ", ".join(sorted(names)[:5])
        if ref == "HEAD":
            return SourceError(
                f"The Git repository {mirror.display} does not say which branch is its default.",
                todo=f"Name one in driftctl.yaml with ref:. It has {some}.",
            )
        meant = ", ".join(near(ref, names))
        todo = f"Did you mean {meant}?" if meant else f"It has {some}."
        if looks_abbreviated(ref):
            todo = f"A commit is named by all of its 40 characters: git rev-parse {ref}"
        elif mirror.remote.address.is_local and f"refs/remotes/origin/{ref}" in refs:
            todo = f"Only origin has it. Make it a branch: git branch {ref} origin/{ref}"
        where = "This repository" if mirror.display == "." else mirror.display
        return SourceError(f"{where} has no branch or tag {ref!r}.", todo=todo)

    def _have(self, mirror: _Mirror, commit: str, ref: str) -> tuple[str, datetime | None]:
        """(commit, its date), fetched unless it is here. The commit returned differs from the
        one asked for only where that named an annotated tag."""
        if noted := self._noted(mirror, commit):
            return noted
        with self._locked(mirror.home):
            # Another thread or process may have been quicker.
            if noted := self._noted(mirror, commit):
                return noted
            found = self._in_mirror(mirror, commit)
            if found is None:
                self._fetch(mirror, commit)
                found = self._in_mirror(mirror, commit)
            if found is None:
                self._fetch_one(mirror, commit, ref)
                found = self._in_mirror(mirror, commit)
            if found is None:
                raise SourceError(
                    f"{ref} in {mirror.display} is not a commit, so it holds no files to plan.",
                    todo="Name a branch, a tag of a commit, or a full commit.",
                )
            self._keep(mirror, *found)
        return found

    def _noted(self, mirror: _Mirror, commit: str) -> tuple[str, datetime | None] | None:
        with contextlib.suppress(OSError):
            return commit, _moment(mirror.note(commit).read_text(encoding="ascii"))
        return None

    def _in_mirror(self, mirror: _Mirror, commit: str) -> tuple[str, datetime | None] | None:
        return self._inspect(mirror.repo, commit, bare=True) if mirror.exists else None

    def _inspect(
        self, directory: Path, commit: str, *, bare: bool = False
    ) -> tuple[str, datetime | None] | None:
        """(commit, its date) where the repository has it."""
        answer = self._git.run(
            directory,
            "log -1 --no-show-signature --no-notes --format=%H:%ct",
            f"{commit}^{{commit}}",
            "--",
            bare=bare,
        )
        if not answer.good:
            return None
        full, _, stamp = answer.out.decode("ascii").strip().partition(":")
        return full, _moment(stamp)

    def _fetch(self, mirror: _Mirror, commit: str) -> None:
        if not mirror.exists:
            self._create(mirror, "sha256" if len(commit) == 64 else "sha1")
        answer = self._fetch_refs(mirror, "--prune", *_HEADS_AND_TAGS)
        if trouble_in(answer.err) is Trouble.LOCK_FILE:
            # We hold the only lock that counts, so whoever left Git's own is gone.
            for left in mirror.repo.rglob("*.lock"):
                left.unlink(missing_ok=True)
            answer = self._fetch_refs(mirror, "--prune", *_HEADS_AND_TAGS)
        self._git.must(
            answer,
            f"The Git repository {mirror.display} (source {mirror.source.name!r}) cannot be "
            "fetched",
            remote=mirror.remote,
            todo=mirror.fetch_anew,
        )

    def _fetch_one(self, mirror: _Mirror, commit: str, ref: str) -> None:
        """A commit that no branch or tag leads to (any more)."""
        answer = self._fetch_refs(mirror, f"+{commit}:{_KEEP}{commit}")
        if not re.search(r"not our ref|remote ref|unadvertised object", answer.err):
            what = f"The commit {commit} of {mirror.display} cannot be fetched"
            self._git.must(answer, what, remote=mirror.remote)
        elif is_commit(ref):
            raise SourceError(
                f"{mirror.display} has no commit {commit}.",
                todo="Push it, or name a branch, a tag or another commit.",
            )
        else:
            raise Unavailable(
                f"{ref} of {mirror.display} moved while it was being fetched.", todo="Try again."
            )

    def _fetch_refs(self, mirror: _Mirror, *refspecs: str) -> Answer:
        options = [word for word in refspecs if word.startswith("--")]
        return self._git.run(
            mirror.repo,
            # A source that is a shallow clone makes the mirror shallow, too.
            "fetch --quiet --no-tags --no-write-fetch-head --no-recurse-submodules "
            "--update-shallow",
            *options,
            "--",
            mirror.url,
            *(word for word in refspecs if word not in options),
            bare=True,
            remote=mirror.remote,
            timeout=self._fetch_timeout,
        )

    def _create(self, mirror: _Mirror, object_format: str) -> None:
        """The bare repository, in one step: what is half-made never has its name."""
        half = mirror.home / "repo.git.half"
        what = f"No repository can be made at {mirror.home}"
        with self._writing():
            for left in (half, mirror.repo):
                if left.exists():
                    shutil.rmtree(left)
            self._git.must(
                self._git.run(
                    mirror.home,
                    # No template: it could bring hooks.
                    "init --quiet --bare --template=",
                    f"--object-format={object_format}",
                    "--",
                    str(half),
                ),
                what,
            )
            # Submodules whose URL is relative start from this one.
            origin = self._git.run(half, "config remote.origin.url", mirror.url, bare=True)
            self._git.must(origin, what)
            half.rename(mirror.repo)

    def _keep(self, mirror: _Mirror, commit: str, committed_at: datetime | None) -> None:
        self._git.must(
            self._git.run(mirror.repo, "update-ref", _KEEP + commit, commit, bare=True),
            f"The commit {commit} cannot be kept in {mirror.repo}",
            todo=mirror.fetch_anew,
        )
        note = mirror.note(commit)
        with self._writing():
            note.parent.mkdir(exist_ok=True)
            _write(note, str(int(committed_at.timestamp())) if committed_at else "")

    # Worktrees.

    def _lay_out(self, mirror: _Mirror, revision: Revision, root: Path, ready: Path) -> None:
        """Make the worktree. ``ready`` is written last, so a crash anywhere before is noticed."""
        if _holds_lost_state(root):
            raise SourceError(
                f"{root} is not as it was laid out, but holds an {_LOST_STATE}, which may be the "
                "only record of what an engine built, so it is not replaced.",
                todo="Push that state (`terraform state push errored.tfstate`), then: "
                f"rm -r {quote(str(root))}",
            )
        with self._writing():
            mirror.worktrees.mkdir(exist_ok=True)
            ready.unlink(missing_ok=True)
            if root.exists():
                shutil.rmtree(root)
        # Git's own note of a worktree that is gone would stand in the way of the new one.
        if (mirror.repo / "worktrees").is_dir():
            self._git.run(mirror.repo, "worktree prune --expire=now", bare=True)
        try:
            self._git.must(
                self._git.run(
                    mirror.repo,
                    "worktree add --quiet --detach --",
                    str(root),
                    revision.commit,
                    bare=True,
                    remote=mirror.remote,
                    timeout=self._fetch_timeout,
                ),
                f"The files of {revision.short} ({mirror.display}) cannot be laid out",
                remote=mirror.remote,
                todo=mirror.fetch_anew,
            )
            if mirror.source.submodules and (root / ".gitmodules").exists():
                self._git.must(
                    self._git.run(
                        root,
                        "submodule --quiet update --init --recursive --checkout",
                        remote=mirror.remote,
                        timeout=self._fetch_timeout,
                    ),
                    f"The submodules of {revision.short} ({mirror.display}) cannot be fetched",
                    remote=mirror.remote,
                )
            _refuse_links_out_of(root, _links_under(root), revision)
            with self._writing():
                _write(ready, "")
        except BaseException:
            shutil.rmtree(root, ignore_errors=True)
            raise

    def _prune_source(self, home: Path, used: set[str]) -> None:
        repo, notes = home / "repo.git", home / "repo.git" / "driftctl"
        names = {name.removesuffix(".ready") for name in _names_in(home / "worktrees")}
        unused = {name for name in names if name.partition("+")[0] not in used}
        if not unused and _names_in(notes) <= used:
            return
        with self._locked(home):
            left = {name for name in unused if not self._remove_worktree(home, name)}
            if unused - left:
                self._git.run(repo, "worktree prune --expire=now", bare=True)
            # A commit whose worktree stays stays too.
            forgotten = _names_in(notes) - used - {name.partition("+")[0] for name in left}
            for commit in forgotten:
                (notes / commit).unlink(missing_ok=True)
                self._git.run(repo, "update-ref -d", _KEEP + commit, bare=True)
            if forgotten:
                # Unlike after a fetch, we are here to wait for it.
                tidy = "-c gc.auto=6700 -c gc.autoDetach=false gc --auto --quiet"
                self._git.run(repo, tidy, bare=True)

    def _remove_worktree(self, home: Path, name: str) -> bool:
        """Whether it is gone."""
        root, ready = home / "worktrees" / name, home / "worktrees" / f"{name}.ready"
        if _holds_lost_state(root):
            return False
        with self._guard:
            ours = self._leases.pop((home, name), None)
        if ours is not None:
            os.close(ours)
        with self._writing():
            if _held_by_another(ready):
                return False
            ready.unlink(missing_ok=True)
            if root.exists():
                shutil.rmtree(root)
        return True

    def _leased(self, home: Path, name: str) -> bool:
        with self._guard:
            return (home, name) in self._leases

    # One at a time.

    @contextlib.contextmanager
    def _locked(self, home: Path) -> Iterator[None]:
        """One thread of one process at a time changes a source."""
        with self._guard:
            mutex = self._mutexes.setdefault(home, threading.Lock())
        with mutex:
            with self._writing():
                for directory in (self._data_dir, self._sources, home):
                    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._wait_for(lock, home)
                yield
            finally:
                os.close(lock)

    def _wait_for(self, lock: int, home: Path) -> None:
        deadline, pause = time.monotonic() + _LOCK_PATIENCE_SECONDS, 0.01
        while not _take(lock):
            if self._git.stopped:
                raise Interrupted("Stopped while another driftctl-py was fetching.")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Another driftctl-py has been working in {home} for an hour.",
                    todo="See what it does, and end it if it hangs: "
                    f"fuser {quote(str(home / 'lock'))}",
                )
            time.sleep(pause)
            pause = min(pause * 2, 0.25)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn a disk that is full, or is not ours, into an error that says so."""
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"{error.filename or self._data_dir} cannot be written: {error.strerror}.",
                todo=f"Make room for {self._data_dir}, or make it yours: "
                f"chmod -R u+rwX {quote(str(self._data_dir))}",
            ) from error


def _refuse_links_out_of(root: Path, links: Iterable[Path], revision: Revision) -> None:
    """A link that leads out would let a commit show, in a plan, any file of this machine."""
    top = os.path.realpath(root)
    for link in links:
        if link.is_symlink() and not _is_within(os.path.realpath(link), top):
            raise SourceError(
                f"{link.relative_to(root)} at {revision.short} is a symbolic link to "
                f"{link.readlink()}, which is outside the repository, so it is not read.",
                todo="Replace it with a copy of the file, or with a link to one in the repository.",
            )


def _is_within(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


def _links_under(root: Path) -> Iterator[Path]:
    for directory, directories, files in os.walk(root):
        paths = (Path(directory, name) for name in (*directories, *files))
        yield from (path for path in paths if path.is_symlink())


def _holds_lost_state(root: Path) -> bool:
    return any(_LOST_STATE in files for _, _, files in os.walk(root))


def _tree_lines(out: bytes) -> Iterator[tuple[str, str]]:
    """(mode, path) of each line of ``ls-tree -z`` or ``ls-files -s -z``. The paths are whatever
    bytes the disk holds, as ``os.fsencode`` gives them back."""
    for line in out.split(b"\0"):
        facts, _, name = line.partition(b"\t")
        if name:
            yield facts[:6].decode("ascii"), os.fsdecode(name)


def _moment(stamp: str) -> datetime | None:
    """None for a date that Python cannot hold: commits claim the year 292277 if they like."""
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _names_in(directory: Path) -> set[str]:
    """Without those that are being written."""
    try:
        return {path.name for path in directory.iterdir() if not path.name.startswith(".")}
    except FileNotFoundError:
        return set()


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held_by_another(ready: Path) -> bool:
    try:
        lease = os.open(ready, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _take(lease)
    finally:
        os.close(lease)


def _safe_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]", "_", name)


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    half.write_text(text, encoding="ascii")
    half.replace(path)
