"""The keypad's driver on the board: bounce, holds, chords, stuck keys, and quiet while idle."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from driver_rig import Rig, wait_ms

from smilehub.sim.board import Board

READER = """
import asyncio
from time import ticks_ms, ticks_diff
pad = keypad()
start = ticks_ms()
async def main():
    while True:
        key, what = await pad.next()
        say([key, what, ticks_diff(ticks_ms(), start)])
asyncio.run(main())
"""

Script = Callable[[Board], Awaitable[None]]


def events(folder: Path, script: Script, program: str = READER, seed: int = 1) -> list[Any]:
    rig = Rig(folder, program, seed=seed)
    try:
        return rig.run(script)
    finally:
        rig.close()


@pytest.mark.parametrize("seed", range(4))
def test_random_presses_give_exactly_those_events(tmp_path: Path, seed: int) -> None:
    rnd = random.Random(seed)
    expect: list[list[str]] = []

    async def day(board: Board) -> None:
        for _ in range(60):
            name = rnd.choice(["up", "down", "yes", "back", "help"])
            hold = rnd.choice([30, 45, 80, 200, 700, 900, 1500])
            board.keys.press(name, hold)
            expect.append([name, "press"])
            if hold >= 900:
                expect.append([name, "hold"])
            expect.append([name, "release"])
            await wait_ms(hold + rnd.choice([40, 60, 500]))

    found = events(tmp_path, day, seed=seed)
    assert [event[:2] for event in found] == expect


def test_a_press_is_told_within_thirty_milliseconds_and_a_hold_after_800(tmp_path: Path) -> None:
    at: list[int] = []

    async def day(board: Board) -> None:
        at.append(board.kernel.now_us() // 1000)
        board.keys.press("yes", 2000)
        await wait_ms(3000)
        at.append(board.kernel.now_us() // 1000)
        board.keys.press("yes", 50)
        await wait_ms(100)

    found = events(tmp_path, day)
    press, hold, release, again = (event[2] for event in found[:4])
    assert [event[1] for event in found] == ["press", "hold", "release", "press", "release"]
    assert 778 <= hold - press <= 782, "the hold counts from the contact, the press is told 20 ms after it"
    assert 1990 <= release - press <= 2010
    assert abs((again - press) - (at[1] - at[0])) <= 6, "always the same delay, but for the bounce"


def test_two_keys_at_once_are_both_heard(tmp_path: Path) -> None:
    async def day(board: Board) -> None:
        board.keys.press("back", 1200)
        await wait_ms(3)
        board.keys.press("help", 400)
        await wait_ms(2000)

    found = [event[:2] for event in events(tmp_path, day)]
    assert sorted(found[:2]) == [["back", "press"], ["help", "press"]]
    assert found[2:] == [["help", "release"], ["back", "hold"], ["back", "release"]]


def test_a_stuck_key_is_told_once_and_the_others_work_on(tmp_path: Path) -> None:
    async def day(board: Board) -> None:
        board.keys.stick("down")
        await wait_ms(31_000)
        board.keys.press("yes", 60)
        await wait_ms(50_000)
        board.keys.press("down", 60)  # whoever presses it changes nothing
        await wait_ms(50_000)
        board.keys.free("down")
        await wait_ms(500)
        board.keys.press("down", 60)
        await wait_ms(500)

    found = events(tmp_path, day)
    assert [event[:2] for event in found] == [
        ["down", "press"],
        ["down", "hold"],
        ["down", "stuck"],
        ["yes", "press"],
        ["yes", "release"],
        ["down", "release"],
        ["down", "press"],
        ["down", "release"],
    ]
    assert 29_970 <= found[2][2] - found[0][2] <= 30_000


def test_a_key_down_from_the_start_is_no_press_but_stuck(tmp_path: Path) -> None:
    rig = Rig(tmp_path, READER)
    rig.board.keys.down("back")

    async def day(board: Board) -> None:
        await wait_ms(40_000)
        board.keys.up("back")
        await wait_ms(100)

    try:
        assert [event[:2] for event in rig.run(day)] == [["back", "stuck"], ["back", "release"]]
    finally:
        rig.close()


def test_a_spike_is_no_press(tmp_path: Path) -> None:
    async def day(board: Board) -> None:
        for length_ms in (1, 5, 15):
            board.drive(6, 0)
            await wait_ms(length_ms)
            board.drive(6, 1)
            await wait_ms(100)
        board.keys.press("yes", 60)
        await wait_ms(200)

    assert [event[:2] for event in events(tmp_path, day)] == [["yes", "press"], ["yes", "release"]]


BUSY = """
import asyncio, time
pad = keypad()
async def main():
    while True:
        event = await pad.next()
        say(list(event))
        if event == ("up", "press"):
            for _ in range(DRAWING):
                time.sleep_ms(10)
            say(["done", ""])
