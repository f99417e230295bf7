"""Attributes between boards: discovery, values, notifications, limits and refusals."""

from __future__ import annotations

import textwrap

from radio_bench import Air

_CONNECT = """
def connect():
    ble.gap_connect(0, ADDRESS, 5000)
    return wait(7)[0]
def chars(conn):
    ble.gattc_discover_characteristics(conn, 1, 65535)
    wait(12)
    found = {data[4]: data[2] for data in events(11)}
    seen[:] = [x for x in seen if x[0] != 11]
    return found
"""


def _pair(air: Air, kiosk: str, central: str, seconds: float = 60) -> tuple[list[str], list[str]]:
    """Play both until the central is through; what they printed."""
    air.board("kiosk", kiosk)
    address = air.radios["kiosk"].address
    air.board("central", f"ADDRESS = {address!r}\n" + _CONNECT + textwrap.dedent(central))

    async def scene() -> None:
        await air.on()
        await air.until("central", "MicroPython", seconds)
        await air.until("kiosk", "MicroPython", seconds)

    air.run(scene())
    return air.lines("kiosk"), air.lines("central")


def test_discovery_finds_services_characteristics_and_descriptors(air: Air) -> None:
    _, central = _pair(
        air,
        """
        LED = (bluetooth.UUID(0x180F), ((bluetooth.UUID(0x2A19), 2 | 16, ((bluetooth.UUID(0x2901), 2),)),))
        ((tx, rx), (level, about)) = ble.gatts_register_services((UART, LED))
        print(rx - tx, level - rx, about - level)
        ble.gatts_write(about, "battery")
        ble.gap_advertise(50_000, ADV)
        wait(2, 30000)
        """,
        """
        conn = connect()
        ble.gattc_discover_services(conn)
        print(wait(10)[1], [data[3] for data in events(9)][-2:])
        start, end = events(9)[-1][1:3]
        seen.clear()
        ble.gattc_discover_services(conn, SERVICE)
        wait(10)
        print(len(events(9)))
        ble.gattc_discover_characteristics(conn, start, end)
        wait(12)
        print([(data[1] == end, data[3], data[4]) for data in events(11)])
        ble.gattc_discover_descriptors(conn, start, end)
        wait(14)
        print([data[2] for data in events(13)])
        about = events(13)[-1][1]
        ble.gattc_read(conn, about)
        print(wait(16)[2], wait(15)[2])
        seen.clear()
        ble.gattc_discover_characteristics(conn, 1, 65535, RX)
        wait(12)
        print([data[4] == RX for data in events(11)])
        ble.gap_disconnect(conn)
        """,
    )
    assert central == [
        "0 [UUID('6e400001-b5a3-f393-e0a9-e50e24dcca9e'), UUID(0x180f)]",
        "1",
        "[(True, 18, UUID(0x2a19))]",
        "[UUID(0x2803), UUID(0x2a19), UUID(0x2902), UUID(0x2901)]",
        "0 b'battery'",
        "[True]",
    ]


def test_values_are_cut_to_their_buffer_appended_or_refused(air: Air) -> None:
    kiosk, central = _pair(
        air,
        """
        PLAIN = bluetooth.UUID(0xAA01)
        LOG = bluetooth.UUID(0xAA02)
        SECRET = bluetooth.UUID(0xAA03)
        ASKED = bluetooth.UUID(0xAA04)
        ((plain, log, secret, asked),) = ble.gatts_register_services(
            ((SERVICE, ((PLAIN, 2 | 8), (LOG, 4), (SECRET, 2 | 0x200), (ASKED, 2))),))
        ble.gatts_set_buffer(log, 12, True)
        ble.gatts_write(plain, "first")
        def refuse(event, data):
            if event == 4 and data[1] == asked:
                ble.gatts_write(asked, "now")
                return asks.pop()
            irq(event, data)
        asks = [0, 0x08]
        ble.irq(refuse)
        ble.gap_advertise(50_000, ADV)
        wait(2, 30000)
        print(ble.gatts_read(plain), ble.gatts_read(log), ble.gatts_read(log))
        """,
        """
        conn = connect()
        plain, log, secret, asked = (chars(conn)[bluetooth.UUID(u)] for u in (0xAA01, 0xAA02, 0xAA03, 0xAA04))
        def read(handle):
            seen.clear()
            ble.gattc_read(conn, handle)
            status = wait(16)[2]
            return status or wait(15)[2]
        print(read(plain), hex(read(log)), hex(read(secret)), hex(read(asked)), read(asked), hex(read(999)))
        ble.gattc_write(conn, plain, bytes(range(20)) + b"too much", 1)
        print(wait(17)[2])
        ble.gattc_write(conn, asked, b"no", 1)
        print(hex(wait(17)[2]))
        for i in range(3):
            ble.gattc_write(conn, log, b"part%d" % i)
        time.sleep_ms(300)
        ble.gap_disconnect(conn)
        wait(8)
        try:
            ble.gattc_read(conn, plain)
        except OSError as error:
            print(error.errno)
        """,
    )
    assert central == ["b'first' 0x102 0x105 0x108 b'now' 0x101", "0", "0x103", "107"]
    assert kiosk == [f"{bytes(range(20))!r} b'part0part1pa' b''"]


