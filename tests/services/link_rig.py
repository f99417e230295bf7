"""A simulated kiosk with an identity, and laptops made of the shipping transports, on one clock."""

import asyncio
import functools
import itertools
import random
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hubcore import cbor, requests
from smilehub.devices import image, memory
from smilehub.devices.sources import board_toml
from smilehub.errors import LinkClosed, SmilehubError
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim.board import Board, device_id
from smilehub.sim.flash import read_partition, write_partition
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import LinkPort
from smilehub.sim.spec import load_spec
from smilehub.sim.uart import Uarts
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity

TOML = board_toml()
SEED = 7
DEVICE = device_id(SEED)
HUB = Authority.from_seed(7)
LAPTOP = HUB.issue_person("laptop", "desk")
TECHNICIAN = HUB.issue_person("technician", "tina")


class Wire:
    """The virtual link port with the errors of the laptop's transports."""

    mtu = 4096
    has_rates = True

    def __init__(self, port: LinkPort) -> None:
        self.port = port
        self.name = port.name
        self.set_baud = port.set_baud

    async def open(self) -> None:
        await self.port.open()

    async def close(self) -> None:
        await self.port.close()

    async def send(self, data: bytes) -> None:
        try:
            await self.port.send(data)
        except OSError as error:
            raise LinkClosed("gone") from error

    async def receive(self) -> bytes:
        try:
            return await self.port.receive()
        except OSError as error:
            raise LinkClosed("gone") from error


class Talk:
    """Messages over a secure transport: requests one after the other."""

    def __init__(self, secure: SecureTransport) -> None:
        self.secure = secure
        self.notices: list[tuple[int, Any]] = []
        self._reader = requests.Reader(requests.MOST_SAID)
        self._numbers = itertools.count(1)
        self._messages: list[tuple[Any, ...]] = []

    async def say(self, op: int, args: dict[int, Any], *more: int, number: int | None = None) -> int:
        number = next(self._numbers) if number is None else number
        await self.secure.send(requests.message((requests.REQUEST, number, op, args, *more)))
        return number

    async def hear(self) -> tuple[Any, ...]:
        """The next message."""
        while not self._messages:
            data = await self.secure.receive()
            while data:
                space = self._reader.space()
                n = min(len(space), len(data))
                space[:n] = data[:n]
                data = data[n:]
                payload = self._reader.filled(n)
                if payload is not None:
                    self._messages.append(requests.parse(payload))
        return self._messages.pop(0)

    async def reply(self, number: int) -> tuple[int, Any, bool]:
        """(status, result, more) of the next reply to that request; notices and other replies are kept."""
        while True:
            message = await self.hear()
            if message[0] == requests.NOTICE:
                self.notices.append(message[1:])
            elif message[1] == number:
                return message[2:]

    async def ask(self, op: int, args: dict[int, Any] | None = None, *more: int) -> tuple[int, Any]:
        status, result, again = await self.reply(await self.say(op, args or {}, *more))
        assert not again
        return status, result

    async def done(self, op: int, args: dict[int, Any] | None = None) -> Any:
        status, result = await self.ask(op, args)
        assert status == requests.DONE, (status, result)
        return result

    async def hello(self) -> dict[int, Any]:
        return await self.done(requests.HELLO, {0: [2, 2], 1: "test"})

    async def command(self, name: str, counter: int, **named: Any) -> Any:
        return await self.done(requests.COMMAND, {0: ["desk", counter], 1: name, 2: named})

    async def pull(self, journal: bytes, first: int = 1, most: int = 100_000) -> list[tuple[int, bytes]]:
        """The records, with their seqs."""
        number = await self.say(requests.PULL, {0: journal, 1: first, 2: most})
        held: list[tuple[int, bytes]] = []
        while True:
            status, (seq, run), more = await self.reply(number)
            assert status == requests.DONE
            at = 0
            while at < len(run):
                _, end = cbor.load_from(run, at)
                held.append((seq, run[at:end]))
                seq += 1
                at = end
            if not more:
                assert not run
                return held


@functools.cache
def _flash(toml: Path) -> bytes:
    """An image as it is shipped, which takes seconds to build."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flash.bin"
        image.build_image(toml, path)
        return path.read_bytes()


class Desk:
    """A board with its link, and laptops that come to it."""

    _laptops = 0

    def __init__(self, folder: Path, identity: bool = True, tight: bool = False, toml: Path = TOML) -> None:
        """``tight``: with the heap that a chip leaves a kiosk."""
        self.flash = folder / "flash.bin"
        self.flash.write_bytes(_flash(toml))
        if identity:
            self.enrol()
        self.kernel = Kernel.virtual(SEED)
        spec = load_spec(toml)
        heap = memory.kiosk_heap(spec.heap_limit) if tight else None
        self.board = Board(self.kernel, spec, self.flash, seed=SEED, heap_bytes=heap)
        self.uarts = Uarts(self.board)
        link = self.uarts.links["link"]
        assert isinstance(link, LinkPort)
        self.port = link
        self.cable: CableTransport | None = None

    def run(self, work: Callable[[], Awaitable[Any]], limit_s: float = 7200) -> Any:
        return self.kernel.run(asyncio.wait_for(self._powered(work), limit_s))

    async def _powered(self, work: Callable[[], Awaitable[Any]]) -> Any:
        await self.power_on()
        return await work()

    async def power_on(self) -> None:
        await self.board.power_on()
        await asyncio.sleep(3)

    def client(self, who: Identity = LAPTOP) -> KioskClient:
        """The shipping client, not yet connected."""
        return KioskClient(SecureTransport(CableTransport(Wire(self.port)), who), name="test")

    @asynccontextmanager
    async def talk(self, who: Identity = LAPTOP, **how: Any) -> AsyncGenerator[Talk]:
        on_wait = how.pop("on_wait", None)
        self._laptops += 1
        self.cable = CableTransport(Wire(self.port), rnd=random.Random(self._laptops).randbytes, **how)
        secure = SecureTransport(self.cable, who, on_wait=on_wait)
        await secure.open()
        try:
            yield Talk(secure)
        finally:
            await secure.close()

    async def refused(self, who: Any = LAPTOP) -> SmilehubError:
        """What somebody is told who is not let in."""
        try:
            async with self.talk(who) as talk:
                await talk.hello()
        except SmilehubError as error:
            return error
        raise AssertionError("was let in")

    def enrol(self, hub: Authority = HUB) -> None:
        """Give the board, which is off, an identity."""
        blob = hub.issue_kiosk(DEVICE).blob
        data = bytearray(read_partition(self.flash, "keys"))
        data[4 * 4096 : 6 * 4096] = blob.ljust(2 * 4096, b"\xff")
        write_partition(self.flash, "keys", bytes(data))

    def close(self) -> None:
        print(self.board.console_text())
        self.board.close()
        self.uarts.close()
        self.kernel.close()
