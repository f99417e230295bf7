"""The ``bluetooth`` module by itself: UUIDs, settings, what it raises, and what it costs the firmware."""

from __future__ import annotations

import asyncio

from bleak import BleakClient
from radio_bench import Air


def test_uuids_compare_print_and_give_their_bytes(air: Air) -> None:
    air.board(
        "kiosk",
        """
        from bluetooth import UUID
        u = UUID("6E400001-B5A3-F393-E0A9-E50E24DCCA9E")
        print(u, UUID(0x180F), UUID(b"\\x08\\x29"), UUID(b"1234"), bytes(u)[:3], len(bytes(u)))
        print(u == UUID("6e400001b5a3f393e0a9e50e24dcca9e"), UUID(0x2908) == UUID(b"\\x08\\x29"), u == 5)
        print(UUID(0xFFFF) < u, UUID(1) < UUID(2), {UUID(1): "x"}[UUID(1)])
        for bad in (0x10000, "6E4", "6E400001-B5A3-F393-E0A9-E50E24DCCAXX", "6E400001" * 5):
            try:
                UUID(bad)
            except ValueError as error:
                print(error)
        """,
    )

    async def scene() -> None:
        await air.on()
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("kiosk") == [
        "UUID('6e400001-b5a3-f393-e0a9-e50e24dcca9e') UUID(0x180f) UUID(0x2908) UUID(0x34333231) "
        "b'\\x9e\\xca\\xdc' 16",
        "True True False",
        "True True x",
        "invalid UUID",
        "UUID too short",
        "invalid char in UUID",
        "UUID too long",
    ]


def test_an_inactive_radio_refuses_and_bad_settings_are_named(air: Air) -> None:
    air.board(
        "kiosk",
        """
        ble.config(gap_name="Zahnärzte")
        print(ble.config("gap_name"), ble.config("mac")[0], ble.config("mtu"), ble.active())
        for wrong in (dict(rxbuf=100), dict(nonsense=1)):
            try:
                ble.config(**wrong)
            except ValueError as error:
                print(error)
        for call in (
            lambda: ble.gap_advertise(50_000, bytes(32)),
            lambda: ble.gap_advertise(1000, b""),
            lambda: ble.gatts_read(77),
            lambda: ble.gatts_notify(3, 9, b""),
        ):
            try:
                call()
            except OSError as error:
                print(error.errno)
        ble.active(False)
        for call in (
            lambda: ble.gap_advertise(50_000),
            lambda: ble.config("mac"),
            lambda: ble.gatts_register_services(()),
            lambda: ble.gap_scan(10),
        ):
            try:
                call()
            except OSError as error:
                print(error.errno)
        """,
    )

    async def scene() -> None:
        await air.on()
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("kiosk") == [
        f"{'Zahnärzte'.encode()!r} 0 256 True",
        *["unknown config param"] * 2,
        *["22", "22", "22"],
        "107",
        *["19"] * 4,
    ]


def test_the_module_costs_the_firmware_almost_no_heap(air: Air) -> None:
    air.board(
        "kiosk",
        """
        import gc
        gc.collect()
        before = gc.mem_free()
        import bluetooth
        ble = bluetooth.BLE()
        ble.active(True)
        gc.collect()
        active = gc.mem_free()
        UART = (bluetooth.UUID("6E400001-B5A3-F393-E0A9-E50E24DCCA9E"), (
            (bluetooth.UUID("6E400003-B5A3-F393-E0A9-E50E24DCCA9E"), 18),
            (bluetooth.UUID("6E400002-B5A3-F393-E0A9-E50E24DCCA9E"), 12)))
        ble.gatts_register_services((UART,))
        del UART
        ble.gap_advertise(100_000, b"123")
        gc.collect()
        print(before - active, active - gc.mem_free())
        """,
        prelude="",
    )

    async def scene() -> None:
        await air.on()
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    active, serving = map(int, air.lines("kiosk")[0].split())
    # Bytes of this interpreter, whose objects are twice a chip's.
    assert active <= 512
    assert serving <= 1536


def test_a_board_that_nobody_gave_a_radio_is_alone_in_the_air(air: Air) -> None:
    air.board("other", "ble.gap_advertise(50_000, ADV)\ntime.sleep(5)\n")
    air.board(
        "kiosk",
        """
        ble.gap_advertise(50_000, ADV)
        ble.gap_scan(2000, 30000, 30000)
        wait(6)
        print(events(5))
        """,
        radio=False,
    )

    async def scene() -> None:
        await air.on()
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("kiosk") == ["[]"]


def test_the_handler_may_write_files_while_the_program_does(air: Air) -> None:
    air.board(
        "kiosk",
        """
        import os
        ble.gatts_register_services((UART,))
        mine, theirs = open("mine", "w"), open("theirs", "w")
        count = [0]
        def note(event, data):
            irq(event, data)
            if event == 3:
                count[0] += 1
                theirs.write("%d " % count[0])
                theirs.flush()
        ble.irq(note)
        ble.gap_advertise(50_000, ADV)
        print("here")
        wait(1)
        n = 0
        while not events(2):
            mine.write("%d " % n)
            mine.flush()
            n += 1
        mine.close()
        theirs.close()
        for name, first, last in (("mine", 0, n), ("theirs", 1, count[0] + 1)):
            with open(name) as file:
                print(file.read().split() == [str(i) for i in range(first, last)])
        print(count[0])
        """,
    )
    laptop = air.laptop()

    async def scene() -> None:
        await air.on()
        client = BleakClient(air.radios["kiosk"].address.hex(":"), backend=laptop.client_backend)
        await client.connect()
        for _ in range(100):
            await client.write_gatt_char("6e400002-b5a3-f393-e0a9-e50e24dcca9e", b"x", response=False)
            await asyncio.sleep(0.03)
        await client.disconnect()
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("kiosk") == ["here", "True", "True", "100"]
