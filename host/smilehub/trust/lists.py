"""Revocation lists: which people's certificates a kiosk no longer takes, under a key of that kiosk alone."""

import hashlib
import hmac
import struct
import zlib
from collections.abc import Iterable

from smilehub.trust.certificates import SERIAL_BYTES

MAGIC = b"SHRL"
#: A request to a kiosk has at most 1,024 bytes; beyond so many a hub begins anew.
MOST = 120
_HEAD = struct.Struct("<4sIH")


def list_key(list_secret: bytes, device_id: bytes) -> bytes:
    """The key, 32 bytes, of one kiosk's lists."""
    return _mac(list_secret, device_id)


def encode(key: bytes, sequence: int, serials: Iterable[bytes]) -> bytes:
    """A list for the kiosk with this list key (docs/trust.md)."""
    held = sorted(serials)
    body = _HEAD.pack(MAGIC, sequence, len(held)) + b"".join(held)
    body += _mac(key, body)
    return body + struct.pack("<I", zlib.crc32(body))


def decode(key: bytes, data: bytes) -> tuple[int, list[bytes]] | None:
    """(sequence, serials), or None if it is not a list under this key."""
    if len(data) < _HEAD.size + 36 or data[:4] != MAGIC:
        return None
    _, sequence, count = _HEAD.unpack_from(data)
    body = data[: _HEAD.size + SERIAL_BYTES * count]
    if len(data) != len(body) + 36 or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    if not hmac.compare_digest(_mac(key, body), data[len(body) : -4]):
        return None
    return sequence, [data[at : at + SERIAL_BYTES] for at in range(_HEAD.size, len(body), SERIAL_BYTES)]


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()
