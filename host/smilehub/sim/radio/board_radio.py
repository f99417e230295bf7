"""A board's radio: what its ``bluetooth`` module asks for, done with a station, and what happens told back.

Errors, states and limits are NimBLE's, as MicroPython's ESP32 port has it. The values of attributes live in
the guest (``shims/bluetooth.py``), so that it sees every write in its turn.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from bumble.hci import Address, AddressType

from smilehub.sim.control import Event, Frame, Kind
from smilehub.sim.radio import air as air_module
from smilehub.sim.radio import att, gatt_client
from smilehub.sim.radio.att import Bearer
from smilehub.sim.radio.gatt_server import INDICATE, READ, Definition, Got, Table
from smilehub.sim.radio.secrets import Secrets
from smilehub.sim.radio.security import Security
from smilehub.sim.radio.station import Peer, Report, Station

if TYPE_CHECKING:
    from smilehub.sim.radio.air import Air

_ENOMEM = 12
_EBUSY = 16
_ENODEV = 19
_EINVAL = 22
_EIO = 5
_EALREADY = 114
_ENOTCONN = 107
_EOPNOTSUPP = 95

#: NimBLE's numbers: a base for errors of the attribute protocol, and its own.
_ATT_BASE = 0x100
_NIMBLE = {att.DISCONNECTED: 7, att.TIMED_OUT: 13}

_MOST_CONNECTIONS = 4
#: Buffers for what waits to be sent; beyond, calls raise ENOMEM (esp-idf's MSYS pools).
_MOST_PENDING = 24
#: What NimBLE takes when it is not told (BLE_GAP_INITIAL_CONN_ITVL_*, BLE_GAP_INITIAL_SUPERVISION_TIMEOUT).
_INTERVAL_US = (30_000, 50_000)
_SUPERVISION_US = 2_560_000
_CONNECT_SCAN_US = (10_000, 10_000)
#: Bytes of events that may be on their way to the guest; the rest waits here, and then in the air.
_UNDERWAY = 12_000
_BACKLOG = 40

_GAP = bytes.fromhex("0018")
_NAME = bytes.fromhex("002a")
_APPEARANCE = bytes.fromhex("012a")
_GATT = bytes.fromhex("0118")
_CHANGED = bytes.fromhex("052a")

READY = 100


class Board(Protocol):
    """What this needs of its board."""

    def on(self, kind: Kind, handler: Callable[[Frame], bytes | int | None]) -> None: ...
    def event(self, kind: Event, a: int, b: int = 0, payload: bytes = b"") -> None: ...
    @property
    def seed(self) -> int: ...
    @property
    def on_stop(self) -> list[Callable[[bool], None]]: ...


class BoardRadio:
    """The radio of one board, through all its resets."""

    def __init__(self, air: Air, board: Board, name: str) -> None:
        self.air = air
        self.name = name
        #: Byte order as written: the ESP32's base address plus two (ESP-IDF), here of the board's seed.
        self.address = bytes([0x24, 0x0A, 0xC4]) + random.Random(f"ble {board.seed}").randbytes(3)
        self.station: Station | None = None
        self._board = board
        self._ready = False
        self._table = Table(self)
        self._starting: asyncio.Task[None] | None = None
        self._reset()
        board.on(Kind.BLE, self._asked)
        board.on(Kind.BLE_ANSWER, self._answered)
        board.on_stop.append(self._stopped)

    def _reset(self) -> None:
        self._ready = False
        self._name = b"MPY ESP32"
        self._mtu = 256
        self._advert = b""
        self._response = b""
        self._scan_timer: asyncio.TimerHandle | None = None
        self._connect_timer: asyncio.TimerHandle | None = None
        self._scanning = False
        self._connecting = False
        self._discovering = False
        self._security = Security()
        self._token = 0
        self._waiting: dict[int, Callable[[int, bytes], None]] = {}
        self._backlog: deque[tuple[int, int, bytes]] = deque()
        self._underway = 0
        self._handles: dict[int, int] = {}
        self._define([])

    # ---- power ----

    def _stopped(self, soft: bool) -> None:
        """The guest ended: by a soft reset, or at once."""
        self._off(graceful=soft)
        self._reset()

    def _off(self, *, graceful: bool) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        for timer in (self._scan_timer, self._connect_timer):
            if timer is not None:
                timer.cancel()
        station, self.station = self.station, None
        self._ready = False
        if station is not None:
            if graceful:
                station.shut()
            else:
                station.vanish()

    def _active(self, frame: Frame) -> bytes:
        if frame.b < 0:
            return bytes([self._ready])
        keep = (self._name, self._mtu, self._security)
        self._off(graceful=True)
        self._backlog.clear()
        underway = self._underway
        self._reset()
        self._underway = underway
        # The name and what was configured outlive a switching off (statics of NimBLE).
        self._name, _, self._security = keep
        if frame.b:
            station = self.station = Station(self.air, self.name, self.address, mtu=self._mtu)
            self._starting = asyncio.get_running_loop().create_task(self._start(station))
        return b""

    async def _start(self, station: Station) -> None:
        await station.start()
        self._starting = None
        calls = station.calls
        calls.connected = self._connected
        calls.disconnected = self._disconnected
        calls.failed = self._failed
        calls.heard = self._heard
        calls.updated = self._updated
        calls.encrypted = self._encrypted
        station.new_bearer = self._new_bearer
        self._security.attach(station, self._passkey, Secrets(self._get_secret, self._put_secret))
        self._ready = True
        self._tell(READY, 0)

    # ---- to the guest ----

    def _tell(self, event: int, b: int, payload: bytes = b"") -> None:
        size = 16 + len(payload)
        if self._backlog or self._underway + size > _UNDERWAY:
            self._backlog.append((event, b, payload))
            if len(self._backlog) > _BACKLOG and self.station is not None:
                self.station.controller.full = True
            return
        self._underway += size
        self._board.event(Event.BLE, event, b, payload)

    def _answered(self, frame: Frame) -> None:
        token = frame.b & 0xFFFFFFFF
        if frame.a == 0:
            self._underway = max(0, self._underway - token)
            while self._backlog and self._underway + 16 + len(self._backlog[0][2]) <= _UNDERWAY:
                event, b, payload = self._backlog.popleft()
                self._underway += 16 + len(payload)
                self._board.event(Event.BLE, event, b, payload)
            if not self._backlog and self.station is not None and self.station.controller.full:
                self.station.controller.room()
            return
        done = self._waiting.pop(token, None)
        if done is not None:
            done(frame.b >> 32 & 0xFF, frame.payload)

    def _asked(self, frame: Frame) -> bytes | int:
        call = _CALLS.get(frame.a)
        if call is None:
            return _EOPNOTSUPP
        if not self._ready and frame.a not in _WHILE_OFF:
            return _ENODEV
        return call(self, frame)

    # ---- configuration ----

    def _config(self, frame: Frame) -> bytes | int:
        key = frame.payload.decode()
        if key == "gap_name":
            return self._name
        if not self._ready:
            return _ENODEV
        if key == "mac":
            return b"\0" + self.address
        if key == "mtu":
            return struct.pack("<H", self._mtu)
        return _EINVAL

    def _configure(self, frame: Frame) -> bytes | int:
        settings = json.loads(frame.payload)
        station = self.station
        for key, value in settings.items():
            if key == "gap_name":
                name = bytes(value, "latin-1")
                if len(name) > 31:
                    return _EINVAL
                self._name = name
            elif key in ("mtu", "addr_mode") and not self._ready:
                return _ENODEV
            elif key == "mtu":
                if not 23 <= value <= 517:
                    return _EINVAL
                self._mtu = value
                if station is not None:
                    station.mtu = value
                    for peer in station.peers.values():
                        peer.bearer.preferred_mtu = value
            elif key == "addr_mode":
                # Of four modes this port's firmware uses the public address only.
                if value != 0:
                    return _EOPNOTSUPP
            else:
                self._security.configure(key, value)
        return b""

    # ---- advertising, scanning, connecting ----

    def _advertise(self, frame: Frame) -> bytes | int:
        station = self._station
        if frame.b < 0:
            station.stop_advertising()
            return b""
        data = frame.payload
        sizes = data[0], data[1]
        at = 2
        pieces: list[bytes | None] = []
        for size in sizes:
            pieces.append(None if size == 255 else data[at : at + size])
            at += 0 if size == 255 else size
        if pieces[0] is not None:
            self._advert = pieces[0]
        if pieces[1] is not None:
            self._response = pieces[1]
        if len(self._advert) > 31 or len(self._response) > 31:
            return _EINVAL
        station.stop_advertising()
        connectable = bool(frame.b >> 40)
        if connectable and len(station.peers) >= _MOST_CONNECTIONS:
            return _ENOMEM
        interval_us = frame.b & 0xFFFFFFFFFF
        if not 20_000 <= interval_us <= 10_240_000:
            return _EINVAL
        kind = air_module.ADV_IND if connectable else air_module.ADV_SCAN_IND
        station.advertise(kind, interval_us, self._advert, self._response)
        return b""

    def _scan(self, frame: Frame) -> bytes | int:
        duration_ms, interval_us, window_us, active = struct.unpack("<iiiB", frame.payload)
        if duration_ms == -2:
            if self._scanning:
                self._stop_scan()
            return b""
        if self._scanning:
            return _EALREADY
        if self._connecting:
            return _EBUSY
        self._station.scan(interval_us, window_us, active=bool(active))
        self._scanning = True
        if duration_ms:
            at = self.air.kernel.now_us() + duration_ms * 1000
            self._scan_timer = self.air.kernel.call_at_us(at, self._stop_scan)
        return b""

    def _stop_scan(self) -> None:
        if self._scan_timer is not None:
            self._scan_timer.cancel()
            self._scan_timer = None
        self._scanning = False
        self._station.stop_scanning()
        self._tell(6, 0)

    def _heard(self, report: Report) -> None:
        address = bytes(report.address)[::-1]
        b = int(report.address_type) | int(report.event_type) << 8 | (report.rssi & 0xFF) << 16
        if len(self._backlog) <= _BACKLOG:
            self._tell(5, b, address + bytes(report.data))

    def _connect(self, frame: Frame) -> bytes | int:
        kind, raw, duration_ms, low_us, high_us = struct.unpack("<B6siii", frame.payload)
        if duration_ms == -2:
            if not self._connecting:
                return _EALREADY
            self._station.cancel()
            return b""
        if self._scanning:
            self._stop_scan()
        if self._connecting:
            return _EALREADY
        if len(self._station.peers) >= _MOST_CONNECTIONS:
            return _ENOMEM
        low, high = low_us or _INTERVAL_US[0], high_us or _INTERVAL_US[1]
        if low > high or low < 7500:
            return _EINVAL
        address = Address(raw[::-1], AddressType(kind & 1))
        self._station.connect(
            address, interval_us=(low, high), timeout_us=_SUPERVISION_US, scan_us=_CONNECT_SCAN_US
        )
        self._connecting = True
        at = self.air.kernel.now_us() + duration_ms * 1000
        self._connect_timer = self.air.kernel.call_at_us(at, self._station.cancel)
        return b""

    def _disconnect(self, frame: Frame) -> bytes | int:
        peer = self._peer(frame.b)
        if peer is None:
            return _ENOTCONN
        self._station.disconnect(peer.handle)
        return b""

    def _connected(self, peer: Peer) -> None:
        handle = next(n for n in range(0xFFFF) if n not in self._handles)
        self._handles[handle] = peer.handle
        if peer.central:
            self._stop_connecting()
        self._tell(7 if peer.central else 1, handle | peer.address.address_type << 16, _bytes(peer.address))

    def _disconnected(self, peer: Peer) -> None:
        handle = self._guest_handle(peer)
        self._handles.pop(handle, None)
        self._tell(8 if peer.central else 2, handle | peer.address.address_type << 16, _bytes(peer.address))

    def _failed(self, error: int) -> None:
        self._stop_connecting()
        self._tell(8, 0xFFFF | 0xFF << 16, bytes(6))

    def _stop_connecting(self) -> None:
        self._connecting = False
        if self._connect_timer is not None:
            self._connect_timer.cancel()
            self._connect_timer = None

    def _updated(self, peer: Peer, interval: int, latency: int, timeout: int) -> None:
        shape = struct.pack("<HHHHH", self._guest_handle(peer), interval, latency, timeout, 0)
        self._tell(27, 0, shape)

    # ---- the server ----

    def _define(self, services: list[Definition]) -> list[list[int]]:
        self._table.clear()
        gap = (_GAP, [(_NAME, READ, ()), (_APPEARANCE, READ, ())])
        gatt = (_GATT, [(_CHANGED, INDICATE, ())])
        found = self._table.define([gap, gatt, *services])
        self._own = {found[0][0]: self._device_name, found[0][1]: lambda: b"\0\0"}
        return found[2:]

    def _device_name(self) -> bytes:
        return self._name

    def _register(self, frame: Frame) -> bytes | int:
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
        if self._station.controller.le_legacy_advertiser.enabled:
            return _EBUSY
        handles = [handle for group in self._define(services) for handle in group]
        return struct.pack(f"<{len(handles)}H", *handles)

    def _new_bearer(self, bearer: Bearer) -> None:
        bearer.server = self._table
        bearer.notified = lambda handle, value, indicated: self._notified(bearer, handle, value, indicated)
        bearer.mtu_changed = lambda mtu: self._tell(21, self._handle_of(bearer) | mtu << 16)

    def _handle_of(self, bearer: Bearer) -> int:
        for handle, inner in self._handles.items():
            peer = self._station.peers.get(inner)
            if peer is not None and peer.bearer is bearer:
                return handle
        return 0xFFFF

    def read(self, bearer: Bearer, handle: int, got: Got) -> None:
        """As ``gatt_server.Owner``: the guest answers."""
        own = self._own.get(handle)
        if own is not None:
            got(0, own())
            return
        self._tell(4, self._handle_of(bearer) | handle << 16 | self._expect(got) << 32)

    def written(self, bearer: Bearer, handle: int, value: bytes, done: Callable[[], None] | None) -> None:
        """As ``gatt_server.Owner``: the answer goes when the guest's handler has run, as in NimBLE."""
        token = 0 if done is None else self._expect(lambda _error, _value: done())
        self._tell(3, self._handle_of(bearer) | handle << 16 | token << 32, value)

    def confirmed(self, bearer: Bearer, handle: int, error: int) -> None:
        """As ``gatt_server.Owner``."""
        self._tell(20, self._handle_of(bearer) | handle << 16 | _status(error) << 32)

    def _expect(self, call: Callable[[int, bytes], None]) -> int:
        self._token = self._token % 0xFFFFFF + 1
        self._waiting[self._token] = call
        return self._token

    def _notify(self, frame: Frame) -> bytes | int:
        peer = self._peer(frame.b & 0xFFFF)
        if peer is None:
            return _ENOTCONN
        if self._station.pending() >= _MOST_PENDING:
            return _ENOMEM
        handle = frame.b >> 16 & 0xFFFF
        if frame.b >> 32:
            peer.bearer.indicate(handle, frame.payload)
        else:
            peer.bearer.notify(handle, frame.payload)
        return b""

    def _changed(self, frame: Frame) -> bytes | int:
        row = self._table.configuration.get(frame.b)
        for peer in list(self._station.peers.values()):
            wanted = peer.bearer.configured.get(row, 0) if row is not None else 0
            if wanted & 1:
                peer.bearer.notify(frame.b, frame.payload)
            elif wanted & 2:
                peer.bearer.indicate(frame.b, frame.payload)
        return b""

    # ---- the client ----

    def _notified(self, bearer: Bearer, handle: int, value: bytes, indicated: bool) -> None:
        self._tell(19 if indicated else 18, self._handle_of(bearer) | handle << 16, value)

    def _discover_services(self, frame: Frame) -> bytes | int:
        peer = self._peer(frame.b)
        if peer is None:
            return _ENOTCONN

        def found(service: gatt_client.Service) -> None:
            self._tell(9, frame.b | service.start << 16 | service.end << 32, service.uuid)

        def done(error: int) -> None:
            self._tell(10, frame.b | _status(error) << 16)

        if frame.payload:
            gatt_client.services_by_uuid(peer.bearer, frame.payload, found, done)
        else:
            gatt_client.services(peer.bearer, found, done)
        return b""

    def _discover_characteristics(self, frame: Frame) -> bytes | int:
        conn, start, end = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF, frame.b >> 32 & 0xFFFF
        peer = self._peer(conn)
        if peer is None:
            return _ENOTCONN
        if self._discovering:
            return _EBUSY
        self._discovering = True
        pending: list[gatt_client.Characteristic] = []

        def flush(last: int) -> None:
            # Where one ends only the next one tells.
            for item in pending:
                b = conn | last << 16 | item.value_handle << 32 | item.properties << 48
                self._tell(11, b, item.uuid)
            pending.clear()

        def found(item: gatt_client.Characteristic) -> None:
            flush(item.handle - 1)
            if not frame.payload or frame.payload == item.uuid:
                pending.append(item)

        def done(error: int) -> None:
            flush(end)
            self._discovering = False
            self._tell(12, conn | _status(error) << 16)

        gatt_client.characteristics(peer.bearer, start, end, found, done)
        return b""

    def _discover_descriptors(self, frame: Frame) -> bytes | int:
        conn, start, end = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF, frame.b >> 32 & 0xFFFF
        peer = self._peer(conn)
        if peer is None:
            return _ENOTCONN
        gatt_client.descriptors(
            peer.bearer,
            start + 1,
            end,
            lambda handle, uuid: self._tell(13, conn | handle << 16, uuid),
            lambda error: self._tell(14, conn | _status(error) << 16),
        )
        return b""

    def _read(self, frame: Frame) -> bytes | int:
        conn, handle = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF
        peer = self._peer(conn)
        if peer is None:
            return _ENOTCONN

        def got(error: int, value: bytes) -> None:
            if not error:
                self._tell(15, conn | handle << 16, value)
            self._tell(16, conn | handle << 16 | _status(error) << 32)

        gatt_client.read(peer.bearer, handle, got)
        return b""

    def _write(self, frame: Frame) -> bytes | int:
        conn, handle, mode = frame.b & 0xFFFF, frame.b >> 16 & 0xFFFF, frame.b >> 32
        peer = self._peer(conn)
        if peer is None:
            return _ENOTCONN
        if mode not in (0, 1):
            return _EINVAL
        if self._station.pending() >= _MOST_PENDING:
            return _ENOMEM
        if mode:
            gatt_client.write(
                peer.bearer,
                handle,
                frame.payload,
                lambda error: self._tell(17, conn | handle << 16 | _status(error) << 32),
            )
        else:
            peer.bearer.command(handle, frame.payload)
        return b""

    def _exchange_mtu(self, frame: Frame) -> bytes | int:
        peer = self._peer(frame.b)
        if peer is None:
            return _ENOTCONN
        peer.bearer.exchange_mtu(lambda _: None)
        return b""

    # ---- pairing ----

    def _pair(self, frame: Frame) -> bytes | int:
        peer = self._peer(frame.b)
        if peer is None:
            return _ENOTCONN
        self._security.pair(peer)
        return b""

    def _answer_passkey(self, frame: Frame) -> bytes | int:
        known = self._security.answer(frame.b >> 16 & 0xFF, frame.b >> 32)
        return b"" if known else _EINVAL

    def _passkey(self, peer: Peer, action: int, number: int) -> None:
        self._tell(31, self._guest_handle(peer) | action << 16 | number << 32)

    def _get_secret(self, kind: int, key: bytes, got: Got) -> None:
        self._tell(29, kind | self._expect(got) << 32, key)

    def _put_secret(self, kind: int, key: bytes, value: bytes | None) -> None:
        size = 0xFFFF if value is None else len(value)
        self._tell(30, kind | len(key) << 16 | size << 32, key + (value or b""))

    def _encrypted(self, peer: Peer) -> None:
        self._security.encrypted(
            peer,
            lambda flags: self._tell(28, self._guest_handle(peer) | flags << 16),
        )

    # ---- helpers ----

    @property
    def _station(self) -> Station:
        assert self.station is not None
        return self.station

    def _peer(self, handle: int) -> Peer | None:
        return self._station.peers.get(self._handles.get(handle, -1))

    def _guest_handle(self, peer: Peer) -> int:
        return next((outer for outer, inner in self._handles.items() if inner == peer.handle), 0xFFFF)


