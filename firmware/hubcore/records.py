"""Records: what they are. hubcore.table has every kind.

A record is the CBOR array [kind, seq, boot, uptime_ms, clock_s or null, body]; see docs/formats.md. They are
written by hubcore.writing and read by hubcore.reading, which on the kiosk are not always in memory.
"""

from hubcore.classes import NEEDS

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
    from hubcore import writing

    return writing.build(kind, fields)


def encode(kind_code: int, seq: int, boot: int, uptime_ms: int, clock_s, body: dict) -> bytes:
    """The record's bytes, at most MAX_RECORD. ``uptime_ms`` is of this boot; ``clock_s`` UTC or None."""
    from hubcore import writing

    return writing.encode(kind_code, seq, boot, uptime_ms, clock_s, body)


def decode(raw) -> Record:
    """The record in ``raw``. Raises RecordError or CodecError for anything that is not one."""
    from hubcore import reading

    return reading.decode(raw)


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


def visible(char: str) -> bool:
    code = ord(char)
    return code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000
