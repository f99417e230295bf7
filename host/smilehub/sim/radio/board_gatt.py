"""What a board's ``bluetooth`` module serves, and what it asks of its peers' servers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from smilehub.sim.control import Frame
from smilehub.sim.radio import gatt_client
from smilehub.sim.radio.att import Bearer
from smilehub.sim.radio.errno import EBUSY, EINVAL, ENOMEM, ENOTCONN, status
from smilehub.sim.radio.gatt_server import INDICATE, READ, Definition, Got, Table

if TYPE_CHECKING:
    from smilehub.sim.radio.board_radio import BoardRadio

#: Buffers for what waits to be sent; beyond, calls raise ENOMEM (esp-idf's MSYS pools).
_MOST_PENDING = 24

_GAP = bytes.fromhex("0018")
_NAME = bytes.fromhex("002a")
_APPEARANCE = bytes.fromhex("012a")
_GATT = bytes.fromhex("0118")
_CHANGED = bytes.fromhex("052a")


class Served:
    """A board's services. Their values are the guest's: it is asked for each read and told of each write."""

    def __init__(self, radio: BoardRadio) -> None:
        self._radio = radio
        self._table = Table(self)
        self._own: dict[int, Callable[[], bytes]] = {}
        self.define([])

    def define(self, services: list[Definition]) -> list[list[int]]:
        """Have these services, beside those that NimBLE has itself."""
        self._table.clear()
        gap = (_GAP, [(_NAME, READ, ()), (_APPEARANCE, READ, ())])
        gatt = (_GATT, [(_CHANGED, INDICATE, ())])
        found = self._table.define([gap, gatt, *services])
        self._own = {found[0][0]: lambda: self._radio.device_name, found[0][1]: lambda: b"\0\0"}
        return found[2:]

    def register(self, frame: Frame) -> bytes | int:
        """``gatts_register_services``."""
        services: list[Definition] = []
        data = frame.payload
        at = 0

        def uuid() -> bytes:
            nonlocal at
            size = data[at]
            at += 1 + size
            return data[at - size : at]

        def number() -> int:
            nonlocal at
            at += 2
            return data[at - 2] | data[at - 1] << 8

        while at < len(data):
            service = uuid()
            characteristics: list[tuple[bytes, int, list[tuple[bytes, int]]]] = []
            for _ in range(number()):
                kind, flags = uuid(), number()
                descriptors = [(uuid(), number()) for _ in range(number())]
                characteristics.append((kind, flags, descriptors))
            services.append((service, characteristics))
        if self._radio.live.controller.le_legacy_advertiser.enabled:
            return EBUSY
        handles = [handle for group in self.define(services) for handle in group]
        return struct.pack(f"<{len(handles)}H", *handles)

    def new_bearer(self, bearer: Bearer) -> None:
        """Serve a new connection."""
        bearer.server = self._table
        bearer.mtu_changed = lambda mtu: self._radio.tell(21, bearer.tag | mtu << 16)

    def read(self, bearer: Bearer, handle: int, got: Got) -> None:
        """As ``gatt_server.Owner``: the guest answers."""
        own = self._own.get(handle)
        if own is not None:
            got(0, own())
            return
        self._radio.tell(4, bearer.tag | handle << 16 | self._radio.expect(got) << 32)

    def written(self, bearer: Bearer, handle: int, value: bytes, done: Callable[[], None] | None) -> None:
        """As ``gatt_server.Owner``: the answer goes when the guest's handler has run, as in NimBLE."""
        token = 0 if done is None else self._radio.expect(lambda _error, _value: done())
        self._radio.tell(3, bearer.tag | handle << 16 | token << 32, value)

    def confirmed(self, bearer: Bearer, handle: int, error: int) -> None:
        """As ``gatt_server.Owner``."""
        self._radio.tell(20, bearer.tag | handle << 16 | status(error) << 32)

    def notify(self, frame: Frame) -> bytes | int:
        """``gatts_notify`` and ``gatts_indicate``."""
        peer = self._radio.peer(frame.b & 0xFFFF)
        if peer is None:
            return ENOTCONN
        if self._radio.live.pending() >= _MOST_PENDING:
            return ENOMEM
        handle = frame.b >> 16 & 0xFFFF
        if frame.b >> 32:
            peer.bearer.indicate(handle, frame.payload)
        else:
            peer.bearer.notify(handle, frame.payload)
        return b""

    def changed(self, frame: Frame) -> bytes | int:
        """``gatts_write`` with an update for subscribers."""
        row = self._table.configuration.get(frame.b)
        for peer in list(self._radio.live.peers.values()):
            wanted = peer.bearer.configured.get(row, 0) if row is not None else 0
            if wanted & 1:
                peer.bearer.notify(frame.b, frame.payload)
            elif wanted & 2:
                peer.bearer.indicate(frame.b, frame.payload)
        return b""


