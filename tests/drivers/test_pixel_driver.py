"""The status light's driver on the board."""

from __future__ import annotations

from pathlib import Path

from driver_rig import Rig, no_violations


def test_it_shows_what_was_asked_for_and_sends_only_changes(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path,
        "p = pixel()\nfor c in ((0, 40, 0), (0, 40, 0), (255, 128, 1)):\n"
        "    p.show(*c)\n    time.sleep_ms(400)\n",
    )
    rig.run()
    light = rig.board.part("pixel")
    assert light.colour == (255, 128, 1)
    assert [colour for _, colour in light.history] == [(0, 40, 0), (255, 128, 1)]
    (first, _), (second, _) = light.history
    assert abs(second - first - 800_000) < 2000
    no_violations([light])
    rig.board.power_cut()
    assert light.colour == (0, 0, 0)
    rig.close()


def test_of_two_colours_at_once_the_second_stays(tmp_path: Path) -> None:
    rig = Rig(tmp_path, "p = pixel()\np.show(1, 2, 3)\np.show(3, 2, 1)\n")
    rig.run()
    light = rig.board.part("pixel")
    assert light.colour == (3, 2, 1)
    no_violations([light])
    rig.close()
