"""Building, encoding and decoding records, with all checks; hubcore.table has the kinds.

On the kiosk this module is in memory only while a record is written.
"""

from hubcore import cbor, records
from hubcore.compat import const
from hubcore.errors import CodecError, RecordError
from hubcore.labels import valid as _valid_label
from hubcore.records import KEY, MAY, Record, row_of

_MAX_KIND = const(0xFFFF)
_MOST_CLOCK = const(0xFFFFFFFFF)


def build(kind: str, fields: dict) -> tuple:
    """(kind number, body as it goes on the wire). Raises RecordError naming the field at fault."""
    row = row_of(kind)
    if row is None:
        raise RecordError("there is no kind " + str(kind))
    body = {}
    known = 0
    for i in range(2, len(row), 3):
        name = row[i + 1]
        value = fields.get(name)
        if value is not None:
            known += 1
            body[row[i] & KEY] = _field(row, i, value, True)
        elif row[i] < MAY:
            raise _missing(row, i)
        elif name in fields:
            known += 1
    if known != len(fields):
        raise RecordError(kind + " has a field it does not know")
    return row[0], body


def encode(kind_code: int, seq: int, boot: int, uptime_ms: int, clock_s, body: dict) -> bytes:
    """The record's bytes, at most MAX_RECORD. ``uptime_ms`` is of this boot; ``clock_s`` UTC or None."""
    _envelope(kind_code, seq, boot, uptime_ms, clock_s, body)
    raw = cbor.dumps((kind_code, seq, boot, uptime_ms, clock_s, body))
    _fits(raw)
    return raw


def decode(raw) -> Record:
    """The record in ``raw``. Raises RecordError or CodecError for anything that is not one."""
    _fits(raw)
    parts = cbor.loads(raw)
    if not isinstance(parts, list) or len(parts) != 6:
        raise RecordError("a record is an array of six")
    code, seq, boot, uptime_ms, clock_s, body = parts
    _envelope(code, seq, boot, uptime_ms, clock_s, body)
    row = row_of(code)
    if row is None:
        return Record(None, code, seq, boot, uptime_ms, clock_s, body, bytes(raw))
    named = {}
    for i in range(2, len(row), 3):
        value = body.get(row[i] & KEY)
        if value is not None:
            named[row[i + 1]] = _field(row, i, value, False)
        elif row[i] < MAY:
            raise _missing(row, i)
    return Record(row[1], code, seq, boot, uptime_ms, clock_s, named, bytes(raw))


def _field(row: tuple, i: int, value, to_wire: bool):
    try:
        return _convert(row[i + 2], value, to_wire)
    except RecordError as error:
        raise RecordError(row[1] + "." + row[i + 1] + str(error)) from None


def _missing(row: tuple, i: int) -> RecordError:
    return RecordError(row[1] + "." + row[i + 1] + " is missing")


def _fits(raw) -> None:
    if len(raw) > records.MAX_RECORD:
        raise RecordError("a record of " + str(len(raw)) + " bytes is too long")


def _envelope(code, seq, boot, uptime_ms, clock_s, body) -> None:
    bad = None
    if not _is_int(code, 1, _MAX_KIND):
        bad = "kind"
    elif not _is_int(seq, 1, records.MAX_SEQ):
        bad = "seq"
    elif not _is_int(boot, 1, records.MAX_SEQ):
        bad = "boot"
    elif not _is_int(uptime_ms, 0, records.MAX_MS):
        bad = "uptime"
    elif clock_s is not None and not _is_int(clock_s, 0, _MOST_CLOCK):
        bad = "clock"
    elif not isinstance(body, dict):
        bad = "body"
    else:
        for key in body:
            if not _is_int(key, 0, 255):
                bad = "body"
    if bad:
        raise RecordError("a record's " + bad + " is not within its limits")


def _is_int(value, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _convert(shape: tuple, value, to_wire: bool):
    """A plain value as it goes on the wire, or the other way; checked."""
    base = shape[0]
    if base == "choice":
        if to_wire:
            if value not in shape[1]:
                raise RecordError(" is none of " + ", ".join(shape[1]))
            return shape[1].index(value)
        if not _is_int(value, 0, len(shape[1]) - 1):
            raise RecordError(" is a choice that this version does not know")
        return shape[1][value]
    if base is None:
        return None if value is None else _convert(shape[1], value, to_wire)
    if base == "list" or base == "row":
        if not isinstance(value, (list, tuple)):
            raise RecordError(" is not a list")
        if base == "list":
            if not shape[1] <= len(value) <= shape[2]:
                raise RecordError(" has too few or too many parts")
            return [_convert(shape[3], part, to_wire) for part in value]
        if len(value) != len(shape) - 1:
            raise RecordError(" has the wrong number of parts")
        return [_convert(shape[i + 1], value[i], to_wire) for i in range(len(value))]
    _check(shape, value)
    return value


def _check(shape: tuple, value) -> None:
    base = shape[0]
    if base == "int":
        good = _is_int(value, shape[1], shape[2])
    elif base == "bool":
        good = isinstance(value, bool)
    elif base == "bytes":
        good = isinstance(value, (bytes, bytearray)) and shape[1] <= len(value) <= shape[2]
    elif not isinstance(value, str):
        good = False
    elif base == "label":
        good = _valid_label(value)
    else:
        try:
            good = shape[1] <= len(value.encode()) <= shape[2]
        except UnicodeError:
            raise CodecError("a text holds half a character") from None
        for char in value if good else "":
            if not records.visible(char) or (base == "word" and not "!" <= char <= "~"):
                good = False
    if not good:
        raise RecordError(" is not a " + base + " within its limits")
