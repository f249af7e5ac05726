"""The types of resources that code declares.

It is no parser: what only looks like a declaration, in a comment or a text, counts as one, so that
nothing is called missing that may be there.
"""

from __future__ import annotations

import json
import re

# Terraform 0.11 wrote both words without quotes.
_RESOURCE = re.compile(r'\bresource[ \t]+"?([A-Za-z][\w-]*)"?[ \t]+"?[A-Za-z_]')


def types_in_code(name: str, text: str) -> frozenset[str]:
    """Of one file, in either of the two languages."""
    return _in_json(text) if name.endswith(".json") else frozenset(_RESOURCE.findall(text))


def _in_json(text: str) -> frozenset[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return frozenset()
    # Several blocks of one kind may be written as a list.
    blocks = found if isinstance(found, list) else [found]
    declared = [block.get("resource") for block in blocks if isinstance(block, dict)]
    several = [each if isinstance(each, list) else [each] for each in declared]
    return frozenset(
        type_ for one in several for each in one if isinstance(each, dict) for type_ in each
    )
