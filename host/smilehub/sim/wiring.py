"""A board's copper: which model hangs on which pin and bus; passes the guest's messages on to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Protocol

from smilehub.sim.control import Event, Frame, Kind
from smilehub.sim.kernel import Kernel
from smilehub.sim.peripherals import PARTS
from smilehub.sim.peripherals.base import Peripheral, Pulses, SpiMode
from smilehub.sim.spec import PartSpec


class _Counts(Protocol):
    spi_bytes: dict[int, int]


class Wired(Protocol):
    """What the wiring needs of its board."""

    @property
    def kernel(self) -> Kernel: ...
    @property
    def seed(self) -> int: ...
    @property
    def stats(self) -> _Counts: ...
    def on(self, kind: Kind, handler: Callable[[Frame], bytes | int | None]) -> None: ...
    def event(self, kind: Event, a: int, b: int = 0, payload: bytes = b"") -> None: ...


class Wiring:
    """The parts of one board, by the names of their tables in board.toml."""

    def __init__(self, board: Wired, parts: Iterable[PartSpec]) -> None:
        self._board = board
        self.parts: dict[str, Peripheral] = {}
        self._outputs: dict[int, list[tuple[Peripheral, str]]] = {}
        self._inputs: dict[int, tuple[Peripheral, str]] = {}
        self._levels: dict[int, int] = {}
        self._spi: dict[int, list[Peripheral]] = {}
        self._i2c: dict[int, list[Peripheral]] = {}
        for part in parts:
            self._wire(part)
        board.on(Kind.GPIO_OUT, self._gpio_out)
        board.on(Kind.GPIO_IN, self._gpio_in)
        board.on(Kind.PWM, self._pwm)
        board.on(Kind.NEOPIXEL, self._bitstream)
        board.on(Kind.SPI_CONFIG, self._spi_config)
        board.on(Kind.SPI_WRITE, self._spi_write)
        board.on(Kind.SPI_XFER, self._spi_xfer)
        board.on(Kind.I2C_WRITE, self._i2c_write)
        board.on(Kind.I2C_READ, self._i2c_read)

    def power(self, on: bool) -> None:
        """Power came or went."""
        self._levels.clear()
        for part in self.parts.values():
            part.power(on)

    def drive(self, pin: int, level: int) -> None:
        """Something outside sets an input pin now."""
        if self._levels.get(pin) != level:
            self._levels[pin] = level
            self._board.event(Event.PIN, pin, level)

    def _gpio_out(self, frame: Frame) -> None:
        for part, role in self._outputs.get(frame.a, ()):
            part.gpio(role, frame.b, frame.t_us)

    def _gpio_in(self, frame: Frame) -> bytes:
        level = self._levels.get(frame.a)
        if level is None and frame.a in self._inputs:
            part, role = self._inputs[frame.a]
            level = part.level(role)
        # 2: nothing drives it, the guest's pull decides.
        return bytes([2 if level is None else level])

    def _pwm(self, frame: Frame) -> None:
        for part, role in self._outputs.get(frame.a, ()):
            part.pwm(role, frame.b & 0xFFFF if frame.b >= 0 else 0, max(0, frame.b) >> 16, frame.t_us)

    def _bitstream(self, frame: Frame) -> None:
        shape = Pulses(*(frame.b >> shift & 0x7FFF for shift in (0, 15, 30, 45)))
        for part, role in self._outputs.get(frame.a, ()):
            part.pulses(role, shape, frame.payload, frame.t_us)

    def _spi_config(self, frame: Frame) -> None:
        polarity, phase, bits = (frame.payload + b"\0\0\x08"[len(frame.payload) :])[:3]
        for part in self._spi.get(frame.a, ()):
            part.spi_setup(SpiMode(frame.b, polarity, phase, bits), frame.t_us)

    def _spi_write(self, frame: Frame) -> None:
        self._count_spi(frame)
        for part in self._spi.get(frame.a, ()):
            part.spi_write(frame.payload, frame.t_us)

    def _spi_xfer(self, frame: Frame) -> bytes:
        self._count_spi(frame)
        out = b"\xff" * len(frame.payload)
        for part in self._spi.get(frame.a, ()):
            got = part.spi_transfer(frame.payload, frame.t_us)
            # Several that drive at once pull the line low together.
            out = bytes(a & b for a, b in zip(out, got, strict=True))
        return out

    def _count_spi(self, frame: Frame) -> None:
        counts = self._board.stats.spi_bytes
        counts[frame.a] = counts.get(frame.a, 0) + len(frame.payload)

    def _i2c_write(self, frame: Frame) -> bytes | int:
        addr = frame.b & 0x3FF
        acks = [p.i2c_write(addr, frame.payload, frame.t_us) for p in self._i2c.get(frame.a, ())]
        return b"" if any(acks) else 19  # ENODEV, as the port says

    def _i2c_read(self, frame: Frame) -> bytes | int:
        addr, count = frame.b & 0x3FF, frame.b >> 16
        for part in self._i2c.get(frame.a, ()):
            data = part.i2c_read(addr, count, frame.t_us)
            if data is not None:
                return data
        return 19

    def _wire(self, spec: PartSpec) -> None:
        part = PARTS[spec.part](spec.config)
        part.now_us = self._board.kernel.now_us
        self.parts[spec.name] = part
        for role, pin in spec.pins.items():
            self._outputs.setdefault(pin, []).append((part, role))
            self._inputs.setdefault(pin, (part, role))
        if spec.spi is not None:
            self._spi.setdefault(spec.spi, []).append(part)
        if spec.i2c is not None:
            self._i2c.setdefault(spec.i2c, []).append(part)
        pins = spec.pins

        def drive(role: str, level: int, at_us: int) -> None:
            if at_us <= self._board.kernel.now_us():
                self.drive(pins[role], level)
            else:
                self._board.kernel.call_at_us(at_us, self.drive, pins[role], level)

        part.connect(drive, random.Random(f"{self._board.seed} {spec.name}"))
