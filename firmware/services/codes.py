"""Withdrawal codes: eight presses of four keys that find and prove a visit; only their MAC is kept."""

import os
from hashlib import sha256

from hubcore.compat import const

KEYS = "udyb"  # up, down, yes, back
LENGTH = 8

_MAC = const(8)
_LEAST_KEYS = const(3)  # a code has so many different keys: nobody hits one by leaning on two


def hmac(key: bytes, *parts) -> bytes:
    """HMAC-SHA256 (RFC 2104) of the parts in a row; ``key`` has at most 64 bytes."""
    key = key + bytes(64 - len(key))
    inner = sha256(bytes(b ^ 0x36 for b in key))
    for part in parts:
        inner.update(part)
    return sha256(bytes(b ^ 0x5C for b in key) + inner.digest()).digest()


def presses(text, length: int) -> bool:
    """Whether ``text`` is that many presses, one letter of KEYS each."""
    if not isinstance(text, str) or len(text) != length:
        return False
    return all(char in KEYS for char in text)


class Codes:
    """``key`` is the device key; ``rnd(n)`` gives n random bytes."""

    def __init__(self, key: bytes, rnd=os.urandom):
        self._key = key
        self._rnd = rnd

    def mac(self, code: str) -> bytes:
        """The eight bytes that stand for a code in records: they tell nothing without the device key."""
        return hmac(self._key, b"code", code.encode())[:_MAC]

    def fresh(self, taken) -> tuple:
        """(code, its MAC), drawn evenly from those for whose MAC ``taken(mac)`` is false."""
        while True:
            raw = self._rnd(2)
            code = "".join(KEYS[byte >> shift & 3] for byte in raw for shift in (0, 2, 4, 6))
            if len(set(code)) >= _LEAST_KEYS:
                mac = self.mac(code)
                if not taken(mac):
                    return code, mac
