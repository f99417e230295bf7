"""A simulated board that runs the shipping services.radio, with a session of few words behind it, and a peer
in the air that speaks the packets of docs/link.md by hand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from smilehub.devices.image import compile_file, pack_littlefs
from smilehub.devices.partitions import TABLE_OFFSET, encode_table, load_board
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.radio import Laptop, Radio
from smilehub.sim.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]
BOARD_TOML = ROOT / "hardware" / "kiosk" / "board.toml"
MODULES = (
    "hubcore/__init__",
    "hubcore/compat",
    "services/__init__",
    "services/central",
    "services/codes",
    "services/greet",
    "services/radio",
    "tasks/__init__",
    "tasks/forget",
    "tasks/wake",
)

SERVICE, DOWN, UP = (f"5b1e000{n}-7d2c-4a5e-9f3a-5d1e54f1e1b0" for n in (1, 2, 3))
DATA, PADDED, WAIT, BYE, CHALLENGE, PROOF, CREDIT = 0x20, 0x21, 0x25, 0x26, 0x30, 0x31, 0x32
KEY = bytes(range(32))
DEVICE = b"\xa1\xb2\xc3\xd4\xe5\xf6"
MANY = 16384

#: The session behind the radio. What it is told by the first byte: "=" and bytes are returned, "p" too, as in
#: a handshake; "*" and two bytes: so many blocks are sent; "b" hangs up; "w": WAIT; "o" is off for 3 s; "a":
#: advertises the rest; "s" and a byte: sleeps so many s; "c" closes the radio.
PROGRAM = """
import asyncio, gc, json, time
from services.radio import Radio
def say(*value):
    print("SAY " + json.dumps(value))
class Health:
    def set(self, name, on, detail=""):
        say("health", name, on, detail)
class Turn:
    n = 0
    def begin(self):
        self.n += 1
    def rest(self):
        pass
async def put(air, data):
    data = memoryview(data)
    while len(data):
        n = air.peer.write(data)
        if n is None:
            await air.wake.wait(60000)
        elif n < 0:
            raise OSError(-n)
        else:
            data = data[n:]
async def talk(air):
    buf = bytearray(300)
    total = 0
    while True:
        n = air.peer.readinto(buf)
        if n is None:
            await air.wake.wait(60000)
            continue
        if n == 0:
            return total
        total += n
        what = buf[:1]
        if what == b"=":
            for at in range(1, n, 50):
                await put(air, buf[at : min(n, at + 50)])
                await asyncio.sleep(0)
        elif what == b"*":
            block = bytes(range(256))
            for _ in range(buf[1] * 256 + buf[2]):
                await put(air, block)
            say("sent")
        elif what == b"p":
            air.handshaking(True)
            await put(air, buf[1:n])
            await asyncio.sleep_ms(200)
            air.handshaking(False)
        elif what == b"b":
            await put(air, b"last words")
            air.hang_up(0)
            return total
        elif what == b"w":
            air.wait(7)
        elif what == b"o":
            air.switch(False)
            await asyncio.sleep(3)
            air.switch(True)
        elif what == b"a":
            air.advertise(bytes(buf[1:n]))
        elif what == b"c":
            air.close()
        elif what == b"s":
            await asyncio.sleep(buf[1])
async def serve(air):
    seen = 0
    while True:
        while air.opened == seen:
            await air.wake.wait()
        seen = air.opened
        say("opened", seen)
        gone = None
        try:
            gone = await talk(air)
        except OSError as error:
            gone = -error.errno
        air.hang_up(5)
        say("over", seen, gone)
        weigh()
def weigh():
    pass
"""
MAIN = """
gc.collect()
before = gc.mem_alloc()
air = Radio(KEY, DEVICE, Health(), lambda *why: say("refused", *why))
gc.collect()
say("heap", gc.mem_alloc() - before)
async def main():
    asyncio.create_task(serve(air))
    await air.run(Turn())
asyncio.run(main())
"""


class Clinic:
    """One board with its radio, and laptops. ``program`` comes before MAIN."""

    def __init__(self, folder: Path, program: str = "", *, key: bytes | None = KEY, seed: int = 1) -> None:
        self.kernel = Kernel.virtual(seed)
        described = load_board(BOARD_TOML)
        sources = {f"{name}.py": (ROOT / "firmware" / f"{name}.py").read_bytes() for name in MODULES}
        files = {f"{name[:-3]}.mpy": compile_file(name, source) for name, source in sources.items()}
        constants = f"KEY = {key!r}\nDEVICE = {DEVICE!r}\n"
        files["boot.py"] = b""
        files["main.py"] = (PROGRAM + constants + program + MAIN).encode()
        vfs = described.partition("vfs")
        image = bytearray(b"\xff") * described.flash_bytes
        table = encode_table(described.partitions)
        image[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
        packed = pack_littlefs(files, vfs.size)
        image[vfs.offset : vfs.offset + len(packed)] = packed
        flash = folder / "flash.bin"
        flash.write_bytes(image)
        self.board = Board(self.kernel, load_spec(BOARD_TOML), flash, seed=seed)
        self.radio = Radio(self.kernel, seed=seed)
        self.kiosk = self.radio.board(self.board)
        self.laptop = self.radio.laptop()

    def run(self, script: Callable[[Clinic], Awaitable[None]]) -> list[Any]:
        """Power on, and act; what the program said."""

        async def day() -> None:
            await self.board.power_on()
            await asyncio.sleep(1)
            await script(self)
            await asyncio.sleep(1)

        self.kernel.run(day())
        return self.said()

    def said(self, what: str | None = None) -> list[Any]:
        """What the program has said, all or of one kind."""
        text = self.board.console_text()
        assert "Traceback" not in text, text
        said = [json.loads(line) for line in re.findall(r"SAY (.*)", text)]
        return [line for line in said if what in (None, line[0])]

    async def seen(
        self, seconds: float = 2, laptop: Laptop | None = None
    ) -> tuple[BLEDevice, AdvertisementData] | None:
        """The kiosk's advertisement, None if there is none."""
        laptop = laptop or self.laptop
        found = await BleakScanner.discover(seconds, return_adv=True, backend=laptop.scanner_backend)
        return next((pair for pair in found.values() if SERVICE in pair[1].service_uuids), None)

    def peer(self, device: BLEDevice, laptop: Laptop | None = None) -> Peer:
        return Peer(device, laptop or self.laptop)

    def close(self) -> None:
        self.board.close()
        self.kernel.close()


