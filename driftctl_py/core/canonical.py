"""One spelling for each value, as bytes to be hashed.

Not for people, and not to be read back: it only has to be the same for values that are the
``same``, another for all others, and stay what it is from version to version, since fingerprints
are made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from driftctl_py.core.values import Mark, Sensitive, Value, is_list, is_map

_MARKS = {Mark.UNKNOWN: b"u", Mark.ABSENT: b"a"}


def canonical(value: Value, seals: Sequence[str] = ()) -> bytes:
    """Unambiguous: each part begins with what it is, and with its length where it has one.

    A secret that was taken out is spelled as its seal, which ``seals`` has at the number
    ``Sensitive.exactly``; without seals, only as *a secret*.
    """
    if isinstance(value, str):
        return b"s" + _text(value)
    if is_map(value):
        members = [_text(key) + canonical(value[key], seals) for key in sorted(value)]
        return b"m%d:" % len(value) + b"".join(members)
    if is_list(value):
        return canonical_list([canonical(each, seals) for each in value])
    match value:
        case None:
            return b"n"
        case bool():
            return b"t" if value else b"f"
        case Mark():
            return _MARKS[value]
        case Sensitive():
            return b"x" + _text(seals[value.exactly] if seals else "")
        case _:
            # Maps and lists were told above, which a checker of types does not see.
            return b"d" + _number(value)  # type: ignore[arg-type]


def canonical_list(elements: Sequence[bytes]) -> bytes:
    """A list of what is spelled already, as ``canonical`` spells it."""
    return b"l%d:" % len(elements) + b"".join(elements)


def _text(text: str) -> bytes:
    # Half of a surrogate pair is no character, but a string that JSON escapes may hold one.
    encoded = text.encode(errors="surrogatepass")
    return b"%d:%b" % (len(encoded), encoded)


def _number(number: int | float | Decimal) -> bytes:
    """1, 1.0 and 1e0 are one number. Exact, however long it is."""
    sign, digits, exponent = Decimal(number).as_tuple()
    written = "".join(map(str, digits))
    shorter = written.rstrip("0")
    if not shorter:
        return b"0;"
    return f"{'-' * sign}{shorter}e{int(exponent) + len(written) - len(shorter)};".encode()
