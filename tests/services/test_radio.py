"""services.radio on a simulated board in the virtual air: who is let in, what passes, and how it ends."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from radio_rig import BYE, CREDIT, DATA, KEY, PADDED, PROOF, WAIT, Clinic, Gone, Peer

BLOCK = bytes(range(256))


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.close()


async def find(clinic: Clinic) -> BLEDevice:
    found = await clinic.seen(0.5)
    assert found is not None
    return found[0]


@asynccontextmanager
async def joined(clinic: Clinic, device: BLEDevice | None = None) -> AsyncGenerator[Peer]:
    """A peer that has proved the key and leaves in good order."""
    peer = clinic.peer(device or await find(clinic))
    await peer.join()
    yield peer
    await peer.leave()
    await asyncio.sleep(0.3)


async def still_works(clinic: Clinic, device: BLEDevice) -> None:
    async with joined(clinic, device) as peer:
        await peer.send(b"=still here")
        assert await peer.receive(10) == b"still here"


def test_bytes_come_and_go_in_order_once_the_key_is_proved(clinic: Clinic) -> None:
    data = random.Random(1).randbytes(3000)

    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            assert peer.credit == 1024
            assert peer.client.mtu_size == 247
            for at in range(0, len(data), 239):
                piece = data[at : at + 239]
                await peer.send(b"=" + piece)
                assert await peer.receive(len(piece)) == piece

    clinic.run(script)
    assert clinic.said("opened") == [["opened", 1]]
    assert clinic.said("over") == [["over", 1, 3000 + 13]]


def test_notifications_fill_the_mtu_and_wait_while_there_is_no_memory(tmp_path: Path) -> None:
    # Of every kind of value the first is refused, and whatever NimBLE has no room for.
    refusing = """
import bluetooth
notify = bluetooth.BLE.gatts_notify
seen = set()
def refusing(self, conn, handle, value):
    if value[0] not in seen:
        seen.add(value[0])
        raise OSError(12)
    try:
        notify(self, conn, handle, value)
    except OSError as error:
        say("full", error.errno)
        raise
