"""The air: a reliable transport over one GATT service of a kiosk (docs/link.md, Air)."""

import asyncio
import contextlib
import hmac
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from smilehub.errors import (
    AirElsewhere,
    AirInProgress,
    AirNotFound,
    AirStale,
    LinkClosed,
    LinkError,
    SmilehubError,
)
from smilehub.link import bye
from smilehub.link.air_errors import explain
from smilehub.link.versions import VERSIONS, mismatch

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

_T = TypeVar("_T")

SERVICE = "5b1e0001-7d2c-4a5e-9f3a-5d1e54f1e1b0"
_TO_KIOSK = "5b1e0002-7d2c-4a5e-9f3a-5d1e54f1e1b0"
_TO_LAPTOP = "5b1e0003-7d2c-4a5e-9f3a-5d1e54f1e1b0"
_COMPANY = 0xFFFF  # of nobody: behind it stands the device id
_NAME = "SH-"  # and behind this the id's last three bytes in hex

_DATA, _PADDED, _WAIT, _BYE = 0x20, 0x21, 0x25, 0x26
_CHALLENGE, _PROOF, _CREDIT = 0x30, 0x31, 0x32
_HEAD = 2
_LONGEST = 244  # bytes of a value: what fits one packet of the air
_SHORTEST = 20  # what a laptop says that it may write before the two have agreed on more
_GRANT = 16384  # bytes that we take before we grant as many again

_TRIES = 4
_PAUSE_S = 1.0
_FIND_S = 10.0
_CONNECT_S = 15.0
_STEP_S = 5.0  # for any one step after that
_AGREE_S = 1.0
_LAST_WORDS_S = 1.0


class Backend(NamedTuple):
    """Other classes for bleak to work with than this system's: a virtual radio's, in tests and rehearsals."""

    scanner: "type[BaseBleakScanner] | None" = None
    client: "type[BaseBleakClient] | None" = None

    def scanning(self) -> dict[str, Any]:
        """What bleak's scanner is told."""
        return {} if self.scanner is None else {"backend": self.scanner}

    def connecting(self) -> dict[str, Any]:
        """What bleak's client is told."""
        return {} if self.client is None else {"backend": self.client}


@dataclass(frozen=True, slots=True)
class Heard:
    """A kiosk that advertises: ``tail`` is its id's last three bytes, ``device_id`` all six if sent."""

    tail: bytes
    device_id: bytes | None
    signal_dbm: int
    address: str


async def scan(seconds: float, backend: Backend | None = None) -> list[Heard]:
    """All kiosks heard in so many seconds, the loudest first. Raises AirOff, AirForbidden, AirInProgress."""
    from bleak import BleakScanner

    options = (backend or Backend()).scanning()
    try:
        async with asyncio.timeout(seconds + _STEP_S):
            found = await BleakScanner.discover(seconds, return_adv=True, **options)
    except Exception as error:
        raise explain(error, "") from error
    heard = [one for device, advert in found.values() if (one := _kiosk(device, advert)) is not None]
    return sorted(heard, key=lambda one: -one.signal_dbm)


def _kiosk(device: "BLEDevice", advert: "AdvertisementData") -> Heard | None:
    data = advert.manufacturer_data.get(_COMPANY)
    device_id = bytes(data) if data is not None and len(data) == 6 else None
    name = advert.local_name or ""
    tail = device_id[-3:] if device_id else b""
    if not tail and name.startswith(_NAME):
        with contextlib.suppress(ValueError):
            tail = bytes.fromhex(name.removeprefix(_NAME))
    if len(tail) != 3 or (SERVICE not in advert.service_uuids and not name.startswith(_NAME)):
        return None
    return Heard(tail, device_id, advert.rssi, device.address)


