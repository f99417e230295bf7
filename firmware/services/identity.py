"""Who this kiosk is and whom it no longer takes: identity and revocation list in raw flash (docs/trust.md).

Needed for a handshake, and then no longer in memory. Each of the two has two sectors in turn: the new one is
whole before the old one goes.
"""

import struct
from binascii import crc32

from hubcore import cbor
from hubcore.asked import ROLES
from hubcore.compat import const
from hubcore.errors import CodecError
from services.codes import hmac
from services.session import Bye
from tasks.forget import forget

_IDENTITY = const(4)  # the first of its two sectors in the partition ``keys``
_LIST = const(6)
_HEAD = const(10)  # magic, generation or sequence, bytes of CBOR or number of serials
_SERIAL = const(8)
_MAC = const(32)
_CRC = const(4)
_MOST = const(2048)  # bytes of either
_MASK = const(0x3FFFFFFF)
_REVOKED = const(6)  # reasons of BYE, docs/link.md
_OTHER_HUB = const(7)


def load(part) -> "tuple | None":
    """(authority's certificate, own certificate, private key, all DER, hub key, list key), or None.

    ``part`` is the partition ``keys`` as services.keys takes it.
    """
    return _newest(part)[1]


def store(part, blob: bytes) -> bool:
    """Keep an identity as ``smilehub enroll`` makes it; False if it is none. Nothing stays of the one before.

    Raises OSError when flash does not keep it.
    """
    if not _whole(blob, _IDENTITY) or not _parts(blob):
        return False
    number, _, sector = _newest(part)
    data = bytearray(blob)
    struct.pack_into("<I", data, 4, (number + 1) & _MASK)
    struct.pack_into("<I", data, len(data) - _CRC, crc32(memoryview(data)[:-_CRC]))
    _write(part, sector ^ 1, data)
    return True


def revoked(part, serial: bytes) -> bool:
    """Whether the certificate with this serial number has been taken back."""
    for sector in (_LIST, _LIST + 1):
        data = _read(part, sector)
        if data:
            for at in range(_HEAD, len(data) - _MAC - _CRC, _SERIAL):
                if data[at : at + _SERIAL] == serial:
                    return True
    return False


def take_list(part, list_key: bytes, blob: bytes) -> "str | None":
    """Keep a revocation list: None; otherwise the number of the one held that is as new, or "" for what is no
    list of this hub for this kiosk.

    Raises OSError when flash does not keep it.
    """
    if not _whole(blob, _LIST) or not _signed(blob, list_key):
        return ""
    newest, free = -1, _LIST
    for sector in (_LIST, _LIST + 1):
        held = _read(part, sector)
        if held and _signed(held, list_key) and _number(held) > newest:
            newest, free = _number(held), sector ^ 1
    if _number(blob) <= newest:
        return str(newest)
    return _write(part, free, blob)


def peer(der: bytes) -> tuple:
    """(serial number, common name) of a certificate of this hub; X.509, RFC 5280, 4.1. Raises CodecError."""
    at, end = _item(der, 0, len(der), 0x30)
    at, end = _item(der, at, end, 0x30)
    at = _item(der, at, end, 0xA0)[1]  # version
    start, at = _item(der, at, end, 0x02)
    serial = bytes(der[start:at])
    for _ in range(3):  # algorithm, issuer, validity
        at = _item(der, at, end, 0x30)[1]
    at, end = _item(der, at, end, 0x30)
    names = []
    while at < end:
        start, at = _item(der, at, end, 0x31)
        start, stop = _item(der, start, at, 0x30)
        begin, start = _item(der, start, stop, 0x06)
        if der[begin:start] == b"\x55\x04\x03":
            begin, stop = _item(der, start, stop, 0x0C)
            names.append(bytes(der[begin:stop]))
    if len(names) == 1 and len(serial) == _SERIAL:
        try:
            return serial, names[0].decode()
        except ValueError:
            pass
    raise CodecError("no certificate of a hub")


# Inside


def _item(der, at, end, tag):
    # Where the content of the element at ``at`` begins and ends.
    if at + 2 <= end and der[at] == tag:
        size = der[at + 1]
        at += 2
        if size & 0x80:
            n = size & 3  # 0x81 or 0x82: so many bytes of length follow
            size = int.from_bytes(der[at : at + n], "big") if 0x80 < size < 0x83 else end
            at += n
        if at + size <= end:
            return at, at + size
    raise CodecError("no certificate")


def _size(head, first):
    # How long the whole is that begins so, or 0.
    magic, _, size = struct.unpack("<4sIH", head)
    if first == _LIST:
        size = size * _SERIAL + _MAC
    size += _HEAD + _CRC
    return size if magic == (b"SHRL" if first == _LIST else b"SHID") and size <= _MOST else 0


def _whole(data, first):
    if not _HEAD < len(data) == _size(data[:_HEAD], first):
        return False
    return crc32(memoryview(data)[:-_CRC]) == struct.unpack("<I", data[-_CRC:])[0]


def _read(part, sector):
    # What stands there, if it is whole.
    first = sector & ~1
    head = bytearray(_HEAD)
    part.readblocks(sector, head, 0)
    data = bytearray(_size(head, first))
    if data:
        part.readblocks(sector, data, 0)
    return data if _whole(data, first) else None


def _write(part, sector, data):
    # Write it, and when it stands there erase its predecessor.
    part.ioctl(6, sector)
    part.writeblocks(sector, data, 0)
    if _read(part, sector) != data:
        raise OSError(5)
    part.ioctl(6, sector ^ 1)


def _newest(part):
    # (generation, parts, sector) of the identity that counts.
    best = 0, None, _IDENTITY + 1
    for sector in (_IDENTITY, _IDENTITY + 1):
        data = _read(part, sector)
        parts = _parts(data) if data else None
        if parts and (best[1] is None or _number(data) > best[0]):
            best = _number(data), parts, sector
    return best


def _number(data):
    return struct.unpack_from("<I", data, 4)[0]


def _signed(data, key):
    return hmac(key, memoryview(data)[: -_MAC - _CRC]) == data[-_MAC - _CRC : -_CRC]


def _parts(data):
    try:
        held = cbor.loads(memoryview(data)[_HEAD:-_CRC])
    except CodecError:
        return None
    if not isinstance(held, dict):
        return None
    parts = tuple([part for i in range(5) if isinstance(part := held.get(i), bytes)])
    return parts if [len(part) for part in parts[3:]] == [32, 32] else None


def known(session) -> tuple:
    """(serial number, role) of who has shaken hands with a services.session.Session. Raises its Bye."""
    gate = session.gate
    try:
        serial, name = peer(gate.der)
        role = name.split("-")[0]
        if role not in ROLES:
            raise Bye(_OTHER_HUB, "wrong authority")
        if revoked(gate.hub.keys, serial):
            raise Bye(_REVOKED, "revoked")
    except CodecError:
        raise Bye(_OTHER_HUB, "wrong authority") from None
    finally:
        forget("services.identity", "hubcore.asked")
    gate.busy = gate.der = None
    return serial, role
