"""The simulated NVS: a log of settings in partition ``nvs``, alternating between its halves.

This is not ESP-IDF's format (pages of 32-byte entries). A half begins with ``b"SNVS"`` and a u32
generation; records follow:
u8 type (0 erased, 1 i32, 2 blob), u8 namespace length, u8 key length, u8 0, u16 value length, u32 CRC-32
of all else
in the record, namespace, key, value. The half with the higher generation counts; when it is full, what
lives is
written to the other half, its header last. A record torn by a power cut ends the log.
"""

import binascii
import struct

import _flash

ERASED = 0
I32 = 1
BLOB = 2
NOT_FOUND = (-0x1102, "ESP_ERR_NVS_NOT_FOUND")
TYPE_MISMATCH = (-0x1103, "ESP_ERR_NVS_TYPE_MISMATCH")
NOT_ENOUGH_SPACE = (-0x1105, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
INVALID_NAME = (-0x1106, "ESP_ERR_NVS_INVALID_NAME")
KEY_TOO_LONG = (-0x1109, "ESP_ERR_NVS_KEY_TOO_LONG")
INVALID_LENGTH = (-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")
_PART_NOT_FOUND = (-0x110F, "ESP_ERR_NVS_PART_NOT_FOUND")
_MAGIC = b"SNVS"
_HEAD = "<BBBBHI"
_HEAD_BYTES = 10
_store = None


def check_name(name, error=INVALID_NAME):
    """Namespaces and keys have 1 to 15 characters."""
    if not isinstance(name, str):
        raise TypeError("can't convert '" + type(name).__name__ + "' object to str implicitly")
    if not 0 < len(name) <= 15:
        raise OSError(*error)


def store(table):
    """The store in the partition of subtype nvs. OSError if the table has none."""
    global _store
    if _store is None:
        for row in table:
            if row[0] == 1 and row[1] == 2:
                _store = _Store(row[2], row[3] // 8192 * 4096)
                break
        else:
            raise OSError(*_PART_NOT_FOUND)
    return _store


def _record(space, key, kind, value):
    names = space.encode() + key.encode()
    head = struct.pack("<BBBBH", kind, len(space), len(key), 0, len(value))
    return head + struct.pack("<I", binascii.crc32(head + names + value)) + names + value


class _Store:
    def __init__(self, address, half):
        self._address = address
        self._half = half
        self._generation = 0
        self._base = address
        self._values = {}
        self._end = 0
        head = bytearray(8)
        for base in (address, address + half):
            _flash.read(base, head, 8)
            generation = struct.unpack("<I", head[4:])[0]
            if head[:4] == _MAGIC and generation > self._generation:
                self._generation = generation
                self._base = base
        if self._generation:
            self._load()
        else:
            self._compact()

    def _load(self):
        at = 8
        head = bytearray(_HEAD_BYTES)
        while at + _HEAD_BYTES <= self._half:
            _flash.read(self._base + at, head, _HEAD_BYTES)
            kind, n_space, n_key, _, n, crc = struct.unpack(_HEAD, head)
            if kind == 0xFF:
                break
            body = bytearray(n_space + n_key + n)
            if at + _HEAD_BYTES + len(body) > self._half:
                break
            _flash.read(self._base + at + _HEAD_BYTES, body, len(body))
            if binascii.crc32(bytes(head[:6]) + body) != crc:
                break
            name = (body[:n_space].decode(), body[n_space : n_space + n_key].decode())
            if kind == ERASED:
                self._values.pop(name, None)
            else:
                self._values[name] = (kind, bytes(body[n_space + n_key :]))
            at += _HEAD_BYTES + len(body)
        self._end = at
        tail = bytearray(1)
        if at < self._half:
            _flash.read(self._base + at, tail, 1)
            if tail[0] != 0xFF:
                # A torn record stands there: nothing can be programmed over it.
                self._compact()

    def _compact(self):
        other = self._address
        if self._generation and self._base == self._address:
            other += self._half
        for sector in range(other, other + self._half, 4096):
            _flash.erase(sector)
        at = 8
        for (space, key), (kind, value) in self._values.items():
            data = _record(space, key, kind, value)
            _flash.program(other + at, data, len(data))
            at += len(data)
        self._generation += 1
        head = _MAGIC + struct.pack("<I", self._generation)
        _flash.program(other, head, 8)
        self._base = other
        self._end = at

    def get(self, space, key, kind):
        check_name(key, KEY_TOO_LONG)
        if (space, key) not in self._values:
            raise OSError(*NOT_FOUND)
        have, value = self._values[space, key]
        if have != kind:
            raise OSError(*TYPE_MISMATCH)
        return value

    def put(self, space, key, kind, value):
        check_name(key, KEY_TOO_LONG)
        if self._values.get((space, key)) == (kind, value):
            return
        self._append(_record(space, key, kind, value))
        self._values[space, key] = (kind, value)

    def erase(self, space, key):
        check_name(key, KEY_TOO_LONG)
        if (space, key) not in self._values:
            raise OSError(*NOT_FOUND)
        self._append(_record(space, key, ERASED, b""))
        del self._values[space, key]

    def _append(self, data):
        if self._end + len(data) > self._half:
            live = 8
            for (space, key), (_, value) in self._values.items():
                live += _HEAD_BYTES + len(space) + len(key) + len(value)
            if live + len(data) > self._half:
                raise OSError(*NOT_ENOUGH_SPACE)
            self._compact()
        _flash.program(self._base + self._end, data, len(data))
        self._end += len(data)