def test_either_side_may_ask_for_a_larger_mtu(air: Air) -> None:
    kiosk, central = _pair(
        air,
        """
        ble.config(mtu=200)
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gatts_set_buffer(rx, 600)
        for _ in range(2):
            ble.gap_advertise(50_000, ADV)
            conn = wait(1)[0]
            mtu = wait(21)[1]
            wait(3)
            print(mtu, len(ble.gatts_read(rx)))
            ble.gatts_notify(conn, tx, bytes(300))
            wait(2)
        ble.gap_advertise(50_000, ADV)
        conn = wait(1)[0]
        ble.gattc_exchange_mtu(conn)
        print(wait(21)[1])
        """,
        """
        for mtu in (100, 500):
            ble.config(mtu=mtu)
            conn = connect()
            rx = chars(conn)[RX]
            ble.gattc_exchange_mtu(conn)
            print(wait(21)[1], ble.config("mtu"))
            ble.gattc_write(conn, rx, bytes(400), 1)
            print(len(wait(18)[2]))
            ble.gap_disconnect(conn)
            wait(8)
        conn = connect()
        print(wait(21)[1])
        for mtu in (22, 600):
            try:
                ble.config(mtu=mtu)
            except OSError as error:
                print(error.errno)
        """,
    )
    assert central == ["100 100", "97", "200 500", "197", "200", "22", "22"]
    assert kiosk == ["100 97", "200 197", "200"]


def test_subscribers_are_told_of_a_write_and_an_indication_is_confirmed(air: Air) -> None:
    kiosk, central = _pair(
        air,
        """
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gap_advertise(50_000, ADV)
        conn = wait(1)[0]
        wait(3)
        ble.gatts_write(tx, "nobody asked", True)
        wait(3)
        ble.gatts_write(tx, "told", True)
        ble.gatts_indicate(conn, tx, "shown")
        ble.gatts_indicate(conn, tx)
        print(wait(20)[2], wait(20)[2])
        """,
        """
        conn = connect()
        found = chars(conn)
        tx, rx = found[TX], found[RX]
        ble.gattc_write(conn, rx, b"go", 1)
        wait(17)
        ble.gattc_write(conn, tx + 1, b"\\x01\\x00", 1)
        wait(17)
        ble.gattc_write(conn, rx, b"go", 1)
        wait(17)
        print(wait(18)[2], wait(19)[2], wait(19)[2], len(events(18)))
        ble.gap_disconnect(conn)
        """,
    )
    assert central == ["b'told' b'shown' b'told' 0"]
    assert kiosk == ["0 0"]


def test_who_notifies_too_fast_is_told_to_wait_and_nothing_is_lost_or_reordered(air: Air) -> None:
    kiosk, central = _pair(
        air,
        """
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.config(mtu=247)
        ble.gap_advertise(50_000, ADV)
        conn = wait(1)[0]
        wait(3)
        full = 0
        start = time.ticks_ms()
        for i in range(400):
            while True:
                try:
                    ble.gatts_notify(conn, tx, b"%04d" % i + bytes(240))
                    break
                except OSError as error:
                    assert error.errno == 12
                    full += 1
                    time.sleep_ms(10)
        print(full > 100, time.ticks_diff(time.ticks_ms(), start))
        wait(2, 30000)
        """,
        """
        ble.config(mtu=247)
        conn = connect()
        rx = chars(conn)[RX]
        ble.gattc_exchange_mtu(conn)
        wait(21)
        got = []
        def count(event, data):
            if event == 18:
                got.append((int(bytes(data[2])[:4]), len(data[2])))
        ble.irq(count)
        ble.gattc_write(conn, rx, b"go")
        while len(got) < 400:
            time.sleep_ms(50)
        print(got == [(i, 244) for i in range(400)])
        ble.gap_disconnect(conn)
        """,
    )
    told, milliseconds = kiosk[0].split()
    assert told == "True"
    # 400 packets, six an event of 50 ms, less those that wait at the end.
    assert 3000 <= int(milliseconds) <= 3400
    assert central == ["True"]


