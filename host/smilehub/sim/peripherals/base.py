"""What the simulated board and a part say to each other: pins, bus bytes and power, nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

Config = Mapping[str, Any]
"""A part's table of board.toml (with every key of it, pins included)."""

Drive = Callable[[str, int, int], None]
"""`drive(role, level, at_us)`: the part sets the pin of that role to `level` at that time (now or later)."""


@dataclass(frozen=True, slots=True)
class SpiMode:
    """How the controller clocks the bus: bits per second, and SPI mode as (polarity, phase)."""

    baud: int
    polarity: int = 0
    phase: int = 0
    bits: int = 8
    lsb_first: bool = False


class Pulses(NamedTuple):
    """How bits are sent as pulses: nanoseconds high and low of a 0, and of a 1."""

    high0: int
    low0: int
    high1: int
    low1: int


@runtime_checkable
class Peripheral(Protocol):
    """One part on the board. Times are microseconds of the board's clock; levels are 0 and 1."""

    now_us: Callable[[], int]
    """The board's clock, set before `connect`; it goes on while the power is away."""

    def connect(self, drive: Drive, rnd: random.Random) -> None:
        """Called once by the board: how to drive input pins, and the board's seeded randomness."""
        ...

    def power(self, on: bool) -> None:
        """Power came or went; volatile state is gone either way."""
        ...

    def gpio(self, role: str, level: int, t_us: int) -> None:
        """An output pin wired to this part changed; `role` is the key in board.toml ("cs", "dc" …)."""
        ...

    def pwm(self, role: str, duty_u16: int, freq_hz: int, t_us: int) -> None:
        """An output pin wired to this part is now modulated (65535 = always high)."""
        ...

    def pulses(self, role: str, shape: Pulses, data: bytes, t_us: int) -> None:
        """Bits of `data`, most significant first, as pulses of that shape on an output pin from now on."""
        ...

    def spi_setup(self, mode: SpiMode, t_us: int) -> None:
        """The bus this part hangs on was set up, or set up differently."""
        ...

    def spi_write(self, data: bytes, t_us: int) -> None:
        """Bytes on the bus; every part on it gets them and knows its own chip select."""
        ...

    def spi_transfer(self, data: bytes, t_us: int) -> bytes:
        """Full duplex: as `spi_write`, and returns as many bytes of MISO (0xFF where it drives nothing)."""
        ...

    def i2c_write(self, addr: int, data: bytes, t_us: int) -> bool:
        """An I2C write to `addr`; True if this part acknowledged."""
        ...

    def i2c_read(self, addr: int, count: int, t_us: int) -> bytes | None:
        """An I2C read from `addr`; None if that is not this part."""
        ...

    def level(self, role: str) -> int | None:
        """What this part drives on the pin of that role; None if it drives nothing there."""
        ...


class Part:
    """A peripheral that does nothing: a base that a real one overrides where it reacts."""

    def __init__(self) -> None:
        self.now_us: Callable[[], int] = lambda: 0
        self.violations: list[str] = []
        """What the firmware did that the part's datasheet forbids, in order, as plain sentences."""

    def connect(self, drive: Drive, rnd: random.Random) -> None:
        pass

    def power(self, on: bool) -> None:
        pass

    def gpio(self, role: str, level: int, t_us: int) -> None:
        pass

    def pwm(self, role: str, duty_u16: int, freq_hz: int, t_us: int) -> None:
        self.gpio(role, 1 if duty_u16 else 0, t_us)

    def pulses(self, role: str, shape: Pulses, data: bytes, t_us: int) -> None:
        pass

    def spi_setup(self, mode: SpiMode, t_us: int) -> None:
        pass

    def spi_write(self, data: bytes, t_us: int) -> None:
        pass

    def spi_transfer(self, data: bytes, t_us: int) -> bytes:
        self.spi_write(data, t_us)
        return b"\xff" * len(data)

    def i2c_write(self, addr: int, data: bytes, t_us: int) -> bool:
        return False

    def i2c_read(self, addr: int, count: int, t_us: int) -> bytes | None:
        return None

    def level(self, role: str) -> int | None:
        return None

    def forbid(self, t_us: int, what: str) -> None:
        """Note a violation; the list stops growing at 200 so that a broken driver cannot fill memory."""
        if len(self.violations) < 200:
            self.violations.append(f"{t_us / 1000:.3f} ms: {what}")
