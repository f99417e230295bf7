"""``bluetooth.UUID``."""

import struct


class UUID:
    """16 bits, 32 or 128, in little-endian order."""

    def __init__(self, value):
        if isinstance(value, int):
            if value > 0xFFFF:
                raise ValueError("invalid UUID")
            self._bytes = struct.pack("<H", value & 0xFFFF)
            return
        if isinstance(value, str):
            value = value.encode()
        value = bytes(value)
        if len(value) in (2, 4, 16):
            self._bytes = value
            return
        digits = bytes(c for c in value if c != 0x2D)
        for c in digits:
            if not (0x30 <= c <= 0x39 or 0x41 <= c <= 0x46 or 0x61 <= c <= 0x66):
                raise ValueError("invalid char in UUID")
        if len(digits) != 32:
            raise ValueError("UUID too long" if len(digits) > 32 else "UUID too short")
        self._bytes = bytes(reversed(bytes.fromhex(digits.decode())))

    def __iter__(self):
        return iter(self._bytes)

    def __len__(self):
        return len(self._bytes)

    def __hash__(self):
        return hash(self._bytes)

    def _key(self):
        return len(self._bytes), self._bytes

    def __eq__(self, other):
        return isinstance(other, UUID) and self._bytes == other._bytes

    def __lt__(self, other):
        return self._key() < other._key()

    def __le__(self, other):
        return self._key() <= other._key()

    def __gt__(self, other):
        return self._key() > other._key()

    def __ge__(self, other):
        return self._key() >= other._key()

    def __repr__(self):
        text = bytes(reversed(self._bytes)).hex()
        if len(text) < 32:
            return "UUID(0x" + text + ")"
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        return "UUID('" + "-".join(parts) + "')"
