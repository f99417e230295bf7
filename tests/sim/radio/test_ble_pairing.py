"""Pairing between boards: what each is asked, and what the link is worth afterwards."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from radio_bench import Air

_SHOWS, _TYPES = 0, 2
_YES_NO = 1


@pytest.mark.parametrize(("kiosk_io", "central_io", "secure"), [(_SHOWS, _TYPES, 0), (_SHOWS, _TYPES, 1)])
def test_a_passkey_is_shown_on_one_side_and_typed_on_the_other(
    air: Air, kiosk_io: int, central_io: int, secure: int
) -> None:
    common = f"ble.config(mitm=True, bond=True, le_secure={secure})\n"
    air.board(
        "kiosk",
        common
        + textwrap.dedent(
            f"""
            ble.config(io={kiosk_io})
            SECRET = bluetooth.UUID(0xAA03)
            ((secret,),) = ble.gatts_register_services(((SERVICE, ((SECRET, 2 | 0x400),)),))
            ble.gatts_write(secret, "treasure")
            ble.gap_advertise(50_000, ADV)
            conn = wait(1)[0]
            _, action, _ = wait(31)
            print("show", action)
            ble.gap_passkey(conn, action, 123456)
            print(wait(28)[1:4])
            wait(2)
            """
        ),
    )
    address = air.radios["kiosk"].address
    air.board(
        "central",
        common
        + textwrap.dedent(
            f"""
            ble.config(io={central_io})
            ble.gap_connect(0, {address!r})
            conn = wait(7)[0]
            ble.gattc_discover_characteristics(conn, 1, 65535)
            wait(12)
            secret = [data[2] for data in events(11) if data[4] == bluetooth.UUID(0xAA03)][0]
            ble.gattc_read(conn, secret)
            print(hex(wait(16)[2]))
            ble.gap_pair(conn)
            _, action, _ = wait(31)
            print("type", action)
            ble.gap_passkey(conn, action, 123456)
            print(wait(28)[1:4])
            ble.gattc_read(conn, secret)
            wait(16)
            print(wait(15)[2])
            ble.gap_disconnect(conn)
            """
        ),
    )

    async def scene() -> None:
        await air.on()
        await air.until("central", "MicroPython")
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("central") == ["0x105", "type 2", "(1, 1, 1)", "b'treasure'"]
    assert air.lines("kiosk") == ["show 3", "(1, 1, 1)"]


def test_two_who_can_show_and_confirm_compare_numbers(air: Air) -> None:
    common = f"ble.config(mitm=True, bond=False, le_secure=True, io={_YES_NO})\n"
    answer = textwrap.dedent(
        """
        _, action, number = wait(31)
        print(action, number)
        ble.gap_passkey(conn, action, 1)
        print(wait(28)[1:4])
        """
    )
    air.board("kiosk", common + "ble.gap_advertise(50_000, ADV)\nconn = wait(1)[0]\n" + answer + "wait(2)\n")
    connect = f"ble.gap_connect(0, {air.radios['kiosk'].address!r})\nconn = wait(7)[0]\nble.gap_pair(conn)\n"
    air.board("central", common + connect + answer + "time.sleep(1)\nble.gap_disconnect(conn)\n")

    async def scene() -> None:
        await air.on()
        await air.until("central", "MicroPython")
        await air.until("kiosk", "MicroPython")

    air.run(scene())
    assert air.lines("kiosk") == air.lines("central")
    action, number = air.lines("kiosk")[0].split()
    assert action == "4"
    assert 0 <= int(number) < 1_000_000
    assert air.lines("kiosk")[1] == "(1, 1, 0)"


_KEEPS = """
secrets = {}
try:
    with open("secrets") as file:
        secrets = eval(file.read())
except OSError:
    pass
def handler(event, data):
    if event == 29:
        kind, index, key = data
        return secrets.get((kind, bytes(key)))
    if event == 30:
        kind, key, value = data
        secrets[kind, bytes(key)] = bytes(value)
        with open("secrets", "w") as file:
            file.write(repr(secrets))
        return True
    return irq(event, data)
ble.irq(handler)
ble.config(bond=True, le_secure=True)
"""


def test_a_bond_that_the_firmware_keeps_outlives_a_reset(air: Air) -> None:
    air.board(
        "kiosk",
        _KEEPS
        + textwrap.dedent(
            """
            while True:
                ble.gap_advertise(50_000, ADV)
                conn = wait(1, 60000)[0]
                print(wait(28)[1:4])
                wait(2)
            """
        ),
    )
    address = air.radios["kiosk"].address
    air.board(
        "central",
        _KEEPS
        + textwrap.dedent(
            f"""
            print("known", len(secrets))
            ble.gap_connect(0, {address!r})
            conn = wait(7)[0]
            ble.gap_pair(conn)
            print(wait(28)[1:4])
            time.sleep(1)
            ble.gap_disconnect(conn)
            wait(8)
            """
        ),
    )

    manager: list[bytes] = []

    def tap(_sender: str, _receiver: str, payload: bytes) -> None:
        # Packets of the security manager's channel.
        if payload[2:4] == b"\x06\x00":
            manager.append(payload)

    async def scene() -> None:
        air.radio.tap(tap)
        await air.on()
        await air.until("central", "MicroPython")
        assert manager
        manager.clear()
        for name in ("central", "kiosk"):
            air.boards[name].power_cut()
            await air.boards[name].power_on()
        await air.until("central", "known 1")
        while air.text("central").count("(1, 0, 1)") < 2:
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)

    air.run(scene())
    assert air.text("kiosk").count("(1, 0, 1)") == 2
    # The second time the keys were there.
    assert not manager
