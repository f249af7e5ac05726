"""The overlay: it shows the checkout, and nothing ever reaches through it."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftctl_py.adapters.workdir import Workdirs
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.engine_run import Memory, Workdir
from driftctl_py.core.environment import Environment
from driftctl_py.core.state import OVERRIDE_NAME
from driftctl_py.errors import SourceError, StateError, Unavailable

PROD = Environment("prod", "environments/prod")
IN_PLACE = Revision("default", ".", "main", "a" * 40, in_place=True)
PINNED = Revision("default", ".", "main", "a" * 40)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name, text in {
        ".git/HEAD": "ref",
        "modules/web/main.tf": 'module "inner" { source = "./inner" }',
        "modules/web/inner/main.tf": "",
        "environments/prod/main.tf": 'module "web" {\n  source = "../../modules/web"\n}',
        "environments/prod/files/a.json": "{}",
        "environments/prod/.terraform/environment": "blue",
        "environments/prod/terraform.tfstate.backup": "{}",
        "environments/staging/main.tf": "",
        ".terraform-version": "1.11.4\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def workdirs(tmp_path: Path) -> Workdirs:
    return Workdirs(tmp_path / "data", scope="a configuration")


def _lay(workdirs: Workdirs, environment: Environment, checkout: Checkout) -> Workdir:
    workdir = workdirs.place(environment, checkout)
    workdirs.lay(workdir, environment, checkout.revision)
    return workdir


def _listing(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_the_overlay_shows_what_the_environment_needs(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    here = workdir.directory
    assert (here / "main.tf").resolve() == root / "environments/prod/main.tf"
    assert (here / "../../modules/web/main.tf").read_text().startswith("module")
    assert (here / "files/a.json").is_symlink()
    assert not (here / "files").is_symlink()
    assert not (here / ".terraform").exists()
    assert not (here / "terraform.tfstate.backup").exists()
    assert not (workdir.tree / ".git").exists()
    assert workdir.home.stat().st_mode & 0o777 == 0o700


def test_what_an_engine_writes_stays_in_the_overlay(workdirs: Workdirs, root: Path) -> None:
    before = _listing(root)
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    (workdir.directory / ".terraform.lock.hcl").write_text("ours")
    workdirs.set_override(workdir, "terraform {}")

    assert _listing(root) == before
    assert (workdir.directory / OVERRIDE_NAME).exists()


def test_files_that_come_and_go_are_followed(workdirs: Workdirs, root: Path) -> None:
    source = root / "environments/prod"
    _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    (source / "main.tf").unlink()
    (source / "other.tf").write_text("")
    (source / "files").rename(source / "texts")

    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    names = {str(path.relative_to(workdir.directory)) for path in workdir.directory.rglob("*.*")}
    assert {"other.tf", "texts/a.json"} <= names
    assert not {"main.tf", "files/a.json"} & names


def test_a_stale_link_is_never_followed(workdirs: Workdirs, root: Path) -> None:
    """The overlay of another layout, its record lost: what was a link has to become a directory."""
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    for path in sorted(workdir.tree.rglob("*"), reverse=True):
        path.unlink() if path.is_symlink() else path.rmdir()
    (workdir.tree / "environments").symlink_to(root / "environments")
    before = _listing(root)

    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    assert _listing(root) == before
    assert not (workdir.tree / "environments").is_symlink()
    assert (workdir.directory / "main.tf").is_symlink()


def test_a_lock_file_that_git_gains_replaces_ours(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    (workdir.directory / ".terraform.lock.hcl").write_text("ours")
    (root / "environments/prod/.terraform.lock.hcl").write_text("theirs")

    _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    workdirs.forget_own_lock_file(workdir)

    assert (workdir.directory / ".terraform.lock.hcl").read_text() == "theirs"
    assert workdirs.lock_file(workdir) == "theirs"


def test_a_state_that_could_not_be_saved_is_never_removed(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    (workdir.directory / "errored.tfstate").write_text("precious")
    moved = Environment("prod", "environments/staging")

    with pytest.raises(StateError, match=r"errored\.tfstate holds a state"):
        _lay(workdirs, moved, Checkout(IN_PLACE, root))

    assert (workdir.directory / "errored.tfstate").read_text() == "precious"


def test_a_pinned_checkout_is_laid_once(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(PINNED, root))
    (workdir.directory / "main.tf").unlink()

    _lay(workdirs, PROD, Checkout(PINNED, root))
    untouched = (workdir.directory / "main.tf").exists()
    _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    _lay(workdirs, PROD, Checkout(PINNED, root))

    assert not untouched
    assert (workdir.directory / "main.tf").exists()


def test_the_root_of_a_repository_can_be_an_environment(workdirs: Workdirs, root: Path) -> None:
    (root / "main.tf").write_text("")

    workdir = _lay(workdirs, Environment("all", "."), Checkout(IN_PLACE, root))

    assert (workdir.directory / "modules/web/main.tf").is_symlink()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("environments/nowhere", "is not a directory in"),
        ("environments/prod/files", r"holds no \.tf or \.tofu files"),
    ],
)
def test_a_directory_that_cannot_be_planned_is_an_error(
    workdirs: Workdirs, root: Path, path: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        _lay(workdirs, Environment("prod", path), Checkout(PINNED, root))


def test_facts_follow_local_modules(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    facts = workdirs.facts(workdir)

    assert set(facts) == {".", "../../modules/web", "../../modules/web/inner"}
    assert workdirs.hints(workdir, facts["."]).terraform_version == "1.11.4\n"
    assert workdirs.hints(workdir, facts["."]).opentofu_version is None


def test_memory_survives_and_can_be_lost(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    memory = Memory("key", "tofu", "")

    workdirs.save(workdir, memory)
    kept = workdirs.remember(workdir)
    (workdir.home / "record.json").write_bytes(b"\x00")

    assert kept == memory
    assert workdirs.remember(workdir) == Memory()


def test_a_written_file_is_private_and_unchanged_it_is_left_alone(
    workdirs: Workdirs, tmp_path: Path
) -> None:
    path = workdirs.write(tmp_path / "deep/file", b"one")
    before = path.stat()

    workdirs.write(path, b"one")

    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_data_directory_that_cannot_be_made_is_said(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="cannot be written"):
        _lay(Workdirs(tmp_path / "file", scope="x"), PROD, Checkout(IN_PLACE, root))


def test_one_pass_at_a_time(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    order: list[str] = []

    def second() -> None:
        with workdirs.locked(workdir):
            order.append("second")

    with workdirs.locked(workdir):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_a_local_state_is_copied_and_never_linked(workdirs: Workdirs, root: Path) -> None:
    source = root / "environments/prod"
    (source / "terraform.tfstate").write_text("precious")
    (source / "terraform.tfstate.d/blue").mkdir(parents=True)
    (source / "terraform.tfstate.d/blue/terraform.tfstate").write_text("blue")
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    bare = {path.name for path in workdir.directory.iterdir()}

    copies = [
        workdirs.copy_state(workdir, path)
        for path in ("terraform.tfstate", "terraform.tfstate.d/blue/terraform.tfstate")
    ]
    for copy in copies:
        assert copy is not None
        copy.write_text("")

    assert not {name for name in bare if name.startswith("terraform.tfstate")}
    assert (source / "terraform.tfstate").read_text() == "precious"
    assert (source / "terraform.tfstate.d/blue/terraform.tfstate").read_text() == "blue"
    _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    assert not any(copy.exists() for copy in copies if copy is not None)


def test_a_state_of_another_name_is_copied_over_its_link(workdirs: Workdirs, root: Path) -> None:
    (root / "environments/prod/own.tfstate").write_text("precious")
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    copy = workdirs.copy_state(workdir, "own.tfstate")

    assert copy is not None
    assert not copy.is_symlink()
    assert copy.read_text() == "precious"
    workdirs.drop_state(workdir, "own.tfstate")
    assert not copy.exists()
    assert (root / "environments/prod/own.tfstate").read_text() == "precious"


def test_a_state_beside_the_environment_is_reached_through_the_overlay(
    workdirs: Workdirs, root: Path
) -> None:
    (root / "states").mkdir()
    (root / "states/prod.tfstate").write_text("{}")
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    assert workdirs.copy_state(workdir, "../../states/prod.tfstate") is None
    assert workdirs.copy_state(workdir, "/elsewhere/prod.tfstate") is None
    assert workdirs.copy_state(workdir, "nowhere.tfstate") is None
    for path in ("../../states/prod.tfstate", str(root / "states/prod.tfstate"), "main.tf"):
        workdirs.drop_state(workdir, path)
    assert (workdir.directory / "../../states/prod.tfstate").read_text() == "{}"
    assert (workdir.directory / "main.tf").is_symlink()


def test_a_state_outside_the_repository_cannot_be_planned(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))

    with pytest.raises(StateError, match="outside the repository"):
        workdirs.copy_state(workdir, "../../../prod.tfstate")


def test_a_data_directory_in_the_repository_does_not_show_itself(root: Path) -> None:
    (root / "main.tf").write_text("")
    workdirs = Workdirs(root / "data", scope="x")
    everything = Environment("all", ".")
    _lay(workdirs, everything, Checkout(IN_PLACE, root))

    workdir = _lay(workdirs, everything, Checkout(IN_PLACE, root))

    assert not (workdir.directory / "data").exists()


def test_a_directory_that_cannot_be_read_is_the_sources_fault(
    workdirs: Workdirs, root: Path
) -> None:
    (root / "loop").symlink_to("loop")

    with pytest.raises(SourceError):
        workdirs.place(Environment("loop", "loop/main"), Checkout(IN_PLACE, root))


def test_what_engines_said_is_let_go_after_a_while_but_for_a_lost_state(tmp_path: Path) -> None:
    workdirs = Workdirs(tmp_path / "data", scope="here")
    runs = workdirs.home_of("prod") / "runs"
    for name in ("old", "lost", "new"):
        (runs / name).mkdir(parents=True)
        (runs / name / "apply.jsonl").touch()
    (runs / "lost" / "apply.tfstate").touch()
    for name in ("old", "lost"):
        os.utime(runs / name, (1_000_000, 1_000_000))

    workdirs.prune_runs("prod", before=datetime(2026, 11, 1, tzinfo=UTC))
    workdirs.prune_runs("dev", before=datetime(2026, 11, 1, tzinfo=UTC))

    assert sorted(path.name for path in runs.iterdir()) == ["lost", "new"]


def test_modules_from_elsewhere_are_told_by_what_was_fetched(
    workdirs: Workdirs, root: Path
) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    fetched = workdir.data / "modules" / "net"
    (fetched / ".git").mkdir(parents=True)
    (fetched / "main.tf").write_text("# one\n")
    modules = [
        {"Key": "", "Source": "", "Dir": "."},
        {"Key": "web", "Source": "../../modules/web", "Dir": "../../modules/web"},
        {
            "Key": "net",
            "Source": "git::https://example.com/net.git",
            "Dir": os.path.relpath(fetched, workdir.directory),
        },
    ]
    record = workdir.data / "modules" / "modules.json"
    record.write_text(json.dumps({"Modules": modules}))
    first = workdirs.remote_modules(workdir)
    (fetched / ".git" / "HEAD").write_text("moved")
    same = workdirs.remote_modules(workdir)
    (fetched / "main.tf").write_text("# two\n")

    second = workdirs.remote_modules(workdir)

    assert first.keys() == {"net"}
    assert first["net"].startswith("git::https://example.com/net.git")
    assert same == first
    assert second != first


def test_no_modules_and_a_broken_record_of_them(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    none = workdirs.remote_modules(workdir)
    (workdir.data / "modules").mkdir(parents=True)
    (workdir.data / "modules" / "modules.json").write_text("{")

    with pytest.raises(StateError, match="record of its modules"):
        workdirs.remote_modules(workdir)
    assert none == {}


def test_a_lost_state_and_a_lock_file_of_init_are_seen(workdirs: Workdirs, root: Path) -> None:
    workdir = _lay(workdirs, PROD, Checkout(IN_PLACE, root))
    before = (workdirs.lost_state(workdir), workdirs.own_lock_file(workdir))
    (workdir.directory / ".terraform.lock.hcl").write_text("ours")
    (workdir.directory / "errored.tfstate").write_text("{}")

    after = (workdirs.lost_state(workdir), workdirs.own_lock_file(workdir))

    assert before == (None, None)
    assert after == (workdir.directory / "errored.tfstate", "ours")


def test_installed_providers_are_named_as_the_engine_laid_them_there(tmp_path: Path) -> None:
    workdirs = Workdirs(tmp_path / "data", scope="a")
    workdir = Workdir(tmp_path / "home", tmp_path / "tree", tmp_path / "src", tmp_path)
    cache = tmp_path / "cache" / "linux_amd64"
    cache.mkdir(parents=True)
    place = workdir.data / "providers"
    assert workdirs.installed_providers(workdir) == frozenset()
    for address in ("registry.terraform.io/hashicorp/aws", "Evil.example.com/a/b"):
        (place / address / "1.0.0").mkdir(parents=True)
        # As with a shared cache.
        (place / address / "1.0.0" / "linux_amd64").symlink_to(cache)

    found = workdirs.installed_providers(workdir)
    workdirs.forget_providers(workdir)
    workdirs.forget_providers(workdir)

    assert found == {"registry.terraform.io/hashicorp/aws", "evil.example.com/a/b"}
    assert workdirs.installed_providers(workdir) == frozenset()
    assert cache.is_dir()
