"""The shipping services on a simulated board: power cuts within flash operations, watchdog, long pulls."""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import link_rig
import pytest
from journal_torture import Nor, Random

from hubcore import desk as desk_rules
from hubcore import records
from hubcore.fold import Hub
from kiosk.hub import KioskHub
from services.clock import Clock
from services.journal import Journal
from smilehub.devices import image
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml
from smilehub.errors import KioskRefused, LinkError, NotEnrolled
from smilehub.link.client import KioskClient
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.control import Cause
from smilehub.sim.flash import read_partition, write_partition
from smilehub.sync.verify import verify

TOML = board_toml()
VISITOR = {"need": "urgent", "lane": "any", "lang": "en", "pictogram": 2}


class Desk(link_rig.Desk):
    """One board with its link; commands take rising numbers."""

    counter = 0

    @asynccontextmanager
    async def greeted(self) -> AsyncGenerator[KioskClient]:
        async with self.client() as client:
            await client.hello()
            yield client

    def next(self) -> tuple[str, int]:
        self.counter += 1
        return "desk", self.counter

    def records(self) -> dict[int, bytes]:
        """What is in the flash file, read by the same code."""
        partition = load_board(TOML).partition("journal")
        journal = Journal(
            Nor(partition.size // 4096, self.flash.read_bytes()[partition.offset : partition.end])
        )
        journal.open()
        held = {seq: bytes(view) for seq, view in journal.read_from(1, bytearray(2048))}
        assert not journal.faults
        return held


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_no_answered_command_is_lost_when_the_power_fails_within_a_flash_operation(desk: Desk) -> None:
    rnd = random.Random(4)
    answered: dict[int, str] = {}
    cuts = 0

    async def some(client: KioskClient, cmd: tuple[str, int]) -> tuple[str, int]:
        """Commands until the power fails; returns the number of the one that was under way."""
        while True:
            name, args = ("day_open", {}) if cmd[1] == 1 else ("checkin", VISITOR)
            try:
                done = await client.command(name, args, cmd)
            except LinkError:
                return cmd
            answered[done.seq] = str(done.result.get("ticket", name))
            if desk.board.guest is None:
                return desk.next()
            cmd = desk.next()

    async def run() -> None:
        nonlocal cuts
        cmd = desk.next()
        for _ in range(8):
            await desk.board.power_on()
            await asyncio.sleep(3)
            desk.board.arm_cut(rnd.randrange(1, 9), rnd.random())
            async with desk.greeted() as client:
                cmd = await some(client, cmd)
            await desk.board.off()
            cuts += 1
            held = desk.records()
            for seq, what in answered.items():
                record = records.decode(held[seq])
                assert what in (record.kind, record.body.get("label"), "day_open")
        await desk.board.power_on()
        await asyncio.sleep(3)
        async with desk.greeted() as client:
            state = await client.state()
            assert state.counts["issued"] == len(answered) - 1 or state.counts["issued"] == len(answered)
        whole = Hub()
        journal_id = state.journal_id
        for raw in desk.records().values():
            whole.apply(journal_id, records.decode(raw))
        assert whole.digest() == state.digest
        assert whole.boot == 9

    desk.kernel.run(run())
    assert cuts == 8
    assert len(answered) > 8


def test_the_watchdog_bites_only_while_a_day_is_open(desk: Desk) -> None:
    async def run() -> None:
        board = desk.board
        await board.power_on()
        await asyncio.sleep(4000)
        assert board.stats.boots == 1
        async with desk.greeted() as client:
            await client.command("day_open", {}, desk.next())
        await asyncio.sleep(600)
        assert board.stats.boots == 1
        async with desk.greeted() as client:
            await client.command("day_close", {}, desk.next())
        await asyncio.sleep(600)
        assert board.stats.resets == {Cause.POWER: 1}

    desk.kernel.run(run())


def test_a_program_that_hangs_in_service_is_restarted(desk: Desk, tmp_path: Path) -> None:
    # An application that opens a day, arms the watchdog as the supervisor does, and then stands still.
    program = b"""
from machine import WDT, reset_cause, WDT_RESET
def main(slot, damaged):
    from services.watchdog import Watchdog
    if reset_cause() == WDT_RESET:
        print("bitten")
        return
    dog = Watchdog(WDT)
    dog.service(True)
    dog.service(False)
    import time
    time.sleep(60)
    print("on the leash")
    dog.service(True)
    time.sleep(60)
    print("never here")
"""
    put_app(desk.flash, tmp_path, program)

    async def run() -> None:
        await desk.board.power_on()
        await asyncio.sleep(90)
        said = desk.board.console_text()
        assert "on the leash" in said
        assert "bitten" in said
        assert "never here" not in said
        assert desk.board.stats.resets[Cause.WDT] == 1

    desk.kernel.run(run())


def test_utc_outlives_a_power_failure_by_the_chip_s_battery(desk: Desk) -> None:
    async def run() -> None:
        board = desk.board
        await board.power_on()
        await asyncio.sleep(5)
        async with desk.greeted() as client:
            await client.set_clock(1_777_000_000)
        board.power_cut()
        await asyncio.sleep(1000)
        await board.power_on()
        await asyncio.sleep(5)
        async with desk.greeted() as client:
            hello = await client.hello()
            assert hello.clock_s is not None
            assert 1_777_001_004 <= hello.clock_s <= 1_777_001_010
        board.power_cut()
        board.part("rtc").battery = False
        await board.power_on()
        await asyncio.sleep(5)
        async with desk.greeted() as client:
            assert (await client.hello()).clock_s is None

    desk.kernel.run(run())
    faults = [records.decode(raw) for raw in desk.records().values()]
    told = [record.body["error"] for record in faults if record.kind == "fault"]
    assert "the clock has stood still: its battery may be empty" in told


def put_app(flash: Path, tmp_path: Path, program: bytes) -> None:
    """Replace the application's main program in slot A."""
    slot = load_board(TOML).partition("app_a")
    files = image.build_app(tmp_path / "app", more={"kiosk/app.py": program})
    with flash.open("r+b") as file:
        file.seek(slot.offset)
        file.write(image.pack_littlefs(files, slot.size))


def test_a_long_journal_comes_at_nearly_the_line_s_rate(desk: Desk) -> None:
    ms = 0
    nor = Nor(1024)
    hub = KioskHub(Journal(nor), Clock(lambda: ms, lambda a, b: a - b), rnd=Random(2).bytes)
    hub.start("power", "0")
    hub.wish("day_open", {})
    hub.wish("chair_open", {"chair": "1"})
    while hub.journal.next_seq < 3000:
        ms += 90_000
        hub.wish("checkin", VISITOR)
        ticket = hub.wish("call", {"chair": "1"}, desk.next())["ticket"]
        hub.wish("seated", {"ticket": ticket}, desk.next())
        hub.wish("served", {"ticket": ticket}, desk.next())
        if hub.fold.counts["issued"] >= 190:
            hub.wish("day_close", {})
            hub.wish("day_open", {})
            hub.wish("chair_open", {"chair": "1"})
    with desk.flash.open("r+b") as flash:
        flash.seek(load_board(TOML).partition("journal").offset)
        flash.write(nor.data)
    got: list[bytes] = []

    def chunk(first: int, raws: Sequence[bytes]) -> None:
        assert first == len(got) + 1
        got.extend(raws)

    async def run() -> float:
        await desk.board.power_on()
        await asyncio.sleep(5)
        async with desk.greeted() as client:
            hello = await client.hello()
            before = desk.kernel.now_us()
            assert await client.pull(hello.journal_id, 1, None, chunk) == hello.next_seq
            return (desk.kernel.now_us() - before) / 1e6

    seconds = desk.kernel.run(run())
    want = [bytes(view) for _, view in hub.journal.read_from(1, bytearray(2048))]
    assert want == got[: len(want)]  # what follows is of the boot
    assert sum(map(len, got)) / (11_520 * seconds) >= 0.90


def test_garbage_on_the_line_and_a_refusal_do_not_end_the_link(desk: Desk) -> None:
    async def run() -> None:
        await desk.board.power_on()
        await asyncio.sleep(3)
        port = desk.port
        await port.open()
        await port.send(random.Random(1).randbytes(5000))
        await asyncio.sleep(2)
        await port.close()
        async with desk.greeted() as client:
            with pytest.raises(KioskRefused) as caught:
                await client.command("call", {"chair": "1"}, desk.next())
            assert caught.value.reason == "day_closed"
            await client.set_clock(1_777_000_000)
            hello = await client.hello()
            assert hello.clock_s is not None
            assert 0 <= hello.clock_s - 1_777_000_000 <= 5

    desk.kernel.run(run())


def test_an_idle_kiosk_writes_nothing(desk: Desk) -> None:
    async def run() -> None:
        await desk.board.power_on()
        await asyncio.sleep(10)
        before = desk.flash.read_bytes()
        await asyncio.sleep(3600)
        assert desk.flash.read_bytes() == before

    desk.kernel.run(run())


async def _short_day(desk: Desk) -> bytes:
    """Power on, three visitors, power off; the journal partition then."""
    await desk.board.power_on()
    await asyncio.sleep(3)
    async with desk.greeted() as client:
        await client.command("day_open", {}, desk.next())
        for _ in range(3):
            await client.command("checkin", VISITOR, desk.next())
    desk.board.power_cut()
    return read_partition(desk.flash, "journal")


def _damage(desk: Desk, partition: str, size: int | None = None, at: int = 0) -> None:
    data = bytearray(read_partition(desk.flash, partition))
    size = len(data) - at if size is None else size
    data[at : at + size] = random.Random(partition).randbytes(size)
    write_partition(desk.flash, partition, bytes(data))


def test_partitions_beside_the_application_may_be_damaged(desk: Desk) -> None:
    async def run() -> None:
        await _short_day(desk)
        for partition in ("nvs", "phy_init", "factory", "keys", "app_b"):
            _damage(desk, partition)
        await desk.board.power_on()
        await asyncio.sleep(3)
        with pytest.raises(NotEnrolled):  # who it is was among the keys
            async with desk.greeted():
                pass
        desk.board.power_cut()
        desk.enrol()
        await desk.board.power_on()
        await asyncio.sleep(3)
        async with desk.greeted() as client:
            assert (await client.state()).counts["waiting"] == 3
            await client.command("checkin", VISITOR, desk.next())

    desk.kernel.run(run())


@pytest.mark.parametrize("partition", ["app_a", "vfs"])
def test_a_damaged_program_is_told_on_the_console_and_costs_no_record(desk: Desk, partition: str) -> None:
    said = {"app_a": "no application in app_a or app_b", "vfs": "filesystem appears to be corrupted"}

    async def run() -> None:
        journal = await _short_day(desk)
        whole = read_partition(desk.flash, partition)
        _damage(desk, partition)
        await desk.board.power_on()
        await asyncio.sleep(3)
        assert said[partition] in desk.board.console_text()
        desk.board.power_cut()
        assert read_partition(desk.flash, "journal") == journal
        write_partition(desk.flash, partition, whole)
        await desk.board.power_on()
        await asyncio.sleep(3)
        async with desk.greeted() as client:
            assert (await client.state()).counts["waiting"] == 3

    desk.kernel.run(run())


def test_damaged_modules_end_in_a_sentence(desk: Desk) -> None:
    async def run() -> None:
        data = bytearray(read_partition(desk.flash, "app_a"))
        at = data.find(b"\x4d\x06", data.find(b"device.mpy"))  # where a module begins
        while 0 <= at < len(data):
            data[at + 8 : at + 60] = b"\xff" * 52
            at = data.find(b"\x4d\x06", at + 4096)
        write_partition(desk.flash, "app_a", bytes(data))
        await desk.board.power_on()
        await asyncio.sleep(3)
        said = desk.board.console_text()
        assert "Smilehub: no application in app_a or app_b." in said
        assert "Traceback" not in said

    desk.kernel.run(run())


def test_a_journal_header_that_is_overwritten_costs_no_record_and_is_recorded(desk: Desk) -> None:
    async def run() -> None:
        await _short_day(desk)
        # the journal id is in the headers alone: fill the first sector, so that there is another
        await desk.board.power_on()
        await asyncio.sleep(3)
        async with desk.greeted() as client:
            for _ in range(120):
                await client.command("full_today", {"full": False}, desk.next())
        desk.board.power_cut()
        _damage(desk, "journal", 32, at=4096)
        await desk.board.power_on()
        await asyncio.sleep(3)
        raws: list[bytes] = []
        async with desk.greeted() as client:
            hello = await client.hello()
            await client.pull(hello.journal_id, 1, None, lambda _, found: raws.extend(found))
            assert (await client.state()).counts["waiting"] == 3
        held = [records.decode(raw) for raw in raws]
        assert [record.seq for record in held] == list(range(1, hello.next_seq))
        told = [record.body["error"] for record in held if record.kind == "fault"]
        assert "a sector header is damaged before record 1" in told

    desk.kernel.run(run())


def test_with_as_many_visits_as_the_desk_takes_the_kiosk_still_syncs_and_restarts(tmp_path: Path) -> None:
    hub = SimulatedHub(tmp_path, 3)

    async def run() -> None:
        await hub.power_on()
        commands = itertools.count(1)
        async with hub.laptop.connect() as client:
            await client.command("day_open", {}, ("desk", next(commands)))
            for need in ("urgent", "emergency"):
                with pytest.raises(KioskRefused):
                    while True:
                        await client.command("checkin", VISITOR | {"need": need}, ("desk", next(commands)))
            assert (await verify(client, hub.store, hub.clock)).ok
            waiting = (await client.state()).counts["waiting"]
        hub.board.power_cut()
        await hub.power_on()
        async with hub.laptop.connect() as client:
            assert (await verify(client, hub.store, hub.clock)).ok
            assert (await client.state()).counts["waiting"] == waiting == desk_rules.MAX_EMERGENCIES

    try:
        hub.kernel.run(run())
        assert "MemoryError" not in hub.board.console_text()
    finally:
        hub.close()
