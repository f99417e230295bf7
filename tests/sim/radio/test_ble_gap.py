"""Advertising, scanning and connecting between boards: what is heard, when, and how it ends."""

from __future__ import annotations

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from radio_bench import Air

from smilehub.sim.radio import Laptop

RX = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"


def test_a_scanner_hears_what_was_advertised_and_the_response_only_when_it_asks(air: Air) -> None:
    air.board(
        "kiosk",
        """
        ble.gap_advertise(100_000, ADV, resp_data=b"\\x03\\xffhi", connectable=False)
        time.sleep(20)
        """,
    )
    air.board(
        "scanner",
        """
        for active in (False, True):
            seen.clear()
            ble.gap_scan(1000, 30000, 30000, active)
            wait(6)
            print(active, sorted({(data[2], data[4]) for data in events(5)}))
        """,
    )

    async def scene() -> None:
        await air.on()
        await air.until("scanner", "True [")

    air.run(scene())
    assert air.lines("scanner") == [
        "False [(2, b'\\x02\\x01\\x06\\x06\\tKiosk')]",
        "True [(2, b'\\x02\\x01\\x06\\x06\\tKiosk'), (4, b'\\x03\\xffhi')]",
    ]


def test_advertising_has_its_interval_with_jitter_and_a_window_catches_its_share(air: Air) -> None:
    air.board("kiosk", "ble.gap_advertise(100_000, ADV)\ntime.sleep(600)\n")
    air.board(
        "scanner",
        """
        for window in (30000, 7500):
            seen.clear()
            times = []
            ble.irq(lambda event, data: times.append(time.ticks_ms()) if event == 5 else irq(event, data))
            ble.gap_scan(20_000, 30000, window)
            time.sleep(21)
            steps = [time.ticks_diff(b, a) for a, b in zip(times, times[1:])]
            print(len(times), min(steps), max(steps))
        """,
    )

    async def scene() -> None:
        await air.on()
        await air.until("scanner", "MicroPython", 400)

    air.run(scene())
    (always, least, most), (quarter, _, _) = (map(int, line.split()) for line in air.lines("scanner"))
    # 100 ms and 0 to 10 more.
    assert 186 <= always <= 194
    assert 99 <= least <= 101
    assert 108 <= most <= 111
    assert 0.15 * always <= quarter <= 0.35 * always


def test_who_is_not_there_or_not_connectable_is_not_connected_to(air: Air) -> None:
    kiosk = air.board("kiosk", "ble.gap_advertise(50_000, ADV, connectable=False)\ntime.sleep(60)\n")
    address = air.radios["kiosk"].address
    del kiosk
    air.board(
        "central",
        f"""
        start = time.ticks_ms()
        ble.gap_connect(0, {address!r}, 1500)
        print(wait(8), time.ticks_diff(time.ticks_ms(), start) // 100)
        ble.gap_connect(0, b"nobody", 60000)
        try:
            ble.gap_connect(0, b"nobody", 60000)
        except OSError as error:
            print(error.errno)
        ble.gap_connect(None)
        print(wait(8)[1])
        print(ble.gap_disconnect(3))
        """,
    )

    async def scene() -> None:
        await air.on()
        await air.until("central", "False")

    air.run(scene())
    assert air.lines("central") == [
        "(65535, 255, b'\\x00\\x00\\x00\\x00\\x00\\x00')" + " 15",
        "114",
        "255",
        "False",
    ]


def test_a_connected_board_can_still_be_seen_and_takes_up_to_four(air: Air) -> None:
    air.board(
        "kiosk",
        """
        for i in range(4):
            ble.gap_advertise(50_000, ADV)
            print("in", wait(1, 60000)[0])
        try:
            ble.gap_advertise(50_000, ADV)
        except OSError as error:
            print("full", error.errno)
        ble.gap_advertise(50_000, ADV, connectable=False)
        wait(2, 60000)
        ble.gap_advertise(50_000, ADV)
        print("again", wait(1, 60000)[0])
        """,
    )
    laptops = [air.laptop(f"laptop{i}") for i in range(5)]
    address = air.radios["kiosk"].address.hex(":").upper()

    async def scene() -> None:
        await air.on()
        clients = [BleakClient(address, backend=laptop.client_backend) for laptop in laptops]
        for client in clients[:4]:
            await client.connect()
        await air.until("kiosk", "full")
        seen = await BleakScanner.discover(2, backend=laptops[4].scanner_backend, return_adv=True)
        assert list(seen) == [address]
        with pytest.raises(Exception, match="not found"):
            await clients[4].connect(timeout=2)
        await clients[1].disconnect()
        await clients[4].connect()
        assert clients[4].is_connected
        await air.until("kiosk", "again")

    air.run(scene())
    assert air.lines("kiosk") == ["in 0", "in 1", "in 2", "in 3", "full 12", "again 1"]


