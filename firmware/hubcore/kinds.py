"""The table of records: every kind, its number, its fields, their types and limits; and what it checks.

On the kiosk this module is in memory only while a record is written or a kind is looked up.
Numbers on the wire (kinds, keys, positions in choices) are never reused or moved: append only.
"""

from hubcore import cbor
from hubcore.classes import NEEDS, RESTS
from hubcore.compat import const
from hubcore.errors import CodecError, RecordError
from hubcore.labels import PICTOGRAMS
from hubcore.labels import valid as _valid_label
from hubcore.records import (
    ALERTS,
    KEY,
    MAX_MS,
    MAX_RECORD,
    MAX_SEQ,
    MAY,
    SOURCES,
    Record,
    row_of,
    visible,
)

# A line a type: its name, its shape, what the shape needs. int: least, most. text, word, bytes: least, most
# bytes; a word is visible ASCII, a text has no control characters. choice: of the words in _CHOICES, on the
# wire their positions. list: least, most, type. row: types in order; one with ? may be null.
TYPES = """
alert row seq seconds alert_why label?
alert_why choice
alerts list 0 4 alert
by choice
chair word 1 12
clock int 0 68719476735
cmd row issuer counter
code word 1 24
count int 0 65535
counter int 0 4294967295
error text 0 160
flag bool
issuer word 1 16
issuers list 0 8 cmd
journal bytes 8 8
label label
labels list 1 5 label
lane word 1 7
lanes list 0 8 lane
lang word 2 8
mac bytes 8 8
name word 1 24
need choice
picture choice
rate int 1 1000
rates list 3 3 rate
rest choice
seconds int 0 1000000
seq int 1 4294967295
value text 0 64
visit row label seq need lane lang picture by seconds
visits list 0 4 visit
why text 1 60
"""

# A line a kind: its number, its name, its fields as "key.name=type"; with a ? it may be absent. Without a key
# it is one more than the one before, from 0 on; without a type that of its name. Every kind but those in
# _UNASKED also has the fields of _ASKED: the person signed in at the desk, and the command that caused the
# record. Texts take a fraction of the memory of as many tuples.
KINDS = """
1 boot: cause=code firmware=name slot=count?
2 day_opened: day=count rates issuers visits alerts since=seq?
3 day_closed: day=count deferred=count rest?
4 chair_opened: chair lanes
5 chair_closed: chair
6 checkin: label need lane lang pictogram=picture by said=code? code=mac? others=labels? promise=label?
7 class_changed: label need why
8 called: label chair
9 recalled: label
10 seated: label
11 served: label
12 no_show: label
13 requeued: label why?
14 transferred: label lane why?
15 left: label why? others=labels?
16 alert_raised: why=alert_why label? note=why?
17 alert_acknowledged: alert=seq
18 consent_given: label purpose=code
19 consent_withdrawn: label purpose=code
20 corrected: undone=seq chair? why
21 staff_signed_in: staff=code
22 staff_refused: staff=code? why
23 full_today: full=flag
24 deferred: label why? promise=flag?
25 clock_set: utc=clock source=code
26 config_changed: name value
27 command_done: command=code reason=code
28 receipt: journal seq
29 fault: task=code error
30 promised: label need lane lang pictogram=picture 6.said=code? code=mac?
31 code_missed:
32 code_lifted:
33 staff_set: staff=code
34 staff_removed: staff=code
35 chair_paused: chair paused=flag
36 staff_signed_out: staff=code
"""

_UNASKED = (1, 28, 29)  # boot, receipt, fault: nobody asks for them
_ASKED = " 14.who=code? cmd?"
_CHOICES = (("alert_why", ALERTS), ("by", SOURCES), ("need", NEEDS), ("picture", PICTOGRAMS), ("rest", RESTS))

_MAX_KIND = const(0xFFFF)
_MOST_CLOCK = const(0xFFFFFFFFF)

_shapes: dict = {}  # what fields share


def parse(kind) -> "tuple | None":
    """The line of KINDS for a number or a name: (number, name, key, field, shape, key, field, shape, ...).

    The key of a field that may be absent is MAY more. None: no such kind.
    """
    at = KINDS.find("\n" + str(kind) + " " if isinstance(kind, int) else " " + str(kind) + ":")
    if at < 0:
        return None
    at = KINDS.rfind("\n", 0, at + 1) + 1
    number = int(KINDS[at : KINDS.find(" ", at)])
    head, fields = KINDS[at : KINDS.find("\n", at)].split(":")
    row = [number, head.split(" ")[1]]
    if number not in _UNASKED:
        fields += _ASKED
    key = 0
    for spec in fields.split():
        name = spec.rstrip("?")
        if "." in name:
            at = name.find(".")
            key = int(name[:at])
            name = name[at + 1 :]
        parts = name.split("=")
        row.append(key + MAY if spec.endswith("?") else key)
        row.append(parts[0])
        row.append(shape_of(parts[-1]))
        key += 1
    return tuple(row)


def shape_of(name: str) -> tuple:
    """A line of TYPES: (shape, what it needs ...), with shapes for types and (None, shape) for "type?"."""
    shape = _shapes.get(name)
    if shape is None:
        at = TYPES.find("\n" + name.rstrip("?") + " ") + 1
        parts = TYPES[at : TYPES.find("\n", at)].split(" ")[1:]
        if name.endswith("?"):
            parts = [None, shape_of(name[:-1])]
        elif parts[0] == "choice":
            for choice, words in _CHOICES:
                if choice == name:
                    parts.append(words)
        else:
            for i in range(1, len(parts)):
                part = parts[i]
                parts[i] = int(part) if "0" <= part[0] <= "9" else shape_of(part)
        shape = _shapes[name] = tuple(parts)
    return shape


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
    if len(raw) > MAX_RECORD:
        raise RecordError("a record of " + str(len(raw)) + " bytes is too long")


def _envelope(code, seq, boot, uptime_ms, clock_s, body) -> None:
    bad = None
    if not _is_int(code, 1, _MAX_KIND):
        bad = "kind"
    elif not _is_int(seq, 1, MAX_SEQ):
        bad = "seq"
    elif not _is_int(boot, 1, MAX_SEQ):
        bad = "boot"
    elif not _is_int(uptime_ms, 0, MAX_MS):
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
            if not visible(char) or (base == "word" and not "!" <= char <= "~"):
                good = False
    if not good:
        raise RecordError(" is not a " + base + " within its limits")
