"""One WS2812B pixel (or a strip, of which the first is looked at): it reads the widths of pulses.

Source: Worldsemi WS2812B datasheet: data transfer time (T0H 0.4 µs, T0L 0.85 µs, T1H 0.8 µs, T1L 0.45 µs,
each ± 150 ns, RESET above 50 µs; of V5 above 280 µs, as asked for here), composition of 24 bits.
"""

from __future__ import annotations

from smilehub.sim.peripherals.base import Config, Part, Pulses

TOLERANCE_NS = 150
RESET_US = 280
_ZERO = (400, 850)
_ONE = (800, 450)

Colour = tuple[int, int, int]


class WS2812(Part):
    """Role "pin" is its DIN. `colour` is what it shows; `history` every change: (µs of the board, colour)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.colour: Colour = (0, 0, 0)
        self.history: list[tuple[int, Colour]] = []
        self._on = False
        self._idle_us = 0

    def power(self, on: bool) -> None:
        self._on = on
        self._idle_us = self.now_us() - RESET_US
        self._show((0, 0, 0), self.now_us())

    def pulses(self, role: str, shape: Pulses, data: bytes, t_us: int) -> None:
        if not self._on:
            return
        quiet = t_us - self._idle_us
        bits = int.from_bytes(data).bit_count()
        ns = bits * (shape.high1 + shape.low1) + (8 * len(data) - bits) * (shape.high0 + shape.low0)
        self._idle_us = t_us + ns // 1000
        if quiet < RESET_US:
            self.forbid(t_us, f"only {quiet} us low since the data before: the pixel passes it on")
            return
        zero, one = self._bit(shape.high0, shape.low0, t_us), self._bit(shape.high1, shape.low1, t_us)
        if zero is None or one is None:
            return
        if len(data) < 3:
            self.forbid(t_us, f"{len(data) * 8} bits are no colour")
            return
        green, red, blue = (byte & (0xFF * one) | ~byte & (0xFF * zero) for byte in data[:3])
        self._show((red, green, blue), t_us)

    def _bit(self, high: int, low: int, t_us: int) -> int | None:
        for value, (want_high, want_low) in enumerate((_ZERO, _ONE)):
            if abs(high - want_high) <= TOLERANCE_NS and abs(low - want_low) <= TOLERANCE_NS:
                return value
        self.forbid(t_us, f"a pulse of {high} ns high and {low} ns low is neither 0 nor 1")
        return None

    def _show(self, colour: Colour, t_us: int) -> None:
        if colour != self.colour:
            self.colour = colour
            self.history.append((t_us, colour))
