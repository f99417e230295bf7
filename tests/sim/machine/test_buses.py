"""machine.SPI, I2C, PWM, ADC, bitstream: bytes, times and round trips."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from machine_bench import Bench

from smilehub.sim.control import Frame, Kind

HELLO = """
import array, errno, framebuf, machine, time
from machine import ADC, I2C, PWM, SPI, Pin, SoftI2C, SoftSPI

def took(f, *args):
    t = time.ticks_us()
    r = f(*args)
    return time.ticks_diff(time.ticks_us(), t) - 10, r
"""


def writes(bench: Bench) -> list[bytes]:
    return [s[1] for s in bench.probe.seen if s[0] == "write"]


def test_spi_bytes_and_time(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
spi = SPI(1, 40_000_000, sck=12, mosi=11, miso=13)
print(spi)
strip = bytearray(i & 255 for i in range(9600))
print(took(spi.write, strip)[0])
print(took(spi.write, memoryview(strip)[:100])[0])
spi.write(array.array('H', [1, 0x203]))
spi.write(memoryview(array.array('H', [1, 0x203])))
spi.write(framebuf.FrameBuffer(bytearray(b'wxyz'), 2, 1, framebuf.RGB565))
print(spi.read(3), spi.read(2, 0x0f))
b = bytearray(2)
spi.readinto(b); print(b)
spi.write_readinto(b'\\x01\\x02', b); print(b)
spi.init(baudrate=1_000_000, polarity=1, phase=1)
print(took(spi.write, bytes(100))[0])
t = time.ticks_us()
for i in range(1000): spi.write(b'a')
print(time.ticks_diff(time.ticks_us(), t) // 10)
""",
    )
    assert lines == [
        "SPI(id=1, baudrate=40000000, polarity=0, phase=0, bits=8, firstbit=0, sck=12, mosi=11, miso=13)",
        "1920",
        "20",
        "b'\\xff\\xff\\xff' b'\\xf0\\xf0'",
        "bytearray(b'\\xff\\xff')",
        "bytearray(b'\\xfe\\xfd')",
        "800",
        "801",
    ]
    strip = bytes(i & 255 for i in range(9600))
    assert writes(bench)[:5] == [strip, strip[:100], b"\1\0\3\2", b"\1\0\3\2", b"wxyz"]
    assert [s for s in bench.probe.seen if s[0] == "setup"] == [
        ("setup", 40_000_000, 0, 0),
        ("setup", 1_000_000, 1, 1),
    ]


def test_spi_writes_keep_their_order_with_pins(bench: Bench) -> None:
    bench.run(
        HELLO
        + """
cs = Pin(10, Pin.OUT, value=1)
spi = SPI(1, 40_000_000)
for n in (1, 5000):
    cs(0)
    spi.write(bytes(n))
    cs(1)
"""
    )
    seen = [s[2] if s[0] == "gpio" else len(s[1]) for s in bench.probe.seen if s[0] in ("gpio", "write")]
    assert seen[-6:] == [0, 1, 1, 0, 5000, 1]
    times = [s[-1] for s in bench.probe.seen if s[0] in ("gpio", "write")]
    assert times == sorted(times) and times[-1] - times[-2] >= 1000


def test_spi_writes_allocate_nothing(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
import micropython
spi = SPI(1, 40_000_000)
small, large = bytearray(10), bytearray(9600)
bufs = small, large, memoryview(small), memoryview(large)
buf = None
micropython.heap_lock()
for buf in bufs:
    spi.write(buf)
spi.readinto(small)
spi.readinto(bufs[2])
micropython.heap_unlock()
print('fine')
"""
    )
    assert lines == ["fine"]


def test_software_buses_are_known_by_their_clock_pin(bench: Bench) -> None:
    seen: list[tuple[int, Any]] = []

    def note(frame: Frame) -> bytes | None:
        seen.append((frame.a, frame.payload))
        return b"" if frame.asks else None

    bench.board.on(Kind.SPI_WRITE, note)
    bench.board.on(Kind.I2C_WRITE, note)
    lines = bench.run(
        HELLO
        + """
s = SoftSPI(sck=Pin(40), mosi=Pin(41), miso=Pin(39))
print(s, took(s.write, b'abc')[0])
i = SoftI2C(scl=Pin(5), sda=Pin(6), freq=100000)
print(i, i.writeto(0x42, b'xy'))
i.start(); print(i.write(b'\\x84q')); i.stop()
"""
    )
    assert lines == [
        "SoftSPI(baudrate=500000, polarity=0, phase=0, firstbit=0, sck=40, mosi=41, miso=39) 48",
        "SoftI2C(scl=5, sda=6, freq=100000) 2",
        "2",
    ]
    assert seen[:2] == [(128 + 40, b"abc"), (128 + 5, b"xy")]
    assert seen[-1] == (128 + 5, b"q")


def test_i2c(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
i = I2C(0, scl=Pin(1), sda=Pin(2), freq=100_000)
print(i, i.scan())
print(i.writeto_mem(0x42, 2, b'abc'), i.readfrom_mem(0x42, 2, 3))
print(i.writeto(0x42, b'\\x03'), i.readfrom(0x42, 1))
b = bytearray(2)
i.readfrom_mem_into(0x42, 3, b); print(b, i.writevto(0x42, [b'\\x00', b'z']), i.readfrom_mem(0x42, 0, 1))
for f in (lambda: i.writeto(0x41, b'a'), lambda: i.readfrom(0x41, 1), lambda: i.readfrom_mem(0x41, 0, 1)):
    try: f()
    except OSError as e: print(e.errno == errno.ENODEV)
print(took(i.writeto, 0x42, bytes(9))[0])
"""
    )
    assert lines == [
        "I2C(0, scl=1, sda=2, freq=100000, timeout=50000) [66]",
        "None b'abc'",
        "1 b'b'",
        "bytearray(b'bc') 2 b'z'",
        "True",
        "True",
        "True",
        "920",
    ]


