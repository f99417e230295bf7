"""The table of records: every kind, its number, its fields, their types and limits.

On the kiosk this module is in memory only while a kind is looked up.
Numbers on the wire (kinds, keys, positions in choices) are never reused or moved: append only.
"""

from hubcore.classes import NEEDS, RESTS
from hubcore.labels import PICTOGRAMS
from hubcore.records import ALERTS, MAY, SOURCES

# A line a type: its name, its shape, what the shape needs. int: least, most. text, word, bytes: least, most
# bytes; a word is visible ASCII, a text has no control characters. choice: of the words in _CHOICES, on the
# wire their positions. list: least, most, type. row: types in order; one with ? may be null.
TYPES = (
    """
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
""",
    """
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
""",
)

# A line a kind: its number, its name, its fields as "key.name=type"; with a ? it may be absent. Without a key
# it is one more than the one before, from 0 on; without a type that of its name. Every kind but those in
# _UNASKED also has the fields of _ASKED: the person signed in at the desk, and the command that caused the
# record. Texts take a fraction of the memory of as many tuples, and in pieces they need
# no large room.
KINDS = (
    """
1 boot: cause=code firmware=name slot=count?
2 day_opened: day=count rates issuers visits alerts since=seq?
3 day_closed: day=count deferred=count rest?
4 chair_opened: chair lanes
5 chair_closed: chair
""",
    """
6 checkin: label need lane lang pictogram=picture by said=code? code=mac? others=labels? promise=label?
7 class_changed: label need why
8 called: label chair
9 recalled: label
10 seated: label
11 served: label
12 no_show: label
13 requeued: label why?
""",
    """
14 transferred: label lane why?
15 left: label why? others=labels?
16 alert_raised: why=alert_why label? note=why?
17 alert_acknowledged: alert=seq
18 consent_given: label purpose=code
19 consent_withdrawn: label purpose=code
20 corrected: undone=seq chair? why
21 staff_signed_in: staff=code
""",
    """
22 staff_refused: staff=code? why
23 full_today: full=flag
24 deferred: label why? promise=flag?
25 clock_set: utc=clock source=code
26 config_changed: name value
27 command_done: command=code reason=code
28 receipt: journal seq
29 fault: task=code error
""",
    """
30 promised: label need lane lang pictogram=picture 6.said=code? code=mac?
31 code_missed:
32 code_lifted:
33 staff_set: staff=code
34 staff_removed: staff=code
35 chair_paused: chair paused=flag
36 staff_signed_out: staff=code
""",
)

_UNASKED = (1, 28, 29)  # boot, receipt, fault: nobody asks for them
_ASKED = " 14.who=code? cmd?"
_CHOICES = (("alert_why", ALERTS), ("by", SOURCES), ("need", NEEDS), ("picture", PICTOGRAMS), ("rest", RESTS))

_shapes: dict = {}  # what fields share


def parse(kind) -> "tuple | None":
    """The line of KINDS for a number or a name: (number, name, key, field, shape, key, field, shape, ...).

    The key of a field that may be absent is MAY more. None: no such kind.
    """
    line = _line(KINDS, "\n" + str(kind) + " " if isinstance(kind, int) else " " + str(kind) + ":")
    if line is None:
        return None
    head, fields = line.split(":")
    parts = head.split(" ")
    number = int(parts[0])
    row = [number, parts[1]]
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
        parts = _line(TYPES, "\n" + name.rstrip("?") + " ").split(" ")[1:]
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


def _line(texts, what):
    for text in texts:
        at = text.find(what)
        if at >= 0:
            at = text.rfind("\n", 0, at + 1) + 1
            return text[at : text.find("\n", at)]
    return None
