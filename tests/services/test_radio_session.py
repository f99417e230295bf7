"""Sessions in the air as on a kiosk: services.session over services.radio, with TLS, beside the cable."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import link_rig
import pytest
from bleak import BleakScanner
from link_rig import DEVICE, HUB, LAPTOP, SEED, TECHNICIAN, TOML, Desk, Talk
from radio_rig import BYE, SERVICE, WAIT, Peer

from hubcore import records
from smilehub.devices import image
from smilehub.devices.partitions import load_board
from smilehub.errors import HandshakeLate, LinkError
from smilehub.link.air import AirTransport, Backend
from smilehub.link.cable import CableTransport
from smilehub.link.tls import SecureTransport
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import LinkPort
from smilehub.sim.radio import Radio
from smilehub.sim.spec import load_spec
from smilehub.sim.uart import Uarts
from smilehub.trust.identity import Identity

VISITOR = {"need": "urgent", "lane": "any", "lang": "en", "pictogram": 2}

_PROGRAM = b"""
import asyncio
from esp32 import Partition
from machine import UART, Pin, unique_id

class Ui:
    since = 0

def part(name):
    return Partition.find(Partition.TYPE_DATA, label=name)[0]

async def go(slot):
    from kiosk.hub import KioskHub
    from services import identity
    from services.cable import Cable
    from services.clock import Clock
    from services.journal import Journal
    from services.log import Log
    from services.radio import Radio
    from services.session import Gate, Session
    from services.supervisor import Supervisor
    scratch = memoryview(bytearray(4992))
    hub = KioskHub(Journal(part("journal"), buf=scratch), Clock(), keys=part("keys"))
    hub.start("power", "1", slot)
    known = identity.load(part("keys"))
    about = (unique_id(), "1", "kiosk", "K")
    gate = Gate(hub, scratch, about, known, slot, Log(), Ui, id)
    uart = UART(1, 115200, tx=Pin(17), rx=Pin(18), rxbuf=2048, timeout=0)
    cable = Cable(uart, gate.out, unique_id(), bool(known))
    air = Radio(known and known[3], unique_id(), hub.health, gate.refuse)
    supervisor = Supervisor(hub)
    gate.restarts = supervisor.restarts
    supervisor.start("cable in", cable.read)
    supervisor.start("cable out", cable.write_all)
    supervisor.start("session", Session(cable, gate).run)
    supervisor.start("radio", air.run)
    supervisor.start("air", Session(air, gate).run)
    await supervisor.run()

def main(slot, damaged):
    asyncio.run(go(slot))
"""


@pytest.fixture(scope="module")
def flash(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A kiosk's flash with an identity, a cable and a radio; making it takes a while."""
    folder = tmp_path_factory.mktemp("flash")
    desk = Desk(folder)
    desk.close()
    slot = load_board(TOML).partition("app_a")
    files = image.build_app(folder / "app") | {"kiosk/app.py": _PROGRAM}
    with desk.flash.open("r+b") as file:
        file.seek(slot.offset)
        file.write(image.pack_littlefs(files, slot.size))
    return desk.flash.read_bytes()


class AirDesk(Desk):
    """A desk whose kiosk has its radio on."""

    def __init__(self, flash: Path) -> None:
        self.flash = flash
        self.kernel = Kernel.virtual(SEED)
        self.board = Board(self.kernel, load_spec(TOML), flash, seed=SEED)
        self.uarts = Uarts(self.board)
        link = self.uarts.links["link"]
        assert isinstance(link, LinkPort)
        self.port = link
        self.cable = None
        self.radio = Radio(self.kernel, seed=1)
        self.radio.board(self.board)
        self.laptop = self.radio.laptop()

    async def peer(self) -> Peer:
        found = await BleakScanner.discover(1, return_adv=True, backend=self.laptop.scanner_backend)
        device = next(device for device, advert in found.values() if SERVICE in advert.service_uuids)
        return Peer(device, self.laptop)

    def air(self) -> AirTransport:
        backend = Backend(self.laptop.scanner_backend, self.laptop.client_backend)
        return AirTransport(DEVICE, HUB.hub_key, backend=backend)

    @contextlib.asynccontextmanager
    async def talk_by_air(self, who: Identity = LAPTOP) -> AsyncGenerator[Talk]:
        secure = SecureTransport(self.air(), who)
        await secure.open()
        try:
            yield Talk(secure)
        finally:
            await secure.close()
            await asyncio.sleep(0.5)

    async def faults(self) -> list[str]:
        """What the kiosk recorded of the link."""
        async with self.talk_by_air() as talk:
            hello = await talk.hello()
            held = [records.decode(raw) for _, raw in await talk.pull(hello[2])]
        return [
            record.body["error"]
            for record in held
            if record.kind == "fault" and record.body["task"] == "link"
        ]


@pytest.fixture
def desk(flash: bytes, tmp_path: Path) -> Iterator[AirDesk]:
    file = tmp_path / "flash.bin"
    file.write_bytes(flash)
    desk = AirDesk(file)
    yield desk
    assert "Traceback" not in desk.board.console_text(), desk.board.console_text()
    desk.close()


async def some_visitors(talk: Talk, count: int) -> None:
    await talk.command("day_open", 1)
    for n in range(count):
        await talk.command("checkin", n + 2, **VISITOR)


def test_cable_and_air_serve_one_laptop_each(desk: AirDesk) -> None:
    async def work() -> None:
        async with desk.talk() as cable:
            hello = await cable.hello()
            assert hello[13] == "laptop"
            async with desk.talk_by_air(TECHNICIAN) as air:
                assert (await air.hello())[13] == "technician"
                await some_visitors(cable, 30)
                by_cable, state = await asyncio.gather(cable.pull(hello[2]), air.done(5))
                assert len(by_cable) > 30
                assert state[1] == by_cable[-1][0] + 1
        async with desk.talk_by_air() as air:
            assert await air.pull(hello[2]) == by_cable
            state = await air.done(5)
            assert state[1] == by_cable[-1][0] + 1

    desk.run(work)


