"""Wires the workflows that `init --github` writes: the templates, and what this machine says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.compose.surroundings import (
    ENGINES_NAME,
    data_dir,
    environ,
    find_config,
    load_config,
    new_stop,
)
from driftctl_py.errors import UsageError

if TYPE_CHECKING:
    from driftctl_py.core.workflows import Choices

# As `setup-…` actions and `driftctl.yaml` call them.
FAMILIES = {"terraform": "terraform", "tofu": "opentofu", "embedded": "embedded"}


def workflow_files(choices: Choices) -> Mapping[str, str]:
    """What is to lie in the repository, by its path from the root."""
    from importlib.resources import files

    from driftctl_py.core.workflows import fill

    root = files("driftctl_py") / "github"
    found = {}
    for directory in ("workflows", "actions/driftctl"):
        for file in sorted(root.joinpath(directory).iterdir(), key=lambda file: file.name):
            text = file.read_text(encoding="utf-8")
            found[f".github/{directory}/{file.name}"] = fill(text, choices)
    return found


def choices(
    root: Path,
    branch: str,
    *,
    config: Path | None,
    engine: str | None,
    version: str | None,
    install: str | None,
) -> Choices:
    """What is chosen, and for the rest what the configuration and this machine say: the engine of
    driftctl.yaml, and its version here, since a plan is applied by the version that it was made
    by."""
    from driftctl_py import __version__
    from driftctl_py.core.workflows import Choices

    path = find_config(config).resolve()
    used = load_config(path).engine.use
    here = _versions_here()
    family = engine or FAMILIES.get(used) or _only(here)
    return Choices(
        branch=branch,
        config=path.relative_to(root.resolve()).as_posix(),
        install=install or f"driftctl-py=={__version__}",
        engine=family,
        engine_version=version or here.get(family, "latest"),
        repository=str(root.resolve()),
    )


def _only(here: Mapping[str, str]) -> str:
    if len(here) > 1:
        raise UsageError(
            "OpenTofu and Terraform are both installed here, and driftctl.yaml does not say which "
            "one is to plan and apply in the workflows.",
            todo="Say it there (engine: terraform or engine: tofu), or here: --engine terraform",
        )
    return next(iter(here), "terraform")


def _versions_here() -> dict[str, str]:
    """By what their set-up actions call them."""
    from driftctl_py.adapters.terraform import Engines

    own = data_dir(None, None, Path.cwd())
    engines = Engines(search_path=environ().get("PATH"), cache=own / ENGINES_NAME, stop=new_stop())
    return {
        FAMILIES[each.family]: each.version
        for each in engines.candidates((), environ())
        if each.origin == "PATH"
    }
