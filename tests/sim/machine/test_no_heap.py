"""What is machine code on a chip takes none of the firmware's heap here, not even for a moment."""

import pytest
from machine_bench import Bench

# Garbage that a collection would take away: memory taken for a moment counts towards the next one.
PROGRAM = """
import gc, time
from esp32 import Partition
from machine import Pin, SPI, UART
part = Partition.find(Partition.TYPE_DATA, label="raw")[0]
view = memoryview(bytearray(64))
pin = Pin(10, Pin.OUT)
spi = SPI(1, 40_000_000)
uart = UART(1, 115200, tx=17, rx=18)
calls = {
    "readblocks": (part.readblocks, (0, view, 0)),
    "writeblocks": (part.writeblocks, (0, view, 0)),
    "ioctl": (part.ioctl, (4, 0)),
    "write": (spi.write, (view,)),
    "readinto": (spi.readinto, (view,)),
    "pin": (pin, (1,)),
    "sleep_ms": (time.sleep_ms, (1,)),
    "ticks_ms": (time.ticks_ms, ()),
    "send": (uart.write, (view,)),
    "receive": (uart.readinto, (view,)),
}
call, args = calls[%r]
def many(call, a=None, b=None, c=None):
    if c is not None:
        for _ in range(200):
            call(a, b, c)
    elif b is not None:
        for _ in range(200):
            call(a, b)
    elif a is not None:
        for _ in range(200):
            call(a)
    else:
        for _ in range(200):
            call()
many(call, *args)
gc.collect()
gc.threshold(8192)
bytes(1000)
used = gc.mem_alloc()
many(call, *args)
print(gc.mem_alloc() >= used)
"""


@pytest.mark.parametrize(
    "name",
    [
        "readblocks",
        "writeblocks",
        "ioctl",
        "write",
        "readinto",
        "pin",
        "sleep_ms",
        "ticks_ms",
        "send",
        "receive",
    ],
)
def test_what_the_port_does_in_machine_code_takes_no_heap(bench: Bench, name: str) -> None:
    assert bench.run(PROGRAM % name) == ["True"]
