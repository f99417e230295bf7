"""A kiosk's end of the cable in CPython, and a line that loses, changes, doubles and delays frames."""

import asyncio
import random
from collections.abc import Callable

from hubcore import cbor, frames
from hubcore.stream import Stream
from smilehub.errors import LinkClosed
from smilehub.link.cable import wired

#: (number, frame, whether it goes to the kiosk) -> what arrives
Fault = Callable[[int, bytes, bool], list[bytes]]

DEVICE = bytes.fromhex("0a0b0c0d0e0f")


class CableKiosk:
    """Bytes in, bytes out. ``on_bytes`` gets what the stream carries and returns what to send back.

    ``version``: 2, or 1 for an older kiosk. ``serves``: rates it agrees to.
    """

    def __init__(
        self,
        on_bytes: Callable[[bytes], bytes] = lambda data: data,
        *,
        version: int = 2,
        state: int = 0,
        serves: tuple[int, ...] = (921600, 460800, 230400, 115200),
        device_id: bytes = DEVICE,
    ):
        self.on_bytes = on_bytes
        self.version = version
        self.state = state
        self.serves = serves
        self.device_id = device_id
        self.baud = 115200
        self.decoder = frames.Decoder()
        self.stream = Stream(1024, 384, 4, 4)
        self.token = b""
        self.openings = 0
        self.byes: list[int] = []
        self.mute = False
        self.unsent = b""
        self.control: list[bytes] = []
        self.heard_at = 0
        self.on_open: Callable[[], None] = lambda: None

    def feed(self, data: bytes, now: int) -> list[bytes]:
        """The frames that answer these bytes."""
        out: list[bytes] = []
        if self.mute:
            return out
        for payload in self.decoder.feed(data):
            self.heard_at = now
            out += [wired(answer) for answer in self._answer(payload, now)]
        return out + self.poll(now)

    def poll(self, now: int) -> list[bytes]:
        """The frames that are due."""
        if not self.token:
            return []
        buf = bytearray(4096)
        while size := self.stream.readinto(buf):
            self.unsent += self.on_bytes(bytes(buf[:size]))
        out, self.control = self.control, []
        at = memoryview(bytearray(2048))
        while True:
            self.unsent = self.unsent[self.stream.write(self.unsent) :]
            size = self.stream.next(at, 0, now)
            if not size:
                return out
            out.append(wired(bytes(at[:size])))

    def say(self, *payload: int) -> bytes:
        return wired(bytes(payload))

    def hang_up(self, reason: int) -> None:
        """End the session, whatever it holds."""
        self.control.append(self.say(0x26, reason))
        self.unsent = b""

    def _answer(self, payload: bytes, now: int) -> list[bytes]:
        kind = payload[0]
        if self.version == 1:
            if kind == 1:
                _, number, op, args = cbor.loads(payload[1:])
                assert op == 1 and args[0] == [2, 2]
                return [b"\x01" + cbor.dumps([1, number, 2, {0: [1, 1]}, False])]
            return []
        if kind == 0x10:
            low, high, token = payload[1], payload[2], payload[3:7]
            if not low <= self.version <= high:
                return [bytes([0x11, 0, self.version, self.version]) + token]
            if token != self.token:
                self.token = token
                self.openings += 1
                self.unsent = b""
                self.stream.reset(
                    min(1024, int.from_bytes(payload[7:9], "little")), min(4, payload[9]), self.baud
                )
                self.on_open()
            size = (384).to_bytes(2, "little")
            return [bytes([0x11, 2]) + token + size + bytes([4, self.state]) + self.device_id]
        if kind == 0x12 and payload[1:5] == self.token:
            wanted = int.from_bytes(payload[5:9], "little")
            baud = wanted if wanted in self.serves else self.baud
            self.switch = baud
            return [b"\x13" + self.token + baud.to_bytes(4, "little")]
        if kind == 0x14 and payload[1:5] == self.token:
            return [b"\x15" + payload[1:]]
        if kind == 0x26:
            self.byes.append(payload[1])
            self.token = b""
        elif self.token:
            self.stream.take(payload, now)
        return []

    switch = 0


