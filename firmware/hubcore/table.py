"""The table of records: every kind, its number, its fields, their types and limits.

Numbers on the wire (kinds, keys, positions in choices) are never reused or moved: append only.

What programs read of it is packed. The kiosk has the packed form alone (the laptop's devices.packed):
* ``KINDS``: names by number; ``FIELDS``: names of fields; ``LIMITS``: of integers.
* ``ROWS``: for each kind, and behind the last, where its fields begin (two bytes); three bytes a field: its
  key, MAY more if it may be absent, its place in FIELDS, the place of its type in SHAPES.
* ``SHAPES``: three bytes a type, its base and what that needs. int: places of least and most in LIMITS. word,
  text, bytes: least and most bytes. choice: place in hubcore.writing.CHOICES. list: 16 x least + most, its
  type. row: where the places of its types stand, behind all types; how many. maybe (null, or): its type.
"""

# A line a type: its name, its shape, what the shape needs. int: least, most. text, word, bytes: least, most
# bytes; a word is visible ASCII, a text has no control characters. choice: of the words in
# hubcore.writing.CHOICES, in the order of the names here; on the wire their positions. list: least, most,
# type. row: types in order; one with ? may be null.
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
# record.
LINES = """
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

_UNASKED = ("boot", "receipt", "fault")  # nobody asks for them
_ASKED = " 14.who=code? cmd?"

BASES = ("int", "word", "text", "bytes", "label", "bool", "choice", "list", "row", "maybe")
MAY = 32  # added to the key of a field that may be absent
WIDTH = 3  # bytes a field, and a type


def pack() -> tuple:
    """(KINDS, FIELDS, ROWS, SHAPES, LIMITS)."""
    types, shapes, limits = _shapes()
    kinds = [""]
    fields = []
    rows = []
    for line in LINES.strip().split("\n"):
        head, specs = line.split(":")
        number, kind = head.split(" ")
        while len(kinds) < int(number):  # a number that is no longer used
            kinds.append("")
            rows.append(b"")
        kinds.append(kind)
        if kind not in _UNASKED:
            specs += _ASKED
        key = 0
        row = []
        for spec in specs.split():
            name = spec.rstrip("?")
            if "." in name:
                at, name = name.split(".")
                key = int(at)
            parts = name.split("=")
            if parts[0] not in fields:
                fields.append(parts[0])
            may = MAY if spec.endswith("?") else 0
            row += [key + may, fields.index(parts[0]), types.index(parts[-1]) * WIDTH]
            key += 1
        rows.append(bytes(row))
    starts = b""
    at = 2 * len(kinds) + 2
    for row in [b""] + rows + [b""]:
        starts += bytes([at >> 8, at & 0xFF])
        at += len(row)
    return tuple(kinds), tuple(fields), starts + b"".join(rows), shapes, limits


def _shapes():
    lines = [line.split(" ") for line in TYPES.strip().split("\n")]
    types = [line[0] for line in lines]
    for line in lines[:]:  # what a row has and may be null
        for name in line:
            if name.endswith("?"):
                types.append(name)
                lines.append([name, "maybe", name[:-1]])
    shapes = []
    rows = []
    limits = []
    choices = 0
    for line in lines:
        base, *needs = line[1:]
        if base == "int":
            for limit in needs:
                if int(limit) not in limits:
                    limits.append(int(limit))
            pair = [limits.index(int(limit)) for limit in needs]
        elif base == "choice":
            pair = [choices, 0]
            choices += 1
        elif base == "list":
            pair = [16 * int(needs[0]) + int(needs[1]), types.index(needs[2]) * WIDTH]
        elif base == "row":
            pair = [len(lines) * WIDTH + len(rows), len(needs)]
            rows += [types.index(name) * WIDTH for name in needs]
        elif base == "maybe":
            pair = [types.index(needs[0]) * WIDTH, 0]
        else:
            pair = [int(need) for need in needs] or [0, 0]
        shapes += [BASES.index(base)] + pair
    return types, bytes(shapes + rows), tuple(limits)


KINDS, FIELDS, ROWS, SHAPES, LIMITS = pack()