bluetooth.BLE.gatts_notify = refusing
"""
    clinic = Clinic(tmp_path, refusing)

    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            peer.sizes.clear()
            await peer.send(b"*\x00\x80")
            assert await peer.receive(128 * 256) == BLOCK * 128
            values = {size: n for size, n in peer.sizes.items() if size > 19}
            assert values == {244: 128 * 256 // 242, 2 + 128 * 256 % 242: 1}
            await peer.send(b"=" + bytes(200))
            await peer.receive(200)
            assert peer.sizes[202] == 1

    try:
        clinic.run(script)
        assert ["full", 12] in clinic.said("full")
    finally:
        clinic.close()


def test_nothing_is_sent_that_was_not_granted(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            peer.generous = False
            await peer.send(b"*\x00\x04")
            await asyncio.sleep(2)
            assert not peer.data
            for n in (1, 7, 242, 250, 524):
                await peer.grant(n)
                await asyncio.sleep(1)
            assert bytes(peer.data) == BLOCK * 4

    clinic.run(script)


@pytest.mark.parametrize(("key", "version"), [(bytes(32), 2), (KEY[::-1], 2), (KEY, 1), (KEY, 3)])
def test_a_wrong_proof_is_refused_and_told(clinic: Clinic, key: bytes, version: int) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.connect()
        await peer.subscribe()
        await peer.prove(key, version)
        assert await peer.first(BYE) == bytes((BYE, 7))
        assert await peer.ended(2) <= 0.5
        await still_works(clinic, device)

    clinic.run(script)
    assert clinic.said("refused") == [["refused", "no proof", "air"]]


def test_an_old_proof_proves_nothing(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        first = clinic.peer(device)
        await first.connect()
        await first.subscribe()
        proof = await first.prove(KEY)
        await first.until(lambda: first.credit)
        await first.leave()
        await asyncio.sleep(0.5)
        second = clinic.peer(device)
        await second.connect()
        await second.subscribe()
        await second.write(proof)
        assert await second.first(BYE) == bytes((BYE, 7))
        await second.ended(2)

    clinic.run(script)
    assert clinic.said("opened") == [["opened", 1]]
    assert clinic.said("refused") == [["refused", "no proof", "air"]]


@pytest.mark.parametrize("subscribes", [False, True])
def test_a_silent_peer_is_sent_away(clinic: Clinic, subscribes: bool) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.connect()
        if subscribes:
            await peer.subscribe()
        assert await peer.ended(10) <= 8.5
        assert (bytes((BYE, 2)) in peer.heard) is subscribes
        await still_works(clinic, device)

    clinic.run(script)


JUNK = {
    "data": bytes((DATA, 0)) + b"x",
    "padded": bytes((PADDED, 0, 9)),
    "short proof": bytes((PROOF, 2)),
    "of another version": bytes((PROOF, 3)) + bytes(16),
    "nothing": b"",
    "a cut credit": bytes((CREDIT, 1)),
    "bye": bytes((BYE, 0)),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_before_the_proof_ends_the_connection(clinic: Clinic, junk: bytes) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.connect()
        await peer.write(junk)
        await peer.ended(2)
        await still_works(clinic, device)

    clinic.run(script)


def test_the_handler_bears_anything(clinic: Clinic) -> None:
    rnd = random.Random(5)
    kinds = (DATA, PADDED, WAIT, BYE, PROOF, CREDIT, 0, 0xFF)

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        for n in range(24):
            peer = clinic.peer(device)
            try:
                await (peer.connect() if n % 2 else peer.join())
                for _ in range(20):
                    value = bytes((rnd.choice(kinds), peer.seq)) + rnd.randbytes(
                        rnd.choice((0, 1, 2, 40, 242))
                    )
                    await peer.write(value[: rnd.randrange(245)], response=rnd.random() < 0.3)
                await peer.leave()
            except Gone:
                pass
            await asyncio.sleep(1)
        await still_works(clinic, device)

    clinic.run(script)


def test_a_flood_beyond_credit_ends_the_session(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.join()
        await peer.send(b"s\x02")
        await asyncio.sleep(0.3)
        with pytest.raises(Gone):
            for seq in range(1, 200):
                await peer.write(bytes((DATA, seq)) + bytes(242))
        assert bytes((BYE, 5)) in peer.heard
        await asyncio.sleep(3)
        await still_works(clinic, device)

    clinic.run(script)
    # What came within credit is all that the session ever read.
    assert clinic.said("over")[0] == ["over", 1, 2 + 4 * 242]


@pytest.mark.parametrize("seq", [0, 2, 255])
def test_a_gap_ends_the_session(clinic: Clinic, seq: int) -> None:
    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            await peer.send(b"=a")
            await peer.write(bytes((DATA, seq)) + b"=b")
            assert await peer.first(BYE) == bytes((BYE, 5))
            await peer.ended(2)

    clinic.run(script)


def test_two_centrals_one_at_a_time(clinic: Clinic) -> None:
    other = clinic.radio.laptop("other")

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        async with joined(clinic, device) as peer:
            # The kiosk goes on advertising, and cannot be connected to.
            assert await clinic.seen(1, other) is not None
            second = clinic.peer(device, other)
            with pytest.raises(BleakError):
                await second.connect()
            await peer.send(b"=mine")
            assert await peer.receive(4) == b"mine"
        second = clinic.peer(device, other)
        await second.join()
        await second.send(b"=ours")
        assert await second.receive(4) == b"ours"
        await second.leave()

    clinic.run(script)
    assert clinic.said("opened") == [["opened", 1], ["opened", 2]]


async def leaves(clinic: Clinic, peer: Peer) -> None:
    await peer.leave()


async def vanishes(clinic: Clinic, peer: Peer) -> None:
    clinic.laptop.vanish()
    await asyncio.sleep(1)


@pytest.mark.parametrize("goes", [leaves, vanishes])
def test_a_disconnect_at_any_packet_of_a_sync_harms_nobody(clinic: Clinic, goes: Callable[..., Any]) -> None:
    """Requests up, answers down, credit both ways; cut before the n-th value that either side sends."""
    cuts = 0

    async def sync(peer: Peer, left: int) -> None:
        def spend() -> None:
            nonlocal left
            if left == 0:
                raise EOFError
            left -= 1

        wrote, noted = peer.client.write_gatt_char, peer._notified

        async def write(*args: Any, **kwargs: Any) -> None:
            spend()
            await wrote(*args, **kwargs)

        cut = asyncio.get_running_loop().create_future()

        def notified(sender: Any, value: bytearray) -> None:
            try:
                spend()
            except EOFError:
                if not cut.done():
                    cut.set_result(None)
                return
            noted(sender, value)

        async def talk() -> None:
            await peer.connect()
            await peer.subscribe()
            await peer.prove(KEY)
            for n in (3, 1):
                await peer.send(b"=" + bytes(200))
                assert await peer.receive(200) == bytes(200)
                await peer.send(b"*" + n.to_bytes(2, "big"))
                assert await peer.receive(n * 256) == BLOCK * n

        peer.client.write_gatt_char = write  # type: ignore[method-assign]
        peer._notified = notified  # type: ignore[method-assign]
        talking = asyncio.create_task(talk())
        await asyncio.wait({talking, cut}, return_when=asyncio.FIRST_COMPLETED)
        talking.cancel()
        outcome = (await asyncio.gather(talking, return_exceptions=True))[0]
        if outcome is None:
            return
        assert isinstance(outcome, (EOFError, asyncio.CancelledError)), outcome
        raise EOFError

    async def script(_: Clinic) -> None:
        nonlocal cuts
        device = await find(clinic)
        while True:
            peer = clinic.peer(device)
            try:
                await sync(peer, cuts)
            except EOFError:
                cuts += 1
                await goes(clinic, peer)
                await asyncio.sleep(0.3)
                continue
            await peer.leave()
            break
        await still_works(clinic, device)

    clinic.run(script)
    assert cuts >= 14
    assert len(clinic.said("over")) == len(clinic.said("opened")) >= cuts - 2


def test_who_comes_back_early_waits_until_the_old_session_has_let_go(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        old = clinic.peer(device)
        await old.join()
        await old.send(b"s\x04")
        await asyncio.sleep(0.3)
        await old.leave()
        with pytest.raises(BleakError):
            await Peer(device, clinic.laptop, seconds=1).connect()
        assert clinic.said("over") == []
        await asyncio.sleep(3)
        await still_works(clinic, device)

    clinic.run(script)
    assert [line[:2] for line in clinic.said("over")] == [["over", 1], ["over", 2]]


def test_what_an_old_session_left_unread_is_not_the_next_one_s(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.join()
        await peer.grant()
        await peer.send(b"s\x01")
        await asyncio.sleep(0.2)
        await peer.send(b"b" + bytes(799))
        await peer.ended(3)
        await asyncio.sleep(0.5)
        await still_works(clinic, device)

    clinic.run(script)
    # It hung up after the first 300 bytes that it found.
    assert clinic.said("over") == [["over", 1, 2 + 300], ["over", 2, 11]]


def test_a_connection_that_failed_does_not_end_the_advertising(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        station = clinic.kiosk.station
        assert station is not None
        # NimBLE tells it as a disconnect of no connection; the controller advertises no more.
        station.stop_advertising()
        clinic.kiosk.tell(2, 0xFFFF | 0xFF << 16, bytes(6))
        await still_works(clinic, device)

    clinic.run(script)


def test_a_central_too_many_is_sent_away(tmp_path: Path) -> None:
    clinic = Clinic(
        tmp_path,
        """
