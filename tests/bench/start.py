"""How long `--help` and `--version` take, against a Python that does nothing.

python -m tests.bench.start [--rounds 31]
"""

from __future__ import annotations

import argparse

from tests.bench.installed import add_arguments, bare_environ, program, workplace
from tests.bench.measure import TWIN, Command, compare, verdict

LIMIT = 4.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start")
    add_arguments(parser)
    parser.set_defaults(rounds=31)
    arguments = parser.parse_args()
    with workplace() as work:
        driftctl = program(arguments.program, work)
        environ = bare_environ(work)
        python = str(driftctl.with_name("python"))
        commands = [
            Command("python -c pass", [python, "-c", "pass"], work, environ),
            Command(
                "python -c 'import argparse'", [python, "-c", "import argparse"], work, environ
            ),
            *(
                Command(f"driftctl-py {words}", [str(driftctl), *words.split()], work, environ)
                for words in ("--version", "--help", "check --help")
            ),
        ]
        result = compare(commands, rounds=arguments.rounds, warm=3)
    print(f"\n{result.table()}\n")
    for words in ("--version", "--help"):
        for what in ("cpu", "wall"):
            print(verdict(f"{words} {what}", result.ratio(f"driftctl-py {words}", what), LIMIT))
    print(f"       noise: {TWIN} {result.ratio(TWIN):.2f}")


if __name__ == "__main__":
    main()
