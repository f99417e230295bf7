"""The guest's local timers: one list of alarms on the single hook that ``_sim`` offers."""

import _sim
import micropython

_alarms = []


class Alarm:
    """Calls ``action(now_us)`` once after the time given to ``set``; the action must not post or ask."""

    def __init__(self, action):
        self.at = -1
        self.action = action
        _alarms.append(self)


@micropython.native
def _arm():
    first = -1
    for alarm in _alarms:
        at = alarm.at
        if at >= 0 and (first < 0 or at < first):
            first = at
    _sim.timer_at(first)


@micropython.native
def set(alarm, at_us):
    """Ring at ``at_us`` of the guest's clock. Does not allocate: event handlers use it."""
    alarm.at = at_us
    _arm()


@micropython.native
def clear(alarm):
    """Do not ring."""
    alarm.at = -1
    _arm()


def forget(alarm):
    """Take it off the list for good."""
    if alarm in _alarms:
        _alarms.remove(alarm)
    _arm()


@micropython.native
def _ring(now):
    i = 0
    while i < len(_alarms):
        alarm = _alarms[i]
        i += 1
        at = alarm.at
        if 0 <= at <= now:
            alarm.at = -1
            # It may take itself off the list; who is skipped by that rings at once by _arm.
            alarm.action(at)
    _arm()


_sim.on_timer(_ring)