def _status(error: int) -> int:
    return 0 if not error else _NIMBLE.get(error, _ATT_BASE + error)


def _bytes(address: Address) -> bytes:
    return bytes(address)[::-1]


_ACTIVE = 1
_CONFIGURE = 2
_CONFIG = 3
_WHILE_OFF = (_ACTIVE, _CONFIGURE, _CONFIG)
_B = BoardRadio
_CALLS: dict[int, Callable[[BoardRadio, Frame], bytes | int]] = {
    _ACTIVE: _B._active,  # pyright: ignore[reportPrivateUsage]
    _CONFIGURE: _B._configure,  # pyright: ignore[reportPrivateUsage]
    _CONFIG: _B._config,  # pyright: ignore[reportPrivateUsage]
    4: _B._advertise,  # pyright: ignore[reportPrivateUsage]
    6: _B._register,  # pyright: ignore[reportPrivateUsage]
    7: _B._scan,  # pyright: ignore[reportPrivateUsage]
    9: _B._connect,  # pyright: ignore[reportPrivateUsage]
    11: _B._disconnect,  # pyright: ignore[reportPrivateUsage]
    12: _B._notify,  # pyright: ignore[reportPrivateUsage]
    14: _B._changed,  # pyright: ignore[reportPrivateUsage]
    15: _B._pair,  # pyright: ignore[reportPrivateUsage]
    16: _B._answer_passkey,  # pyright: ignore[reportPrivateUsage]
    17: _B._discover_services,  # pyright: ignore[reportPrivateUsage]
    18: _B._discover_characteristics,  # pyright: ignore[reportPrivateUsage]
    19: _B._discover_descriptors,  # pyright: ignore[reportPrivateUsage]
    20: _B._read,  # pyright: ignore[reportPrivateUsage]
    21: _B._write,  # pyright: ignore[reportPrivateUsage]
    22: _B._exchange_mtu,  # pyright: ignore[reportPrivateUsage]
}
