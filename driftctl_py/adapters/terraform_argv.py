"""The engine's argument lists, made with python-terraform; nothing is run here.

`python_terraform.Terraform` names the commands and spells their options; its own way of running
them knows no time limit, no signals and no streaming, so `_Commands` keeps the words and leaves
the running to ``process``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


class _Commands:
    """python-terraform's command lines, nothing run. Made lazily: the import is not free."""

    def __init__(self, program: str) -> None:
        from python_terraform import IsFlagged, Terraform

        class Words(Terraform):  # type: ignore[misc]  # python-terraform has no types
            """The library reads a state file on construction and after each command; we do not."""

            def read_state_file(self, file_path: str | None = None) -> None:
                del file_path

        self._words = Words(terraform_bin_path=program)
        self.flag = IsFlagged

    def argv(self, command: str, *args: str, **options: Any) -> list[str]:
        words: list[str] = self._words.generate_cmd_string(command, *args, **options)
        return words


def plan_argv(
    program: str,
    *,
    out: Path,
    var_files: Sequence[Path],
    parallelism: int | None = None,
) -> list[str]:
    """A plan that changes nothing: no lock is taken, so none can be left behind."""
    commands = _Commands(program)
    return commands.argv(
        "plan",
        json=commands.flag,
        input=False,
        lock=False,
        detailed_exitcode=commands.flag,
        out=str(out),
        var_file=[str(path) for path in var_files],
        parallelism=parallelism,
    )


def locked_plan_argv(
    program: str,
    *,
    out: Path,
    var_files: Sequence[Path],
    lock_timeout_seconds: int,
    refresh_only: bool = False,
    parallelism: int | None = None,
) -> list[str]:
    """A plan that is to be applied: nobody changes the state while it is made."""
    commands = _Commands(program)
    return commands.argv(
        "plan",
        json=commands.flag,
        input=False,
        lock=True,
        lock_timeout=f"{lock_timeout_seconds}s",
        detailed_exitcode=commands.flag,
        refresh_only=commands.flag if refresh_only else None,
        out=str(out),
        var_file=[str(path) for path in var_files],
        parallelism=parallelism,
    )


def apply_argv(
    program: str,
    plan: Path,
    *,
    var_files: Sequence[Path],
    lock_timeout_seconds: int,
    parallelism: int | None = None,
) -> list[str]:
    """Apply a saved plan, which asks nobody. Without one, `apply -json` would refuse."""
    commands = _Commands(program)
    return commands.argv(
        "apply",
        str(plan),
        json=commands.flag,
        input=False,
        lock=True,
        lock_timeout=f"{lock_timeout_seconds}s",
        var_file=[str(path) for path in var_files],
        parallelism=parallelism,
    )


def who_are_you_argv(program: str) -> list[str]:
    """In an empty directory: it says who it is, and fails at once."""
    commands = _Commands(program)
    return commands.argv("plan", json=commands.flag, input=False, lock=False)


def init_argv(
    program: str,
    *,
    readonly_lock_file: bool,
    backend_config: Path | None,
    var_files: Sequence[Path] = (),
    json: bool = True,
) -> list[str]:
    """An init that upgrades nothing. ``-reconfigure``: the data directory is ours alone, so there
    never is an earlier backend to migrate from. ``-json`` came with Terraform 1.9."""
    commands = _Commands(program)
    return commands.argv(
        "init",
        json=commands.flag if json else None,
        no_color=None if json else commands.flag,
        input=False,
        lock=False,
        reconfigure=commands.flag,
        lockfile="readonly" if readonly_lock_file else None,
        backend_config=None if backend_config is None else [str(backend_config)],
        var_file=[str(path) for path in var_files],
    )


def show_argv(program: str, plan: Path) -> list[str]:
    """A plan's JSON, on standard output."""
    commands = _Commands(program)
    return commands.argv("show", str(plan), json=commands.flag)


def get_argv(program: str) -> list[str]:
    """Fetch floating modules again; `init` alone keeps the old copy."""
    commands = _Commands(program)
    return commands.argv("get", update=commands.flag, no_color=commands.flag)


def workspace_list_argv(program: str) -> list[str]:
    commands = _Commands(program)
    return commands.argv("workspace list", no_color=commands.flag)
