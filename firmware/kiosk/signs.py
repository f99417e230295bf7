"""Sound and light for the room, from the fold alone: they go on when panel or wall are broken."""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from drivers.sounder import ALARM, CHIME, ESCALATED
from hubcore.records import ALERTS
from tasks.wake import Wake

HELP = b"\x2c\x23\x00\x23\x37\x23"  # somebody asks for staff: 440 and 550 Hz, once

_HELP_MS = const(20000)
_AFTER_MS = const(1500)
_LEAST_MS = const(400)  # no colour is shorter, however fast things happen: below 1.3 flashes a second
_CLOSED = (2, 2, 2)
_OPEN = (0, 40, 0)
_TROUBLE = (70, 28, 0)
_OFF = (0, 0, 0)
# By sign: one colour, the other; and the ms of each.
_BLINK = (
    None,
    ((0, 0, 90), (45, 45, 45)),
    ((120, 0, 0), _OFF),
    ((160, 0, 0), _OFF),
)
_BLINK_MS = (0, 1000, 1000, 500)


def sign_of(hub) -> int:
    """What staff are called for: 0 nothing, 1 help, 2 an emergency, 3 one that waits for 60 s or longer."""
    # A call for help that the journal could not take counts as well.
    worst = 0 if hub.alarm is None else 1 + hub.alarm_level if hub.alarm == ALERTS[0] else 1
    for alert in hub.fold.alerts.values():
        worst = max(worst, 1 + alert.level(hub.now_ms()) if alert.why == ALERTS[0] else 1)
    return worst


class Signs:
    """The chime of a call, the alarm until an alert is acknowledged, the status light.

    `hub` is kiosk.hub.KioskHub, `sounder` and `pixel` the drivers, `health` has `standing`, or is None.
    """

    def __init__(self, hub, sounder, pixel, health=None):
        self._hub = hub
        self._sounder = sounder
        self._pixel = pixel
        self._health = health
        self._chime = None  # whether a call is to be heard; None: the program has just begun
        self._alarm = None  # what repeats
        self._help_at = None
        self._colour = None
        self._since = 0
        self._wake = Wake()

    def changed(self, record=None) -> None:
        """The hub changed, by this record if any. Safe to call from anywhere but an interrupt."""
        if record is not None and record.kind in ("called", "recalled"):
            self._chime = True
        self._wake.set()

    def step(self):
        """Sound and show what is due; the ms until something else is, or None while nothing is."""
        now = ticks_ms()
        sign = sign_of(self._hub)
        left = self._sound(sign, now)
        light = self._light(sign, now)
        return light if left is None else left if light is None else min(left, light)

    def _sound(self, sign: int, now):
        sounder = self._sounder
        alarm = None if sign < 2 else ALARM if sign == 2 else ESCALATED
        if alarm is not self._alarm:
            self._alarm = alarm
            if alarm is None:
                sounder.stop()
            else:
                sounder.repeat(alarm)
        if self._chime is None:
            # Power is back: who was called and has not come may not have heard it.
            fold = self._hub.fold
            for label, _ in fold.calls(1):
                visit = fold.visits.get(label)
                self._chime = visit is not None and visit.state == "called"
        left = None
        if sign != 1:
            self._help_at = None
        elif self._help_at is not None and ticks_diff(now, self._help_at) < _HELP_MS:
            left = _HELP_MS - ticks_diff(now, self._help_at)
        elif self._chime:
            left = _AFTER_MS  # one after the other: the sounder would break the chime off
            self._help_at = ticks_add(now, left - _HELP_MS)
        else:
            self._help_at = now
            sounder.play(HELP)
            left = _HELP_MS
        if self._chime:
            sounder.play(CHIME)
        self._chime = False
        return left

    def _light(self, sign: int, now):
        held = ticks_diff(now, self._since)
        if self._colour is not None and 0 <= held < _LEAST_MS:
            return _LEAST_MS - held
        blink = _BLINK[sign]
        if blink is None:
            day_open = self._hub.fold.day_open
            trouble = self._health is not None and self._health.standing
            colour = _TROUBLE if trouble else _OPEN if day_open else _CLOSED
            left = None
        else:
            left = _BLINK_MS[sign]
            colour = self._colour
            if colour not in blink:
                colour = blink[0]
            elif held >= left:
                colour = blink[1 if colour == blink[0] else 0]
            else:
                return left - held
        if colour != self._colour:
            self._pixel.show(*colour)
            self._colour = colour
            self._since = now
        return left

    async def run(self, turn) -> None:
        """The signs' task."""
        self._alarm = self._colour = None
        while True:
            turn.begin()
            left = self.step()
            turn.rest()
            await self._wake.wait(left)
