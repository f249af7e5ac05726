"""Who holds a state lock, as an engine tells that could not have it.

It tells so in free text only (reference, section 3); a text that is spelled otherwise still says
that the state is locked, and then nobody is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from driftctl_py.core.state import LockHolder
from driftctl_py.errors import Diagnostic

_SUMMARY = "Error acquiring the state lock"
_FACT = re.compile(r"^[ \t]+(ID|Who|Operation|Created):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


def holder_in(errors: Iterable[Diagnostic]) -> LockHolder | None:
    """Who holds the lock that these errors are about; None where they are about none."""
    for error in errors:
        if error.summary.startswith(_SUMMARY):
            facts = dict(reversed(_FACT.findall(error.detail.partition("Lock Info:")[2])))
            return LockHolder(
                id=facts.get("ID", ""),
                who=facts.get("Who", ""),
                operation=facts.get("Operation", ""),
                created=facts.get("Created", ""),
            )
    return None
