"""A GATT client's procedures on a bearer: what is found is told at once, the end with an error code."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from smilehub.sim.radio import att
from smilehub.sim.radio.att import Bearer, Result

Done = Callable[[int], None]
"""Takes 0, or an error code of ``att``."""
Value = Callable[[int, bytes], None]

_LAST = 0xFFFF


class Service(NamedTuple):
    """A service found; UUIDs are little-endian, 2 or 16 bytes."""

    start: int
    end: int
    uuid: bytes


class Characteristic(NamedTuple):
    """A characteristic found."""

    handle: int
    value_handle: int
    properties: int
    uuid: bytes


def services(bearer: Bearer, found: Callable[[Service], None], done: Done, start: int = 1) -> None:
    """All primary services."""

    def answer(result: Result) -> None:
        if result.error:
            return done(0 if result.error == att.NOT_FOUND else result.error)
        end = 0
        for item in _items(result.pdu, 2, result.pdu[1], 6):
            first, end = struct.unpack_from("<HH", item)
            found(Service(first, end, item[4:]))
        if end < start:
            return done(att.INVALID_PDU)
        return done(0) if end == _LAST else services(bearer, found, done, end + 1)

    bearer.ask(struct.pack("<BHHH", att.READ_GROUP_REQ, start, _LAST, 0x2800), answer)


def services_by_uuid(
    bearer: Bearer, uuid: bytes, found: Callable[[Service], None], done: Done, start: int = 1
) -> None:
    """The primary services of one UUID."""

    def answer(result: Result) -> None:
        if result.error:
            return done(0 if result.error == att.NOT_FOUND else result.error)
        end = 0
        for item in _items(result.pdu, 1, 4, 4):
            first, end = struct.unpack("<HH", item)
            found(Service(first, end, uuid))
        if end < start:
            return done(att.INVALID_PDU)
        return done(0) if end == _LAST else services_by_uuid(bearer, uuid, found, done, end + 1)

    bearer.ask(struct.pack("<BHHH", att.FIND_VALUE_REQ, start, _LAST, 0x2800) + uuid, answer)


def characteristics(
    bearer: Bearer, start: int, end: int, found: Callable[[Characteristic], None], done: Done
) -> None:
    """All characteristics declared between two handles."""
    if start > end:
        return done(0)

    def answer(result: Result) -> None:
        if result.error:
            return done(0 if result.error == att.NOT_FOUND else result.error)
        handle = 0
        for item in _items(result.pdu, 2, result.pdu[1], 7):
            handle, properties, value = struct.unpack_from("<HBH", item)
            found(Characteristic(handle, value, properties, item[5:]))
        if handle < start:
            return done(att.INVALID_PDU)
        return characteristics(bearer, handle + 1, end, found, done)

    return bearer.ask(struct.pack("<BHHH", att.READ_TYPE_REQ, start, end, 0x2803), answer)


def descriptors(
    bearer: Bearer, start: int, end: int, found: Callable[[int, bytes], None], done: Done
) -> None:
    """Handles and types of all attributes between two handles."""
    if start > end:
        return done(0)

    def answer(result: Result) -> None:
        if result.error:
            return done(0 if result.error == att.NOT_FOUND else result.error)
        handle = 0
        for item in _items(result.pdu, 2, 4 if result.pdu[1] == 1 else 18, 4):
            (handle,) = struct.unpack_from("<H", item)
            found(handle, item[2:])
        if handle < start:
            return done(att.INVALID_PDU)
        return descriptors(bearer, handle + 1, end, found, done)

    return bearer.ask(struct.pack("<BHH", att.FIND_INFO_REQ, start, end), answer)


def read(bearer: Bearer, handle: int, got: Value) -> None:
    """One read: at most the MTU less one byte."""
    bearer.ask(struct.pack("<BH", att.READ_REQ, handle), lambda r: got(r.error, r.pdu[1:]))


def read_long(bearer: Bearer, handle: int, got: Value, have: bytes = b"") -> None:
    """Read all of a value, piece by piece."""

    def answer(result: Result) -> None:
        if result.error:
            # The value may end where a piece did.
            whole = have and result.error in (att.INVALID_OFFSET, 0x0B)
            return got(0, have) if whole else got(result.error, b"")
        value = have + result.pdu[1:]
        if len(result.pdu) < bearer.mtu:
            return got(0, value)
        return read_long(bearer, handle, got, value)

    if have:
        bearer.ask(struct.pack("<BHH", att.READ_BLOB_REQ, handle, len(have)), answer)
    else:
        bearer.ask(struct.pack("<BH", att.READ_REQ, handle), answer)


def write(bearer: Bearer, handle: int, value: bytes, done: Done) -> None:
    """Write with response; what exceeds the MTU is cut off."""
    pdu = (struct.pack("<BH", att.WRITE_REQ, handle) + value)[: bearer.mtu]
    bearer.ask(pdu, lambda r: done(r.error))


def write_long(bearer: Bearer, handle: int, value: bytes, done: Done) -> None:
    """Write with response, in pieces if the MTU wants it."""
    if len(value) <= bearer.mtu - 3:
        return write(bearer, handle, value, done)

    def piece(offset: int) -> None:
        def answer(result: Result) -> None:
            if result.error:
                bearer.ask(bytes((att.EXECUTE_REQ, 0)), lambda _: done(result.error))
            else:
                piece(offset + bearer.mtu - 5)

        if offset >= len(value):
            bearer.ask(bytes((att.EXECUTE_REQ, 1)), lambda r: done(r.error))
        else:
            head = struct.pack("<BHH", att.PREPARE_REQ, handle, offset)
            bearer.ask(head + value[offset : offset + bearer.mtu - 5], answer)

    return piece(0)


def _items(pdu: bytes, head: int, size: int, least: int) -> list[bytes]:
    """The items of a PDU after its head; none if they are shorter than ``least``."""
    if size < least:
        return []
    return [pdu[at : at + size] for at in range(head, len(pdu) - size + 1, size)]
