"""Make the plans in this folder again.

    python -m tests.data.plans_old.remake TERRAFORM...

Each TERRAFORM is a program of version 0.15 to 1.2; ``go build .`` makes one of its source.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.data.plans.remake import Engine, Scenario, delete, edit, remake

HERE = Path(__file__).parent

SCENARIOS = {
    "changes": Scenario(),
    "drift": Scenario(
        world=(
            edit("bucket-assets", tags={"password": "CANARY-real-tag", "team": "growth"}),
            edit("secret-database", value="CANARY-recorded-to-real"),
            delete("bucket-logs"),
        )
    ),
}


def main() -> None:
    for program in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as work:
            Path(work, "engine.tfrc").touch()
            said = json.loads(Engine("", "", (program,)).run(Path(work), "version", "-json"))
        engine = Engine("terraform", said["terraform_version"], (program,))
        for name, scenario in SCENARIOS.items():
            print(name, engine.version, flush=True)
            remake(name, scenario, engine, HERE)


if __name__ == "__main__":
    main()
