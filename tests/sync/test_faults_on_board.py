"""Syncs with a simulated kiosk while something goes wrong: nothing lost, nothing twice, nobody waits long."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from link_rig import DEVICE, HUB, LAPTOP, Desk, Wire

from smilehub.errors import SmilehubError
from smilehub.link.air import AirTransport, Backend
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim.radio import Radio
from smilehub.store.database import Store
from smilehub.sync.syncer import Synced, Syncer
from smilehub.sync.verify import check, verify

NOW = 1_800_000_000
OTHER = HUB.issue_person("laptop", "other desk")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    assert "Traceback" not in desk.board.console_text(), desk.board.console_text()
    desk.close()


class Line(Wire):
    """The port as it is, but each frame to the kiosk passes through ``fault``, which returns what goes."""

    def __init__(self, desk: Desk, fault: Callable[[bytes], list[bytes]]) -> None:
        super().__init__(desk.port)
        self.fault = fault

    async def send(self, data: bytes) -> None:
        for frame in self.fault(data):
            await super().send(frame)


def by_cable(desk: Desk, wire: Wire | None = None) -> KioskClient:
    cable = CableTransport(wire or Wire(desk.port), rates=())
    return KioskClient(SecureTransport(cable, LAPTOP, expect_device=DEVICE))


async def sync(client: KioskClient, store: Store) -> Synced:
    """Nobody waits past two minutes, whatever happens."""
    async with asyncio.timeout(120), client:
        return await Syncer(client, store, lambda: NOW).run()


async def some_records(desk: Desk, count: int = 80, first: int = 1) -> None:
    async with by_cable(desk) as client:
        await client.set_clock(NOW)
        for n in range(first, first + count):
            name, args = ("full_today", {"full": bool(n % 2)}) if n > 1 else ("day_open", {})
            await client.command(name, args, ("desk", n))


async def whole(store: Store, client: KioskClient, above: int = 80) -> None:
    """The store holds what the kiosk holds, each record once."""
    async with client:
        report = await verify(client, store, lambda: NOW)
        assert report.ok, report.faults
    assert report.records > above


def run(desk: Desk, tmp_path: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    async def opened() -> None:
        with Store.open(tmp_path / "store.sqlite") as store:
            await work(store)

    desk.run(opened)


def test_a_kiosk_whose_power_is_cut_in_mid_sync(desk: Desk, tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await some_records(desk)
        rnd = random.Random(1)
        for _ in range(8):
            syncing = asyncio.create_task(sync(by_cable(desk), store))
            await asyncio.sleep(rnd.uniform(0.1, 2.5))
            desk.board.power_cut()
            with contextlib.suppress(SmilehubError):
                await syncing
            journal = store.newest_journal(DEVICE)
            assert journal is None or check(store, journal.journal_id)[0].ok
            await desk.power_on()
        assert (await sync(by_cable(desk), store)).last > 80
        await whole(store, by_cable(desk))

    run(desk, tmp_path, work)


@pytest.mark.parametrize("what", ["doubled", "in another order", "replayed"])
def test_frames_doubled_reordered_or_replayed(desk: Desk, tmp_path: Path, what: str) -> None:
    heard: list[bytes] = []
    late: list[bytes] = []
    rnd = random.Random(2)

    def record(frame: bytes) -> list[bytes]:
        heard.append(frame)
        return [frame]

    def fault(frame: bytes) -> list[bytes]:
        if what == "doubled":
            return [frame, frame]
        if what == "replayed":
            return [frame, rnd.choice(heard)] if rnd.random() < 0.2 else [frame]
        late.append(frame)
        if rnd.random() < 0.3:
            return []
        going = late[::-1]
        late.clear()
        return going

    async def work(store: Store) -> None:
        await some_records(desk)
        with Store.open(tmp_path / "first.sqlite") as first:
            await sync(by_cable(desk, Line(desk, record)), first)
        for n in range(3):
            late.clear()  # the end of an earlier session would end this one
            try:
                synced = await sync(by_cable(desk, Line(desk, fault)), store)
                assert n or synced.new > 80
            except SmilehubError:  # so would an opening or an end that is replayed
                assert what == "replayed"
        await sync(by_cable(desk), store)
        await whole(store, by_cable(desk))

    run(desk, tmp_path, work)


@pytest.mark.parametrize("to", [0, NOW - 86_400 * 400, NOW + 86_400 * 400, 2**35 - 1])
def test_a_kiosks_clock_that_jumps_in_mid_sync(desk: Desk, tmp_path: Path, to: int) -> None:
    async def work(store: Store) -> None:
        await some_records(desk)
        client = by_cable(desk)
        async with asyncio.timeout(120), client:
            syncing = asyncio.create_task(Syncer(client, store, lambda: NOW).run())
            await asyncio.sleep(0.05)
            await client.set_clock(to)
            await client.command("full_today", {"full": True}, ("desk", 500))
            await client.set_clock(NOW)
            await syncing
        await sync(by_cable(desk), store)
        await whole(store, by_cable(desk))

    run(desk, tmp_path, work)


def test_two_laptops_at_once_while_a_third_thing_happens(desk: Desk, tmp_path: Path) -> None:
    """One on the cable, one in the air, and both give commands: each store ends up with everything, once."""
    radio = Radio(desk.kernel, seed=1)
    radio.board(desk.board)
    laptop = radio.laptop()
    backend = Backend(laptop.scanner_backend, laptop.client_backend)

    def by_air() -> KioskClient:
        air = AirTransport(DEVICE, HUB.hub_key, backend=backend)
        return KioskClient(SecureTransport(air, OTHER, expect_device=DEVICE))

    async def busy(client: KioskClient, store: Store, issuer: str) -> None:
        async with asyncio.timeout(200), client:
            for n in range(1, 6):
                commands = [client.command("full_today", {"full": bool(n % 2)}, (issuer, n))]
                await asyncio.gather(Syncer(client, store, lambda: NOW).run(), *commands)

    async def work(store: Store) -> None:
        await some_records(desk)
        with Store.open(tmp_path / "other.sqlite") as other:
            await asyncio.gather(busy(by_cable(desk), store, "one"), busy(by_air(), other, "two"))
            for mine, way in ((store, lambda: by_cable(desk)), (other, by_air)):
                await sync(way(), mine)
                await whole(mine, way(), 90)

    run(desk, tmp_path, work)
