"""Writes vectors.json, which both interpreters must agree with: `python tests/hubcore/make_vectors.py`.

CBOR comes from cbor2, CRC-32 and COBS from their definitions, so that the vectors do not repeat the code's
mistakes.
"""

import json
from binascii import crc32
from pathlib import Path

import cbor2

from hubcore import records

PATH = Path(__file__).with_name("vectors.json")

VALUES = [
    *(0, 1, 23, 24, 255, 256, 65535, 65536, 2**30 - 1, 2**30, 2**31, 2**32 - 1, 2**32, 2**53, 2**64 - 1),
    *(-1, -24, -25, -256, -257, -65536, -65537, -(2**30), -(2**30) - 1, -(2**32), -(2**32) - 1, -(2**64)),
    *(
        None,
        True,
        False,
        "",
        "K47",
        "ticket \u00e9 \u0928\u092e\u0938\u094d\u0924\u0947 \U0001f9b7",
        b"",
        bytes(range(40)),
    ),
    *(
        [],
        [1, [2, [3]]],
        {},
        {0: 1, 15: ["desk", 7]},
        {24: 1, -1: 2, "a": 3, "aa": 4, "b": 5, 256: 6, -25: 7},
    ),
]
REFUSED = {
    "1817": "23 in two bytes",
    "1900ff": "255 in three bytes",
    "1a0000ffff": "65535 in five bytes",
    "1b00000000ffffffff": "2**32 - 1 in nine bytes",
    "1c": "a reserved length",
    "5f4100ff": "an indefinite length",
    "f97e00": "a float",
    "f7": "undefined",
    "f820": "a simple value",
    "c000": "a tag",
    "a201000100": "a key twice",
    "a202000100": "keys out of order",
    "a1410000": "bytes as a key",
    "a1f500": "true as a key",
    "62c080": "an overlong zero",
    "63eda080": "half a character",
    "64f4908080": "beyond the last character",
    "61ff": "not UTF-8",
    "6261": "a text that ends early",
    "8201": "an array that ends early",
    "1a0001": "a number that ends early",
    "0000": "something after the end",
    "": "nothing",
    "81" * 9 + "00": "nested nine deep",
}
FIELDS = [
    ("boot", {"cause": "power", "firmware": "0.1.0", "slot": 1}),
    (
        "checkin",
        {"label": "K47", "need": "urgent", "lane": "any", "lang": "hi", "pictogram": "fish", "by": "self"},
    ),
    ("called", {"label": "K47", "chair": "2", "cmd": ["desk", 70000]}),
    (
        "checkin",
        {
            "label": "K47",
            "need": "non-urgent",
            "lane": "adult",
            "lang": "uk",
            "pictogram": "train",
            "by": "staff",
            "said": "denture",
            "code": bytes(range(8)),
            "others": ["K48", "K999"],
            "promise": "K47",
            "who": "dr-okoye",
            "cmd": ["desk", 2**31],
        },
    ),
    ("day_closed", {"day": 3, "deferred": 2, "rest": "left", "who": "nurse"}),
    ("left", {"label": "K47", "why": "bus", "others": ["K48"]}),
    ("promised", {"label": "C10", "need": "urgent", "lane": "any", "lang": "fr", "pictogram": "leaf"}),
    ("code_missed", {}),
    ("chair_paused", {"chair": "2", "paused": True}),
    ("corrected", {"undone": 8, "why": "x"}),
    ("fault", {"task": "ui", "error": "\u00e9"}),
    ("clock_set", {"utc": 2**33, "source": "laptop"}),
]


def stuffed(payload):
    """A frame, by the definition of COBS."""
    data = payload + crc32(payload).to_bytes(4, "little")
    out = bytearray()
    block = bytearray()
    for at, byte in enumerate(data):
        if byte:
            block.append(byte)
        if not byte or (len(block) == 254 and at < len(data) - 1):
            out += bytes([len(block) + 1]) + block
            block.clear()
    return bytes(out + bytes([len(block) + 1]) + block + b"\0")


def in_order(value):
    """Maps sorted as RFC 8949 4.2.1 has it."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return value


def vectors():
    """All of them, as JSON has it; values are Python literals."""
    payloads = [
        b"\x01",
        b"\0",
        bytes(3),
        b"a\0b",
        b"x" * 249,
        b"x" * 250,
        b"x" * 251,
        b"x" * 700 + bytes(30),
        bytes(1024),
    ]
    envelope = [2**20, 3, 2**40, 2**32]
    listed = []
    for kind, fields in FIELDS:
        code, body = records.build(kind, fields)
        raw = cbor2.dumps([code, *envelope, in_order(body)])
        listed.append({"kind": kind, "fields": repr(fields), "envelope": envelope, "raw": raw.hex()})
    return {
        "cbor": [{"value": ascii(value), "data": cbor2.dumps(in_order(value)).hex()} for value in VALUES],
        "refused": [{"data": data, "why": why} for data, why in REFUSED.items()],
        "frames": [{"payload": payload.hex(), "frame": stuffed(payload).hex()} for payload in payloads],
        "records": listed,
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1) + "\n")
