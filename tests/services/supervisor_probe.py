"""Supervisor and Watchdog under plain MicroPython (see test_on_micropython); ends with OK."""

import asyncio
import time

from journal_torture import Nor, Random

from kiosk.hub import KioskHub
from services.clock import Clock
from services.journal import Journal
from services.supervisor import Supervisor
from services.watchdog import Watchdog

rnd = Random(11)


async def until(true):
    """Wait for a condition, not for a time: the machine may be busy."""
    for _ in range(4000):
        if true():
            return
        await asyncio.sleep_ms(5)
    raise AssertionError("it did not come")


async def supervision():
    hub = KioskHub(Journal(Nor(64)), Clock(), rnd=rnd.bytes)
    hub.start("power", "test")

    class Timer:
        made = []
        fed = 0

        def __init__(self, number, timeout):
            Timer.made.append(timeout)

        def feed(self):
            Timer.fed += 1

    class Manual:
        t = 0

    hub.clock = Clock(lambda: Manual.t, lambda a, b: a - b)
    supervisor = Supervisor(hub, Watchdog(Timer))
    runs = []

    async def dies(turn):
        runs.append(1)
        raise ValueError("on purpose")

    async def sticks(turn):
        turn.begin()
        while True:
            await asyncio.sleep_ms(1000)

    async def rests(turn):
        turn.begin()
        turn.rest()
        while True:
            await asyncio.sleep_ms(1000)

    supervisor.start("dies", dies)
    supervisor.start("rests", rests)
    await until(lambda: len(runs) == 1)
    Manual.t = 10_000_000
    assert supervisor.house() and not Timer.made, "no watchdog before a day is open"
    assert hub.fold.faults == 1 and len(runs) == 1
    hub.wish("day_open", {})
    supervisor.house()
    assert Timer.made == [8000] and Timer.fed == 2
    supervisor.start("sticks", sticks)
    await until(lambda: len(runs) == 2)
    assert supervisor.restarts["dies"] == 2
    fed = Timer.fed
    assert supervisor.house() and Timer.fed == fed + 1
    Manual.t += 7000
    assert not supervisor.house() and Timer.fed == fed + 1, "a stuck task must not be fed over"
    hub.wish("day_close", {})
    supervisor.house()
    assert Timer.made == [8000, 86_400_000]


async def main():

    await supervision()


started = time.ticks_ms()
asyncio.run(main())
print("OK", time.ticks_diff(time.ticks_ms(), started), "ms")
