"""The messages between a guest and its board: one header, posts, requests, replies and events.

A frame is a header ``<BBHIqq`` (kind, a, spare, payload length, b, time in µs of the kernel) and its payload.
Kinds below 0x40 are posts (no answer), 0x40–0x7F requests (one REPLY each, in order), 0x80 and above go to
the
guest. ``sim/shims/_sim.py`` has the same numbers.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct("<BBHIqq")
MAX_PAYLOAD = 1 << 20
#: An event's payload must fit the guest's preallocated buffer.
MAX_EVENT = 4096
#: "Nothing will happen": fits a small integer of the guest.
FOREVER = 1 << 61


class Kind(enum.IntEnum):
    """What a guest sends. a, b and the payload in the comments."""

    GPIO_OUT = 1  # pin, level
    GPIO_MODE = 2  # pin, mode (0 in, 1 out, 2 open drain) | pull (0 none, 1 up, 2 down) << 4
    SPI_WRITE = 3  # bus, –, bytes
    SPI_CONFIG = 4  # bus, baud, bytes (polarity, phase, bits)
    PWM = 5  # pin, frequency in Hz << 16 | duty of 65535; -1: off
    UART_TX = 6  # port, –, bytes
    UART_CONFIG = 7  # port, baud, JSON of the other settings
    WDT = 8  # 0, time-out in µs from now: starts or feeds
    RTC_SET = 9  # –, UTC seconds since 2000 minus the kernel's seconds, in µs
    RESET = 10  # cause (Cause)
    CUT = 11  # the armed power cut happened in the flash, –
    KBD_INTR = 12  # –, interrupt character or -1
    BOOTED = 13  # stage (0 launcher ready, 1 REPL reached), bytes of heap given
    FLASH_BUSY = 14  # 0 erase 1 program 2 read, µs, (payload-free); the time is the end of it
    MEASURE = 15  # 0 heap peak, 1 heap in use at a wait; bytes
    UART_BREAK = 16  # port, –
    NEOPIXEL = 18  # pin, ns high and low of a 0, high and low of a 1 (15 bits each, the first lowest), bytes
    I2C_CONFIG = 19  # bus, frequency in Hz
    RTC_MEMORY = 20  # –, –, bytes
    BLE_ANSWER = (
        21  # 0: events of so many bytes were taken; 1: token | error << 32, value; see radio/board_radio.py
    )
    HELLO = 0x40  # reply: JSON
    SYNC = 0x41  # reply when the kernel's clock stands at the guest's
    WAIT = 0x42  # 1: console input wakes too, deadline in µs or -1
    GPIO_IN = 0x43  # pin; reply: one byte, the level
    SPI_XFER = 0x44  # bus, –, bytes out; reply: as many bytes
    I2C_WRITE = 0x45  # bus, address | stop << 16, bytes; reply: empty, or errno
    I2C_READ = 0x46  # bus, address | length << 16; reply: the bytes, or errno
    ADC = 0x47  # pin; reply: 4 bytes, little-endian µV
    RTC_GET = 0x48  # reply: 8 bytes, little-endian signed, the offset of RTC_SET
    BLE = 0x49  # call, its numbers, its bytes (shims/bluetooth.py); reply: as the call, or errno


class Event(enum.IntEnum):
    """What a guest receives."""

    REPLY = 0x80  # errno or 0, horizon in µs, the answer
    PIN = 0x81  # pin, level
    UART_RX = 0x82  # port, –, bytes
    ARM_CUT = 0x84  # tear in 1/255 of the operation, operations from now
    WAKE = 0x85  # nothing but the end of a wait
    UART_BREAK = 0x86  # port
    BLE = 0x87  # events of the bluetooth module, as they lie in its ring (radio/board_radio.py)


class Cause(enum.IntEnum):
    """Reset causes, numbered as ``machine`` of the ESP32 port numbers them."""

    POWER = 1
    HARD = 2
    WDT = 3
    DEEPSLEEP = 4
    SOFT = 5


class Frame(NamedTuple):
    """One message of a guest."""

    kind: int
    a: int
    b: int
    t_us: int
    payload: bytes

    @property
    def asks(self) -> bool:
        """Whether the guest waits for a reply."""
        return self.kind >= 0x40


class ControlError(ValueError):
    """The guest's messages make no sense: something else wrote to its control socket."""


def event(kind: Event, a: int, b: int, t_us: int, payload: bytes = b"") -> bytes:
    """The bytes of an event for a guest."""
    if len(payload) > MAX_EVENT:
        raise ControlError(f"an event carries at most {MAX_EVENT} bytes, this one has {len(payload)}")
    return HEADER.pack(kind, a, 0, len(payload), b, t_us) + payload


def reply(t_us: int, horizon_us: int, payload: bytes = b"", errno: int = 0) -> bytes:
    """The bytes of the answer to a request."""
    return HEADER.pack(Event.REPLY, errno, 0, len(payload), horizon_us, t_us) + payload


class Decoder:
    """Cuts a guest's byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes as they came."""
        self._buffer += data

    @property
    def partial(self) -> bool:
        """Whether the stream stands inside a message."""
        return bool(self._buffer)

    def next(self) -> Frame | None:
        """The next whole frame, or None. Raises ControlError on nonsense."""
        buffer = self._buffer
        if len(buffer) < HEADER.size:
            return None
        kind, a, _, n, b, t_us = HEADER.unpack_from(buffer)
        if n > MAX_PAYLOAD or kind >= 0x80 or not kind:
            raise ControlError(f"message of kind {kind} with {n} bytes")
        end = HEADER.size + n
        if len(buffer) < end:
            return None
        payload = bytes(buffer[HEADER.size : end])
        del buffer[:end]
        return Frame(kind, a, b, t_us, payload)

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.next()) is not None:
            yield frame
