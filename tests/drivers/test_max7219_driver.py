"""The wall's driver on the board."""

from __future__ import annotations

from pathlib import Path

from driver_rig import BOARD_TOML, Rig, no_violations, wait_ms

# A picture that the test can repeat, drawn twice with changes in between.
PROGRAM = """
w = wall()
w.refresh()
sent = [w.show()]
for x, y in POINTS:
    w.fb.pixel(x, y, 1)
sent.append(w.show())
sent.append(w.show())
w.fb.pixel(0, 9, 1)
sent.append(w.show())
say(sent)
time.sleep(2)
w.fb.pixel(0, 9, 0)
say(w.show())
time.sleep(2)
w.off()
time.sleep(2)
w.brightness(11)
w.refresh()
try:
    w.brightness(16)
except ValueError as error:
    say(str(error))
"""

POINTS = {(x, y) for x in range(96) for y in (0, 3, 15) if (x * 7 + y * 3) % 5 == 0} | {
    (95, 0),
    (0, 15),
    (40, 8),
}


def lit(rig: Rig) -> set[tuple[int, int]]:
    grid = rig.board.part("wall").pixels()
    return {(x, y) for y, row in enumerate(grid) for x, on in enumerate(row) if on}


def test_the_wall_shows_what_was_drawn_and_sends_what_changed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, PROGRAM.replace("POINTS", repr(sorted(POINTS))))
    seen: list[set[tuple[int, int]]] = []

    async def look(_: object) -> None:
        await wait_ms(1000)  # in the middle of each of the program's waits
        for _ in range(3):
            seen.append(lit(rig))
            await wait_ms(2000)

    said = rig.run(look)
    chain = 48
    # Rows 0 and 8 go together, as do 7 and 15: a digit of every chip is one transfer.
    assert said[0] == [0, 3 * chain, 0, chain]
    assert said[1] == chain
    assert said[2] == "brightness is 0 to 15"
    assert seen[0] == POINTS | {(0, 9)}
    assert seen[1] == POINTS
    assert seen[2] == set()
    assert lit(rig) == POINTS
    assert rig.board.part("wall").intensity == 11
    no_violations([rig.board.part("wall")])
    rig.close()


def test_refresh_mends_chips_that_lost_their_settings(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path,
        "w = wall()\nw.fb.fill(1)\nw.refresh()\ntime.sleep(5)\n"
        "w.fb.pixel(3, 3, 0)\nw.show()\ntime.sleep(5)\nw.refresh()\n",
    )
    wall = rig.board.part("wall")
    counts: list[int] = []

    async def brown_out(_: object) -> None:
        counts.append(len(lit(rig)))
        wall.power(False)
        wall.power(True)
        await wait_ms(6000)
        counts.append(len(lit(rig)))

    rig.run(brown_out)
    assert counts == [96 * 16, 0]
    assert len(lit(rig)) == 96 * 16 - 1
    rig.close()


PRESENT = """
w = wall()
w.fb.fill(1)
w.refresh()
say(w.present())
time.sleep(2)
w.fb.pixel(0, 0, 0)
w.show()
say(w.present())
"""


def test_a_whole_chain_answers_without_changing_what_is_shown(tmp_path: Path) -> None:
    rig = Rig(tmp_path, PRESENT)
    assert rig.run() == [True, True]
    assert len(lit(rig)) == 96 * 16 - 1
    no_violations([rig.board.part("wall")])
    rig.close()


def test_a_broken_wall_is_dark_and_does_not_answer_until_it_is_mended(tmp_path: Path) -> None:
    rig = Rig(tmp_path, PRESENT)
    wall = rig.board.part("wall")
    wall.broken = True

    async def mend(_: object) -> None:
        assert lit(rig) == set()
        wall.broken = False

    assert rig.run(mend) == [False, True]
    rig.close()


def test_a_chain_without_one_of_its_chips_is_not_whole(tmp_path: Path) -> None:
    shorter = tmp_path / "board.toml"
    shorter.write_text(BOARD_TOML.read_text().replace("columns = 12", "columns = 11"))
    rig = Rig(tmp_path, PRESENT, board_toml=shorter)
    assert rig.run() == [False, False]
    rig.close()