def answer(challenge: bytes, key: bytes = KEY, version: int = 2, kiosk: bytes = DEVICE) -> bytes:
    """The PROOF of a CHALLENGE of the kiosk with this device id."""
    mac = hmac.digest(key, b"air" + challenge[3:] + kiosk, hashlib.sha256)
    return bytes((PROOF, version)) + mac[:16]


class Gone(Exception):
    """The connection has ended."""


class Peer:
    """A central that speaks by hand: nothing is sent that a test does not ask for, but credit."""

    def __init__(self, device: BLEDevice, laptop: Laptop, seconds: float = 5) -> None:
        self._gone = asyncio.Event()
        self.client = BleakClient(
            device, lambda _: self._closed(), timeout=seconds, backend=laptop.client_backend
        )
        self.heard: list[bytes] = []
        self.data = bytearray()
        self.credit = 0
        self.seq = self.expected = 0
        self.given = 0
        self.generous = True
        self.pads = False
        #: How long the kiosk's values were, and ours.
        self.sizes: Counter[int] = Counter()
        self.sent: Counter[int] = Counter()
        self._news = asyncio.Event()

    def _closed(self) -> None:
        self._gone.set()
        self._news.set()

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    async def connect(self) -> None:
        await self.client.connect()

    async def subscribe(self) -> None:
        await self.client.start_notify(UP, self._notified)

    async def unsubscribe(self) -> None:
        await self.client.stop_notify(UP)

    async def join(self, key: bytes = KEY, kiosk: bytes = DEVICE) -> None:
        """Connect, and prove the key."""
        await self.connect()
        await self.subscribe()
        await self.prove(key, kiosk=kiosk)
        await self.until(lambda: self.credit)

    async def prove(self, key: bytes, version: int = 2, kiosk: bytes = DEVICE) -> bytes:
        challenge = await self.first(CHALLENGE)
        assert challenge[:3] == bytes((CHALLENGE, 2, 2)) and len(challenge) == 19
        proof = answer(challenge, key, version, kiosk)
        await self.write(proof)
        return proof

    def _notified(self, _: Any, value: bytearray) -> None:
        kind = value[0]
        self.sizes[len(value)] += 1
        if kind in (DATA, PADDED):
            assert value[1] == self.expected, "a value of the kiosk's was lost"
            self.expected = (self.expected + 1) & 255
            end = len(value) - value[-1] if kind == PADDED else len(value)
            self.data += value[2:end]
            self.given -= end - 2
            assert self.given >= 0, "more than was granted"
        elif kind == CREDIT:
            self.credit += value[1] | value[2] << 8
        else:
            self.heard.append(bytes(value))
        self._news.set()

    async def until(self, true: Callable[[], Any], seconds: float = 30) -> Any:
        """Wait for it. Raises Gone, TimeoutError."""
        async with asyncio.timeout(seconds):
            while not (found := true()):
                if self.gone:
                    raise Gone
                self._news.clear()
                await self._news.wait()
            return found

    async def first(self, kind: int, seconds: float = 30) -> bytes:
        return await self.until(lambda: next((v for v in self.heard if v[0] == kind), None), seconds)

    async def ended(self, seconds: float) -> float:
        """Wait until the kiosk has hung up; after how long."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        async with asyncio.timeout(seconds):
            await self._gone.wait()
        return loop.time() - since

    async def write(self, value: bytes, *, response: bool = False) -> None:
        if self.gone:
            raise Gone
        self.sent[len(value)] += 1
        try:
            await self.client.write_gatt_char(DOWN, value, response=response)
        except BleakError as error:
            raise Gone from error

    async def grant(self, n: int = MANY) -> None:
        self.given += n
        await self.write(bytes((CREDIT, n & 255, n >> 8)))

    async def send(self, data: bytes, piece: int = 242) -> None:
        """Data within the kiosk's credit."""
        while data:
            n = min(len(data), piece - self.pads, await self.until(lambda: self.credit))
            self.credit -= n
            value = bytes((PADDED if self.pads else DATA, self.seq)) + data[:n]
            if self.pads:
                value = value.ljust(243, b"\0") + bytes((244 - len(value),))
            self.seq = (self.seq + 1) & 255
            data = data[n:]
            await self.write(value)

    async def receive(self, n: int, seconds: float = 60) -> bytes:
        """So many bytes, granting more than is wanted."""
        while len(self.data) < n:
            if self.generous and self.given < MANY // 2:
                await self.grant()
            have = len(self.data)
            await self.until(lambda have=have: len(self.data) > have, seconds)
        found = bytes(self.data[:n])
        del self.data[:n]
        return found

    async def leave(self) -> None:
        await self.client.disconnect()
