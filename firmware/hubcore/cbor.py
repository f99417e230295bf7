"""Deterministic CBOR (RFC 8949, section 4.2.1): integers, bytes, text, arrays, maps, true, false and null.

Map keys are integers or text. The decoder refuses whatever the encoder would not have written, so equal
values have equal bytes on both interpreters. Values below 2**30 take no path with large integers.
"""

from hubcore.compat import const
from hubcore.errors import CodecError

_DEPTH = const(8)
_SMALL = const(0x3FFFFFFF)  # the largest integer that an ESP32 holds without allocating
_START = const(96)

_UINT = const(0x00)
_NEGATIVE = const(0x20)
_BYTES = const(0x40)
_TEXT = const(0x60)
_ARRAY = const(0x80)
_MAP = const(0xA0)


def dumps(obj) -> bytes:
    """Encode one value. Raises CodecError for a type or size that the dialect does not have."""
    buf = bytearray(_START)
    end = dump_into(buf, 0, obj)  # first: a buffer that a memoryview holds cannot grow
    return bytes(memoryview(buf)[:end])


def dump_into(buf: bytearray, pos: int, obj) -> int:
    """Encode one value into a caller's buffer at ``pos``, growing it if needed; returns where it ends."""
    return _put(buf, pos, obj, _DEPTH)


def loads(buf):
    """Decode the one value that ``buf`` (anything bytes-like) holds. Raises CodecError, nothing else."""
    reader = _reader
    reader.buf = buf
    reader.pos = 0
    try:
        value = reader.value(_DEPTH)
    except IndexError:
        raise CodecError("the data ends early") from None
    finally:
        reader.buf = b""
    if reader.pos != len(buf):
        raise CodecError("there is data after the end")
    return value


def load_from(buf: bytes, pos: int) -> tuple:
    """(the value that begins at ``pos``, where it ends). Raises CodecError or IndexError."""
    reader = _reader
    reader.buf = buf
    reader.pos = pos
    value = reader.value(_DEPTH)
    reader.buf = b""
    return value, reader.pos


def _room(buf: bytearray, end: int) -> None:
    missing = end - len(buf)
    if missing > 0:
        buf.extend(bytes(missing + _START))


def _head(buf: bytearray, pos: int, major: int, n: int) -> int:
    """Write the initial byte and argument ``n`` >= 0; room for 9 bytes is made here."""
    if pos + 9 > len(buf):
        _room(buf, pos + 9)
    if n < 24:
        buf[pos] = major | n
        return pos + 1
    if n < 0x100:
        buf[pos] = major | 24
        buf[pos + 1] = n
        return pos + 2
    if n < 0x10000:
        buf[pos] = major | 25
        buf[pos + 1] = n >> 8
        buf[pos + 2] = n & 0xFF
        return pos + 3
    if n <= _SMALL:
        buf[pos] = major | 26
        buf[pos + 1] = n >> 24
        buf[pos + 2] = (n >> 16) & 0xFF
        buf[pos + 3] = (n >> 8) & 0xFF
        buf[pos + 4] = n & 0xFF
        return pos + 5
    if n >> 64:
        raise CodecError("an integer is larger than 64 bits")
    size = 8 if n >> 32 else 4
    buf[pos] = major | (27 if size == 8 else 26)
    buf[pos + 1 : pos + 1 + size] = n.to_bytes(size, "big")
    return pos + 1 + size


def _string(buf: bytearray, pos: int, major: int, data) -> int:
    n = len(data)
    pos = _head(buf, pos, major, n)
    if pos + n > len(buf):
        _room(buf, pos + n)
    buf[pos : pos + n] = data
    return pos + n


def _put(buf: bytearray, pos: int, obj, depth: int) -> int:
    if obj is None:
        return _simple(buf, pos, 0xF6)
    if obj is True:
        return _simple(buf, pos, 0xF5)
    if obj is False:
        return _simple(buf, pos, 0xF4)
    if isinstance(obj, int):
        if obj >= 0:
            return _head(buf, pos, _UINT, obj)
        return _head(buf, pos, _NEGATIVE, -1 - obj)
    if isinstance(obj, str):
        return _string(buf, pos, _TEXT, _encode_text(obj))
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return _string(buf, pos, _BYTES, obj)
    if not isinstance(obj, (list, tuple, dict)):
        raise CodecError("no CBOR form for " + type(obj).__name__)
    if depth == 0:
        raise CodecError("nested deeper than 8")
    if not isinstance(obj, dict):
        pos = _head(buf, pos, _ARRAY, len(obj))
        for item in obj:
            pos = _put(buf, pos, item, depth - 1)
        return pos
    pos = _head(buf, pos, _MAP, len(obj))
    for key in _sorted_keys(obj):
        pos = _put(buf, pos, key, 0)
        pos = _put(buf, pos, obj[key], depth - 1)
    return pos


