"""A watch over cable and air to a simulated kiosk with the shipping link: it moves and holds on."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from link_rig import DEVICE, HUB, LAPTOP, Wire
from link_rig import Desk as Board

from smilehub.errors import LinkError
from smilehub.link.air import AirTransport, Backend, scan
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim.radio import Radio
from smilehub.store.database import Store
from smilehub.sync.desk import Desk
from smilehub.sync.syncer import Event, Moving
from smilehub.sync.verify import check
from smilehub.sync.watch import Phase, Watch
from smilehub.sync.ways import Way

NOW = 1_800_000_000


class AirDesk(Board):
    """A kiosk with a cable, in the air."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.radio = Radio(self.kernel, seed=1)
        self.radio.board(self.board)
        self.laptop = self.radio.laptop()


class Ways:
    """A finder for the board's port, while its cable is in, and for its radio."""

    def __init__(self, desk: AirDesk) -> None:
        self.desk = desk
        self.plugged = True
        self.backend = Backend(desk.laptop.scanner_backend, desk.laptop.client_backend)

    async def ways(self, *, cables_only: bool = False) -> Sequence[Way]:
        found = [Way("cable", "usb", self.by_cable)] if self.plugged else []
        if not cables_only:
            for one in await scan(2.0, self.backend):
                assert one.device_id == DEVICE
                found.append(Way("air", "sh", self.by_air, one.signal_dbm))
        return found

    def by_cable(self) -> KioskClient:
        cable = CableTransport(Wire(self.desk.port))
        return KioskClient(SecureTransport(cable, LAPTOP, expect_device=DEVICE))

    def by_air(self) -> KioskClient:
        air = AirTransport(DEVICE, HUB.hub_key, backend=self.backend)
        return KioskClient(SecureTransport(air, LAPTOP, expect_device=DEVICE))

    def unplug(self) -> None:
        self.plugged = False
        self.desk.port.disconnect()

    def plug(self) -> None:
        self.plugged = True
        self.desk.port.reconnect()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[AirDesk]:
    desk = AirDesk(tmp_path)
    yield desk
    assert "Traceback" not in desk.board.console_text(), desk.board.console_text()
    desk.close()


async def until(true: Callable[[], bool], seconds: float = 200) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)


def test_a_day_over_cable_and_air_with_everything_that_happens(desk: AirDesk, tmp_path: Path) -> None:
    ways = Ways(desk)
    events: list[Event] = []
    wishes = 0

    async def scene(store: Store, watch: Watch) -> None:
        nonlocal wishes

        async def wish(name: str, **args: object) -> None:
            """As somebody at the laptop does it: again, until it is done."""
            nonlocal wishes
            wishes += 1
            while True:
                way = watch.way
                if way is not None and watch.phase is Phase.LISTENING:
                    client = clients[-1]
                    try:
                        await Desk(client, store, DEVICE).command(name, args)
                        return
                    except LinkError:
                        pass
                await asyncio.sleep(0.5)

        async def by(kind: str) -> None:
            await until(
                lambda: watch.phase is Phase.LISTENING and watch.way is not None and watch.way.kind == kind
            )

        await by("cable")
        await wish("day_open")
        ways.unplug()
        await by("air")
        await wish("chair_open", chair="1", lanes=[])
        ways.plug()
        await by("cable")
        await wish("full_today", full=True)
        desk.board.power_cut()
        await asyncio.sleep(20)
        await desk.board.power_on()
        await by("cable")
        await wish("full_today", full=False)
        ways.unplug()
        await by("air")
        desk.radio.cut("kiosk", "laptop")
        await until(lambda: watch.phase is Phase.WAITING)
        desk.radio.mend("kiosk", "laptop")
        await by("air")
        await wish("day_close")
        await asyncio.sleep(5)

    clients: list[KioskClient] = []

    async def work() -> None:
        with Store.open(tmp_path / "store.sqlite") as store:
            watch = Watch(
                Remembering(ways, clients),
                store,
                lambda: NOW + int(asyncio.get_running_loop().time()),
                on_event=events.append,
            )
            task = asyncio.create_task(watch.run())
            acting = asyncio.create_task(scene(store, watch))
            await asyncio.wait((task, acting), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            await acting
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            (journal,) = store.journals()
            report, hub = check(store, journal.journal_id)
            assert report.ok, report.faults
            assert store.commands.unanswered() == set()
            issuer = store.commands.issuer_under(LAPTOP.serial)
            assert hub.issuer_seq.get(issuer) is not None
            assert hub.issuers[issuer] == wishes == 5

    desk.run(work)
    assert [event for event in events if isinstance(event, Moving)] == [Moving("sh", "usb")]


class Remembering:
    """A finder whose clients are kept, so that a wish can go over the one in use."""

    def __init__(self, ways: Ways, clients: list[KioskClient]) -> None:
        self._ways = ways
        self._clients = clients

    async def ways(self, *, cables_only: bool = False) -> Sequence[Way]:
        return [self._kept(way) for way in await self._ways.ways(cables_only=cables_only)]

    def _kept(self, way: Way) -> Way:
        connect: Callable[[], KioskClient] = way.connect

        def kept() -> KioskClient:
            self._clients.append(connect())
            return self._clients[-1]

        return Way(way.kind, way.name, kept, way.signal_dbm)
