"""The private directory in which an environment is planned: an overlay of links over a checkout.

An engine writes beside the configuration that it plans (a lock file, `errored.tfstate`), and two
environments may share one directory. So none is ever planned in the checkout itself: each gets a
directory of its own that mirrors the environment's part of the tree with links, and links the
rest as a whole, so that `../../modules` leads where it should. The checkout, be it the user's own
working tree or a worktree of ours, is never written to.

    <data>/environments/prod-1a2b3c4d5e/
        tree/environments/prod/main.tf -> <checkout>/environments/prod/main.tf
        tree/modules -> <checkout>/modules
        terraform/            TF_DATA_DIR
        record.json           what the last init was for
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
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import msgspec

from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.engine_choice import Hints
from driftctl_py.core.engine_run import Memory, Workdir
from driftctl_py.core.environment import Environment
from driftctl_py.core.module_facts import ENGINE_SUFFIXES, ModuleFacts, read_module
from driftctl_py.core.state import OVERRIDE_NAME
from driftctl_py.errors import DriftctlError, Interrupted, SourceError, StateError, Unavailable

LOCK_FILE = ".terraform.lock.hcl"
# The engine's own droppings in a user's working tree are not part of what Git says.
_PASSED_OVER = frozenset({".git", ".terraform", ".terraform.tfstate.lock.info"})
# Where an engine keeps, and looks for, a state of its own: `.backup` and the workspaces included.
_LOCAL_STATE = "terraform.tfstate"


class _Record(msgspec.Struct):
    init_key: str = ""
    family: str = ""
    links_of: str = ""


class _Module(msgspec.Struct):
    Key: str = ""
    Source: str = ""
    Version: str = ""
    Dir: str = ""


class _Modules(msgspec.Struct):
    Modules: list[_Module] = []


class Workdirs:
    """Makes and keeps the private directories under ``data_dir``, one per environment.

    ``scope`` tells configurations apart that share a data directory. ``stopped`` is asked while
    another check is waited for.
    """

    def __init__(
        self, data_dir: Path, *, scope: str, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self._root = data_dir / "environments"
        self._scope = scope
        self._stopped = stopped
        self._locks: dict[Path, threading.Lock] = {}
        self._guard = threading.Lock()

    def place(self, environment: Environment, checkout: Checkout) -> Workdir:
        """Where an environment lies and will be planned. Only looks.

        Raises `SourceError` when the directory is not there or holds nothing for an engine.
        """
        root = Path(checkout.root)
        source = root / environment.path
        with _source_errors(source):
            self._refuse_nothing_to_plan(environment, checkout, source)
        home = self.home_of(environment.name)
        return Workdir(home, home / "tree" / environment.path, source, root)

    def home_of(self, environment: str) -> Path:
        """The private directory of the environment of that name."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", environment)[:60]
        digest = hashlib.sha256(f"{self._scope}\0{environment}".encode()).hexdigest()
        return self._root / f"{name}-{digest[:10]}"

    @staticmethod
    def _refuse_nothing_to_plan(environment: Environment, checkout: Checkout, source: Path) -> None:
        if not source.is_dir():
            raise SourceError(
                f"{environment.path} is not a directory in "
                f"{checkout.revision.display_url} at {checkout.revision.short}.",
                todo="Correct the path in driftctl.yaml, or add the directory.",
            )
        if not _holds_configuration(source):
            raise SourceError(
                f"{environment.path} holds no .tf or .tofu files, so there is nothing to plan.",
                todo="Add the configuration, or leave the directory out with `exclude`.",
            )

    def lay(self, workdir: Workdir, environment: Environment, revision: Revision) -> None:
        """Bring the overlay of an environment up to date with its checkout; the caller holds
        `locked`, since another check may be planning another commit there."""
        with _disk_errors(workdir.home):
            workdir.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            pinned = "" if revision.in_place else f"{workdir.root}@{environment.path}"
            memory = self.remember(workdir)
            if not pinned or memory.links_of != pinned or not workdir.directory.is_dir():
                if memory.links_of:
                    # Written before the links change: a crash must not leave a record that lies.
                    self.save(workdir, replace(memory, links_of=""))
                self._relink(workdir, environment.path)
                if pinned:
                    self.save(workdir, replace(self.remember(workdir), links_of=pinned))
            # Copies that `copy_state` made for the last check: `init` would migrate them.
            for entry in _entries(workdir.directory):
                if entry.name.startswith(_LOCAL_STATE) and not entry.is_symlink():
                    path = Path(entry.path)
                    _remove_tree(path) if entry.is_dir() else path.unlink()

    def copy_state(self, workdir: Workdir, path: str) -> Path | None:
        """Lay a private copy of a local state where the engine looks for it; None where it needs
        none. Never a link: `init` empties what it takes for a state to migrate from."""
        source = workdir.source_directory / path
        place = Path(os.path.normpath(workdir.directory / path))
        if Path(path).is_absolute():
            return None
        if not Path(os.path.normpath(source)).is_relative_to(workdir.root):
            raise StateError(
                f"The local state {path} lies outside the repository, where a plan of the "
                "checkout cannot follow it.",
                todo="Keep it inside the repository, give an absolute path, or use a remote state.",
            )
        state = _read(source)
        if state is None or not place.is_relative_to(workdir.directory):
            return None
        with _disk_errors(place):
            _real_directory(place.parent, workdir.tree)
            if place.is_symlink():
                place.unlink()
        return self.write(place, state)

    def drop_state(self, workdir: Workdir, path: str) -> None:
        """Remove what `copy_state` laid there; what is no copy of ours is left alone."""
        place = Path(os.path.normpath(workdir.directory / path))
        inside = place.is_relative_to(workdir.directory)
        if inside and place.resolve().is_relative_to(workdir.directory.resolve()):
            self.remove(place)

    def _relink(self, workdir: Workdir, path: str) -> None:
        # What lies there is looked at, not remembered: a crash half-way must not mislead us into
        # following a stale link out of the overlay.
        tree = workdir.tree
        wanted = dict(_wanted_links(workdir.root, PurePosixPath(path), str(self._root.parent)))
        present = dict(_present_links(str(tree), ""))
        for name in present.keys() - wanted.keys():
            (tree / name).unlink()
        _real_directory(workdir.directory, tree)
        for name, target in wanted.items():
            if present.get(name) == target:
                continue
            link = tree / name
            _real_directory(link.parent, tree)
            if link.is_symlink():
                link.unlink()
            elif link.is_dir():
                _remove_tree(link)
            elif link.exists():
                link.unlink()  # a lock file that init made, now that the checkout has its own
            link.symlink_to(target)

    def remember(self, workdir: Workdir) -> Memory:
        """What was saved of this environment; nothing when that is lost or unreadable."""
        try:
            record = msgspec.json.decode((workdir.home / "record.json").read_bytes(), type=_Record)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return Memory()
        return Memory(record.init_key, record.family, record.links_of)

    def save(self, workdir: Workdir, memory: Memory) -> None:
        """Keep the memory, whole or not at all."""
        record = _Record(memory.init_key, memory.family, memory.links_of)
        self.write(workdir.home / "record.json", msgspec.json.encode(record))

    def read(self, path: Path) -> bytes | None:
        """A file of ours, None where there is none."""
        with _disk_errors(path):
            return _read(path)

    def write(self, path: Path, data: bytes) -> Path:
        """Write a file that only we can read, whole or not at all; unchanged it is left alone."""
        with _disk_errors(path):
            if _read(path) != data:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                part = path.with_name(f"{path.name}.part")
                try:
                    part.unlink(missing_ok=True)
                    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with os.fdopen(descriptor, "wb") as file:
                        file.write(data)
                    part.replace(path)
                except OSError:
                    with contextlib.suppress(OSError):
                        part.unlink(missing_ok=True)
                    raise
        return path

    def make_directory(self, path: Path) -> None:
        """A private directory, parents included."""
        with _disk_errors(path):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def digest(self, path: Path) -> str:
        """``sha256-…`` of a file of ours."""
        with _disk_errors(path), path.open("rb") as file:
            return f"sha256-{hashlib.file_digest(file, 'sha256').hexdigest()}"

    def exists(self, path: Path) -> bool:
        """Whether it is there."""
        return path.exists()

    def prune_runs(self, environment: str, *, before: datetime) -> None:
        """Remove what engines said in runs that ended before that moment, but for a state that
        was lost in one: it is the only record of what was made."""
        runs = self.home_of(environment) / "runs"
        with _disk_errors(runs):
            for entry in _entries(runs) if runs.is_dir() else []:
                kept = next(Path(entry.path).glob("*.tfstate"), None)
                if kept is None and entry.stat().st_mtime < before.timestamp():
                    shutil.rmtree(entry.path)

    def remove(self, path: Path) -> None:
        """Remove a file of ours, if it is there."""
        with _disk_errors(path):
            path.unlink(missing_ok=True)

    def facts(self, workdir: Workdir) -> dict[str, ModuleFacts]:
        """The facts of the root module ("." ) and of the local modules that it calls, by path."""
        found: dict[str, ModuleFacts] = {}
        waiting = [workdir.source_directory]
        while waiting:
            here = Path(os.path.normpath(waiting.pop()))
            name = os.path.relpath(here, workdir.source_directory)
            if name in found or not here.is_relative_to(workdir.root) or not here.is_dir():
                continue
            with _source_errors(here):
                found[name] = facts = read_module(_engine_files(here))
            waiting.extend(
                here / call.source for call in facts.modules if call.is_local and call.source
            )
        return found

    def hints(self, workdir: Workdir, facts: ModuleFacts) -> Hints:
        """What the environment's files say about its engine."""
        place = (workdir.source_directory, workdir.root)
        return Hints(
            lock_file=self.lock_file(workdir),
            terraform_version=_find_upwards(".terraform-version", *place),
            opentofu_version=_find_upwards(".opentofu-version", *place),
            required_versions=facts.required_version,
        )

    def source_file(self, workdir: Workdir, name: str) -> Path | None:
        """The path of a file of the source, given relative to its root; None if there is none."""
        path = workdir.root / name
        return path if path.is_file() else None

    def lock_file(self, workdir: Workdir) -> str | None:
        """The text of the lock file that Git holds (not of one that an `init` of ours made)."""
        return _read_text(workdir.source_directory / LOCK_FILE)

    def own_lock_file(self, workdir: Workdir) -> str | None:
        """The text of the lock file that the engine sees: Git's, or the one that `init` made."""
        return _read_text(workdir.directory / LOCK_FILE)

    def remote_modules(self, workdir: Workdir) -> dict[str, str]:
        """What the calls of modules from elsewhere were resolved to by `init`, by their keys:
        source, version, and a digest of the files that were fetched, since a source may name a
        branch. Raises `StateError` on a record that no engine wrote."""
        record = _read(workdir.data / "modules" / "modules.json")
        if record is None:
            return {}
        try:
            listed = msgspec.json.decode(record, type=_Modules).Modules
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(
                f"The engine's record of its modules cannot be read: {error}.",
                todo="Remove the environment's directory from the data directory and plan again.",
            ) from error
        found = {}
        for each in listed:
            place = Path(os.path.normpath(workdir.directory / each.Dir))
            if each.Key and place.is_relative_to(workdir.data):
                with _source_errors(place):
                    found[each.Key] = f"{each.Source} {each.Version} {_digest_of_tree(place)}"
        return found

    def lost_state(self, workdir: Workdir) -> Path | None:
        """A state that an apply could not save and that nobody has dealt with yet."""
        path = workdir.directory / "errored.tfstate"
        return path if path.exists() else None

    def forget_own_lock_file(self, workdir: Workdir) -> None:
        """Remove a lock file that an `init` of ours made, so that the next one chooses afresh,
        as a fresh clone would."""
        path = workdir.directory / LOCK_FILE
        if not path.is_symlink():
            self.remove(path)

    def set_override(self, workdir: Workdir, text: str | None) -> None:
        """Lay the backend's override file beside the configuration, or take it away."""
        path = workdir.directory / OVERRIDE_NAME
        if text is None:
            self.remove(path)
        else:
            self.write(path, text.encode())

    def recorded_backend(self, workdir: Workdir) -> bytes | None:
        """The engine's own record of its backend; None before any `init` with one."""
        return _read(workdir.data / "terraform.tfstate")

    def installed_providers(self, workdir: Workdir) -> frozenset[str]:
        """The addresses (HOST/NAMESPACE/TYPE) of the providers that `init` laid there."""
        place = workdir.data / "providers"
        with _disk_errors(place):
            return frozenset(
                "/".join(found.relative_to(place).parts).lower() for found in place.glob("*/*/*")
            )

    def forget_providers(self, workdir: Workdir) -> None:
        """So that the next `init` lays there what it needs, and nothing else."""
        place = workdir.data / "providers"
        with _disk_errors(place):
            if place.is_dir():
                # Of one that is shared there is only a link here.
                shutil.rmtree(place)

    @contextlib.contextmanager
    def locked(self, workdir: Workdir) -> Iterator[None]:
        """One pass at a time over one environment's directory, among threads and processes."""
        with self.exclusive(workdir.home / "lock"):
            yield

    @contextlib.contextmanager
    def exclusive(self, path: Path) -> Iterator[None]:
        """Hold a lock file; it is left behind, empty, and frees itself when a process dies."""
        with self._guard:
            lock = self._locks.setdefault(path, threading.Lock())
        self._wait(lambda: lock.acquire(blocking=False), path)
        try:
            with _disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._wait(lambda: _take(descriptor), path)
                yield
            finally:
                os.close(descriptor)
        finally:
            lock.release()

    def _wait(self, take: Callable[[], bool], path: Path) -> None:
        """Neither a lock of Python's nor one of the system's can be waited for and be told to
        stop, so it is tried again and again, ever more slowly."""
        pause = 0.001
        while not take():
            if self._stopped():
                raise Interrupted(f"Stopped while another check held {path}; nothing was changed.")
            time.sleep(pause)
            pause = min(pause * 2, 0.1)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find_upwards(name: str, directory: Path, root: Path) -> str | None:
    """The text of the nearest file of that name from ``directory`` up to ``root``."""
    here = directory
    while True:
        text = _read_text(here / name)
        if text is not None or here == root or root not in here.parents:
            return text
        here = here.parent


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest_of_tree(directory: Path) -> str:
    """Of names and contents of all files below, but for what Git keeps for itself."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(directory).parts:
            name = str(path.relative_to(directory)).encode()
            data = path.read_bytes()
            digest.update(b"%d:%b%d:%b" % (len(name), name, len(data), data))
    return digest.hexdigest()


def _read_text(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text("utf-8")
    return None


def _entries(directory: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        return list(entries)


def _engine_files(directory: Path) -> dict[str, str]:
    texts = {}
    for entry in _entries(directory):
        if entry.name.endswith(ENGINE_SUFFIXES) and not entry.name.startswith("."):
            text = _read_text(Path(entry.path))
            if text is not None:
                texts[entry.name] = text
    return texts


def _holds_configuration(directory: Path) -> bool:
    return any(
        entry.name.endswith(ENGINE_SUFFIXES) and not entry.name.startswith(".")
        for entry in _entries(directory)
    )


# Every environment is a sibling of all others, so what follows runs once for each pair of them:
# in strings, because the same with pathlib takes several times as long.


def _wanted_links(root: Path, path: PurePosixPath, ours: str) -> Iterator[tuple[str, str]]:
    """(place in the overlay, what it points to) for everything that an engine may look at, but
    for ``ours``, the data directory: it may lie in the repository."""
    here, below = str(root), ""
    for part in path.parts:
        for entry in _entries(here):
            if entry.name != part and entry.name not in _PASSED_OVER and entry.path != ours:
                yield below + entry.name, entry.path
        here, below = f"{here}/{part}", f"{below}{part}/"
    for place, target in _links_below(here, below, ours):
        # A state that is linked would be emptied by an `init` that migrates it elsewhere.
        if not place[len(below) :].startswith(_LOCAL_STATE):
            yield place, target


def _links_below(directory: str, below: str, ours: str) -> Iterator[tuple[str, str]]:
    # Real directories, linked files: `fileset("**")` does not walk into a linked directory.
    for entry in _entries(directory):
        if entry.name in _PASSED_OVER or entry.name.endswith(".tfstate.backup"):
            continue
        if entry.path == ours:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _links_below(entry.path, f"{below}{entry.name}/", ours)
        else:
            yield below + entry.name, entry.path


def _present_links(directory: str, below: str) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(FileNotFoundError):
        for entry in _entries(directory):
            if entry.is_symlink():
                yield below + entry.name, os.readlink(entry.path)  # noqa: PTH115 - see above
            elif entry.is_dir():
                yield from _present_links(entry.path, f"{below}{entry.name}/")


def _real_directory(directory: Path, tree: Path) -> None:
    """Make ``directory`` below ``tree`` out of real directories: a link on the way is removed,
    because writing through it would write into the checkout."""
    for ancestor in [*reversed(directory.parents), directory]:
        if ancestor == tree or tree in ancestor.parents:
            if ancestor.is_symlink():
                ancestor.unlink()
            ancestor.mkdir(exist_ok=True, mode=0o700)


def _remove_tree(directory: Path) -> None:
    kept = next(iter(directory.rglob("errored.tfstate")), None)
    if kept is not None:
        raise StateError(
            f"{kept} holds a state that an apply could not save, and its directory has to go.",
            todo="Push it with `terraform state push`, or move it away, then check again.",
        )
    shutil.rmtree(directory)


@contextlib.contextmanager
def _source_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}.", todo="Check its permissions."
        ) from error


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except DriftctlError:
        raise
    except OSError as error:
        raise Unavailable(
            f"The data directory cannot be written ({path}): {error.strerror}.",
            todo="Make room or correct its permissions, or choose another with --data-dir.",
        ) from error