def _simple(buf: bytearray, pos: int, byte: int) -> int:
    if pos >= len(buf):
        _room(buf, pos + 1)
    buf[pos] = byte
    return pos + 1


def _sorted_keys(mapping: dict) -> list:
    """The keys in the order of their encodings: for plain integers that is their own order."""
    for key in mapping:
        if not isinstance(key, int) or isinstance(key, bool) or key < 0:
            break
    else:
        return sorted(mapping)
    for key in mapping:
        if isinstance(key, bool) or not isinstance(key, (int, str)):
            raise CodecError("a map key is neither integer nor text")
    return [pair[1] for pair in sorted([(dumps(key), key) for key in mapping], key=_first)]


def _first(pair: tuple) -> bytes:
    return pair[0]


def _encode_text(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeError:
        raise CodecError("a text holds half a character") from None
    _check_text(text, len(data))
    return data


def _check_text(text: str, size: int) -> None:
    """Refuse what MicroPython's UTF-8 lets through: surrogates, overlong forms, too large code points."""
    if len(text) == size:
        return  # all ASCII
    for char in text:
        code = ord(char)
        if code >= 0x10000:
            if code > 0x10FFFF:
                raise CodecError("a text holds no character")
            size -= 4
        elif code >= 0x800:
            if 0xD800 <= code < 0xE000:
                raise CodecError("a text holds half a character")
            size -= 3
        else:
            size -= 2 if code >= 0x80 else 1
    if size:
        raise CodecError("a text is not in its shortest form")


class _Reader:
    """Reads values one after the other; a position that each call returned would be a tuple each time."""

    def __init__(self):
        self.buf = b""
        self.pos = 0

    def value(self, depth: int):
        """The value at the position. Raises IndexError where the data ends early."""
        buf = self.buf
        first = buf[self.pos]
        self.pos += 1
        major = first & 0xE0
        n = first & 0x1F
        if major == 0xE0:
            if n == 20:
                return False
            if n == 21:
                return True
            if n == 22:
                return None
            raise CodecError("a float, or a value without a meaning here")
        if n >= 24:
            n = self.argument(n)
        if major == _UINT:
            return n
        if major == _NEGATIVE:
            return -1 - n
        pos = self.pos
        if n > len(buf) - pos:  # an item is at least one byte, so no length can exceed what is left
            raise CodecError("a length reaches past the end")
        if major <= _TEXT:
            self.pos = pos + n
            data = buf[pos : pos + n]
            return bytes(data) if major == _BYTES else _get_text(data, n)
        if major > _MAP:
            raise CodecError("a tag, which this dialect does not have")
        if depth == 0:
            raise CodecError("nested deeper than 8")
        if major == _ARRAY:
            items = []
            for _ in range(n):
                items.append(self.value(depth - 1))
            return items
        return self.map(n, depth - 1)

    def argument(self, n: int) -> int:
        """The argument that follows an initial byte of 24 and more, in its shortest form."""
        buf = self.buf
        pos = self.pos
        if n == 24:
            self.pos = pos + 1
            n = buf[pos]
            if n >= 24:
                return n
        elif n == 25:
            self.pos = pos + 2
            n = buf[pos] << 8 | buf[pos + 1]
            if n >= 0x100:
                return n
        elif n == 26:
            self.pos = pos + 4
            high = buf[pos] << 8 | buf[pos + 1]
            if high >= 0x4000:
                buf[pos + 3]
                return int.from_bytes(bytes(buf[pos : pos + 4]), "big")
            n = high << 16 | buf[pos + 2] << 8 | buf[pos + 3]
            if high:
                return n
        elif n == 27:
            self.pos = pos + 8
            buf[pos + 7]
            n = int.from_bytes(bytes(buf[pos : pos + 8]), "big")
            if n >> 32:
                return n
        else:
            raise CodecError("an indefinite or reserved length")
        raise CodecError("a number is not in its shortest form")

    def map(self, n: int, depth: int) -> dict:
        mapping = {}
        last = None
        begin = end = 0  # where the last key stands
        for _ in range(n):
            start = self.pos
            key = self.value(0)
            if isinstance(key, bool) or not isinstance(key, (int, str)):
                raise CodecError("a map key is neither integer nor text")
            if last is None:
                good = True
            elif isinstance(key, int) and isinstance(last, int) and key >= 0 and last >= 0:
                good = key > last  # the order of their encodings, too
            else:
                good = bytes(self.buf[start : self.pos]) > bytes(self.buf[begin:end])
            if not good:
                raise CodecError("map keys are repeated or out of order")
            last = key
            begin = start
            end = self.pos
            mapping[key] = self.value(depth)
        return mapping


def _get_text(data, n: int) -> str:
    try:
        text = str(data, "utf-8")
    except UnicodeError:
        raise CodecError("a text is not UTF-8") from None
    _check_text(text, n)
    return text


_reader = _Reader()
