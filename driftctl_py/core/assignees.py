"""Who is asked to look at an environment that drifted: those whom its label ``owner`` names.

A person or a group of ``approvers``, as far as it is known how they are called on GitHub; a name
that is neither is taken for somebody's there.
"""

from __future__ import annotations

import re

from driftctl_py.core.approval import People

LABEL = "owner"
_GITHUB = "github:"
_LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")


def assignees(owner: str, people: People) -> tuple[str, ...]:
    """Names of users of GitHub, in the order of the group, each once."""
    members = people.groups.get(owner)
    if members is None and owner not in people.aliases:
        return (owner,) if _LOGIN.fullmatch(owner) else ()
    identities = (each for name in members or (owner,) for each in people.aliases.get(name, ()))
    found = (each.removeprefix(_GITHUB) for each in identities if each.startswith(_GITHUB))
    return tuple(dict.fromkeys(found))
