"""A sync over the cable that is cut at each of its frames, and a kiosk that loses its power meanwhile."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from link_rig import DEVICE, LAPTOP, Desk, Wire

from hubcore import frames
from smilehub.errors import LinkError
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.store.database import Store
from smilehub.sync.syncer import Syncer

RECORDS = 140  # two runs of two parts, so that each kind of frame is among those cut at
RESUMED = 6  # one cut of so many is followed by a second sync


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


class Shears:
    """Cuts the cable right after the n-th frame of one direction."""

    def __init__(self, desk: Desk, side: str) -> None:
        self.port = desk.port
        self.faults = getattr(desk.port, side)
        self.left = -1
        self.cut = False
        self.then: Callable[[], object] = lambda: None
        self._apply = self.faults.apply
        self._decoder = frames.Decoder()
        self.faults.apply = self._counted

    def after(self, count: int) -> None:
        """Cut after so many frames from now on; below 0: never."""
        self._decoder = frames.Decoder()
        self.left = count
        self.cut = False

    def _counted(self, data: bytes) -> bytes:
        for _ in self._decoder.feed(data):
            self.left -= 1
            if not self.left:
                self.cut = True
                asyncio.get_running_loop().call_soon(self.port.disconnect)
                self.then()
        return self._apply(data)


async def sync(desk: Desk, store: Store) -> None:
    async with KioskClient(SecureTransport(CableTransport(Wire(desk.port), rates=()), LAPTOP)) as client:
        await Syncer(client, store, lambda: 1_800_000_000).run()


def held(store: Store) -> list[bytes]:
    journal = store.newest_journal(DEVICE)
    return [raw for _, raw in store.records(journal.journal_id, 1)] if journal else []


@pytest.mark.parametrize("side", ["to_laptop", "to_board"])
def test_a_sync_cut_at_any_frame_goes_on_where_it_was(desk: Desk, tmp_path: Path, side: str) -> None:
    async def work() -> None:
        shears = Shears(desk, side)
        cuts = resumed = got = 0
        async with desk.talk(rates=()) as talk:
            await talk.hello()
            await talk.command("day_open", 1)
            for n in range(RECORDS):
                await talk.command("full_today", n + 2, full=bool(n % 2))
        while True:
            store = Store.open(tmp_path / f"{cuts}.sqlite", command="test", clock=lambda: 0)
            shears.after(cuts + 1)
            with contextlib.suppress(LinkError, OSError):
                await sync(desk, store)
            again, shears.left = shears.cut, -1
            desk.port.disconnect()
            desk.port.reconnect()
            first = held(store)
            if not again or cuts % RESUMED == 0:
                await sync(desk, store)
                async with desk.talk(rates=()) as talk:
                    whole = [raw for _, raw in await talk.pull((await talk.hello())[2])]
                now = held(store)
                assert now[: len(first)] == first
                assert now == whole[: len(now)] and len(now) > RECORDS
                resumed += 1
            got += 0 < len(first) <= RECORDS
            store.close()
            if not again:
                break
            cuts += 1
        assert cuts > 20 and resumed > 4
        assert got > 1  # not all or nothing

    desk.run(work)


def test_a_kiosk_that_loses_power_amid_a_sync_loses_no_record(desk: Desk, tmp_path: Path) -> None:
    async def work() -> None:
        shears = Shears(desk, "to_laptop")
        store = Store.open(tmp_path / "store.sqlite", command="test", clock=lambda: 0)
        done = 0
        for cut in range(2, 50, 4):
            async with desk.talk(rates=()) as talk:
                await talk.hello()
                await talk.command("day_open" if not done else "full_today", done + 1, full=bool(done % 2))
                for n in range(8):
                    await talk.command("full_today", done + n + 2, full=bool(n % 2))
            done += 9
            shears.then = desk.board.power_cut
            shears.after(cut)
            with contextlib.suppress(LinkError, OSError):
                await sync(desk, store)
            shears.left = -1
            desk.port.disconnect()
            desk.port.reconnect()
            if shears.cut:
                await desk.power_on()
        await sync(desk, store)
        async with desk.talk(rates=()) as talk:
            whole = [raw for _, raw in await talk.pull((await talk.hello())[2])]
        now = held(store)
        assert now == whole[: len(now)] and len(now) > done
        store.close()

    desk.run(work)
