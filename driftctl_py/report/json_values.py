"""What all our JSON documents have in common: how values, attributes and findings are spelled.

The promise is the same everywhere: nothing is cut and nothing left out but secrets; numbers are
as exact as the plan has them; what is no value is an object with the key ``$mark``; keys are only
ever added. Which of it a document holds is its own business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from driftctl_py.core.assessment import AttributeChange, Finding, Totals
from driftctl_py.core.plan import OutputChange
from driftctl_py.core.values import Mark, Sensitive, Value, has_sensitive, has_unknown
from driftctl_py.report.show import no_commands

# Any: a document on its way out; built here, read by nobody else in the package.
Object: TypeAlias = dict[str, Any]

_MARKS = {Mark.UNKNOWN: "unknown", Mark.ABSENT: "absent"}
# JSON may hold these as they are, but a terminal would obey some and hide behind others.
_UNSAFE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


def document_text(document: Object) -> str:
    """One document, indented, ending in a newline."""
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number")
    try:
        encoded = encoder.encode(document)
    except UnicodeEncodeError:
        # A file's name may hold bytes that are no characters; Python keeps them as such halves.
        encoded = encoder.encode(_writable(document))
    text = msgspec.json.format(encoded, indent=2).decode()
    # Two of these signs are only ever part of a text, where an escape means the same.
    return no_commands(_UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)) + "\n"


def totals_object(totals: Totals) -> Object:
    return {
        "add": totals.add,
        "change": totals.change,
        "destroy": totals.destroy,
        "import": totals.import_,
        "forget": totals.forget,
    }


def finding_object(finding: Finding) -> Object:
    """All but its attributes."""
    return {
        "address": finding.address,
        "deposed": finding.deposed or None,
        "kind": finding.kind.value,
        "outside": finding.drift and finding.drift.value,
        "origin": finding.origin.value,
        "drifted": finding.drifted,
        "pending": finding.pending,
        "modifiers": list(finding.modifiers),
        "previous_address": finding.previous_address or None,
        "reason": finding.reason or None,
        "actions": list(finding.actions),
        "sensitivity_changed": finding.sensitivity_changed,
    }


def attribute_objects(attributes: Iterable[AttributeChange]) -> list[Object]:
    return [
        {
            "path": attribute.path,
            "steps": list(attribute.steps),
            "in_json": attribute.in_json,
            "in_yaml": attribute.in_yaml,
            "recorded": value_object(attribute.recorded),
            "real": value_object(attribute.real),
            "planned": value_object(attribute.planned),
            "origin": attribute.origin.value,
            "drifted": attribute.drifted,
            "sensitive": attribute.sensitive,
            "unknown": attribute.unknown,
            "forces_replacement": attribute.forces_replacement,
        }
        for attribute in attributes
    ]


def output_object(output: OutputChange) -> Object:
    return {
        "name": output.name,
        "kind": output.kind.value,
        "real": value_object(output.before),
        "planned": value_object(output.after),
        "sensitive": has_sensitive(output.before) or has_sensitive(output.after),
        "unknown": has_unknown(output.after),
    }


def value_object(value: Value) -> Any:  # Any: JSON, whatever the plan holds
    match value:
        case Mark():
            return {"$mark": _MARKS[value]}
        case Sensitive():
            return {"$mark": "sensitive"}
        case Mapping():
            members = {key: value_object(each) for key, each in value.items()}
            # A value of the user's own that looks like one of our marks is wrapped into one.
            return {"$mark": "value", "value": members} if "$mark" in members else members
        case str():
            return value
        case Sequence():
            return [value_object(each) for each in value]
        case _:
            return value


def _writable(value: Any) -> Any:  # Any: as in the document
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case Mapping():
            return {_writable(key): _writable(each) for key, each in value.items()}
        case Sequence():
            return [_writable(each) for each in value]
        case _:
            return value
