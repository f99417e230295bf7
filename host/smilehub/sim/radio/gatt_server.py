"""A GATT server's table: what it holds, who may touch it, and how a client finds its way."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from smilehub.sim.radio import att
from smilehub.sim.radio.att import Bearer

READ = 0x0002
WRITE_NO_RESPONSE = 0x0004
WRITE = 0x0008
NOTIFY = 0x0010
INDICATE = 0x0020
_READ_ENCRYPTED = 0x0200
_READ_AUTHENTICATED = 0x0400
_WRITE_ENCRYPTED = 0x1000
_WRITE_AUTHENTICATED = 0x2000

_PRIMARY = b"\x00\x28"
_CHARACTERISTIC = b"\x03\x28"
_CONFIGURATION = b"\x02\x29"
_MOST_PREPARED = 64

Got = Callable[[int, bytes], None]
"""Takes an error code (0: none) and a value."""

Definition = tuple[bytes, Sequence[tuple[bytes, int, Sequence[tuple[bytes, int]]]]]
"""A service: its UUID, and its characteristics (UUID, flags, descriptors (UUID, flags)). UUIDs are
little-endian, 2 or 16 bytes."""


class Owner(Protocol):
    """Who holds the values."""

    def read(self, bearer: Bearer, handle: int, got: Got) -> None:
        """Give the value, now or later."""
        ...

    def written(self, bearer: Bearer, handle: int, value: bytes, done: Callable[[], None] | None) -> None:
        """A client wrote; ``done`` lets the answer go (None: none is wanted)."""
        ...

    def confirmed(self, bearer: Bearer, handle: int, error: int) -> None:
        """An indication came to its end."""
        ...


@dataclass(slots=True)
class Attribute:
    """One row. ``value`` None: the owner has it. ``flags`` as MicroPython's, ``last`` ends its group."""

    handle: int
    kind: bytes
    flags: int
    value: bytes | None = None
    last: int = 0