def test_handshakes_take_turns_and_who_waits_is_told(desk: AirDesk) -> None:
    async def work() -> None:
        async def shake() -> None:
            async with desk.talk() as talk:
                await talk.hello()

        # The air's peer has proved the key and is slow; the cable's has to wait for it.
        peer = await desk.peer()
        await peer.join(HUB.hub_key, DEVICE)
        shaking = asyncio.create_task(shake())
        await asyncio.sleep(1)
        assert not shaking.done()
        await peer.leave()
        await shaking
        # And the reverse: a laptop on the cable that does not go on.
        cable = CableTransport(link_rig.Wire(desk.port), rnd=random.Random(2).randbytes)
        await cable.open()
        peer = await desk.peer()
        await peer.join(HUB.hub_key, DEVICE)
        assert await peer.first(WAIT) == bytes((WAIT, 3))
        await cable.close()
        await peer.leave()
        await asyncio.sleep(3)
        async with desk.talk_by_air() as talk:
            await talk.hello()

    desk.run(work)


def test_a_pull_is_cut_anywhere_and_goes_on_from_its_cursor(desk: AirDesk) -> None:
    rnd = random.Random(3)

    async def work() -> None:
        async with desk.talk() as talk:
            hello = await talk.hello()
            await some_visitors(talk, 35)
            want = await talk.pull(hello[2])
        held: list[tuple[int, bytes]] = []
        cuts = 0
        while True:
            done = False
            with contextlib.suppress(LinkError):
                async with desk.talk_by_air() as talk:
                    await talk.hello()
                    pull = asyncio.create_task(_pull(talk, hello[2], held))
                    await asyncio.sleep(rnd.uniform(0, 0.6))
                    done = pull.done()
                    if not done and rnd.random() < 0.5:
                        desk.laptop.vanish()
                        await asyncio.sleep(1)
                    elif not done:
                        station = await desk.laptop.ready()
                        for handle in list(station.peers):
                            station.disconnect(handle)
                        await asyncio.sleep(0.2)
                    await asyncio.gather(pull, return_exceptions=True)
            if done:
                break
            cuts += 1
            await asyncio.sleep(1)
        assert held == want[: len(held)]
        assert len(held) >= len(want)
        assert cuts >= 2

    desk.run(work)


async def _pull(talk: Talk, journal: bytes, held: list[tuple[int, bytes]]) -> None:
    """Fetch what is not held, a run at a time."""
    while True:
        found = await talk.pull(journal, len(held) + 1, 10)
        if not found:
            return
        held += found


@pytest.mark.parametrize(("shakes", "after", "why"), [(False, 15, "deadline"), (True, 90, None)])
def test_who_falls_silent_is_sent_away(desk: AirDesk, shakes: bool, after: int, why: str | None) -> None:
    async def work() -> None:
        if shakes:
            secure = SecureTransport(desk.air(), LAPTOP)
            await secure.open()
            talk = Talk(secure)
            await talk.hello()
            since = asyncio.get_running_loop().time()
            with pytest.raises(HandshakeLate):
                while True:
                    await talk.hear()
            assert after - 3 <= asyncio.get_running_loop().time() - since <= after + 3
            await secure.close()
        else:
            peer = await desk.peer()
            await peer.join(HUB.hub_key, DEVICE)
            assert after - 3 <= await peer.ended(after + 5) <= after + 3
            assert bytes((BYE, 2)) in peer.heard
        faults = await desk.faults()
        assert ([f"refused: {why}, air"] if why else []) == faults

    desk.run(work)


@pytest.mark.parametrize("seed", range(3))
def test_garbage_instead_of_a_handshake_ends_that_session_only(desk: AirDesk, seed: int) -> None:
    rnd = random.Random(seed)

    async def work() -> None:
        for _ in range(3):
            peer = await desk.peer()
            await peer.join(HUB.hub_key, DEVICE)
            await peer.grant()
            # The head of a TLS record, and what is none.
            await peer.send(b"\x16\x03\x03\x00\xfe" + rnd.randbytes(600))
            await peer.ended(20)
            assert peer.heard[-1] == bytes((BYE, 1))
        async with desk.talk_by_air() as talk:
            await talk.hello()

    desk.run(work)


def test_a_stranger_in_the_air_is_recorded_once_a_minute(desk: AirDesk) -> None:
    async def work() -> None:
        for pause in (0, 1, 62):
            await asyncio.sleep(pause)
            peer = await desk.peer()
            await peer.connect()
            await peer.subscribe()
            await peer.prove(bytes(32), kiosk=DEVICE)
            await peer.ended(3)
        assert await desk.faults() == ["refused: no proof, air"] * 2

    desk.run(work)


def test_a_handshake_takes_the_same_time_whatever_its_signatures_are(flash: bytes, tmp_path: Path) -> None:
    """ECDSA signatures are random, of 70 to 72 bytes: neither an observer nor the clock here shall see it."""

    def shake(n: int) -> tuple[Any, ...]:
        file = tmp_path / str(n)
        file.write_bytes(flash)
        desk = AirDesk(file)
        try:

            async def work() -> tuple[Any, ...]:
                async with desk.talk_by_air() as talk:
                    await talk.hello()
                    return desk.kernel.now_us(), desk.radio.counts

            return desk.run(work)
        finally:
            desk.close()

    assert shake(0) == shake(1) == shake(2)
