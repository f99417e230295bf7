"""Sessions in the air as on a kiosk: services.session over services.radio, with TLS, beside the cable."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import link_rig
import pytest
from bleak import BleakScanner
from link_rig import DEVICE, HUB, LAPTOP, TECHNICIAN, Desk, Talk
from radio_rig import BYE, SERVICE, WAIT, Peer

from hubcore import records
from smilehub.errors import HandshakeLate, LinkError, SmilehubError
from smilehub.link.air import AirTransport, Backend
from smilehub.link.cable import CableTransport
from smilehub.link.tls import SecureTransport
from smilehub.sim.radio import Radio
from smilehub.trust.identity import Identity

VISITOR = {"need": "urgent", "lane": "any", "lang": "en", "pictogram": 2}


class AirDesk(Desk):
    """A desk in the air."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
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
def desk(tmp_path: Path) -> Iterator[AirDesk]:
    desk = AirDesk(tmp_path)
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


def test_who_stalls_handshakes_on_the_cable_keeps_nobody_in_the_air_out(desk: AirDesk) -> None:
    async def stall() -> None:
        for number in itertools.count():
            cable = CableTransport(link_rig.Wire(desk.port), rates=(), rnd=random.Random(number).randbytes)
            try:
                with contextlib.suppress(SmilehubError):
                    await cable.open()
                    shaken.append(asyncio.get_running_loop().time())
                    while True:
                        await cable.receive()
            finally:
                await cable.close()

    shaken: list[float] = []
    took: list[float] = []

    async def work() -> None:
        stalling = asyncio.create_task(stall())
        await asyncio.sleep(5)
        for _ in range(4):
            began = asyncio.get_running_loop().time()
            async with desk.talk_by_air() as talk:
                await talk.hello()
            took.append(asyncio.get_running_loop().time() - began)
        stalling.cancel()
        await asyncio.gather(stalling, return_exceptions=True)
        await asyncio.sleep(1)
        # Its own way stays open for who means well, a little later.
        async with desk.talk(rates=()) as talk:
            assert (await talk.hello())[13] == "laptop"

    desk.run(work)
    assert max(took) < 25, took
    assert len(shaken) > 2


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


def test_a_handshake_takes_the_same_time_whatever_its_signatures_are(tmp_path: Path) -> None:
    """ECDSA signatures are random, of 70 to 72 bytes: neither an observer nor the clock here shall see it."""

    def shake(n: int) -> tuple[Any, ...]:
        folder = tmp_path / str(n)
        folder.mkdir()
        desk = AirDesk(folder)
        try:

            async def work() -> tuple[Any, ...]:
                async with desk.talk_by_air() as talk:
                    await talk.hello()
                    return desk.kernel.now_us(), desk.radio.counts

            return desk.run(work)
        finally:
            desk.close()

    assert shake(0) == shake(1) == shake(2)
