"""What a board's ``bluetooth`` module asks of the air: advertising, scanning, connecting."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

from bumble.hci import Address, AddressType

from smilehub.sim.control import Frame
from smilehub.sim.radio import air
from smilehub.sim.radio.errno import EALREADY, EBUSY, EINVAL, ENOMEM, ENOTCONN
from smilehub.sim.radio.station import Peer, Report

if TYPE_CHECKING:
    from smilehub.sim.radio.board_radio import BoardRadio

_MOST_CONNECTIONS = 4
#: What NimBLE takes when it is not told (BLE_GAP_INITIAL_CONN_ITVL_*, BLE_GAP_INITIAL_SUPERVISION_TIMEOUT).
_INTERVAL_US = (30_000, 50_000)
_SUPERVISION_US = 2_560_000
_CONNECT_SCAN_US = (10_000, 10_000)


class Gap:
    """One board's, from one activation to the next."""

    def __init__(self, radio: BoardRadio) -> None:
        self._radio = radio
        self._advert = b""
        self._response = b""
        self._scan_timer: asyncio.TimerHandle | None = None
        self._connect_timer: asyncio.TimerHandle | None = None
        self._scanning = False
        self._connecting = False

    def end(self) -> None:
        """The radio goes off."""
        for timer in (self._scan_timer, self._connect_timer):
            if timer is not None:
                timer.cancel()

    def advertise(self, frame: Frame) -> bytes | int:
        """``gap_advertise``."""
        station = self._radio.live
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
            return EINVAL
        station.stop_advertising()
        connectable = bool(frame.b >> 40)
        if connectable and len(station.peers) >= _MOST_CONNECTIONS:
            return ENOMEM
        interval_us = frame.b & 0xFFFFFFFFFF
        if not 20_000 <= interval_us <= 10_240_000:
            return EINVAL
        kind = air.ADV_IND if connectable else air.ADV_SCAN_IND
        station.advertise(kind, interval_us, self._advert, self._response)
        return b""

    def scan(self, frame: Frame) -> bytes | int:
        """``gap_scan``."""
        duration_ms, interval_us, window_us, active = struct.unpack("<iiiB", frame.payload)
        if duration_ms == -2:
            if self._scanning:
                self._stop_scan()
            return b""
        if self._scanning:
            return EALREADY
        if self._connecting:
            return EBUSY
        self._radio.live.scan(interval_us, window_us, active=bool(active))
        self._scanning = True
        if duration_ms:
            at = self._radio.air.kernel.now_us() + duration_ms * 1000
            self._scan_timer = self._radio.air.kernel.call_at_us(at, self._stop_scan)
        return b""

    def _stop_scan(self) -> None:
        if self._scan_timer is not None:
            self._scan_timer.cancel()
            self._scan_timer = None
        self._scanning = False
        self._radio.live.stop_scanning()
        self._radio.tell(6, 0)

    def heard(self, report: Report) -> None:
        """As ``station.Calls``."""
        address = bytes(report.address)[::-1]
        b = int(report.address_type) | int(report.event_type) << 8 | (report.rssi & 0xFF) << 16
        if not self._radio.behind:
            self._radio.tell(5, b, address + bytes(report.data))

    def connect(self, frame: Frame) -> bytes | int:
        """``gap_connect``."""
        kind, raw, duration_ms, low_us, high_us = struct.unpack("<B6siii", frame.payload)
        if duration_ms == -2:
            if not self._connecting:
                return EALREADY
            self._radio.live.cancel()
            return b""
        if self._scanning:
            self._stop_scan()
        if self._connecting:
            return EALREADY
        if len(self._radio.live.peers) >= _MOST_CONNECTIONS:
            return ENOMEM
        low, high = low_us or _INTERVAL_US[0], high_us or _INTERVAL_US[1]
        if low > high or low < 7500:
            return EINVAL
        address = Address(raw[::-1], AddressType(kind & 1))
        self._radio.live.connect(
            address, interval_us=(low, high), timeout_us=_SUPERVISION_US, scan_us=_CONNECT_SCAN_US
        )
        self._connecting = True
        at = self._radio.air.kernel.now_us() + duration_ms * 1000
        self._connect_timer = self._radio.air.kernel.call_at_us(at, self._radio.live.cancel)
        return b""

    def disconnect(self, frame: Frame) -> bytes | int:
        """``gap_disconnect``."""
        peer = self._radio.peer(frame.b)
        if peer is None:
            return ENOTCONN
        self._radio.live.disconnect(peer.handle)
        return b""

    def connected(self, peer: Peer) -> None:
        """As ``station.Calls``."""
        if peer.central:
            self._stop_connecting()
        self._radio.tell(7 if peer.central else 1, _numbers(peer), _bytes(peer.address))

    def disconnected(self, peer: Peer) -> None:
        """As ``station.Calls``."""
        self._radio.tell(8 if peer.central else 2, _numbers(peer), _bytes(peer.address))

    def failed(self, error: int) -> None:
        """As ``station.Calls``."""
        self._stop_connecting()
        self._radio.tell(8, 0xFFFF | 0xFF << 16, bytes(6))

    def _stop_connecting(self) -> None:
        self._connecting = False
        if self._connect_timer is not None:
            self._connect_timer.cancel()
            self._connect_timer = None

    def updated(self, peer: Peer, interval: int, latency: int, timeout: int) -> None:
        """As ``station.Calls``."""
        shape = struct.pack("<HHHHH", peer.bearer.tag, interval, latency, timeout, 0)
        self._radio.tell(27, 0, shape)


def _numbers(peer: Peer) -> int:
    return peer.bearer.tag | peer.address.address_type << 16


def _bytes(address: Address) -> bytes:
    return bytes(address)[::-1]
