"""A passive buzzer behind a transistor: silent until its pin is modulated."""

from __future__ import annotations

from typing import NamedTuple

from smilehub.sim.peripherals.base import Config, Part

AUDIBLE_HZ = range(50, 15_001)
"""What people hear of it; children a little more."""

LONGEST_HELD_US = 10_000
"""A coil must not carry direct current for longer than one would switch it."""


class Tone(NamedTuple):
    """What was heard: pitch, share of 65535 that the pin was high, µs of the board; `to_us` None: still."""

    freq: int
    duty: int
    from_us: int
    to_us: int | None


class Sounder(Part):
    """One buzzer (role "pin"); `tones` is what has sounded and is over."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.tones: list[Tone] = []
        self._now: tuple[int, int, int] | None = None  # freq, duty, since
        self._held_us: int | None = None

    @property
    def sounding(self) -> int:
        """The pitch it sounds at now in Hz; 0 when silent."""
        return self._now[0] if self._now else 0

    def heard(self, since_us: int = 0) -> list[Tone]:
        """The tones that began at `since_us` or later, in order; one that still sounds has no end."""
        now = [Tone(*self._now, None)] if self._now else []
        return [tone for tone in self.tones + now if tone.from_us >= since_us]

    def power(self, on: bool) -> None:
        self._end(self.now_us())
        self._held_us = None

    def gpio(self, role: str, level: int, t_us: int) -> None:
        self._end(t_us)
        self._hold(bool(level), t_us)

    def pwm(self, role: str, duty_u16: int, freq_hz: int, t_us: int) -> None:
        self._hold(duty_u16 == 0xFFFF, t_us)
        if freq_hz not in AUDIBLE_HZ or not 0 < duty_u16 < 0xFFFF:
            self._end(t_us)
        elif self._now is None or self._now[:2] != (freq_hz, duty_u16):
            self._end(t_us)
            self._now = (freq_hz, duty_u16, t_us)

    def _end(self, t_us: int) -> None:
        if self._now is not None:
            freq, duty, since = self._now
            # Steps of setting up that follow each other at once are no tones.
            if t_us - since >= 1_000_000 // freq:
                self.tones.append(Tone(freq, duty, since, t_us))
            self._now = None

    def _hold(self, high: bool, t_us: int) -> None:
        if self._held_us is not None and t_us - self._held_us > LONGEST_HELD_US:
            self.forbid(t_us, f"held on for {(t_us - self._held_us) // 1000} ms: direct current in the coil")
        self._held_us = t_us if high else None