import bluetooth
def hang_up(self, conn):
    say("hangs up", conn)
    return False
bluetooth.BLE.gap_disconnect = hang_up
""",
    )

    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            clinic.kiosk.tell(1, 77, bytes(6))
            await peer.send(b"=mine")
            assert await peer.receive(4) == b"mine"

    try:
        clinic.run(script)
        assert clinic.said("hangs up") == [["hangs up", 77]]
    finally:
        clinic.close()


def test_a_session_that_is_over_hangs_up_on_nobody_else(tmp_path: Path) -> None:
    clinic = Clinic(
        tmp_path,
        """
async def late():
    while True:
        await asyncio.sleep_ms(50)
        if air.ended:
            air.hang_up(5)
asyncio.create_task(late())
""",
    )

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.connect()
        await peer.subscribe()
        await asyncio.sleep(1)
        await peer.prove(KEY)
        await peer.send(b"=here")
        assert await peer.receive(4) == b"here"
        await peer.leave()

    try:
        clinic.run(script)
    finally:
        clinic.close()


def test_hanging_up_is_tried_until_it_works(tmp_path: Path) -> None:
    clinic = Clinic(
        tmp_path,
        """
import bluetooth
hang_up = bluetooth.BLE.gap_disconnect
tries = []
def busy(self, conn):
    tries.append(conn)
    if len(tries) < 3:
        raise OSError(114)
    return hang_up(self, conn)