class Line:
    """A serial line into a CableKiosk: a transport, with time from the running loop.

    ``fault(number, frame, up)`` returns what arrives of a frame; ``up``: it goes to the kiosk.
    ``holds``: rates at which it works.
    """

    name = "line"
    mtu = 1024

    def __init__(
        self,
        kiosk: CableKiosk,
        fault: Fault | None = None,
        *,
        has_rates: bool = False,
        holds: tuple[int, ...] = (115200, 230400, 460800, 921600),
    ):
        self.kiosk = kiosk
        self.fault = fault or (lambda n, frame, up: [frame])
        self.has_rates = has_rates
        self.holds = holds
        self.baud = 115200
        self.count = 0
        self.bauds: list[int] = []
        self.sent = bytearray()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._open = False

    def set_baud(self, baud: int) -> None:
        self.baud = baud
        self.bauds.append(baud)

    async def open(self) -> None:
        self._queue = asyncio.Queue()
        self._open = True
        self.baud = 115200

    async def close(self) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """The cable comes out."""
        self._open = False
        if self._timer:
            self._timer.cancel()
        self._queue.put_nowait(b"")

    def say(self, data: bytes) -> None:
        """Bytes from the kiosk, unasked."""
        if data:
            self._queue.put_nowait(data)

    async def send(self, data: bytes) -> None:
        if not self._open:
            raise LinkClosed("closed")
        self.sent += data
        for part in self._pass(data, self.baud, self.kiosk.baud, True):
            asyncio.get_running_loop().call_later(0.001, self._arrive, part)

    async def receive(self) -> bytes:
        data = await self._queue.get()
        if not data or not self._open:
            raise LinkClosed("The connection at line ended.")
        return data

    def poke(self) -> None:
        """Let the kiosk send what has become due."""
        self._arrive(b"")

    def _arrive(self, data: bytes) -> None:
        now = int(asyncio.get_running_loop().time() * 1000)
        kiosk = self.kiosk
        if kiosk.baud != 115200 and now - kiosk.heard_at > 500 and self.baud == 115200:
            kiosk.baud = 115200  # nothing good was heard at the new rate
        for frame in kiosk.feed(data, now):
            for part in self._pass(frame, kiosk.baud, self.baud, False):
                self.say(part)
            if kiosk.switch and frame[:20] and b"\x13" in frame[:3]:
                kiosk.baud, kiosk.switch, kiosk.heard_at = kiosk.switch, 0, now
        if self._timer:
            self._timer.cancel()
            self._timer = None
        due = kiosk.stream.due_ms(now) if kiosk.token and not kiosk.mute else -1
        if due >= 0 and self._open:
            self._timer = asyncio.get_running_loop().call_later(max(due, 1) / 1000, self._arrive, b"")

    def _pass(self, frame: bytes, ours: int, theirs: int, up: bool) -> list[bytes]:
        if ours != theirs or ours not in self.holds:
            return [bytes(byte * 7 & 0xFF | 0x81 for byte in frame)]
        self.count += 1
        return self.fault(self.count, frame, up)


def chance(seed: int, **shares: float) -> Fault:
    """Loses, flips, doubles, delays frames or puts garbage before them, each with a share."""
    rng = random.Random(seed)
    held: dict[bool, list[bytes]] = {True: [], False: []}

    def fault(_: int, frame: bytes, up: bool) -> list[bytes]:
        out = [frame]
        draw = rng.random()
        for kind, share in shares.items():
            draw -= share
            if draw >= 0:
                continue
            if kind == "loss":
                out = []
            elif kind == "flip":
                at = rng.randrange(len(frame))
                out = [frame[:at] + bytes([frame[at] ^ 1 << rng.randrange(8)]) + frame[at + 1 :]]
            elif kind == "twice":
                out = [frame, frame]
            elif kind == "late":
                held[up].append(frame)
                return []
            elif kind == "garbage":
                out = [rng.randbytes(rng.randrange(1, 40)) + b"\0", frame]
            elif kind == "cut":
                out = [frame[: rng.randrange(len(frame))]]
            break
        out += held[up]
        held[up].clear()
        return out

    return fault
