"""Source files of modules, where they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftctl_py.adapters.module_source import ModuleSource
from driftctl_py.core.affected import Sources
from driftctl_py.errors import SourceError


def test_a_directory_holds_texts_and_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    module = root / "modules" / "web"
    module.mkdir(parents=True)
    (module / "main.tf").write_bytes(b"# \xff\n")
    (module / "README.md").write_text("no source")
    (module / "old.tf").mkdir()
    (root / "shared.tf").write_text("# shared\n")
    (tmp_path / "out.tf").write_text("# out\n")
    (module / "shared.tf").symlink_to("../../shared.tf")
    (module / "out.tf").symlink_to(tmp_path / "out.tf")
    (module / "nowhere").symlink_to("gone")

    found = ModuleSource(root).of("modules/web")

    assert found == Sources(
        {"main.tf": "# \ufffd\n", "shared.tf": "# shared\n", "out.tf": "# out\n"},
        {"shared.tf": "shared.tf", "out.tf": None, "nowhere": "modules/web/gone"},
    )


def test_a_directory_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert ModuleSource(tmp_path).of("gone") == ModuleSource(tmp_path).of("file") == Sources({})


def test_a_directory_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    # A loop of links, which stops root as well.
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(SourceError, match="cannot be read") as caught:
        ModuleSource(tmp_path).of("loop")

    assert os.fspath(tmp_path / "loop") in caught.value.what