def test_pwm(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
p = PWM(Pin(9), freq=1000, duty_u16=32768)
print(p, p.freq(), p.duty_u16(), p.duty(), p.duty_ns())
p.duty(1023); print(p.duty_u16(), p.duty())
p.duty_ns(250_000); print(p, p.duty_u16())
p.freq(440); print(p.freq(), p.duty_ns())
p.deinit(); print(p)
try: p.freq()
except RuntimeError as e: print(e)
print(PWM(9).freq())
many = []
try:
    for n in range(33, 43): many.append(PWM(Pin(n), freq=n))
except RuntimeError as e: print(len(many), e)
"""
    )
    assert lines == [
        "PWM(Pin(9), freq=1000, duty_u16=32768) 1000 32768 512 500000",
        "65535 1023",
        "PWM(Pin(9), freq=1000, duty_ns=250000) 16384",
        "440 249967",
        "PWM(Pin(9))",
        "PWM is inactive",
        "5000",
        "3 out of PWM channels:8",
    ]
    assert [s[2:] for s in bench.probe.seen if s[:2] == ("pwm", "dc")][:2] == [(32767, 1000), (65535, 1000)]


def test_adc(bench: Bench) -> None:
    bench.board.on(Kind.ADC, lambda frame: struct.pack("<i", 1_550_000 if frame.a == 3 else 0))
    lines = bench.run(
        HELLO
        + """
a = ADC(Pin(3))
print(a, a.read(), a.read_u16(), a.read_uv())
a.atten(ADC.ATTN_6DB); print(a.read(), a.read_uv())
print(ADC(3, atten=ADC.ATTN_0DB).read(), ADC(1).read())
a.deinit()
try: a.read()
except OSError as e: print(e.errno == errno.EPERM)
"""
    )
    assert lines == [
        "ADC(Pin(3), atten=3) 2047 32759 1549000",
        "3627 1550000",
        "4095 0",
        "True",
    ]


def test_neopixel(bench: Bench) -> None:
    seen: list[Frame] = []
    bench.board.on(Kind.NEOPIXEL, lambda frame: seen.append(frame))
    lines = bench.run(
        HELLO
        + """
import neopixel
n = neopixel.NeoPixel(Pin(8), 3)
n.fill((1, 2, 3)); n[1] = (255, 0, 128)
print(len(n), n[1], took(n.write)[0] // 10)
"""
    )
    # Nine bytes of eight bits of 1.25 µs.
    assert lines == ["3 (255, 0, 128) 9"]
    assert [(f.a, f.payload) for f in seen] == [(8, bytes((2, 1, 3, 0, 255, 128, 2, 1, 3)))]
    assert [seen[0].b >> shift & 0x7FFF for shift in (0, 15, 30, 45)] == [400, 850, 800, 450]


ERRORS = [
    ("Pin(22)", "ValueError", "invalid pin"),
    ("Pin(-1)", "ValueError", "invalid pin"),
    ("Pin('x')", "ValueError", "invalid pin"),
    ("Pin(4).irq(None, Pin.IRQ_FALLING, hard=True)", "TypeError", None),
    ("Pin(4).irq(print, Pin.WAKE_LOW, wake=1)", "ValueError", "bad wake value"),
    ("Pin(1, mode='a')", "TypeError", "can't convert str to int"),
    ("SPI(0)", "ValueError", "SPI(0) doesn't exist"),
    ("SPI(3)", "ValueError", "SPI(3) doesn't exist"),
    ("SPI()", "TypeError", None),
    ("SPI(1, sck=99)", "ValueError", "invalid pin"),
    ("SPI(1, bits=0)", "ValueError", "invalid bits"),
    ("SPI(1).write(b'')", "ValueError", "buffer too short"),
    ("SPI(1).write(5)", "TypeError", "object with buffer protocol required"),
    ("SPI(1).write_readinto(b'ab', bytearray(1))", "ValueError", "buffers must be the same length"),
    ("SPI(1).readinto(b'ab')", "TypeError", None),
    (
        "SPI(2).deinit() or SPI.write(machine.SPI._objects[2], b'a')",
        "OSError",
        "transfer on deinitialized SPI",
    ),
    ("SoftSPI(sck=1, mosi=2)", "ValueError", "must specify all of sck/mosi/miso"),
    ("SoftSPI(bits=7, sck=1, mosi=2, miso=3)", "ValueError", "bits must be 8"),
    ("I2C(2)", "ValueError", "I2C(2) doesn't exist"),
    ("I2C(0).start()", "OSError", "I2C operation not supported"),
    ("I2C(0).readfrom_mem(66, 0, 1, addrsize=7)", "ValueError", "invalid addrsize"),
    ("SoftI2C(1)", "TypeError", None),
    ("PWM(1, freq=0)", "ValueError", "frequency must be from 1Hz to 40MHz"),
    ("PWM(1, freq=40_000_001)", "ValueError", "frequency must be from 1Hz to 40MHz"),
    ("PWM(1, duty=1024)", "ValueError", "duty must be from 0 to 1023"),
    ("PWM(1, duty_u16=65536)", "ValueError", "duty_u16 must be from 0 to 65536"),
    ("PWM(99)", "ValueError", "invalid pin"),
    ("ADC(21)", "ValueError", "invalid pin"),
    ("ADC(1, atten=4)", "ValueError", "invalid attenuation"),
    ("ADC(1).width(9)", "ValueError", "invalid bit-width"),
    ("machine.WDT(1)", "ValueError", None),
    ("machine.WDT(timeout=0)", "ValueError", "WDT timeout too short"),
    ("machine.Timer(4)", "ValueError", "Timer(4) doesn't exist, there are only 4 hardware timers"),
    ("machine.Timer(0, period=0)", "ValueError", "Timer period is too short for this timer"),
    ("machine.Timer(0, hard=True)", "ValueError", "hard Timers are not implemented"),
    ("machine.UART(3)", "ValueError", "UART(3) does not exist"),
    ("machine.UART(1, bits=9)", "ValueError", "invalid data bits"),
    ("machine.UART(1, stop=3)", "ValueError", "invalid stop bits"),
    ("machine.UART(1, invert=1)", "ValueError", "invalid inversion mask"),
    ("machine.UART(1, flow=4)", "ValueError", "invalid flow control mask"),
    ("machine.UART(1, tx=25)", "ValueError", "invalid pin"),
    ("machine.UART(1, rxbuf=128)", "OSError", None),
    ("machine.UART(1).irq(5)", "ValueError", "handler must be None or callable"),
    ("machine.UART(1).irq(print, 2)", "ValueError", "trigger 0x0002 unsupported"),
    ("machine.UART(1).irq(print, 1, True)", "ValueError", "hard IRQ is not supported"),
    ("machine.UART(0, rxbuf=512)", "ValueError", "REPL UART buffer size is fixed"),
    ("machine.UART(0).irq(print)", "ValueError", "REPL UART does not support IRQs"),
    ("machine.UART(0).any()", "OSError", None),
    ("machine.RTC().datetime((2026, 1, 1))", "ValueError", "requested length 8 but object has length 3"),
    ("machine.RTC().memory(bytes(2049))", "ValueError", "buffer too long"),
    ("machine.RTC(1)", "TypeError", None),
    (
        "machine.freq(100_000_000)",
        "ValueError",
        "frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz",
    ),
    ("machine.bitstream(Pin(1), 1, (1, 2, 3, 4), b'')", "ValueError", "encoding"),
]


def test_bad_arguments_raise_what_the_port_raises(bench: Bench) -> None:
    source = HELLO + "def trial(f):\n    try: f()\n    except Exception as e: print(type(e).__name__, e)\n"
    source += "    else: print('nothing')\n"
    source += "".join(f"trial(lambda: {what})\n" for what, _, _ in ERRORS)
    lines = bench.run(source)
    assert len(lines) == len(ERRORS)
    wrong = [
        (what, line)
        for (what, kind, text), line in zip(ERRORS, lines, strict=True)
        if not (line == f"{kind} {text}" if text is not None else line.split(" ")[0] == kind)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("asked", "made"), [(40_000_000, 40_000_000), (30_000_000, 26_666_666), (500_000, 500_000)]
)
def test_spi_clock_is_what_the_divider_makes(bench: Bench, asked: int, made: int) -> None:
    lines = bench.run(HELLO + f"print(SPI(1, {asked}))")
    assert f"baudrate={made}," in lines[0]