asyncio.run(main())
"""


def test_presses_during_long_drawing_are_kept(tmp_path: Path) -> None:
    async def day(board: Board) -> None:
        board.keys.press("up", 60)
        await wait_ms(200)
        board.keys.press("down", 60)
        await wait_ms(150)
        board.keys.press("yes", 60)
        await wait_ms(1000)

    found = events(tmp_path, day, BUSY.replace("DRAWING", "60"))
    assert found == [
        ["up", "press"],
        ["done", ""],
        ["up", "release"],
        ["down", "press"],
        ["down", "release"],
        ["yes", "press"],
        ["yes", "release"],
    ]


def test_more_than_fits_is_dropped_and_counted_and_the_keys_still_work(tmp_path: Path) -> None:
    program = """
import asyncio, time
pad = keypad()
for _ in range(300):
    time.sleep_ms(20)
async def main():
    while True:
        say(list(await pad.next()) + [pad.dropped])
asyncio.run(main())
"""

    async def day(board: Board) -> None:
        for _ in range(40):
            board.keys.press("help", 50)
            await wait_ms(100)
        await wait_ms(4000)
        board.keys.press("yes", 60)
        await wait_ms(500)

    rig = Rig(tmp_path, program)

    async def all_of_it() -> None:
        await rig.board.power_on()
        await wait_ms(200)
        await day(rig.board)

    try:
        rig.kernel.run(all_of_it())
        found = [line[4:] for line in rig.board.console_text().splitlines() if line.startswith("SAY")]
    finally:
        rig.close()
    said = [json.loads(line) for line in found]
    assert said[-2][:2] == ["yes", "press"]
    assert said[-1][:2] == ["yes", "release"]
    assert said[-1][2] > 0, "counted"
    assert 2 < len(said) <= 18


def test_nothing_wakes_while_no_key_moves(tmp_path: Path) -> None:
    rig = Rig(tmp_path, READER)
    due: list[int | None] = []

    async def day(board: Board) -> None:
        guest = board.guest
        assert guest is not None
        due.append(guest.due_us())
        board.keys.press("up", 60)
        await wait_ms(200)
        due.append(guest.due_us())

    try:
        rig.run(day)
    finally:
        rig.close()
    assert due == [None, None]


def test_waiting_with_a_deadline_loses_no_key(tmp_path: Path) -> None:
    program = """
import asyncio
pad = keypad()
async def main():
    while True:
        event = await pad.next(37)
        if event:
            say(list(event))
asyncio.run(main())
"""

    async def day(board: Board) -> None:
        for _ in range(20):
            board.keys.press("yes", 61)
            await wait_ms(143)

    rig = Rig(tmp_path, program)

    async def all_of_it() -> None:
        await rig.board.power_on()
        await wait_ms(500)
        await day(rig.board)
        await wait_ms(500)

    try:
        rig.kernel.run(all_of_it())
        said = rig.board.console_text().count("SAY")
    finally:
        rig.close()
    assert said == 40


TOUCHES = """
import asyncio
from time import ticks_ms, ticks_diff
pad = keypad()
async def main():
    while True:
        key, what = await pad.next()
        say([what, ticks_diff(ticks_ms(), pad.touched)])
asyncio.run(main())
"""


def test_when_a_key_left_its_rest_is_known_before_it_is_told(tmp_path: Path) -> None:
    async def day(board: Board) -> None:
        for _ in range(20):
            board.keys.press("yes", 300)
            await wait_ms(600)

    found = events(tmp_path, day, TOUCHES)
    assert [what for what, _ in found] == ["press", "release"] * 20
    assert all(20 <= ago <= 32 for _, ago in found), "from the first of its edges, however much it bounces"
    assert len({ago for _, ago in found}) > 1, "it does bounce"