bluetooth.BLE.gap_disconnect = busy
""",
    )

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.connect()
        assert 9 <= await peer.ended(15) <= 11
        await still_works(clinic, device)

    try:
        clinic.run(script)
    finally:
        clinic.close()


def test_closed_it_says_nothing_more(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.join()
        await peer.send(b"c")
        await peer.ended(2)
        assert await clinic.seen(1) is None

    clinic.run(script)


def test_who_comes_while_there_is_no_room_for_its_buffers_may_come_again(tmp_path: Path) -> None:
    clinic = Clinic(
        tmp_path,
        """
import services.central
RingIO = services.central.RingIO
fails = [1]
def ring(size):
    if fails[0]:
        fails[0] -= 1
        raise MemoryError
    return RingIO(size)
services.central.RingIO = ring
""",
    )

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.connect()
        await peer.subscribe()
        await peer.prove(KEY)
        assert await peer.first(BYE) == bytes((BYE, 5))
        await peer.ended(2)
        await still_works(clinic, device)

    try:
        clinic.run(script)
        assert not clinic.said("refused")
    finally:
        clinic.close()


def test_a_value_that_there_is_no_memory_for_ends_the_session_only(tmp_path: Path) -> None:
    clinic = Clinic(
        tmp_path,
        """
import bluetooth
read = bluetooth.BLE.gatts_read
count = [0]
def reading(*args):
    count[0] += 1
    if count[0] == 4:
        raise MemoryError
    return read(*args)
