"""machine.UART and the link port: echo, pacing, overflow, faults."""

from __future__ import annotations

import asyncio

import pytest
from machine_bench import Bench

from smilehub.sim.linkport import LinkGone, LinkInUse, LinkShut

HELLO = "from machine import UART, Pin\nimport time, asyncio, micropython, machine\n"
OPEN = HELLO + "u = UART(1, 115200, tx=17, rx=18)\nprint('ready')\n"


async def opened(bench: Bench) -> int:
    """Open the link port once the board is ready; the kernel's time."""
    await bench.until("ready")
    await bench.link.open()
    return bench.kernel.now_us()


async def collect(bench: Bench, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += await bench.link.receive()
    return data


def test_echo_through_asyncio_streams(bench: Bench) -> None:
    got: list[bytes] = []

    async def talk(bench: Bench) -> None:
        await opened(bench)
        for line in (b"one\n", b"two\n", bytes(range(11, 256)) + b"\n", b"stop\n"):
            await bench.link.send(line)
            got.append(await collect(bench, len(line)))

    bench.run(
        OPEN
        + """
async def main():
    r = asyncio.StreamReader(u)
    w = asyncio.StreamWriter(u, {})
    line = None
    while line != b'stop\\n':
        line = await r.readline()
        w.write(line)
        await w.drain()
asyncio.run(main())
time.sleep_ms(50)
""",
        talk,
    )
    assert got == [b"one\n", b"two\n", bytes(range(11, 256)) + b"\n", b"stop\n"]


def test_ten_thousand_bytes_take_868_ms(bench: Bench) -> None:
    times: list[int] = []

    async def listen(bench: Bench) -> None:
        times.append(await opened(bench))
        assert await collect(bench, 10_000) == bytes(range(250)) * 40
        times.append(bench.kernel.now_us())

    lines = bench.run(
        OPEN
        + """
time.sleep_ms(10)
data = bytes(range(250)) * 40
t = time.ticks_us()
print(u.write(data), u.txdone())
blocked = time.ticks_diff(time.ticks_us(), t)
u.flush()
print(blocked // 1000, time.ticks_diff(time.ticks_us(), t) // 1000, u.txdone())
""",
        listen,
    )
    # The driver's ring and the FIFO hold the last 384 bytes (33 ms) when write() returns.
    assert lines[1:] == ["10000 False", "834 868 True"]
    assert 868_000 <= times[1] - times[0] <= 868_055 + 11_000


def test_bytes_reach_the_board_at_the_line_s_pace(bench: Bench) -> None:
    async def send(bench: Bench) -> None:
        await opened(bench)
        await bench.link.send(bytes(100))

    lines = bench.run(
        OPEN
        + """
while not u.any(): time.sleep_us(100)
t = time.ticks_us()
while u.any() < 100: time.sleep_us(100)
print(time.ticks_diff(time.ticks_us(), t))
""",
        send,
    )
    # 99 byte times are 8.6 ms; the first chunk is 11 bytes long.
    assert 7_500 <= int(lines[1]) <= 9_000


@pytest.mark.parametrize("rxbuf", [256, 512])
def test_ring_overflows_while_the_flash_erases(bench: Bench, rxbuf: int) -> None:
    sent: list[int] = []

    async def flood(bench: Bench) -> None:
        await opened(bench)
        await bench.until("erasing")
        start = bench.kernel.now_us()
        await bench.link.send(bytes(i % 251 for i in range(518)))
        sent.append(start)

    lines = bench.run(
        HELLO
        + f"""
from esp32 import Partition
raw = Partition.find(Partition.TYPE_DATA, label='raw')[0]
u = UART(1, 115200, tx=17, rx=18, rxbuf={rxbuf})
print('ready')
time.sleep_ms(20)
print('erasing')
time.sleep_ms(6)
t = time.ticks_us()
raw.ioctl(6, 0)
print(time.ticks_diff(time.ticks_us(), t) // 1000)
data = u.read()
print(len(data), data == bytes(i % 251 for i in range(len(data))))
time.sleep_ms(20)
rest = u.read()
print(0 if rest is None else len(rest))
""",
        flood,
    )
    assert bench.uarts.ports["link"].to_board.passed == 518
    assert int(lines[2]) == 45
    length, in_order = lines[3].split()
    assert in_order == "True"
    if rxbuf == 256:
        # The ring filled; what came then is gone, what comes after the read is kept.
        assert length == "256"
        assert int(lines[4]) < 518 - 256
    else:
        assert 256 < int(length) <= 512


def test_reading_as_the_port_reads(bench: Bench) -> None:
    async def send(bench: Bench) -> None:
        await opened(bench)
        await bench.until("now")
        await bench.link.send(b"hello\nworld")
        await bench.until("again")
        await bench.link.send(b"slow")

    lines = bench.run(
        OPEN
        + """
print(u.any(), u.read(), u.read(5), u.readinto(bytearray(4)), u.readline(), u.read(0))
print('now')
time.sleep_ms(20)
b = bytearray(4)
print(u.any(), u.readline(), u.readinto(b, 2), b, u.read(), u.read())
u.init(timeout=100, timeout_char=20)
print('again')
t = time.ticks_ms()
print(u.read(10), 20 <= time.ticks_diff(time.ticks_ms(), t) < 60)
t = time.ticks_ms()
print(u.read(1), 100 <= time.ticks_diff(time.ticks_ms(), t) < 110)
print(u)
""",
        send,
    )
    assert lines[1:] == [
        "0 None None None None b''",
        "now",
        "11 b'hello\\n' 2 bytearray(b'wo\\x00\\x00') b'rld' None",
        "again",
        "b'slow' True",
        "None True",
        "UART(1, baudrate=115200, bits=8, parity=None, stop=1, tx=17, rx=18, rts=-1, cts=-1, "
        "txbuf=256, rxbuf=256, timeout=100, timeout_char=20, irq=0)",
    ]


def test_interrupts(bench: Bench) -> None:
    async def send(bench: Bench) -> None:
        await opened(bench)
        await bench.until("now")
        await bench.link.send(bytes(30))
        await asyncio.sleep(0.01)
        await bench.link.send(bytes(3))

    lines = bench.run(
        OPEN
        + """
seen = []
irq = u.irq(lambda u: seen.append((u.irq().flags(), u.any())), UART.IRQ_RXIDLE)
print('now', irq.trigger() == UART.IRQ_RXIDLE)
time.sleep_ms(40)
print(seen == [(UART.IRQ_RXIDLE, 30), (UART.IRQ_RXIDLE, 33)])
seen.clear()
u.irq(None)
time.sleep_ms(10)
print(seen)
""",
        send,
    )
    assert lines[1:] == ["now True", "True", "[]"]


def test_nothing_is_heard_on_other_pins_or_at_another_rate(bench: Bench) -> None:
    async def send(bench: Bench) -> None:
        await opened(bench)
        await bench.link.send(b"12345")
        await bench.until("on 2")
        await bench.link.send(b"12345")
        await bench.until("slow")
        await bench.link.send(b"12345")

    lines = bench.run(
        HELLO
        + """
u = UART(1, 115200)
print('ready')
time.sleep_ms(30)
print(u.any())
u.deinit()
u = UART(2, 115200, tx=17, rx=18)
print('on 2')
time.sleep_ms(30)
print(u.read())
u.init(9600)
print('slow')
time.sleep_ms(30)
print(u.any() and u.read() != b'12345')
""",
        send,
    )
    assert lines[1:] == ["0", "on 2", "b'12345'", "slow", "True"]


def test_cable_faults(bench: Bench) -> None:
    async def suffer(bench: Bench) -> None:
        link = bench.link
        with pytest.raises(LinkShut):
            await link.send(b"x")
        await opened(bench)
        with pytest.raises(LinkInUse):
            await link.open()
        link.to_board.drop = 2
        await link.send(b"abcd\n")
        assert await collect(bench, 3) == b"cd\n"
        link.to_laptop.flip = 1
        await link.send(b"ab\n")
        damaged = await collect(bench, 3)
        assert damaged[1:] == b"b\n" and bin(damaged[0] ^ ord("a")).count("1") == 1
        waiting = asyncio.ensure_future(link.receive())
        await asyncio.sleep(0.01)
        link.disconnect()
        with pytest.raises(LinkGone):
            await waiting
        with pytest.raises(LinkGone):
            await link.open()
        link.reconnect()
        await link.open()
        await link.send(b"stop\n")
        assert await collect(bench, 5) == b"stop\n"

    bench.run(
        OPEN
        + """
while True:
    line = u.readline()
    if line:
        u.write(line)
        if line == b'stop\\n': break
    else:
        time.sleep_ms(5)
u.flush()
time.sleep_ms(5)
""",
        suffer,
    )


def test_a_reset_loses_what_the_transmitter_held(bench: Bench) -> None:
    got = bytearray()

    async def listen(bench: Bench) -> None:
        await opened(bench)

        async def forever() -> None:
            while True:
                got.extend(await bench.link.receive())

        task = asyncio.ensure_future(forever())
        await bench.until("done")
        await asyncio.sleep(0.1)
        task.cancel()

    bench.run(
        HELLO
        + """
if machine.reset_cause() == machine.PWRON_RESET:
    u = UART(1, 115200, tx=17, rx=18)
    print('ready')
    time.sleep_ms(20)
    u.write(bytes(200))
    time.sleep_ms(5)
    machine.reset()
""",
        listen,
    )
    assert 50 < len(got) < 70
