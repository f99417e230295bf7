"""machine.Pin: levels, outputs, interrupts and their times."""

from __future__ import annotations

import asyncio

from machine_bench import Bench

HELLO = "from machine import Pin, Signal\nimport time, micropython\n"


def test_output_reaches_the_part(bench: Bench) -> None:
    bench.run(
        HELLO + "p = Pin(10, Pin.OUT, value=1)\np.off(); p.on(); p.on(); p.toggle(); p(1); p.value(0)\n"
    )
    assert [s[2] for s in bench.probe.seen if s[:2] == ("gpio", "cs")] == [1, 0, 1, 0, 1, 0]


def test_levels_without_a_driver_follow_the_pull(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
p = Pin(1, Pin.IN)
print(p.value(), Pin(1, Pin.IN, Pin.PULL_UP)(), p(), Pin(1, pull=Pin.PULL_DOWN)(), p is Pin(1), p)
o = Pin(2, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
print(o(), o.value(0), o())
s = Signal(Pin(5, Pin.OUT), invert=True)
s.on(); print(Pin(5)(), s()); s.off(); print(Pin(5)(), s())
print(Signal(6, Pin.OUT, value=0, invert=True)(), Pin(6)())
"""
    )
    assert lines == [
        "0 1 1 0 True Pin(1, mode=Pin.IN, pull=Pin.PULL_DOWN)",
        "1 None 0",
        "0 1",
        "1 0",
        "0 1",
    ]


def test_interrupts_come_by_edge_at_their_time(bench: Bench) -> None:
    async def press(bench: Bench) -> None:
        await bench.until("ready")
        drive, now = bench.probe.drives, bench.kernel.now_us()
        assert drive is not None
        for level, after in ((0, 10_000), (1, 12_000), (0, 12_500), (1, 40_000)):
            drive("pin", level, now + after)

    lines = bench.run(
        HELLO
        + """
edges = []
p = Pin(4, Pin.IN, Pin.PULL_UP)
i = p.irq(lambda p: edges.append((time.ticks_us(), p())), Pin.IRQ_FALLING)
print(p(), i.trigger(), i.trigger(Pin.IRQ_FALLING | Pin.IRQ_RISING), i.trigger())
print('ready')
time.sleep_ms(100)
print([time.ticks_diff(t, edges[0][0]) // 100 for t, _ in edges], [v for _, v in edges])
p.irq(None)
edges.clear()
time.sleep_ms(10)
print(edges)
""",
        press,
    )
    assert lines == ["1 2 2 3", "ready", "[0, 20, 25, 300] [0, 1, 0, 1]", "[]"]


def test_interrupts_wait_for_enable_irq(bench: Bench) -> None:
    async def press(bench: Bench) -> None:
        await bench.until("ready")
        assert bench.probe.drives is not None
        bench.probe.drives("pin", 0, bench.kernel.now_us() + 5_000)

    lines = bench.run(
        HELLO
        + """
import machine
seen = []
p = Pin(4, Pin.IN, Pin.PULL_UP)
p.irq(seen.append)
print('ready')
state = machine.disable_irq()
time.sleep_ms(20)
print(len(seen), p())
machine.enable_irq(state)
print(len(seen), seen[0] is p)
""",
        press,
    )
    assert lines[1:] == ["0 0", "1 True"]


def test_handlers_do_not_allocate_when_an_edge_comes(bench: Bench) -> None:
    """An edge that comes while the heap is locked still reaches its handler."""

    async def press(bench: Bench) -> None:
        await bench.until("ready")
        assert bench.probe.drives is not None
        bench.probe.drives("pin", 0, bench.kernel.now_us() + 5_000)
        await asyncio.sleep(0)

    lines = bench.run(
        HELLO
        + """
n = bytearray(1)
def handler(p):
    n[0] += 1
p = Pin(4, Pin.IN, Pin.PULL_UP)
out = Pin(10, Pin.OUT)
p.irq(handler)
print('ready')
micropython.heap_lock()
time.sleep_ms(20)
out(1)
out.value(0)
p.value()
micropython.heap_unlock()
print(n[0])
""",
        press,
    )
    assert lines[1:] == ["1"]


def test_time_pulse(bench: Bench) -> None:
    async def pulse(bench: Bench) -> None:
        await bench.until("ready")
        drive, now = bench.probe.drives, bench.kernel.now_us()
        assert drive is not None
        drive("pin", 1, now)
        drive("pin", 0, now + 3_000)
        drive("pin", 1, now + 4_500)

    lines = bench.run(
        HELLO
        + """
import machine
p = Pin(4, Pin.IN, Pin.PULL_UP)
p()
print('ready')
pulse = machine.time_pulse_us
print(pulse(p, 0, 100000), pulse(p, 0, 5000), pulse(p, 1, 5000))
""",
        pulse,
    )
    assert lines[1:] == ["1500 -2 -1"]
