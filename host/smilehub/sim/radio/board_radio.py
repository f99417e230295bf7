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

from smilehub.sim.control import MAX_EVENT, Event, Frame, Kind
from smilehub.sim.radio.att import Bearer
from smilehub.sim.radio.board_gap import Gap
from smilehub.sim.radio.board_gatt import Asks, Served
from smilehub.sim.radio.errno import EINVAL, ENODEV, ENOTCONN, EOPNOTSUPP
from smilehub.sim.radio.gatt_server import Got
from smilehub.sim.radio.secrets import Secrets
from smilehub.sim.radio.security import Security
from smilehub.sim.radio.station import Peer, Station

if TYPE_CHECKING:
    from smilehub.sim.radio.air import Air

#: Bytes of events that may be on their way to the guest; the rest waits here, and then in the air.
_UNDERWAY = 12_000
_BACKLOG = 40

#: What precedes an event's bytes in the guest's ring: number and length, numbers.
_HEAD = struct.Struct("<qq")
_READY = 100
_ACTIVE = 1
_CONFIGURE = 2
_CONFIG = 3
_WHILE_OFF = (_ACTIVE, _CONFIGURE, _CONFIG)


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
        #: Byte order as written: an address of Espressif's, of the board's seed.
        self.address = bytes([0x24, 0x0A, 0xC4]) + random.Random(f"ble {board.seed}").randbytes(3)
        self.station: Station | None = None
        self._board = board
        self._starting: asyncio.Task[None] | None = None
        self._underway = 0
        self._flushing = False
        self._reset()
        self._forget_settings()
        board.on(Kind.BLE, self._asked)
        board.on(Kind.BLE_ANSWER, self._answered)
        board.on_stop.append(self._stopped)

    def _reset(self) -> None:
        self._ready = False
        self._mtu = 256
        self._token = 0
        self._waiting: dict[int, Callable[[int, bytes], None]] = {}
        self._backlog: deque[bytes] = deque()
        #: The stack's handles of connections by the guest's.
        self._handles: dict[int, int] = {}
        gap, served, asks = self._gap, self._served, self._asks = Gap(self), Served(self), Asks(self)
        self._calls: dict[int, Callable[[Frame], bytes | int]] = {
            _ACTIVE: self._active,
            _CONFIGURE: self._configure,
            _CONFIG: self._config,
            4: gap.advertise,
            6: served.register,
            7: gap.scan,
            9: gap.connect,
            11: gap.disconnect,
            12: served.notify,
            14: served.changed,
            15: self._pair,
            16: self._answer_passkey,
            17: asks.discover_services,
            18: asks.discover_characteristics,
            19: asks.discover_descriptors,
            20: asks.read,
            21: asks.write,
            22: asks.exchange_mtu,
        }

    def _forget_settings(self) -> None:
        #: What the generic access service says.
        self.device_name = b"MPY ESP32"
        self._security = Security()

    # ---- power ----

    def _stopped(self, soft: bool) -> None:
        """The guest ended: by a soft reset, or at once."""
        self._off(graceful=soft)
        self._underway = 0
        self._reset()
        self._forget_settings()

    def _off(self, *, graceful: bool) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        self._gap.end()
        station, self.station = self.station, None
        self._ready = False
        if station is not None:
            if graceful:
                station.shut()
            else:
                station.vanish()

    def _active(self, frame: Frame) -> bytes:
        self._off(graceful=True)
        # The name and what was configured of pairing outlive a switching off (statics of NimBLE).
        self._reset()
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
        calls.failed = self._gap.failed
        calls.heard = self._gap.heard
        calls.updated = self._gap.updated
        calls.encrypted = self._encrypted
        station.new_bearer = self._new_bearer
        self._security.attach(station, self._passkey, Secrets(self._get_secret, self._put_secret))
        self._ready = True
        self.tell(_READY, 0)

    # ---- for its parts ----

    @property
    def live(self) -> Station:
        """The station, which is there while calls are taken."""
        assert self.station is not None
        return self.station

    @property
    def behind(self) -> bool:
        """Whether the guest has much to catch up with: what may be missed is not told."""
        return len(self._backlog) > _BACKLOG

    def peer(self, handle: int) -> Peer | None:
        """The connection that the guest calls so."""
        return self.live.peers.get(self._handles.get(handle, -1))

    def expect(self, call: Callable[[int, bytes], None]) -> int:
        """A token with which the guest answers an event."""
        self._token = self._token % 0xFFFFFF + 1
        self._waiting[self._token] = call
        return self._token

    def tell(self, event: int, b: int, payload: bytes = b"") -> None:
        """Raise an event in the guest. All of one turn of the loop come together, so that its program does
        not run between those that belong together."""
        self._backlog.append(_HEAD.pack(event | len(payload) << 8, b) + payload)
        if self.behind and self.station is not None:
            self.station.controller.full = True
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        backlog = self._backlog
        out = bytearray()
        while backlog and self._underway + len(backlog[0]) <= _UNDERWAY:
            if len(out) + len(backlog[0]) > MAX_EVENT:
                self._board.event(Event.BLE, 0, 0, bytes(out))
                out.clear()
            self._underway += len(backlog[0])
            out += backlog.popleft()
        if out:
            self._board.event(Event.BLE, 0, 0, bytes(out))
        station = self.station
        if not backlog and station is not None and station.controller.full:
            station.controller.room()

    # ---- messages ----

    def _answered(self, frame: Frame) -> None:
        token = frame.b & 0xFFFFFFFF
        if frame.a == 0:
            self._underway = max(0, self._underway - token)
            self._flush()
            return
        done = self._waiting.pop(token, None)
        if done is not None:
            done(frame.b >> 32 & 0xFF, frame.payload)

    def _asked(self, frame: Frame) -> bytes | int:
        call = self._calls.get(frame.a)
        if call is None:
            return EOPNOTSUPP
        if not self._ready and frame.a not in _WHILE_OFF:
            return ENODEV
        return call(frame)

    def _new_bearer(self, bearer: Bearer) -> None:
        bearer.tag = next(n for n in range(0xFFFF) if n not in self._handles)
        self._served.new_bearer(bearer)
        self._asks.new_bearer(bearer)

    def _connected(self, peer: Peer) -> None:
        self._handles[peer.bearer.tag] = peer.handle
        self._gap.connected(peer)

    def _disconnected(self, peer: Peer) -> None:
        self._handles.pop(peer.bearer.tag, None)
        self._gap.disconnected(peer)

    # ---- configuration ----

    def _config(self, frame: Frame) -> bytes | int:
        key = frame.payload.decode()
        if key == "gap_name":
            return self.device_name
        if not self._ready:
            return ENODEV
        if key == "mac":
            return b"\0" + self.address
        if key == "mtu":
            return struct.pack("<H", self._mtu)
        return EINVAL

    def _configure(self, frame: Frame) -> bytes | int:
        settings = json.loads(frame.payload)
        station = self.station
        for key, value in settings.items():
            if key == "gap_name":
                name = bytes(value, "latin-1")
                if len(name) > 31:
                    return EINVAL
                self.device_name = name
            elif key in ("mtu", "addr_mode") and not self._ready:
                return ENODEV
            elif key == "mtu":
                if not 23 <= value <= 517:
                    return EINVAL
                self._mtu = value
                if station is not None:
                    station.mtu = value
                    for peer in station.peers.values():
                        peer.bearer.preferred_mtu = value
            elif key == "addr_mode":
                # Of four modes this port's firmware uses the public address only.
                if value != 0:
                    return EOPNOTSUPP
            else:
                self._security.configure(key, value)
        return b""

    # ---- pairing ----

    def _pair(self, frame: Frame) -> bytes | int:
        peer = self.peer(frame.b)
        if peer is None:
            return ENOTCONN
        self._security.pair(peer)
        return b""

    def _answer_passkey(self, frame: Frame) -> bytes | int:
        known = self._security.answer(frame.b >> 16 & 0xFF, frame.b >> 32)
        return b"" if known else EINVAL

    def _passkey(self, peer: Peer, action: int, number: int) -> None:
        self.tell(31, peer.bearer.tag | action << 16 | number << 32)

    def _get_secret(self, kind: int, key: bytes, got: Got) -> None:
        self.tell(29, kind | self.expect(got) << 32, key)

    def _put_secret(self, kind: int, key: bytes, value: bytes | None) -> None:
        size = 0xFFFF if value is None else len(value)
        self.tell(30, kind | len(key) << 16 | size << 32, key + (value or b""))

    def _encrypted(self, peer: Peer) -> None:
        self._security.encrypted(
            peer,
            lambda flags: self.tell(28, peer.bearer.tag | flags << 16),
        )
