"""Two boards, or a board and a laptop: find each other, connect, exchange."""

from __future__ import annotations

import asyncio

from bleak import BleakClient, BleakScanner
from radio_bench import Air

SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"

KIOSK = """
((tx, rx),) = ble.gatts_register_services((UART,))
ble.gap_advertise(100_000, ADV)
print("mac", ble.config("mac")[1].hex())
conn, _, _ = wait(1)
print("connected")
wait(3)
print("got", ble.gatts_read(rx))
for i in range(3):
    ble.gatts_notify(conn, tx, b"%020d" % i)
wait(2)
print("gone")
"""

CENTRAL = """
ble.gap_scan(5000, 30000, 30000)
kind, addr, adv_type, rssi, data = wait(5)
print("found", adv_type, rssi, data)
ble.gap_scan(None)
ble.gap_connect(kind, addr)
conn, _, _ = wait(7)
ble.gattc_discover_characteristics(conn, 1, 65535)
wait(12)
chars = {data[4]: data[2] for data in events(11)}
ble.gattc_write(conn, chars[RX], b"hello", 1)
print("written", wait(17)[2])
for i in range(3):
    print("notified", wait(18)[2])
print(ble.gap_disconnect(conn))
wait(8)
print("over")
"""


def test_two_boards_find_each_other_connect_and_notify(air: Air) -> None:
    air.board("kiosk", KIOSK)
    air.board("central", CENTRAL)

    async def scene() -> None:
        await air.on()
        await air.until("central", "over")
        await air.until("kiosk", "gone")

    air.run(scene())
    assert air.lines("central") == [
        "found 0 -55 b'\\x02\\x01\\x06\\x06\\tKiosk'",
        "written 0",
        *(f"notified b'{i:020d}'" for i in range(3)),
        "True",
        "over",
    ]
    assert air.lines("kiosk")[1:] == ["connected", "got b'hello'", "gone"]


LISTENER = """
((tx, rx),) = ble.gatts_register_services((UART,))
ble.gatts_set_buffer(rx, 600)
ble.config(mtu=247)
ble.gap_advertise(100_000, ADV, resp_data=b"\\x11\\x07" + bytes(SERVICE))
conn, _, _ = wait(1)
mtu = wait(21)
wait(3)
print("mtu", mtu[1], "got", ble.gatts_read(rx))
for i in range(3):
    ble.gatts_notify(conn, tx, b"%020d" % i)
wait(2)
print("gone")
"""


def test_bleak_finds_a_board_connects_and_is_notified(air: Air) -> None:
    air.board("kiosk", LISTENER)
    laptop = air.laptop()
    got: list[bytes] = []

    async def scene() -> None:
        await air.on()
        device = await BleakScanner.find_device_by_filter(
            lambda _, adv: SERVICE in adv.service_uuids, timeout=10, backend=laptop.scanner_backend
        )
        assert device is not None
        assert device.name == "Kiosk"
        assert device.address.replace(":", "").lower() == air.radios["kiosk"].address.hex()
        async with BleakClient(device, backend=laptop.client_backend) as client:
            tx = client.services.get_characteristic("6e400003-b5a3-f393-e0a9-e50e24dcca9e")
            rx = client.services.get_characteristic("6e400002-b5a3-f393-e0a9-e50e24dcca9e")
            assert tx is not None
            assert rx is not None
            assert rx.max_write_without_response_size == 244
            await client.start_notify(tx, lambda _, data: got.append(bytes(data)))
            await client.write_gatt_char(rx, b"from the laptop", response=False)
            while len(got) < 3:
                await asyncio.sleep(0.01)
        await air.until("kiosk", "gone")

    air.run(scene())
    assert got == [b"%020d" % i for i in range(3)]
    assert air.lines("kiosk") == ["mtu 247 got b'from the laptop'", "gone"]
