"""The laptop's side: bleak over the air, troubles, and whether the same seed gives the same day."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from radio_bench import Air

SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
TX = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
RX = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"

ECHO = """
((tx, rx),) = ble.gatts_register_services((UART,))
ble.gatts_set_buffer(rx, 600)
ble.config(mtu=247)
def echo(event, data):
    if event == 3:
        value = ble.gatts_read(rx)
        ble.gatts_write(tx, value)
        ble.gatts_notify(data[0], tx, value[:20])
    elif event in (1, 2):
        ble.gap_advertise(50_000, ADV, resp_data=b"\\x11\\x07" + bytes(SERVICE))
ble.irq(echo)
echo(2, ())
time.sleep(3600)
"""


def _address(air: Air, name: str = "kiosk") -> str:
    return air.radios[name].address.hex(":").upper()


def test_long_values_are_written_and_read_in_pieces_and_refusals_have_their_code(air: Air) -> None:
    air.board("kiosk", ECHO)
    laptop = air.laptop()
    value = bytes(range(256)) * 2

    async def scene() -> None:
        await air.on()
        async with BleakClient(_address(air), backend=laptop.client_backend, timeout=10) as client:
            assert client.mtu_size == 247
            await client.write_gatt_char(RX, value, response=True)
            assert await client.read_gatt_char(TX) == value
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.read_gatt_char(RX)
            assert refused.value.args[0] == 2
            with pytest.raises(BleakError, match="do not fit"):
                await client.write_gatt_char(RX, bytes(245), response=False)
            assert laptop.sent_bytes == len(value)
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.write_gatt_char(RX, b"late")

    air.run(scene())


def test_a_disconnect_ends_every_wait_and_is_told_once(air: Air) -> None:
    air.board("kiosk", ECHO)
    laptop = air.laptop()
    gone: list[str] = []

    async def scene() -> None:
        await air.on()
        client = BleakClient(_address(air), lambda c: gone.append(c.address), backend=laptop.client_backend)
        await client.connect()
        air.radio.cut("kiosk", "laptop")
        reading = asyncio.ensure_future(client.read_gatt_char(TX))
        writing = asyncio.ensure_future(_write_on(client))
        for task in (reading, writing):
            with pytest.raises(BleakError):
                await task
        assert gone == [_address(air)]
        air.radio.mend("kiosk", "laptop")
        await client.connect()
        await client.disconnect()
        assert gone == [_address(air)] * 2

    air.run(scene())


async def _write_on(client: BleakClient) -> None:
    while True:
        await client.write_gatt_char(RX, bytes(200), response=False)


def test_who_is_absent_is_not_found_and_troubles_come_when_they_are_called(air: Air) -> None:
    laptop = air.laptop()
    laptop.troubles.scan.append(BleakError("org.bluez.Error.InProgress"))
    laptop.troubles.connect += [None, BleakError("le-connection-abort-by-local")]

    async def scene() -> float:
        with pytest.raises(BleakError, match="InProgress"):
            await BleakScanner.discover(1, backend=laptop.scanner_backend)
        assert await BleakScanner.discover(1, backend=laptop.scanner_backend) == []
        client = BleakClient("24:0A:C4:00:00:01", backend=laptop.client_backend, timeout=5)
        since = asyncio.get_running_loop().time()
        with pytest.raises(BleakDeviceNotFoundError):
            await client.connect()
        took = asyncio.get_running_loop().time() - since
        with pytest.raises(BleakError, match="abort-by-local"):
            await client.connect()
        return took

    assert 5 <= air.run(scene()) <= 5.1


def test_a_lost_connection_request_looks_like_a_connection_that_dies(air: Air) -> None:
    air.board("kiosk", ECHO)
    laptop = air.laptop()
    air.radio.loss("kiosk", "laptop", 0.4)
    laptop.supervision_us = 5_000_000

    async def scene() -> tuple[int, int]:
        await air.on()
        failed = worked = 0
        for _ in range(12):
            client = BleakClient(_address(air), backend=laptop.client_backend, timeout=10)
            try:
                await client.connect()
                worked += 1
                await client.disconnect()
            except BleakError:
                failed += 1
            await asyncio.sleep(1)
        return failed, worked

    failed, worked = air.run(scene())
    assert failed
    assert worked


def test_a_killed_laptop_falls_silent_and_may_come_back(air: Air) -> None:
    air.board("kiosk", ECHO)
    laptop = air.laptop()

    async def scene() -> None:
        await air.on()
        first = BleakClient(_address(air), backend=laptop.client_backend)
        await first.connect()
        laptop.vanish()
        again = BleakClient(_address(air), backend=laptop.client_backend)
        await again.connect()
        assert again.is_connected
        await again.disconnect()

    air.run(scene())


def test_an_indication_that_nobody_confirms_fails(air: Air) -> None:
    air.board(
        "kiosk",
        """
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gap_advertise(50_000, ADV)
        conn = wait(1)[0]
        wait(3)
        time.sleep(1)
        ble.gatts_indicate(conn, tx, "anybody?")
        print(wait(20)[2])
        """,
    )
    laptop = air.laptop()
    laptop.supervision_us = 4_000_000

    async def scene() -> None:
        await air.on()
        client = BleakClient(_address(air), backend=laptop.client_backend)
        await client.connect()
        await client.write_gatt_char(RX, b"go", response=True)
        laptop.vanish()
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    # NimBLE's BLE_HS_ENOTCONN.
    assert air.lines("kiosk") == ["7"]


def test_cancelling_a_connect_leaves_the_laptop_able_to_connect(air: Air) -> None:
    air.board("kiosk", ECHO)
    laptop = air.laptop()

    async def scene() -> None:
        absent = BleakClient("24:0A:C4:00:00:01", backend=laptop.client_backend, timeout=60)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await absent.connect()
        await air.on()
        client = BleakClient(_address(air), backend=laptop.client_backend)
        await client.connect()
        await client.disconnect()

    air.run(scene())


def test_goodput_is_what_the_model_says_both_ways(air: Air) -> None:
    air.board("kiosk", ECHO.replace("ble.gatts_notify(data[0], tx, value[:20])", "pass"))
    laptop = air.laptop()
    laptop.interval_us = (30_000, 30_000)

    async def scene() -> float:
        await air.on()
        client = BleakClient(_address(air), backend=laptop.client_backend)
        await client.connect()
        since = asyncio.get_running_loop().time()
        for _ in range(600):
            await client.write_gatt_char(RX, bytes(244), response=False)
        # The last ones are still on their way: a read comes after them.
        await client.read_gatt_char(TX)
        took = asyncio.get_running_loop().time() - since
        await client.disconnect()
        return 600 * 244 / took

    rate = air.run(scene())
    # Six packets of 244 bytes in 30 ms.
    assert 0.95 * 48_800 <= rate <= 48_800


def test_the_same_seed_gives_the_same_packets_at_the_same_times(tmp_path: Path) -> None:
    def day(folder: str, seed: int) -> tuple[object, ...]:
        (tmp_path / folder).mkdir()
        air = Air(tmp_path / folder, seed=seed)
        try:
            air.board("kiosk", ECHO)
            air.board("other", ECHO)
            laptop = air.laptop()
            air.radio.loss("kiosk", "laptop", 0.1)
            trace: list[object] = []

            async def scene() -> None:
                await air.on()
                found = await BleakScanner.discover(2, backend=laptop.scanner_backend, return_adv=True)
                trace.append(list(found))
                client = BleakClient(_address(air), backend=laptop.client_backend)
                for _ in range(5):
                    try:
                        await client.connect()
                        break
                    except BleakError:
                        continue
                await client.start_notify(
                    TX, lambda _, data: trace.append((air.kernel.now_us(), bytes(data)))
                )
                for i in range(20):
                    await client.write_gatt_char(RX, b"%020d" % i, response=False)
                await asyncio.sleep(3)
                await client.disconnect()

            air.run(scene())
            return (*trace, air.radio.counts)
        finally:
            air.close()

    first = day("a", 7)
    assert len(first) == 22
    assert first == day("b", 7)
    assert first != day("c", 8)


def test_two_connections_share_the_kiosks_antenna(air: Air) -> None:
    air.board("kiosk", ECHO.replace("ble.gatts_notify(data[0], tx, value[:20])", "pass"))
    laptops = [air.laptop("one"), air.laptop("two")]
    air.radio.timing.packets_per_event = 100
    for laptop in laptops:
        laptop.interval_us = (30_000, 30_000)

    async def rate(client: BleakClient) -> float:
        since = asyncio.get_running_loop().time()
        for _ in range(300):
            await client.write_gatt_char(RX, bytes(244), response=False)
        await client.read_gatt_char(TX)
        return 300 * 244 / (asyncio.get_running_loop().time() - since)

    async def scene() -> tuple[float, list[float]]:
        await air.on()
        clients = [BleakClient(_address(air), backend=laptop.client_backend) for laptop in laptops]
        for client in clients:
            await client.connect()
        alone = await rate(clients[0])
        together = await asyncio.gather(*(rate(client) for client in clients))
        return alone, list(together)

    alone, together = air.run(scene())
    assert alone > 80_000
    assert sum(together) < 1.15 * alone
    assert min(together) > 0.2 * alone


def test_a_broken_off_connection_is_gone_at_once_and_taps_see_every_packet(air: Air) -> None:
    air.board("kiosk", ECHO)
    laptop = air.laptop()
    seen: list[str] = []

    async def scene() -> None:
        await air.on()
        client = BleakClient(_address(air), backend=laptop.client_backend)
        await client.connect()

        def tap(sender: str, receiver: str, payload: bytes) -> None:
            seen.append(f"{sender}>{receiver} {payload[4:].hex()[:2]}")
            if len(seen) == 4:
                air.radio.snap("kiosk", "laptop")

        air.radio.tap(tap)
        with pytest.raises(BleakError):
            await _write_on(client)
        assert not client.is_connected
        air.radio.drop("kiosk", "laptop", 3)
        await client.connect()
        assert air.radio.path("kiosk", "laptop").drop == 0
        await client.disconnect()

    air.run(scene())
    # Commands, and what the kiosk notifies.
    assert set(seen[:4]) <= {"laptop>kiosk 52", "kiosk>laptop 1b"}


def test_another_interval_comes_into_force_on_both_sides(air: Air) -> None:
    air.board(
        "kiosk",
        """
        ble.gap_advertise(50_000, ADV)
        wait(1)
        print(wait(27, 30000)[1:])
        """,
    )
    laptop = air.laptop()

    async def scene() -> None:
        await air.on()
        client = BleakClient(_address(air), backend=laptop.client_backend)
        await client.connect()
        await laptop.retime(15_000)
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("kiosk") == ["(12, 0, 42, 0)"]
