"""`driftctl-py config check|show|schema`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.progress import PlainProgress


def run_config(arguments: argparse.Namespace) -> int:
    """Validate, show or describe the configuration."""
    from driftctl_py.core.config import effective_config, schema_text, write_yaml

    if arguments.action == "schema":
        _print(schema_text().rstrip())
        return 0
    options = compose.Options(
        config=None if arguments.config is None else Path(arguments.config),
        data_dir=None if arguments.data_dir is None else Path(arguments.data_dir),
    )
    progress = PlainProgress(sys.stderr, verbose=False)
    stop = compose.new_stop()
    config, environments = interruptibly(
        lambda: compose.environments(options, progress=progress, stop=stop), stop, progress.say
    )
    if arguments.action == "check":
        names = ", ".join(environment.name for environment in environments)
        _print(f"{config.filename} is valid: {len(environments)} environments ({names})")
        return 0
    shown = effective_config(config, environments)
    if arguments.format == "json":
        _print(json.dumps(shown, indent=2, default=str))
    else:
        _print(write_yaml(shown).rstrip())
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