bluetooth.BLE.gatts_read = reading
""",
    )

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        async with joined(clinic, device) as peer:
            for n in range(3):
                await peer.write(bytes((DATA, n)) + b"=")
            assert await peer.first(BYE) == bytes((BYE, 5))
            await peer.ended(2)
        await still_works(clinic, device)

    try:
        clinic.run(script)
    finally:
        clinic.close()


def test_the_air_is_cut_and_mended(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.join()
        await peer.send(b"*\x00\x80")
        await peer.receive(2000)
        clinic.radio.cut("kiosk", "laptop")
        await asyncio.sleep(2)
        assert peer.gone
        assert len(clinic.said("over")) == 1
        assert await clinic.seen(1) is None
        clinic.radio.mend("kiosk", "laptop")
        await still_works(clinic, device)

    clinic.run(script)


def test_an_air_that_loses_packets_loses_no_bytes(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            clinic.radio.loss("kiosk", "laptop", 0.2)
            for n in range(8):
                await peer.send(b"=" + bytes([n]) * 180)
                assert await peer.receive(180) == bytes([n]) * 180
            await peer.send(b"*\x00\x20")
            assert await peer.receive(32 * 256) == BLOCK * 32

    clinic.run(script)
    assert clinic.radio.counts.lost


def test_values_grow_with_the_mtu_in_mid_stream(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        station = await clinic.laptop.ready()
        station.mtu = 23
        async with joined(clinic, device) as peer:
            assert peer.client.mtu_size == 23
            await peer.send(b"*\x00\x20", 18)
            await peer.receive(2000)
            assert max(peer.sizes) == 20
            (there,) = station.peers.values()
            there.bearer.preferred_mtu = 100
            there.bearer.exchange_mtu(lambda _: None)
            assert await peer.receive(32 * 256 - 2000) == (BLOCK * 32)[2000:]
            assert max(peer.sizes) == 97

    clinic.run(script)


def test_an_mtu_that_shrinks_ends_the_session(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        async with joined(clinic, device) as peer:
            (there,) = (await clinic.laptop.ready()).peers.values()
            there.bearer.preferred_mtu = 60
            there.bearer.exchange_mtu(lambda _: None)
            assert await peer.first(BYE) == bytes((BYE, 5))
            await peer.ended(2)
        await still_works(clinic, device)

    clinic.run(script)


def test_who_unsubscribes_in_mid_stream_harms_nobody(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        async with joined(clinic, device) as peer:
            await peer.send(b"*\x00\x40")
            await peer.receive(2000)
            await peer.unsubscribe()
            await asyncio.sleep(3)
            assert not peer.gone
            assert len(peer.data) < 64 * 256 - 2000
        await still_works(clinic, device)

    clinic.run(script)


def test_the_last_value_of_a_flight_is_filled_while_a_handshake_lasts(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        async with joined(clinic) as peer:
            for n in (1, 100, 241, 242, 243, 290):
                await peer.send(b"p" + b"h" * n if n < 242 else b"p" + b"h" * 241, 242)
                peer.sizes.clear()
                await peer.receive(min(n, 241))
                assert set(peer.sizes) - {3} == {244}
                await asyncio.sleep(0.5)
            # And the laptop's are read without their filling.
            value = b"=abc" + bytes(20) + b"\x15"
            await peer.write(bytes((PADDED, peer.seq)) + value)
            assert await peer.receive(3) == b"abc"

    clinic.run(script)


def test_last_words_come_before_the_end(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        peer = clinic.peer(await find(clinic))
        await peer.join()
        await peer.grant()
        await peer.send(b"w")
        assert await peer.first(WAIT) == bytes((WAIT, 7))
        await peer.send(b"b")
        assert await peer.first(BYE) == bytes((BYE, 0))
        assert bytes(peer.data) == b"last words"
        await peer.ended(1)

    clinic.run(script)


def test_switched_off_it_is_silent_and_on_again_it_is_there(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        peer = clinic.peer(device)
        await peer.join()
        await peer.send(b"o")
        await peer.ended(2)
        assert await clinic.seen(1) is None
        await asyncio.sleep(2)
        await still_works(clinic, device)

    clinic.run(script)


def test_a_kiosk_without_identity_lets_nobody_connect(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, key=None)

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        with pytest.raises(BleakError):
            await clinic.peer(device).connect()

    try:
        clinic.run(script)
    finally:
        clinic.close()


def test_badges_may_have_the_advertisement(clinic: Clinic) -> None:
    async def script(_: Clinic) -> None:
        device = await find(clinic)
        badges = b"\x02\x01\x06\x1b\xff\xfe\xff" + bytes(range(24))
        async with joined(clinic, device) as peer:
            await peer.send(b"a" + badges)
            await asyncio.sleep(0.5)
            other = clinic.radio.laptop("other")
            for _ in range(2):
                found = await clinic.seen(1, other)
                assert found is not None
                assert found[1].manufacturer_data == {0xFFFE: bytes(range(24))}
                assert found[1].local_name == "SH-d4e5f6"
                if not peer.gone:
                    await peer.leave()
                    await asyncio.sleep(0.3)

    clinic.run(script)


@pytest.mark.parametrize("error", ["OSError(5)", "MemoryError()"])
def test_a_radio_that_does_not_start_is_a_trouble_until_it_does(tmp_path: Path, error: str) -> None:
    broken = f"""
import bluetooth
active = bluetooth.BLE.active
fails = [2]
def failing(*args):
    if fails[0]:
        fails[0] -= 1
        raise {error}
    return active(*args)
bluetooth.BLE.active = failing
"""
    clinic = Clinic(tmp_path, broken)

    async def script(_: Clinic) -> None:
        assert await clinic.seen(1) is None
        await asyncio.sleep(1300)
        await still_works(clinic, await find(clinic))

    try:
        clinic.run(script)
        health = clinic.said("health")
    finally:
        clinic.close()
    assert [line[:3] for line in health] == [["health", "radio", on] for on in (True, True, False)]
    assert error[:-2].rstrip("(") in health[0][3]


def test_many_visits_leave_nothing_behind(tmp_path: Path) -> None:
    counting = """
def weigh():
    gc.collect()
    say("weight", gc.mem_alloc())
"""
    clinic = Clinic(tmp_path, counting)

    async def script(_: Clinic) -> None:
        device = await find(clinic)
        for _ in range(12):
            await still_works(clinic, device)

    try:
        clinic.run(script)
        assert len(clinic.said("over")) == 12
        weights = [line[1] for line in clinic.said("weight")]
    finally:
        clinic.close()
    assert max(weights[2:]) - min(weights[2:]) <= 64, weights
