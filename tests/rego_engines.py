"""The programs that evaluate Rego on this machine: opa and conftest, where there is one.

Where ``DRIFTCTL_TEST_OPA`` or ``DRIFTCTL_TEST_CONFTEST`` names one, or one is on PATH or where
`go install` puts programs, as with `tests.engines`. ``.ci/setup`` builds both where it can. Not how
driftctl-py itself finds them: that is what the tests are about.
"""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path

import pytest


@functools.cache
def rego_engine(name: str) -> str | None:
    """Where the program is; None where this machine has none."""
    go = Path(os.environ.get("GOPATH", Path.home() / "go"), "bin")
    named = os.environ.get(f"DRIFTCTL_TEST_{name.upper()}")
    found = named or shutil.which(name) or shutil.which(name, path=str(go))
    return None if found is None else str(Path(found).absolute())


def needs(name: str) -> str:
    """The same, or the test is skipped, saying why."""
    found = rego_engine(name)
    if found is None:
        pytest.skip(f"no {name} on this machine; .ci/setup builds one where Go is at hand")
    return found