class Asks:
    """A board's procedures as a client."""

    def __init__(self, radio: BoardRadio) -> None:
        self._radio = radio
        self._discovering = False

    def new_bearer(self, bearer: Bearer) -> None:
        """Hear what a new connection's server sends."""

        def notified(handle: int, value: bytes, indicated: bool) -> None:
            self._radio.tell(19 if indicated else 18, bearer.tag | handle << 16, value)

        bearer.notified = notified

    def discover_services(self, frame: Frame) -> bytes | int:
        """``gattc_discover_services``."""
        peer = self._radio.peer(frame.b)
        if peer is None:
            return ENOTCONN

        def found(service: gatt_client.Service) -> None:
            self._radio.tell(9, frame.b | service.start << 16 | service.end << 32, service.uuid)

        def done(error: int) -> None:
            self._radio.tell(10, frame.b | status(error) << 16)

        if frame.payload:
            gatt_client.services_by_uuid(peer.bearer, frame.payload, found, done)
        else:
            gatt_client.services(peer.bearer, found, done)
        return b""

    def discover_characteristics(self, frame: Frame) -> bytes | int:
        """``gattc_discover_characteristics``."""
        conn, start, end = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF, frame.b >> 32 & 0xFFFF
        peer = self._radio.peer(conn)
        if peer is None:
            return ENOTCONN
        if self._discovering:
            return EBUSY
        self._discovering = True
        pending: list[gatt_client.Characteristic] = []

        def flush(last: int) -> None:
            # Where one ends only the next one tells.
            for item in pending:
                b = conn | last << 16 | item.value_handle << 32 | item.properties << 48
                self._radio.tell(11, b, item.uuid)
            pending.clear()

        def found(item: gatt_client.Characteristic) -> None:
            flush(item.handle - 1)
            if not frame.payload or frame.payload == item.uuid:
                pending.append(item)

        def done(error: int) -> None:
            flush(end)
            self._discovering = False
            self._radio.tell(12, conn | status(error) << 16)

        gatt_client.characteristics(peer.bearer, start, end, found, done)
        return b""

    def discover_descriptors(self, frame: Frame) -> bytes | int:
        """``gattc_discover_descriptors``."""
        conn, start, end = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF, frame.b >> 32 & 0xFFFF
        peer = self._radio.peer(conn)
        if peer is None:
            return ENOTCONN
        gatt_client.descriptors(
            peer.bearer,
            start + 1,
            end,
            lambda handle, uuid: self._radio.tell(13, conn | handle << 16, uuid),
            lambda error: self._radio.tell(14, conn | status(error) << 16),
        )
        return b""

    def read(self, frame: Frame) -> bytes | int:
        """``gattc_read``."""
        conn, handle = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF
        peer = self._radio.peer(conn)
        if peer is None:
            return ENOTCONN

        def got(error: int, value: bytes) -> None:
            if not error:
                self._radio.tell(15, conn | handle << 16, value)
            self._radio.tell(16, conn | handle << 16 | status(error) << 32)

        gatt_client.read(peer.bearer, handle, got)
        return b""

    def write(self, frame: Frame) -> bytes | int:
        """``gattc_write``."""
        conn, handle, mode = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF, frame.b >> 32
        peer = self._radio.peer(conn)
        if peer is None:
            return ENOTCONN
        if mode not in (0, 1):
            return EINVAL
        if self._radio.live.pending() >= _MOST_PENDING:
            return ENOMEM
        if mode:
            gatt_client.write(
                peer.bearer,
                handle,
                frame.payload,
                lambda error: self._radio.tell(17, conn | handle << 16 | status(error) << 32),
            )
        else:
            peer.bearer.command(handle, frame.payload)
        return b""

    def exchange_mtu(self, frame: Frame) -> bytes | int:
        """``gattc_exchange_mtu``."""
        peer = self._radio.peer(frame.b)
        if peer is None:
            return ENOTCONN
        peer.bearer.exchange_mtu(lambda _: None)
        return b""
