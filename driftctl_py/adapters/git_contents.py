"""What Git says of content: ids of directories, commits of the past, and who wrote them.

Git's ids are digests, so two commits in which a directory has the same id hold the same files
there: that is what an approval is bound to, and not to the commit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from driftctl_py.adapters.git import GitSources
from driftctl_py.adapters.git_command import Answer
from driftctl_py.core.checkout import Changes, Revision
from driftctl_py.core.environment import Source
from driftctl_py.core.git_url import is_commit, looks_abbreviated, parse_address
from driftctl_py.errors import SourceError

# ``Ada <ada@example.com>``.
_ADDRESS = re.compile(r".*<([^<>]*)>.*")


class GitContents(GitSources):
    """Sources of which more is asked, because something is to be applied."""

    def trees(
        self, source: Source, revision: Revision, paths: Collection[str]
    ) -> Mapping[str, str]:
        """Git's ids of directories and files of a revision, by path from its root (``.`` is the
        root itself); ``absent`` for what the commit does not hold."""
        found = dict.fromkeys(sorted(paths), "absent")
        named = [path for path in found if path != "."]
        if "." in found:
            found["."] = self._said(
                source, revision, "rev-parse --verify --quiet", f"{revision.commit}^{{tree}}"
            )
        if named:
            listed = self._said(
                source,
                revision,
                "ls-tree -z --full-tree",
                revision.commit,
                "--",
                *named,
            )
            for line in filter(None, listed.split("\0")):
                facts, _, path = line.partition("\t")
                found[path] = facts.split(" ")[2]
        return found

    def at(self, source: Source, commit: str, *, ref: str | None = None) -> Revision:
        """A commit of the history of ``ref``, or of the source's own, laid out apart even where the
        source is planned in place. Seven characters of it are enough. Raises `SourceError` when
        that history does not hold it."""
        if not (is_commit(commit) or looks_abbreviated(commit)):
            raise SourceError(
                f"{commit!r} is no commit.",
                todo="Give at least seven characters of one: git log --oneline",
            )
        mirror = self._mirror(source)
        wanted = ref if ref is not None else source.ref
        if wanted is None and parse_address(source.url).transport == "here":
            here = self._in_place(source)
            name, head = here.ref, here.commit
        elif wanted is not None and is_commit(wanted):
            name = head = wanted
        else:
            name, head = self._ask(mirror, wanted)
        head, _ = self._have(mirror, head, name)
        answer = self._git.run(
            mirror.repo,
            "rev-parse --verify --quiet --end-of-options",
            f"{commit}^{{commit}}",
            bare=True,
        )
        full = answer.out.decode("ascii", "replace").strip()
        known = answer.good and self._git.run(
            mirror.repo, "merge-base --is-ancestor", full, head, bare=True
        )
        if not known or not known.good:
            raise SourceError(
                f"The history of {name} in {mirror.display} holds no commit {commit}, so nothing "
                "is planned at it.",
                todo=f"Name one of these: git log --oneline {name}",
            )
        full, committed_at = self._have(mirror, full, name)
        return self._noted_as_resolved(source, mirror.home, name, full, committed_at)

    def top(self) -> Path:
        """The top of the work tree that holds the configuration. Raises `SourceError`."""
        return self._root(Source("default"))

    def commit_of(self, name: str) -> str:
        """The commit that a branch, a tag or a commit means in the repository that holds the
        configuration; a branch of ``origin`` where there is none here. Raises `SourceError`."""
        root = self._root(Source("default"))
        commit = self._commit(root, name) or self._commit(root, f"origin/{name}")
        if commit is None:
            raise SourceError(
                f"{name} is no commit, branch or tag of the repository at {root}.",
                todo="Name what the change goes into, as in --base origin/main; a clone that is "
                "not whole may just not hold it: git fetch --unshallow, or fetch-depth: 0",
            )
        return commit

    def changed_since(self, source: Source, base: str) -> Changes:
        """What lies in the work tree otherwise than in the commit from which ``base`` and HEAD went
        apart, or is new in it. Raises `SourceError` for a base that is no commit of this
        repository, unless a clone of it that is not whole may just not hold it."""
        root = self._root(source)
        commit = self._commit(root, base) or self._commit(root, f"origin/{base}")
        shallow = self._git.must(
            self._git.run(root, "rev-parse --is-shallow-repository"),
            f"The Git repository at {root} cannot be read",
        )
        is_shallow = shallow.out.strip() == b"true"
        if commit is None:
            if is_shallow:
                return Changes(unsure=f"this clone is shallow and does not hold {base}")
            raise SourceError(
                f"{base} is no commit, branch or tag of the repository at {root}.",
                todo="Name what the change is to be compared with: --base origin/main",
            )
        apart = self._git.run(root, "merge-base", commit, "HEAD")
        if not apart.good:
            if is_shallow:
                return Changes(
                    unsure=f"this clone is too shallow to tell since when {base} differs"
                )
            raise SourceError(
                f"{base} and HEAD of the repository at {root} have no commit in common.",
                todo="Name a base that HEAD comes from: git log --oneline",
            )
        start = apart.out.decode("ascii", "replace").strip()
        what = f"What changed since {start[:7]} cannot be read"
        known = self._git.must(
            self._git.run(
                root,
                "diff --name-only --no-renames --no-relative --no-ext-diff "
                "--ignore-submodules=none -z",
                start,
            ),
            what,
        )
        new = self._git.must(
            self._git.run(root, "ls-files -o --exclude-standard --full-name -z", ":/"), what
        )
        paths = (known.out + new.out).split(b"\0")
        return Changes(start, frozenset(os.fsdecode(path) for path in paths if path))

    def files_at(self, revision: Revision, source: Source) -> frozenset[str]:
        """Every file that the revision's commit holds, whatever lies in the work tree."""
        place, bare = self._place(source, revision)
        listed = self._git.must(
            self._git.run(
                place, "ls-tree -r -z --full-tree --name-only", revision.commit, bare=bare
            ),
            f"The files of {revision.short} in source {source.name!r} cannot be listed",
        )
        return frozenset(os.fsdecode(path) for path in listed.out.split(b"\0") if path)

    def _commit(self, root: Path, name: str) -> str | None:
        answer = self._git.run(
            root, "rev-parse --verify --quiet --end-of-options", f"{name}^{{commit}}"
        )
        return answer.out.decode("ascii", "replace").strip() if answer.good else None

    def text(self, source: Source, revision: Revision, path: str) -> bytes | None:
        """A file of a revision; None where the commit holds none of that name."""
        if self.trees(source, revision, [path])[path] == "absent":
            return None
        place, bare = self._place(source, revision)
        answer = self._git.run(place, "cat-file blob", f"{revision.commit}:{path}", bare=bare)
        what = f"{path} of {revision.short} in source {source.name!r} cannot be read"
        return self._git.must(answer, what).out

    def authors(
        self, source: Source, since: Iterable[str], to: Revision, paths: Collection[str]
    ) -> tuple[str, ...]:
        """E-mail addresses of who wrote (author, committer, co-authors) what is in ``to`` and was
        not there before, as far as it changed one of the paths. ``since`` are commits that were
        applied, the latest first, of which the first counts that ``to`` does not go back behind;
        of all that ever did where there is none, or it is not known here. Sorted."""
        answer = None
        base = next((each for each in since if not self._goes_back(source, to, each)), "")
        if base:
            answer = self._log(source, to, f"{base}..{to.commit}", paths)
        if answer is None or not answer.good:
            answer = self._log(source, to, to.commit, paths)
        self._git.must(answer, f"Who wrote {to.short} of {to.display_url} cannot be read")
        lines = answer.out.decode("utf-8", "replace").split("\n")
        words = (_ADDRESS.sub(r"\1", line).strip().lower() for line in lines)
        return tuple(sorted({word for word in words if word}))

    def _goes_back(self, source: Source, to: Revision, behind: str) -> bool:
        """Is it a commit of the other one's past? Then all of it is in the other one, too, and be
        it as what was taken back there."""
        if to.commit == behind:
            return False
        place, bare = self._place(source, to)
        return self._git.run(place, "merge-base --is-ancestor", to.commit, behind, bare=bare).good

    def _log(
        self, source: Source, revision: Revision, which: str, paths: Collection[str]
    ) -> Answer:
        place, bare = self._place(source, revision)
        return self._git.run(
            place,
            "log --no-show-signature --no-notes --no-mailmap --full-history "
            # Who squashes what several wrote leaves one of them as its author.
            "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly,unfold)",
            which,
            "--",
            # The root holds all of them.
            *(f":(top,literal){path}" for path in sorted(paths) if "." not in paths),
            bare=bare,
        )

    def _said(self, source: Source, revision: Revision, command: str, *arguments: str) -> str:
        place, bare = self._place(source, revision)
        answer = self._git.must(
            self._git.run(place, command, *arguments, bare=bare),
            f"The content of {revision.short} in source {source.name!r} cannot be read",
        )
        return os.fsdecode(answer.out).strip("\n")

    def _place(self, source: Source, revision: Revision) -> tuple[Path, bool]:
        """The repository that holds the revision, and whether it is a bare one."""
        if revision.in_place:
            return self._root(source), False
        return self._mirror(source).repo, True

    def _noted_as_resolved(
        self, source: Source, home: Path, ref: str, commit: str, committed_at: datetime | None
    ) -> Revision:
        with self._guard:
            self._resolved.setdefault(home, set()).add(source.name)
        return Revision(source.name, self._mirror(source).display, ref, commit, committed_at)
