"""The audit trail: whether it is what it was, for a terminal, and all of it as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC

from driftctl_py.core.audit import Entry
from driftctl_py.core.history import TrailCheck
from driftctl_py.report.json_values import Object, document_text
from driftctl_py.report.show import no_commands
from driftctl_py.report.terminal import BOLD, RED, Terminal

SCHEMA_VERSION = 1


def render_trail_text(trail: TrailCheck, *, width: int = 80, color: bool = False) -> str:
    """Sound or not, and every flaw as a sentence; ends in a newline."""
    return no_commands("\n".join(_Trail(width, color, None).all(trail)) + "\n")


def render_trail_json(trail: TrailCheck) -> str:
    """The same as one document."""
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "audit-verification",
            "sound": not trail.flaws,
            "entries": trail.entries,
            "head": trail.head and {"number": trail.head.number, "hash": trail.head.hash},
            "anchored": trail.anchored
            and {"number": trail.anchored.number, "hash": trail.anchored.hash},
            "flaws": [{"entry": each.number, "what": each.what} for each in trail.flaws],
        }
    )


def entry_line(entry: Entry) -> str:
    """One entry as a line of JSON, without its newline."""
    return no_commands(json.dumps(entry_object(entry)))


def entry_object(entry: Entry) -> Object:
    """An entry with its place in the chain. Its moment is as exact as it was hashed."""
    event = entry.event
    return {
        "number": entry.number,
        "at": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "what": event.what,
        "who": event.who,
        "environment": event.environment or None,
        "run": event.run or None,
        "evidence": dict(event.evidence),
        "before": entry.before,
        "hash": entry.hash,
    }


class _Trail(Terminal):
    def all(self, trail: TrailCheck) -> Iterator[str]:
        if trail.flaws:
            count = len(trail.flaws)
            flaws = f"{count} flaw{'' if count == 1 else 's'}"
            yield from self.wrapped(
                f"The audit trail is not what it was: {flaws} in {_entries(trail)}.",
                "",
                indent=2,
                style=RED,
            )
            for each in trail.flaws:
                yield from self.wrapped(each.what, f"  entry {each.number}: ", indent=4)
        else:
            yield from self.wrapped(
                f"The audit trail is sound: {_entries(trail)}.", "", indent=2, style=BOLD
            )
        yield from self.wrapped(_anchored(trail), "  ", indent=2)


def _entries(trail: TrailCheck) -> str:
    return f"{trail.entries} entr{'y' if trail.entries == 1 else 'ies'}"


def _anchored(trail: TrailCheck) -> str:
    if trail.anchored is None:
        return (
            "Its head was never anchored in the artifact store, so it cannot be seen whether its "
            "end was cut off."
        )
    return f"Its head is anchored in the artifact store up to entry {trail.anchored.number}."
