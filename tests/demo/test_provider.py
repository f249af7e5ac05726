"""The folder provider under each real engine, and its words where a file is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf")

from tf.iface import CreateContext, DeleteContext, ImportContext, ReadContext, UpdateContext
from tf.types import Unknown
from tf.utils import Diagnostics

from driftctl_py.demo.provider import Bucket, FolderProvider, FolderResource, Secret, Server
from tests.demo.conftest import Folder

ESTATE = """
resource "folder_server" "web" {
  name       = "web"
  image      = "minix-3"
  cpus       = 4
  open_ports = [443]
  tags       = { team = "compilers" }
}
resource "folder_bucket" "assets" {
  name        = "assets"
  versioned   = true
  expire_days = 30
  policy      = jsonencode({ Rules = [{ Allow = "a<b>&c", To = folder_server.web.arn }] })
}
resource "folder_secret" "session" {
  name  = "session-key"
  value = "xyzzy"
}
"""


def changes(plan: dict[str, Any], key: str) -> dict[str, list[str]]:
    """Address to actions, of what is not a no-op."""
    found = {entry["address"]: entry["change"]["actions"] for entry in plan.get(key, [])}
    return {address: actions for address, actions in found.items() if actions != ["no-op"]}


@pytest.mark.engine
def test_what_was_applied_lies_in_the_folder_and_is_in_sync(folder: Folder) -> None:
    folder.write(ESTATE)
    folder.apply()
    plan = folder.plan()

    assert sorted(path.name for path in folder.cloud.iterdir()) == [
        "bucket-assets.json",
        "secret-session-key.json",
        "server-web.json",
    ]
    assert folder.stored("server-web") == {
        "id": "server-web",
        "arn": "folder:server:web",
        "name": "web",
        "image": "minix-3",
        "cpus": 4,
        "open_ports": [443],
        "address": "10.75.94.87",
        "tags": {"team": "compilers"},
    }
    policy = {"Rules": [{"Allow": "a<b>&c", "To": "folder:server:web"}]}
    assert folder.stored("bucket-assets")["policy"] == policy
    assert changes(plan, "resource_changes") == {}
    assert "resource_drift" not in plan


@pytest.mark.engine
def test_an_edited_file_and_a_deleted_one_are_drift_that_apply_puts_back(folder: Folder) -> None:
    folder.write(ESTATE)
    folder.apply()
    folder.edit("server-web", open_ports=[22, 443])
    folder.edit("bucket-assets", policy={"Rules": []})
    (folder.cloud / "secret-session-key.json").unlink()
    plan = folder.plan()
    folder.apply()

    assert changes(plan, "resource_drift") == {
        "folder_bucket.assets": ["update"],
        "folder_secret.session": ["delete"],
        "folder_server.web": ["update"],
    }
    assert changes(plan, "resource_changes") == {
        "folder_bucket.assets": ["update"],
        "folder_secret.session": ["create"],
        "folder_server.web": ["update"],
    }
    assert folder.stored("server-web")["open_ports"] == [443]
    assert folder.stored("secret-session-key")["value"] == "xyzzy"
    assert changes(folder.plan(), "resource_changes") == {}


@pytest.mark.engine
def test_another_image_replaces_and_another_secret_is_counted(embedded: Folder) -> None:
    embedded.write(ESTATE)
    embedded.apply()
    embedded.write(ESTATE.replace("minix-3", "plan-9").replace("xyzzy", "plugh"))
    plan = embedded.plan()
    embedded.apply()

    assert changes(plan, "resource_changes")["folder_server.web"] == ["delete", "create"]
    secret = next(c for c in plan["resource_changes"] if c["type"] == "folder_secret")["change"]
    assert secret["after_unknown"]["version"] is True
    assert secret["after_sensitive"]["value"] is True
    assert embedded.stored("secret-session-key")["version"] == 2
    assert embedded.stored("server-web")["image"] == "plan-9"


@pytest.mark.engine
def test_what_exists_is_imported_by_its_id_and_destroyed_by_the_engine(embedded: Folder) -> None:
    embedded.write(ESTATE)
    embedded.apply()
    (embedded.module / "terraform.tfstate").unlink()
    for address, identifier in (
        ("folder_server.web", "server-web"),
        ("folder_bucket.assets", "bucket-assets"),
        ("folder_secret.session", "secret-session-key"),
    ):
        done = embedded.run("import", "-no-color", address, identifier)
        assert done.returncode == 0, done.stderr
    plan = embedded.plan()
    embedded.run("destroy", "-auto-approve")

    assert changes(plan, "resource_changes") == {}
    assert list(embedded.cloud.iterdir()) == []


@pytest.mark.engine
def test_a_refusal_on_demand_fails_that_resource_alone(embedded: Folder) -> None:
    embedded.write(ESTATE)
    (embedded.cloud / "FAIL").write_text("secret-session-key\n")
    failed = embedded.run("apply", "-auto-approve", "-no-color")
    (embedded.cloud / "FAIL").unlink()
    embedded.apply()

    assert failed.returncode == 1
    assert "secret-session-key: the cloud refuses" in failed.stderr
    assert changes(embedded.plan(), "resource_changes") == {}


@pytest.mark.engine
def test_a_cloud_that_is_not_there_is_an_error_and_not_an_empty_one(embedded: Folder) -> None:
    embedded.write(ESTATE)
    embedded.apply()
    embedded.cloud.rename(embedded.cloud.with_name("elsewhere"))
    done = embedded.run("plan", "-no-color")

    assert done.returncode == 1
    assert "The cloud folder does not exist" in done.stderr


@pytest.fixture
def provider(tmp_path: Path) -> FolderProvider:
    made = FolderProvider()
    made.configure_provider(Diagnostics(), {"root": str(tmp_path)})
    return made


def server(**more: object) -> dict[str, Any]:
    unknown = {"id": Unknown, "arn": Unknown, "address": Unknown}
    given = {"name": "web", "image": "minix-3", "cpus": 1, "open_ports": None, "tags": None}
    return {**unknown, **given, **more}


def said(ctx: Any) -> str:
    return str(ctx.diagnostics)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"name": "web",', "server-web.json is not JSON"),
        ("[1, 2]", "server-web.json is not an object"),
        ("[" * 100_000, "server-web.json is not JSON"),
        ('{"cpus": "four"}', "server-web.json: cpus is not a number"),
        ('{"cpus": true}', "server-web.json: cpus is not a number"),
        ('{"cpus": 99999999999999999999}', "server-web.json: cpus is not a number"),
        ('{"image": 3}', 'server-web.json: image is not text in quotes, as "this"'),
        ('{"open_ports": 22}', "server-web.json: open_ports is not a list of numbers"),
        ('{"open_ports": ["ssh"]}', "server-web.json: open_ports is not a list of numbers"),
        ('{"tags": {"team": 7}}', "server-web.json: tags is not an object of texts"),
    ],
)
def test_a_file_that_a_person_broke_is_named_with_what_is_wrong(
    provider: FolderProvider, tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "server-web.json").write_text(text)
    ctx = ReadContext(Diagnostics(), "folder_server")
    state = Server(provider).read(ctx, {"id": "server-web"})

    assert state is None
    assert complaint in said(ctx)
    assert str(tmp_path / "server-web.json") in said(ctx)


def test_a_boolean_in_words_is_refused(provider: FolderProvider, tmp_path: Path) -> None:
    (tmp_path / "bucket-assets.json").write_text('{"versioned": "yes"}')
    ctx = ReadContext(Diagnostics(), "folder_bucket")
    Bucket(provider).read(ctx, {"id": "bucket-assets"})

    assert "bucket-assets.json: versioned is not true or false" in said(ctx)


def test_the_files_name_says_which_object_it_is(provider: FolderProvider, tmp_path: Path) -> None:
    (tmp_path / "server-web.json").write_text('{"id": "server-other", "name": "web"}')
    ctx = ReadContext(Diagnostics(), "folder_server")
    state = Server(provider).read(ctx, {"id": "server-web"})

    assert state is not None
    assert state["id"] == "server-web"


def test_creating_what_is_there_names_the_file(provider: FolderProvider, tmp_path: Path) -> None:
    Server(provider).create(CreateContext(Diagnostics(), "folder_server"), server())
    before = (tmp_path / "server-web.json").read_bytes()
    ctx = CreateContext(Diagnostics(), "folder_server")
    state = Server(provider).create(ctx, server(cpus=8))

    assert state is None
    assert "server-web exists already" in said(ctx)
    assert (tmp_path / "server-web.json").read_bytes() == before


def test_updating_what_is_gone_keeps_the_state_as_it_was(provider: FolderProvider) -> None:
    ctx = UpdateContext(Diagnostics(), "folder_server")
    current = server(id="server-web", cpus=1)
    state = Server(provider).update(ctx, current, {**current, "cpus": 2})

    assert state == current
    assert "server-web is gone" in said(ctx)


def test_deleting_what_is_gone_is_no_error(provider: FolderProvider) -> None:
    ctx = DeleteContext(Diagnostics(), "folder_server")

    assert Server(provider).delete(ctx, server(id="server-web")) is None
    assert not ctx.diagnostics.has_errors()


def test_a_deletion_that_is_refused_keeps_the_resource(
    provider: FolderProvider, tmp_path: Path
) -> None:
    (tmp_path / "FAIL").write_text("server-web")
    ctx = DeleteContext(Diagnostics(), "folder_server")
    current = server(id="server-web")

    assert Server(provider).delete(ctx, current) == current
    assert "the cloud refuses" in said(ctx)


@pytest.mark.parametrize(
    "identifier", ["server-nobody", "bucket-web", "server-../../etc/passwd", "server", ""]
)
def test_importing_what_is_not_there_is_an_error(provider: FolderProvider, identifier: str) -> None:
    ctx = ImportContext(Diagnostics(), "folder_server")

    assert Server(provider).import_(ctx, identifier) is None
    assert f"There is no server {identifier!r}" in said(ctx)


@pytest.mark.parametrize("name", ["../web", "Web", "", "a" * 64, "-web", "we b"])
@pytest.mark.parametrize("kind", [Bucket, Secret, Server])
def test_a_name_that_is_no_file_name_is_refused(
    provider: FolderProvider, kind: type[FolderResource], name: str
) -> None:
    diagnostics = Diagnostics()
    kind(provider).validate(diagnostics, f"folder_{kind.kind}", {"name": name})

    assert f"{name!r} is no name for a {kind.kind}" in str(diagnostics)


def test_a_name_that_is_not_known_yet_is_let_through(provider: FolderProvider) -> None:
    diagnostics = Diagnostics()
    Server(provider).validate(diagnostics, "folder_server", {"name": Unknown})

    assert not diagnostics.has_errors()


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "cloud"
    folder.mkdir()
    provider = FolderProvider()
    provider.configure_provider(Diagnostics(), {"root": str(folder)})
    folder.rmdir()
    ctx = CreateContext(Diagnostics(), "folder_server")
    Server(provider).create(ctx, server())

    assert "The cloud folder cannot be used: No such file or directory" in said(ctx)


@pytest.mark.parametrize("root", [None, Unknown, "/nowhere/at/all", ""])
def test_a_root_that_is_no_folder_is_refused(root: object) -> None:
    diagnostics = Diagnostics()
    FolderProvider().configure_provider(diagnostics, {"root": root})

    assert "The cloud folder does not exist" in str(diagnostics)


def test_files_are_written_for_people(provider: FolderProvider, tmp_path: Path) -> None:
    Server(provider).create(
        CreateContext(Diagnostics(), "folder_server"), server(tags={"owner": "Zoë"})
    )
    text = (tmp_path / "server-web.json").read_text(encoding="utf-8")

    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert '"owner": "Zoë"' in text
    assert [path.name for path in tmp_path.iterdir()] == ["server-web.json"]
