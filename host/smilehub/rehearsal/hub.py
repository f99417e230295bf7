"""A hub on one machine: a simulated kiosk and the laptop's own code, joined by the link port alone."""

import asyncio
import contextlib
import os
import random
from collections.abc import Generator
from pathlib import Path

from smilehub.devices import image, memory
from smilehub.devices.sources import board_toml
from smilehub.errors import LinkClosed, PortBusy, PortMissing
from smilehub.link.cable import CableTransport
from smilehub.link.serial import SerialTransport
from smilehub.link.tls import SecureTransport
from smilehub.link.transport import Transport
from smilehub.rehearsal.eyes import Eyes
from smilehub.rehearsal.laptop import Laptop
from smilehub.sim.board import Board, device_id
from smilehub.sim.console import Console
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import LinkGone, LinkInUse, LinkPort, PtyLink
from smilehub.sim.spec import load_spec
from smilehub.sim.uart import Uarts
from smilehub.store.database import Store, utc_now
from smilehub.trust.authority import Authority

#: The virtual clinic's day begins on a Monday at 07:30 UTC.
_VIRTUAL_UTC_S = 1_777_879_800


class SimulatedHub:
    """Kiosk, link and laptop. ``folder`` gets ``flash.bin`` and ``store.sqlite``, both made anew.

    ``virtual``: simulated time, and the same seed gives the same bytes; else real time over
    pseudo-terminals.
    ``heap_bytes`` (by default what the board's limit is here) and ``measure`` go to the board.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        virtual: bool = True,
        heap_bytes: int | None = None,
        measure: bool = True,
    ) -> None:
        self.folder = folder
        self.flash = folder / "flash.bin"
        folder.mkdir(parents=True, exist_ok=True)
        toml = board_toml("kiosk")
        #: Who this hub's kiosk and laptop belong to: the same for the same seed.
        authority = Authority.from_seed(seed)
        image.build_image(toml, self.flash, identity=authority.issue_kiosk(device_id(seed)).blob)
        self._identity = authority.issue_person("laptop", "rehearsal")
        for old in folder.glob("store.sqlite*"):
            old.unlink()
        self.kernel = Kernel.virtual(seed) if virtual else Kernel.real(seed)
        self.console = None if virtual else Console(self.kernel.loop)
        spec = load_spec(toml)
        self.board = Board(
            self.kernel,
            spec,
            self.flash,
            seed=seed,
            heap_bytes=memory.kiosk_heap(spec.heap_limit) if heap_bytes is None else heap_bytes,
            console=self.console,
            measure=measure,
        )
        self.uarts = Uarts(self.board)
        self.eyes = Eyes(self.board.part("panel"))
        #: One person stands at the kiosk at a time.
        self.at_kiosk = asyncio.Lock()
        self.outages = 0
        #: Key presses that the kiosk did not feel.
        self.lost_presses = 0
        self._light = asyncio.Event()
        #: UTC seconds as the laptop knows them.
        self.clock = self._virtual_utc if virtual else utc_now
        self.store = Store.open(
            folder / "store.sqlite",
            command="smilehub demo",
            clock=self.clock,
            rnd=random.Random(f"store {seed}").randbytes if virtual else os.urandom,
        )
        self.laptop = Laptop(self._session, self.store, self.clock)

    def press(self, key: str) -> None:
        """Press a key of the kiosk, bounce included."""
        self.board.keys.press(key)

    def hold(self, key: str, for_ms: int) -> None:
        """Press a key and let go of it ``for_ms`` milliseconds later."""
        self.board.keys.press(key, for_ms)

    async def power_on(self) -> None:
        """Switch the kiosk on and wait until its panel stands still."""
        await self.board.power_on()
        await self.eyes.still()
        self._light.set()

    @property
    def dark(self) -> bool:
        """Whether the power has failed and the kiosk is not back yet."""
        return not self._light.is_set()

    async def light(self) -> None:
        """Wait until the kiosk is there again after a power failure."""
        await self._light.wait()

    async def fail_power(self, for_s: float) -> None:
        """Cut the power (if it is not out already), and give it back after ``for_s`` seconds."""
        self._light.clear()
        self.board.power_cut()
        self.outages += 1
        await asyncio.sleep(for_s)
        await self.power_on()

    @property
    def link_path(self) -> str:
        """The link's pseudo-terminal (real time only)."""
        link = self.uarts.links["link"]
        assert isinstance(link, PtyLink)
        return link.path

    def close(self) -> None:
        """Switch off, close the store and the loop."""
        self.board.close()
        self.uarts.close()
        self.store.close()
        self.kernel.close()

    def _virtual_utc(self) -> int:
        return _VIRTUAL_UTC_S + self.kernel.now_us() // 1_000_000

    def _session(self) -> Transport:
        link = self.uarts.links["link"]
        port = SerialTransport(link.path) if isinstance(link, PtyLink) else _InProcess(link)
        return SecureTransport(CableTransport(port), self._identity)


class _InProcess:
    """The virtual link port as the laptop's link code wants its transports: with its errors."""

    def __init__(self, port: LinkPort) -> None:
        self._port = port

    @property
    def name(self) -> str:
        return self._port.name

    @property
    def mtu(self) -> int:
        return self._port.mtu

    @property
    def has_rates(self) -> bool:
        return self._port.has_rates

    def set_baud(self, baud: int) -> None:
        self._port.set_baud(baud)

    async def open(self) -> None:
        with _told(self.name):
            await self._port.open()

    async def close(self) -> None:
        await self._port.close()

    async def send(self, data: bytes) -> None:
        with _told(self.name):
            await self._port.send(data)

    async def receive(self) -> bytes:
        with _told(self.name):
            return await self._port.receive()


@contextlib.contextmanager
def _told(name: str) -> Generator[None]:
    try:
        yield
    except LinkGone as error:
        raise PortMissing(f"{name} is not there.") from error
    except LinkInUse as error:
        raise PortBusy(f"{name} is in use.") from error
    except OSError as error:
        if isinstance(error, LinkClosed):
            raise
        raise LinkClosed(f"The link {name} ended: {error}.") from error
