"""How records are written, with all checks; hubcore.reading makes the same checks the other way."""

from hubcore import cbor
from hubcore.classes import NEEDS, RESTS
from hubcore.compat import const
from hubcore.errors import CodecError, RecordError
from hubcore.labels import PICTOGRAMS
from hubcore.labels import valid as _valid_label
from hubcore.records import ALERTS, MAX_MS, MAX_RECORD, MAX_SEQ, SOURCES, visible
from hubcore.table import FIELDS, KINDS, LIMITS, ROWS, SHAPES

CHOICES = (ALERTS, SOURCES, NEEDS, PICTOGRAMS, RESTS)  # in the order of hubcore.table's types

# hubcore.table.BASES
_INT = const(0)
_WORD = const(1)
_TEXT = const(2)
_BYTES = const(3)
_LABEL = const(4)
_BOOL = const(5)
_CHOICE = const(6)
_LIST = const(7)
_MAYBE = const(9)
_NAMES = ("int", "word", "text", "bytes", "label", "bool")

_KEY = const(31)
_MAY = const(32)
_MOST = (0xFFFF, MAX_SEQ, MAX_SEQ, MAX_MS, 0xFFFFFFFFF)  # of kind, seq, boot, uptime, clock
_PARTS = ("kind", "seq", "boot", "uptime", "clock")


def row(code: int) -> range:
    """Where in hubcore.table.ROWS each field of a kind begins; an unknown kind has none."""
    if not 0 < code < len(KINDS):
        return range(0)
    at = 2 * code
    return range(ROWS[at] << 8 | ROWS[at + 1], ROWS[at + 2] << 8 | ROWS[at + 3], 3)


def build(kind: str, fields: dict) -> tuple:
    """As ``records.build``."""
    if not kind or kind not in KINDS:
        raise RecordError("there is no kind " + str(kind))
    code = KINDS.index(kind)
    body = {}
    known = 0
    for i in row(code):
        value = fields.get(FIELDS[ROWS[i + 1]])
        if value is not None:
            known += 1
            body[ROWS[i] & _KEY] = field(code, i, value, True)
        elif ROWS[i] < _MAY:
            raise missing(code, i)
        elif FIELDS[ROWS[i + 1]] in fields:
            known += 1
    if known != len(fields):
        raise RecordError(kind + " has a field it does not know")
    return code, body


def encode(kind_code: int, seq: int, boot: int, uptime_ms: int, clock_s, body: dict) -> bytes:
    """As ``records.encode``."""
    parts = (kind_code, seq, boot, uptime_ms, clock_s, body)
    check(parts)
    raw = cbor.dumps(parts)
    fits(raw)
    return raw


# What reading needs too


def missing(code: int, i: int) -> RecordError:
    return RecordError(KINDS[code] + "." + FIELDS[ROWS[i + 1]] + " is missing")


def fits(raw) -> None:
    if len(raw) > MAX_RECORD:
        raise RecordError("a record of " + str(len(raw)) + " bytes is too long")


def check(parts) -> None:
    """The parts of a record are within their limits."""
    for i in range(5):
        if not is_int(parts[i], i < 3, _MOST[i]) and (i < 4 or parts[4] is not None):
            raise _beyond(_PARTS[i])
    if not isinstance(parts[5], dict):
        raise _beyond("body")
    for key in parts[5]:
        if not is_int(key, 0, 255):
            raise _beyond("body")


def _beyond(part):
    return RecordError("a record's " + part + " is not within its limits")


def is_int(value, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def field(code: int, i: int, value, to_wire: bool):
    """The value of a field as it goes on the wire, or the other way; checked."""
    try:
        return _convert(ROWS[i + 2], value, to_wire)
    except RecordError as error:
        raise RecordError(KINDS[code] + "." + FIELDS[ROWS[i + 1]] + str(error)) from None


def _convert(at: int, value, to_wire: bool):
    base = SHAPES[at]
    a = SHAPES[at + 1]
    b = SHAPES[at + 2]
    if base < _CHOICE:
        _check(base, a, b, value)
        return value
    if base == _CHOICE:
        words = CHOICES[a]
        if to_wire:
            if value not in words:
                raise RecordError(" is none of " + ", ".join(words))
            return words.index(value)
        if not is_int(value, 0, len(words) - 1):
            raise RecordError(" is a choice that this version does not know")
        return words[value]
    if base == _MAYBE:
        return None if value is None else _convert(a, value, to_wire)
    if not isinstance(value, (list, tuple)):
        raise RecordError(" is not a list")
    if base == _LIST:
        if not a >> 4 <= len(value) <= a & 15:
            raise RecordError(" has too few or too many parts")
        return [_convert(b, part, to_wire) for part in value]
    if len(value) != b:
        raise RecordError(" has the wrong number of parts")
    return [_convert(SHAPES[a + i], value[i], to_wire) for i in range(b)]


def _check(base: int, least: int, most: int, value) -> None:
    if base == _INT:
        good = is_int(value, LIMITS[least], LIMITS[most])
    elif base == _BOOL:
        good = isinstance(value, bool)
    elif base == _BYTES:
        good = isinstance(value, (bytes, bytearray)) and least <= len(value) <= most
    elif not isinstance(value, str):
        good = False
    elif base == _LABEL:
        good = _valid_label(value)
    else:
        try:
            good = least <= len(value.encode()) <= most
        except UnicodeError:
            raise CodecError("a text holds half a character") from None
        for char in value if good else "":
            if not visible(char) or (base == _WORD and not "!" <= char <= "~"):
                good = False
    if not good:
        raise RecordError(" is not a " + _NAMES[base] + " within its limits")