class Table:
    """The attributes of one device, and the server of all its bearers."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.rows: list[Attribute] = []
        #: Configuration descriptors by the handle of their characteristic's value.
        self.configuration: dict[int, int] = {}
        self._handlers: dict[int, Callable[[Bearer, bytes], None]] = {
            att.FIND_INFO_REQ: self._find_information,
            att.FIND_VALUE_REQ: self._find_by_value,
            att.READ_GROUP_REQ: self._read_by_group,
            att.READ_TYPE_REQ: self._read_by_type,
            att.READ_REQ: self._read,
            att.READ_BLOB_REQ: self._read,
            att.WRITE_REQ: self._write,
            att.WRITE_CMD: self._write,
            att.PREPARE_REQ: self._prepare,
            att.EXECUTE_REQ: self._execute,
        }

    def define(self, services: Iterable[Definition]) -> list[list[int]]:
        """Add services; for each, the handles of its values and descriptors in order."""
        found: list[list[int]] = []
        for uuid, characteristics in services:
            head = self._add(_PRIMARY, READ, uuid)
            handles: list[int] = []
            for kind, flags, descriptors in characteristics:
                declared = self._add(_CHARACTERISTIC, READ, b"")
                value = self._add(kind, flags)
                declared.value = struct.pack("<BH", flags & 0xFF, value.handle) + kind
                handles.append(value.handle)
                if flags & (NOTIFY | INDICATE):
                    row = self._add(_CONFIGURATION, READ | WRITE)
                    self.configuration[value.handle] = row.handle
                handles += [self._add(uuid, access).handle for uuid, access in descriptors]
            head.last = self.rows[-1].handle
            found.append(handles)
        return found

    def clear(self) -> None:
        """Forget all services."""
        self.rows.clear()
        self.configuration.clear()

    def _add(self, kind: bytes, flags: int, value: bytes | None = None) -> Attribute:
        row = Attribute(len(self.rows) + 1, kind, flags, value)
        self.rows.append(row)
        return row

    def confirmed(self, bearer: Bearer, handle: int, error: int) -> None:
        """As ``att.Server``."""
        self._owner.confirmed(bearer, handle, error)

    # ---- requests ----

    def request(self, bearer: Bearer, pdu: bytes) -> None:
        """As ``att.Server``."""
        op = pdu[0]
        handler = self._handlers.get(op)
        if handler is None:
            # Commands that are not known are ignored (3.3).
            if not op & 0x40:
                bearer.fail(op, 0, att.NOT_SUPPORTED)
            return
        try:
            handler(bearer, pdu)
        except (struct.error, IndexError):
            if not op & 0x40:
                bearer.fail(op, 0, att.INVALID_PDU)

    def _find_information(self, bearer: Bearer, pdu: bytes) -> None:
        start, end = struct.unpack("<HH", pdu[1:])
        rows = self._range(start, end)
        if not rows or not start:
            return bearer.fail(pdu[0], start, att.NOT_FOUND if start else att.INVALID_HANDLE)
        size = len(rows[0].kind)
        out = bytearray((att.FIND_INFO_RSP, 1 if size == 2 else 2))
        for row in rows:
            if len(row.kind) != size or len(out) + 2 + size > bearer.mtu:
                break
            out += struct.pack("<H", row.handle) + row.kind
        return bearer.respond(bytes(out))

    def _find_by_value(self, bearer: Bearer, pdu: bytes) -> None:
        start, end = struct.unpack_from("<HH", pdu, 1)
        kind, value = pdu[5:7], pdu[7:]
        out = bytearray([att.FIND_VALUE_RSP])
        for row in self._range(start, end):
            if row.kind == kind == _PRIMARY and row.value == value and len(out) + 4 <= bearer.mtu:
                out += struct.pack("<HH", row.handle, row.last)
        if len(out) == 1:
            return bearer.fail(pdu[0], start, att.NOT_FOUND)
        return bearer.respond(bytes(out))

    def _read_by_group(self, bearer: Bearer, pdu: bytes) -> None:
        start, end = struct.unpack_from("<HH", pdu, 1)
        rows = [row for row in self._range(start, end) if row.kind == pdu[5:] == _PRIMARY]
        out = bytearray()
        for row in rows:
            item = struct.pack("<HH", row.handle, row.last) + (row.value or b"")
            if not out:
                out += bytes((att.READ_GROUP_RSP, len(item)))
            if len(item) != out[1] or len(out) + len(item) > bearer.mtu:
                break
            out += item
        if not out:
            return bearer.fail(pdu[0], start, att.NOT_FOUND)
        return bearer.respond(bytes(out))

    def _read_by_type(self, bearer: Bearer, pdu: bytes) -> None:
        start, end = struct.unpack_from("<HH", pdu, 1)
        rows = [row for row in self._range(start, end) if row.kind == pdu[5:]]
        if not rows:
            return bearer.fail(pdu[0], start, att.NOT_FOUND)
        first = rows[0]
        if first.value is None:
            # The owner's values are given one at a time.
            room = min(253, bearer.mtu - 4)

            def got(error: int, value: bytes) -> None:
                if error:
                    bearer.fail(pdu[0], first.handle, error)
                else:
                    head = struct.pack("<BBH", att.READ_TYPE_RSP, 2 + min(room, len(value)), first.handle)
                    bearer.respond(head + value[:room])

            return self._value(bearer, first, got)
        out = bytearray()
        for row in rows:
            item = struct.pack("<H", row.handle) + (row.value or b"")
            if not out:
                out += bytes((att.READ_TYPE_RSP, len(item)))
            if len(item) != out[1] or len(out) + len(item) > bearer.mtu:
                break
            out += item
        return bearer.respond(bytes(out))

    def _read(self, bearer: Bearer, pdu: bytes) -> None:
        blob = pdu[0] == att.READ_BLOB_REQ
        handle, offset = struct.unpack("<HH", pdu[1:]) if blob else (*struct.unpack("<H", pdu[1:]), 0)
        row = self._row(handle)
        if row is None:
            return bearer.fail(pdu[0], handle, att.INVALID_HANDLE)

        def got(error: int, value: bytes) -> None:
            if not error and offset > len(value):
                error = att.INVALID_OFFSET
            if error:
                bearer.fail(pdu[0], handle, error)
            else:
                op = att.READ_BLOB_RSP if blob else att.READ_RSP
                bearer.respond(bytes([op]) + value[offset : offset + bearer.mtu - 1])

        return self._value(bearer, row, got)

    def _value(self, bearer: Bearer, row: Attribute, got: Got) -> None:
        if not row.flags & READ:
            return got(att.READ_NOT_PERMITTED, b"")
        if (row.flags & _READ_ENCRYPTED and not bearer.encrypted) or (
            row.flags & _READ_AUTHENTICATED and not bearer.authenticated
        ):
            return got(att.INSUFFICIENT_AUTHENTICATION, b"")
        if row.value is not None:
            return got(0, row.value)
        if row.kind == _CONFIGURATION:
            return got(0, struct.pack("<H", bearer.configured.get(row.handle, 0)))
        return self._owner.read(bearer, row.handle, got)

    def _write(self, bearer: Bearer, pdu: bytes) -> None:
        (handle,) = struct.unpack_from("<H", pdu, 1)
        asks = pdu[0] == att.WRITE_REQ
        row = self._row(handle)
        error = self._may_write(bearer, row)
        if error or row is None:
            return bearer.fail(pdu[0], handle, error) if asks else None

        def done() -> None:
            bearer.respond(bytes([att.WRITE_RSP]))

        return self._store(bearer, row, pdu[3:], done if asks else None)

    def _store(self, bearer: Bearer, row: Attribute, value: bytes, done: Callable[[], None] | None) -> None:
        if row.kind != _CONFIGURATION:
            return self._owner.written(bearer, row.handle, value, done)
        bearer.configured[row.handle] = int.from_bytes(value[:2], "little")
        return done() if done is not None else None

    def _may_write(self, bearer: Bearer, row: Attribute | None) -> int:
        if row is None:
            return att.INVALID_HANDLE
        if not row.flags & (WRITE | WRITE_NO_RESPONSE):
            return att.WRITE_NOT_PERMITTED
        if (row.flags & _WRITE_ENCRYPTED and not bearer.encrypted) or (
            row.flags & _WRITE_AUTHENTICATED and not bearer.authenticated
        ):
            return att.INSUFFICIENT_AUTHENTICATION
        return 0

    def _prepare(self, bearer: Bearer, pdu: bytes) -> None:
        handle, offset = struct.unpack_from("<HH", pdu, 1)
        error = self._may_write(bearer, self._row(handle))
        if not error and len(bearer.prepared) >= _MOST_PREPARED:
            error = att.PREPARE_QUEUE_FULL
        if error:
            return bearer.fail(pdu[0], handle, error)
        bearer.prepared.append((handle, offset, pdu[5:]))
        return bearer.respond(bytes([att.PREPARE_RSP]) + pdu[1:])

    def _execute(self, bearer: Bearer, pdu: bytes) -> None:
        prepared, bearer.prepared = bearer.prepared, []
        row = self._row(prepared[0][0]) if prepared else None
        if not pdu[1] or row is None:
            return bearer.respond(bytes([att.EXECUTE_RSP]))
        value = bytearray()
        for handle, offset, piece in prepared:
            if handle != row.handle or offset != len(value):
                return bearer.fail(pdu[0], handle, att.INVALID_OFFSET)
            value += piece
        return self._store(bearer, row, bytes(value), lambda: bearer.respond(bytes([att.EXECUTE_RSP])))

    def _range(self, start: int, end: int) -> list[Attribute]:
        return self.rows[max(0, start - 1) : end] if start <= end else []

    def _row(self, handle: int) -> Attribute | None:
        return self.rows[handle - 1] if 1 <= handle <= len(self.rows) else None