def test_a_power_cut_is_noticed_after_the_supervision_time_out_a_soft_reset_at_once(air: Air) -> None:
    program = """
        import machine
        ble.gatts_register_services((UART,))
        while True:
            seen.clear()
            ble.gap_advertise(50_000, ADV)
            wait(1, 60000)
            print("in")
            while not events(2):
                if events(3):
                    machine.soft_reset()
                time.sleep_ms(20)
        """
    air.board("kiosk", program)
    laptop = air.laptop()
    laptop.supervision_us = 2_000_000
    address = air.radios["kiosk"].address.hex(":").upper()
    kiosk = air.boards["kiosk"]

    async def scene() -> list[float]:
        times: list[float] = []
        await air.on()
        for end in (kiosk.power_cut, None, kiosk.reset):
            gone = asyncio.Event()
            client = BleakClient(address, lambda _, gone=gone: gone.set(), backend=laptop.client_backend)
            await client.connect(timeout=30)
            await asyncio.sleep(1)
            since = asyncio.get_running_loop().time()
            if end is None:
                # The kiosk answers a write with a soft reset.
                await client.write_gatt_char(RX, b"reset", response=False)
            else:
                end()
            await gone.wait()
            assert not client.is_connected
            times.append(asyncio.get_running_loop().time() - since)
            if not kiosk.powered:
                await kiosk.power_on()
        return times

    cut, soft, reset = air.run(scene())
    assert 1.9 <= cut <= 2.1
    assert soft <= 0.3
    assert 1.9 <= reset <= 2.1


def test_a_cut_in_the_air_ends_the_connection_on_both_sides_unless_it_is_short(air: Air) -> None:
    air.board(
        "kiosk",
        """
        ble.gap_advertise(50_000, ADV)
        wait(1, 60000)
        print("in")
        wait(2, 60000)
        print("out")
        """,
    )
    laptop = air.laptop()
    address = air.radios["kiosk"].address.hex(":").upper()

    async def scene() -> None:
        await air.on()
        client = BleakClient(address, backend=laptop.client_backend)
        await client.connect()
        air.radio.cut("kiosk", "laptop")
        await asyncio.sleep(0.3)
        air.radio.mend("kiosk", "laptop")
        await asyncio.sleep(2)
        assert client.is_connected
        assert "out" not in air.text("kiosk")
        air.radio.cut("kiosk", "laptop")
        await asyncio.sleep(0.5)
        assert not client.is_connected
        await air.until("kiosk", "out", 1)

    air.run(scene())


async def _listen(laptop: Laptop) -> tuple[int, int]:
    """The signal of the first advertisement, and how many came in five seconds."""
    heard: list[int] = []
    async with BleakScanner(lambda _, adv: heard.append(adv.rssi), backend=laptop.scanner_backend):
        await asyncio.sleep(5)
    return heard[0] if heard else 0, len(heard)


def test_distance_weakens_then_loses(air: Air) -> None:
    air.board("kiosk", "ble.gap_advertise(50_000, ADV)\ntime.sleep(60)\n")
    laptop = air.laptop()

    async def scene() -> list[tuple[int, int]]:
        await air.on()
        found: list[tuple[int, int]] = []
        for metres in (1, 10, 50, 100):
            air.radio.distance("kiosk", "laptop", metres)
            found.append(await _listen(laptop))
        return found

    near, room, hall, street = air.run(scene())
    assert near[0] == -40
    assert room[0] == -70
    assert abs(near[1] - room[1]) <= 4
    assert 0 < hall[1] < room[1] / 2
    assert street == (0, 0)


def test_strangers_fill_the_air_and_leave_again(air: Air) -> None:
    air.board("kiosk", "ble.gap_advertise(100_000, ADV)\ntime.sleep(60)\n")
    laptop = air.laptop()

    async def scene() -> tuple[int, int]:
        await air.on()
        air.radio.flood(30)
        many = await BleakScanner.discover(1, backend=laptop.scanner_backend)
        air.radio.flood(0)
        few = await BleakScanner.discover(1, backend=laptop.scanner_backend)
        return len(many), len(few)

    assert air.run(scene()) == (31, 1)
