"""A passive buzzer: patterns of tones, played in the background.

A pattern is bytes, two a step: pitch in tens of hertz (0: a rest), length in hundredths of a second. No step
is shorter than 0.34 s and none is cut short by another pattern, so nothing changes faster than 3 Hz
(EN 301 549 by way of WCAG 2.3.1 asks it of light; what ears get is kept to the same).
"""

import asyncio

from micropython import const

from tasks.wake import Wake

CHIME = b"\x63\x23\x4f\x37"  # a call: 990 Hz, then 790 Hz
ALARM = b"\x58\x23\x00\x23\x58\x23\x00\x55"  # help is asked for: 880 Hz twice, a pause
ESCALATED = b"\x63\x22\x42\x22"  # nobody came: 990 and 660 Hz in turn, no pause

_LOUD = const(32768)  # half of 65536: what sounds loudest


class Sounder:
    """`pwm` is a machine.PWM whose duty is 0. A running asyncio loop is needed to play."""

    def __init__(self, pwm):
        self._pwm = pwm
        self._wake = Wake()
        self._task = None
        self._once = None
        self._again = None
        self._news = False  # what is to be played is no longer what is being played

    def play(self, pattern) -> None:
        """Play it once, after the step that sounds; then what repeats goes on from its beginning."""
        self._once = pattern
        self._start()

    def repeat(self, pattern) -> None:
        """Play it over and over until `stop`; takes the place of another that repeats."""
        if self._again != pattern:
            self._again = pattern
            self._start()

    def stop(self) -> None:
        """Silence, at once; nothing is left to play."""
        self._once = self._again = None
        self._news = True
        self._pwm.duty_u16(0)

    def close(self) -> None:
        """Silence, and no task any more."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self):
        self._news = True
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self):
        pwm = self._pwm
        while True:
            self._news = False
            pattern = self._once or self._again
            self._once = None
            if not pattern:
                await self._wake.wait()
                continue
            for at in range(0, len(pattern), 2):
                if pattern[at]:
                    pwm.freq(pattern[at] * 10)
                pwm.duty_u16(_LOUD if pattern[at] else 0)
                # To its end, also when stopped meanwhile (it is silent then).
                await asyncio.sleep_ms(pattern[at + 1] * 10)
                if self._news:
                    break
            pwm.duty_u16(0)
