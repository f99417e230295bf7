"""The clock's driver on the board: battery, century, nonsense, absence."""

from __future__ import annotations

import calendar
from pathlib import Path
from typing import Any

from driver_rig import Rig, no_violations, wait_ms

from smilehub.sim.board import Board

READ = """
clock = rtc()
try:
    say(clock.read())
except OSError as error:
    say("errno %d" % error.errno)
"""


def utc(*moment: int) -> int:
    return calendar.timegm(moment)


def test_what_was_written_is_read_and_goes_on_while_the_power_is_away(tmp_path: Path) -> None:
    now = utc(2027, 2, 28, 23, 59, 30)
    rig = Rig(tmp_path, READ + f"if clock.read() is None:\n    clock.write({now})\n    say(clock.read())\n")
    assert rig.run() == [None, now]
    began = rig.kernel.now_us()

    async def outage() -> None:
        rig.board.power_cut()
        await wait_ms(90_000)
        await rig.board.power_on()
        await rig.board.idle()

    rig.kernel.run(outage())
    model = rig.board.part("rtc")
    assert not model.stopped
    assert rig.said()[:2] == [None, now]
    (later,) = rig.said()[2:]
    assert 0 <= later - (now + 90) <= (rig.kernel.now_us() - began) // 1_000_000 - 90 + 1
    assert later >= utc(2027, 3, 1, 0, 1, 0), "over midnight and the end of February"
    no_violations([model])
    rig.close()


def test_without_a_battery_an_outage_costs_the_time_and_it_is_known(tmp_path: Path) -> None:
    rig = Rig(tmp_path, READ)
    model = rig.board.part("rtc")
    model.set(utc(2027, 5, 4, 12, 0, 0))
    model.battery = False
    assert rig.run() == [None]
    assert model.utc() // 3600 == utc(2000, 1, 1, 0, 0, 0) // 3600
    rig.close()


def test_a_clock_off_the_bus_raises(tmp_path: Path) -> None:
    rig = Rig(tmp_path, READ)
    rig.board.part("rtc").absent = True
    assert rig.run() == ["errno 19"]
    rig.close()


TIMES = [
    utc(2000, 1, 1, 0, 0, 0),
    utc(2024, 2, 29, 23, 59, 59),
    utc(2026, 12, 31, 23, 59, 59),
    utc(2038, 1, 19, 3, 14, 8),
    utc(2099, 12, 31, 23, 59, 59),
    utc(2100, 1, 1, 0, 0, 0),
    utc(2100, 2, 28, 12, 0, 0),
    utc(2100, 3, 1, 0, 0, 0),
    utc(2104, 2, 29, 1, 2, 3),
    utc(2199, 12, 31, 23, 59, 58),
]


def test_every_kind_of_date_comes_back_as_it_was_written(tmp_path: Path) -> None:
    program = f"""
clock = rtc()
for t in {TIMES}:
    clock.write(t)
    say(clock.read())
for t in ({TIMES[0] - 1}, {TIMES[-1] + 2}):
    try:
        clock.write(t)
    except ValueError as error:
        say(str(error))
"""
    rig = Rig(tmp_path, program)
    assert rig.run() == TIMES + ["the clock's years are 2000 to 2199"] * 2
    assert rig.board.part("rtc").utc() == TIMES[-1]
    no_violations([rig.board.part("rtc")])
    rig.close()


def test_the_second_at_the_end_of_the_century_sets_the_century_bit(tmp_path: Path) -> None:
    rig = Rig(tmp_path, READ + "time.sleep(3)\nsay(clock.read())\n")
    rig.board.part("rtc").set(utc(2099, 12, 31, 23, 59, 58))
    before, after = rig.run()
    assert before < utc(2100, 1, 1, 0, 0, 0) <= after == before + 3
    rig.close()


# What is in the registers 00h to 06h; 12-hour clocks are somebody else's, and still right.
REGISTERS: list[tuple[str, Any]] = [
    ("45 30 14 03 17 06 27", utc(2027, 6, 17, 14, 30, 45)),
    ("45 30 72 03 17 06 27", utc(2027, 6, 17, 12, 30, 45)),
    ("45 30 52 03 17 06 27", utc(2027, 6, 17, 0, 30, 45)),
    ("45 30 69 03 17 06 27", utc(2027, 6, 17, 21, 30, 45)),
    ("45 30 60 03 17 06 27", None),
    ("45 30 73 03 17 06 27", None),
    ("60 30 14 03 17 06 27", None),
    ("45 5a 14 03 17 06 27", None),
    ("45 30 24 03 17 06 27", None),
    ("45 30 14 03 00 06 27", None),
    ("45 30 14 03 31 06 27", None),
    ("45 30 14 03 29 02 27", None),
    ("45 30 14 03 29 02 28", utc(2028, 2, 29, 14, 30, 45)),
    ("45 30 14 03 29 82 00", None),
    ("45 30 14 03 17 00 27", None),
    ("45 30 14 03 17 13 27", None),
    ("45 30 14 03 17 06 a0", None),
]


def test_what_is_no_time_is_none(tmp_path: Path) -> None:
    program = """
from machine import I2C
clock = rtc()
clock.write(1_800_000_000)
bus = I2C(1)
for row in ROWS:
    bus.writeto_mem(0x68, 0, bytes.fromhex(row))
    say(clock.read())
""".replace("ROWS", repr([row.replace(" ", "") for row, _ in REGISTERS]))
    rig = Rig(tmp_path, program)
    assert rig.run() == [value for _, value in REGISTERS]
    rig.close()


def test_an_oscillator_told_to_stop_on_battery_says_so_after_an_outage(tmp_path: Path) -> None:
    stop = "from machine import I2C\nI2C(1).writeto_mem(0x68, 0x0E, b'\\x84')\n"
    rig = Rig(tmp_path, READ + stop)
    rig.board.part("rtc").set(utc(2027, 5, 4, 12, 0, 0))

    async def outage(board: Board) -> None:
        board.power_cut()
        await wait_ms(60_000)
        await board.power_on()
        await board.idle()

    first, second = rig.run(outage)
    assert first is not None
    assert second is None
    assert rig.board.part("rtc").utc() < utc(2027, 5, 4, 12, 0, 30), "it stood still"
    rig.close()