def test_loss_costs_time_and_nothing_else(air: Air) -> None:
    air.radio.loss("central", "kiosk", 0.2)
    kiosk, central = _pair(
        air,
        """
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gap_advertise(50_000, ADV)
        conn = wait(1)[0]
        wait(3, 20000)
        for i in range(200):
            while True:
                try:
                    ble.gatts_notify(conn, tx, b"%04d" % i)
                    break
                except OSError:
                    time.sleep_ms(20)
        wait(2, 30000)
        print("through")
        """,
        """
        conn = connect()
        rx = chars(conn)[RX]
        ble.gattc_write(conn, rx, b"go", 1)
        for i in range(200):
            assert int(wait(18)[2]) == i
        print("all")
        ble.gap_disconnect(conn)
        wait(8)
        """,
    )
    assert central == ["all"]
    assert kiosk == ["through"]
    assert air.radio.counts.lost > 20


def test_events_come_while_the_firmware_sleeps_in_asyncio_or_computes(air: Air) -> None:
    kiosk, _ = _pair(
        air,
        """
        import asyncio
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gap_advertise(50_000, ADV)
        wait(1)
        async def main():
            await asyncio.sleep(3)
            return len(events(3))
        asleep = asyncio.run(main())
        seen.clear()
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < 3000:
            pass
        print(asleep, len(events(3)))
        """,
        """
        conn = connect()
        rx = chars(conn)[RX]
        for i in range(65):
            ble.gattc_write(conn, rx, b"x")
            time.sleep_ms(100)
        """,
    )
    asleep, busy = map(int, kiosk[0].split())
    assert 24 <= asleep <= 30
    assert 28 <= busy <= 31


def test_an_error_in_the_handler_is_printed_and_ends_it(air: Air) -> None:
    kiosk, _ = _pair(
        air,
        """
        def bad(event, data):
            raise ValueError("handler")
        ble.irq(bad)
        ble.gap_advertise(50_000, ADV)
        time.sleep(3)
        ble.irq(irq)
        wait(2)
        """,
        """
        conn = connect()
        time.sleep(4)
        ble.gap_disconnect(conn)
        """,
    )
    assert kiosk[0] == "Unhandled exception in IRQ callback handler"
    assert kiosk.count("ValueError: handler") == 1


def test_writes_wait_in_the_air_while_the_firmware_cannot_take_them(air: Air) -> None:
    kiosk, central = _pair(
        air,
        """
        import micropython
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gatts_set_buffer(rx, 244)
        ble.config(mtu=247)
        ble.gap_advertise(50_000, ADV)
        wait(1)
        wait(21)
        got = []
        def take(event, data):
            if event == 3:
                got.append(int(ble.gatts_read(rx)[:4]))
            else:
                irq(event, data)
        ble.irq(take)
        # No event is handled while another scheduled call runs.
        micropython.schedule(lambda _: time.sleep(5), None)
        print(len(got))
        wait(2, 30000)
        print(got == list(range(300)))
        """,
        """
        ble.config(mtu=247)
        conn = connect()
        rx = chars(conn)[RX]
        ble.gattc_exchange_mtu(conn)
        wait(21)
        start = time.ticks_ms()
        late = 0
        for i in range(300):
            while True:
                try:
                    ble.gattc_write(conn, rx, b"%04d" % i + bytes(240))
                    break
                except OSError as error:
                    assert error.errno == 12
                    time.sleep_ms(10)
        print(time.ticks_diff(time.ticks_ms(), start) > 5000)
        ble.gap_disconnect(conn)
        wait(8)
        """,
    )
    assert kiosk == ["0", "True"]
    assert central == ["True"]


def test_an_event_that_finds_the_schedule_full_is_handled_a_little_later(air: Air) -> None:
    kiosk, _ = _pair(
        air,
        """
        import micropython
        ble.gatts_register_services((UART,))
        ble.gap_advertise(50_000, ADV)
        wait(1)
        def fill(_):
            n = 0
            try:
                while True:
                    micropython.schedule(len, "")
                    n += 1
            except RuntimeError:
                pass
            time.sleep(3)
            print(n > 0, len(events(3)))
        micropython.schedule(fill, None)
        print(wait(3) is not None)
        """,
        """
        conn = connect()
        rx = chars(conn)[RX]
        ble.gattc_write(conn, rx, b"x")
        time.sleep(5)
        """,
    )
    assert kiosk == ["True 0", "True"]


def test_who_tries_again_without_a_pause_gets_through_too(air: Air) -> None:
    kiosk, _ = _pair(
        air,
        """
        ((tx, rx),) = ble.gatts_register_services((UART,))
        ble.gap_advertise(50_000, ADV)
        conn = wait(1)[0]
        sent = 0
        while sent < 100:
            try:
                ble.gatts_notify(conn, tx, b"x")
                sent += 1
            except OSError:
                pass
        print(sent)
        """,
        """
        conn = connect()
        time.sleep(3)
        print(len(events(18)))
        """,
    )
    assert kiosk == ["100"]
    assert air.lines("central") == ["100"]