class AirTransport:
    """A reliable transport to the kiosk ``device_id``, which is asked to believe that we know ``hub_key``."""

    def __init__(self, device_id: bytes, hub_key: bytes, *, backend: Backend | None = None) -> None:
        self.device_id = device_id
        self.on_wait: Callable[[int], None] | None = None
        self._key = hub_key
        self._backend = backend or Backend()
        self._client: BleakClient | None = None
        self._value = _SHORTEST
        self._padding = False
        self._ended: SmilehubError | None = None
        self._gone = asyncio.Event()
        self._reset()

    @property
    def name(self) -> str:
        """What a person reads on the kiosk's advertisement."""
        return _NAME + self.device_id[-3:].hex()

    @property
    def mtu(self) -> int:
        """Bytes that one value carries."""
        return self._value - _HEAD

    def handshaking(self, lasts: bool) -> None:
        """While a handshake lasts, what its messages' lengths would tell is padded away."""
        self._padding = lasts

    async def open(self) -> None:
        """Find the kiosk, connect, and show that we belong to its hub.

        Tried a few times, each with a fresh search. Raises AirNotFound, AirElsewhere, AirInProgress,
        AirStale, AirOff, AirForbidden, LinkClosed, WrongAuthority, VersionMismatch.
        """
        for attempt in range(_TRIES):
            try:
                await self._connect()
                return
            except (AirElsewhere, AirInProgress, AirStale, LinkClosed):
                await self.close()
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE_S * 2**attempt)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """Say goodbye, and disconnect; harmless when not connected."""
        client, self._client = self._client, None
        if client is None:
            return
        open_still = self._ended is None
        self._end(LinkClosed(f"The connection with {self.name} was closed."))
        if open_still and client.is_connected:
            with contextlib.suppress(LinkError, TimeoutError):
                await self._race(
                    client.write_gatt_char(_TO_KIOSK, bytes((_BYE, bye.DONE)), False), _LAST_WORDS_S
                )
        with contextlib.suppress(LinkError):
            await self._bounded(client.disconnect(), _STEP_S)

    async def send(self, data: bytes) -> None:
        """Hand over all of ``data``, waiting for credit. Raises what ended the link."""
        view = memoryview(data)
        while view:
            while self._credit <= 0:
                self._raise_if_over()
                self._room.clear()
                await self._room.wait()
            self._raise_if_over()
            size = min(self._credit, self._value - _HEAD, len(view))
            await self._write(self._packet(bytes(view[:size]), last=size == len(view)))
            self._credit -= size
            view = view[size:]

    async def receive(self) -> bytes:
        """At least one byte. Raises what ended the link, after the last of them."""
        while not self._received:
            self._raise_if_over()
            self._readable.clear()
            await self._readable.wait()
        data = b"".join(self._received)
        self._received.clear()
        self._owed += len(data)
        if self._owed >= _GRANT // 2 and self._ended is None:
            await self._grant()
        return data

    # ------------------------------------------------------------------------------------------------

    def _reset(self) -> None:
        self._received: deque[bytes] = deque()
        self._readable = asyncio.Event()
        self._room = asyncio.Event()
        self._challenged = asyncio.Event()
        self._challenge = b""
        self._gone = asyncio.Event()
        self._ended = None
        self._seq_in = self._seq_out = 0
        self._credit = self._granted = 0
        self._owed = _GRANT

    async def _connect(self) -> None:
        from bleak import BleakClient, BleakScanner

        self._reset()
        device = await self._bounded(
            BleakScanner.find_device_by_filter(self._meant, _FIND_S, **self._backend.scanning()),
            _FIND_S + _STEP_S,
        )
        if device is None:
            raise AirNotFound(f"The kiosk {self.name} was not heard.")
        client = self._client = BleakClient(
            device, self._lost, timeout=_CONNECT_S, **self._backend.connecting()
        )
        await self._bounded(client.connect(), _CONNECT_S + _STEP_S)
        self._value = await self._agreed(client)
        await self._race(client.start_notify(_TO_LAPTOP, self._heard), _STEP_S)
        await self._race(self._challenged.wait(), _STEP_S)
        lowest, highest, nonce = self._challenge[1], self._challenge[2], self._challenge[3:19]
        version = min(highest, VERSIONS[1])
        if version < max(lowest, VERSIONS[0]):
            raise mismatch(self.name, (lowest, highest))
        proof = hmac.digest(self._key, b"air" + nonce + self.device_id, "sha256")[:16]
        await self._write(bytes((_PROOF, version)) + proof)
        await self._grant()
        self._room.clear()
        while self._credit <= 0:  # the kiosk's first credit says that we are in
            await self._race(self._room.wait(), _STEP_S)
            self._raise_if_over()
            self._room.clear()

    def _meant(self, device: "BLEDevice", advert: "AdvertisementData") -> bool:
        one = _kiosk(device, advert)
        return one is not None and self.device_id == (one.device_id or self.device_id[:-3] + one.tail)

    async def _agreed(self, client: "BleakClient") -> int:
        """Bytes of a value. Some systems say the least until the two sides have agreed on more."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _AGREE_S
        while True:
            found = client.services.get_characteristic(_TO_KIOSK)
            if found is None or client.services.get_characteristic(_TO_LAPTOP) is None:
                raise AirStale(f"This laptop's Bluetooth does not find the link service of {self.name}.")
            size = found.max_write_without_response_size
            if size > _SHORTEST or loop.time() >= until:
                return max(_SHORTEST, min(_LONGEST, size))
            await asyncio.sleep(0.1)

    def _packet(self, data: bytes, *, last: bool) -> bytes:
        kind = _DATA
        free = self._value - _HEAD - len(data)
        if self._padding and last and free > 0:
            kind = _PADDED
            data += bytes(free - 1) + bytes((free,))
        head = bytes((kind, self._seq_out))
        self._seq_out = (self._seq_out + 1) & 0xFF
        return head + data

    async def _grant(self) -> None:
        owed, self._owed = self._owed, 0
        self._granted += owed
        await self._write(bytes((_CREDIT,)) + owed.to_bytes(2, "little"))

    async def _write(self, value: bytes) -> None:
        client = self._client
        if client is None:
            raise self._ended or LinkClosed(f"The connection with {self.name} is not open.")
        await self._race(client.write_gatt_char(_TO_KIOSK, value, False), _STEP_S)

    def _heard(self, _: Any, value: bytearray) -> None:
        """A value that the kiosk notified."""
        kind = value[0] if value else 0
        if kind in (_DATA, _PADDED):
            end = len(value) - (value[-1] if kind == _PADDED else 0)
            self._granted -= end - _HEAD
            if end < _HEAD or value[1] != self._seq_in or self._granted < 0:
                self._end(LinkClosed(f"Something of what {self.name} sent is missing."))
                return
            self._seq_in = (self._seq_in + 1) & 0xFF
            self._received.append(bytes(value[_HEAD:end]))
            self._readable.set()
        elif kind == _CREDIT and len(value) >= 3:
            self._credit += int.from_bytes(value[1:3], "little")
            self._room.set()
        elif kind == _CHALLENGE and len(value) >= 19:
            if not self._challenge:  # it is repeated until we have answered
                self._challenge = bytes(value)
                self._challenged.set()
        elif kind == _WAIT and len(value) >= 2:
            if self.on_wait is not None:
                self.on_wait(value[1])
        elif kind == _BYE and len(value) >= 2:
            self._end(bye.error(value[1], self.name))

    def _lost(self, _: "BleakClient") -> None:
        self._end(LinkClosed(f"The connection with {self.name} is lost."))

    def _end(self, error: SmilehubError) -> None:
        if self._ended is None:
            self._ended = error
        self._gone.set()
        self._readable.set()
        self._room.set()

    def _raise_if_over(self) -> None:
        if self._ended is not None:
            raise self._ended

    async def _race(self, work: Coroutine[Any, Any, _T], within_s: float) -> _T:
        """``work``, unless the connection ends or time runs out before: some systems never return from a
        write around a disconnect."""
        gone = asyncio.ensure_future(self._gone.wait())
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait((doing, gone), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return self._result(doing)
            self._raise_if_over()
            raise LinkClosed(f"Bluetooth does not get on with {self.name}.")
        finally:
            gone.cancel()
            _leave(doing)

    async def _bounded(self, work: Coroutine[Any, Any, _T], within_s: float) -> _T:
        """``work``, for at most so long, with its errors in words."""
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait((doing,), timeout=within_s)
            if doing.done():
                return self._result(doing)
            raise AirInProgress(f"This laptop's Bluetooth does not come back from {self.name}.")
        finally:
            _leave(doing)

    def _result(self, done: "asyncio.Future[_T]") -> _T:
        try:
            return done.result()
        except Exception as error:
            if self._ended is not None:
                raise self._ended from error
            raise explain(error, self.name) from error


def _leave(task: "asyncio.Future[Any]") -> None:
    """Give up on it, even if it does not heed a cancellation; its error is nobody's any more."""
    if not task.done():
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task.cancel()
