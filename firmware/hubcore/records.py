"""Records: what they are, and how those that this program wrote are read. hubcore.table has them all.

A record is the CBOR array [kind, seq, boot, uptime_ms, clock_s or null, body]; see docs/formats.md. Building,
encoding and decoding, with all checks, are in hubcore.kinds, and take it into memory.
"""

from hubcore import cbor
from hubcore.classes import NEEDS
from hubcore.compat import const

MAX_RECORD = 512
MAX_SEQ = 0xFFFFFFFF
MAX_MS = 0xFFFFFFFFFFFF

MAX_FAMILY = 6  # linked tickets of one check-in
MAX_ISSUERS = 8  # command issuers that the fold remembers; the one unheard of longest is forgotten first
MAX_CARRIED = 4  # emergencies, and alerts, that a day's opening can take over from before it

ALERTS = ("emergency", "help", "device", "other")
SOURCES = ("self", "staff")

# What may not wait when the journal is nearly full: it may use the reserved sectors. An emergency check-in
# may too.
URGENT = (
    "boot",
    "day_opened",
    "day_closed",
    "called",
    "recalled",
    "seated",
    "served",
    "no_show",
    "requeued",
    "left",
    "deferred",
    "alert_raised",
    "alert_acknowledged",
    "consent_withdrawn",
    "corrected",
    "code_missed",
    "code_lifted",
    "staff_signed_in",
    "receipt",
    "fault",
)


_DAY_OPENED = const(2)
_TEXT = const(0x60)
_MAP = const(0xA0)
_NULL = const(0xF6)

KEY = const(31)
MAY = const(32)  # added to the key of a field that may be absent


def urgent(kind: str, fields: dict) -> bool:
    """Whether this record may use the journal's reserved space."""
    return kind in URGENT or (kind in ("checkin", "class_changed") and fields.get("need") == NEEDS[0])


class Record:
    """A decoded record. ``kind`` and names in ``body`` are None and raw keys if the kind is unknown here."""

    __slots__ = ("body", "boot", "clock_s", "code", "kind", "raw", "seq", "uptime_ms")

    def __init__(self, kind, code: int, seq: int, boot: int, uptime_ms: int, clock_s, body: dict, raw: bytes):
        self.kind = kind
        self.code = code
        self.seq = seq
        self.boot = boot
        self.uptime_ms = uptime_ms
        self.clock_s = clock_s
        self.body = body
        self.raw = raw


def build(kind: str, fields: dict) -> tuple:
    """(kind number, body as it goes on the wire). Raises RecordError naming the field at fault."""
    from hubcore import kinds

    return kinds.build(kind, fields)


def encode(kind_code: int, seq: int, boot: int, uptime_ms: int, clock_s, body: dict) -> bytes:
    """The record's bytes, at most MAX_RECORD. ``uptime_ms`` is of this boot; ``clock_s`` UTC or None."""
    from hubcore import kinds

    return kinds.encode(kind_code, seq, boot, uptime_ms, clock_s, body)


def decode(raw) -> Record:
    """The record in ``raw``. Raises RecordError or CodecError for anything that is not one."""
    from hubcore import kinds

    return kinds.decode(raw)


def replay(raw, into: "Record | None" = None) -> Record:
    """As ``decode``, in a quarter of the time, for a record that this program wrote and a CRC vouches for.

    Nothing is checked that only other writers get wrong. What this version does not know goes to ``decode``.
    ``into``, the record of an earlier replay, is filled anew and leaves no garbage: what it held must be done
    with, and its ``raw`` is the caller's.
    """
    if into is None:
        raw = bytes(raw)
        into = Record(None, 0, 0, 0, 0, None, {}, raw)
    # Inline for what nearly all records hold: small numbers and short texts.
    try:
        code = raw[1]
        pos = 2
        if code >= 24:
            pos = 3
            code = raw[2] if code == 24 else 0
        row = row_of(code)
        if row is None or code == _DAY_OPENED:  # its lists have choices within
            raise ValueError
        for i in range(4):
            n = raw[pos]
            pos += 1
            if n >= 24:
                if n == _NULL:
                    n = None
                else:
                    end = pos + (1 << n - 24)
                    n = int.from_bytes(raw[pos:end], "big")
                    pos = end
            _head[i] = n
        into.kind = row[1]
        into.code = code
        into.seq, into.boot, into.uptime_ms, into.clock_s = _head
        into.raw = raw
        body = into.body
        while body:
            body.popitem()  # clear() would also give its table back
        n = raw[pos] - _MAP
        pos += 1
        i = 2
        while n:
            n -= 1
            key = raw[pos]
            while row[i] & KEY != key:  # keys ascend in both
                i += 3
            value = raw[pos + 1]
            pos += 2
            if value >= 24:
                if _TEXT <= value < _TEXT + 24:
                    end = pos + value - _TEXT
                    body[row[i + 1]] = str(raw[pos:end], "utf-8")
                    pos = end
                    continue
                value, pos = cbor.load_from(raw, pos - 1)
            shape = row[i + 2]
            body[row[i + 1]] = shape[1][value] if shape[0] == "choice" else value
        if pos != len(raw):
            raise ValueError
    except (IndexError, KeyError, TypeError, ValueError):
        return decode(raw)
    return into


def clean(text: str, most: int = 60) -> str:
    """``text`` without control characters, cut to ``most`` bytes: fit for a text field."""
    out = ""
    size = 0
    for char in text:
        char = char if visible(char) else " "
        size += len(char.encode())
        if size > most:
            break
        out += char
    return out


_head: list = [None] * 4
_rows: dict = {}  # by number and by name: the kinds met


def row_of(kind) -> "tuple | None":
    """What hubcore.table.parse makes of a number or a name; kept until ``release``."""
    row = _rows.get(kind)
    if row is None:
        from hubcore.table import parse

        row = parse(kind)
        if row is not None:
            _rows[row[0]] = _rows[row[1]] = row
    return row


def release() -> None:
    """Give back the memory of the kinds that were met."""
    _rows.clear()


def visible(char: str) -> bool:
    code = ord(char)
    return code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000
