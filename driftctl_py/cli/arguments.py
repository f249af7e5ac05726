"""What all commands' arguments are made of."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any, NoReturn, TypeAlias


class Parser(argparse.ArgumentParser):
    def __init__(
        self,
        *,
        formatter_class: type[argparse.HelpFormatter] = argparse.HelpFormatter,
        # Any: what ArgumentParser takes.
        **options: Any,
    ) -> None:
        # With each argument argparse makes a formatter, only to try it. One that is not told the
        # width asks the terminal, and loads `shutil` for that.
        super().__init__(formatter_class=partial(formatter_class, width=80), **options)
        self._speaks = formatter_class

    def format_usage(self) -> str:
        self.formatter_class = self._speaks
        return super().format_usage()

    def format_help(self) -> str:
        self.formatter_class = self._speaks
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        # argparse's own 2 would read as drift.
        self.print_usage(sys.stderr)
        self.exit(1, f"error: {message}\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="default: driftctl.yaml here or above")
    command.add_argument("--data-dir", metavar="DIR", help="where checkouts and plugins are kept")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", metavar="FILE", help="write the report there")


def add_verbose(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-v", "--verbose", action="store_true", help="say on standard error what is chosen and why"
    )
