"""The sounder's driver on the board: what is heard, for how long, and never faster than 3 Hz."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from driver_rig import Rig, no_violations, wait_ms

from smilehub.sim.peripherals import Tone

# Times in ms from the first tone.
Heard = list[tuple[int, int, int]]


def heard(rig: Rig) -> Heard:
    tones: list[Tone] = rig.board.part("sounder").heard()
    assert all(tone.to_us is not None for tone in tones), "silent at the end"
    no_violations([rig.board.part("sounder")])
    start = tones[0].from_us if tones else 0
    return [
        (tone.freq, round((tone.from_us - start) / 1000), round(((tone.to_us or 0) - start) / 1000))
        for tone in tones
    ]


def run(folder: Path, acts: str, seconds: float = 10) -> Heard:
    """What is heard when a task of the board's program does ``acts``."""
    lines = "\n".join("    " + line for line in acts.splitlines())
    rig = Rig(
        folder,
        "import asyncio\nfrom drivers.sounder import ALARM, CHIME, ESCALATED\nimport drivers.sounder as m\n"
        f"s = sounder()\nasync def main():\n{lines}\n    await asyncio.sleep(100_000)\nasyncio.run(main())\n",
    )

    async def day() -> None:
        await rig.board.power_on()
        await wait_ms(round(seconds * 1000))

    rig.kernel.run(day())
    assert "Traceback" not in rig.board.console_text(), rig.board.console_text()
    found = heard(rig)
    rig.close()
    return found


def slow_enough(tones: Heard) -> None:
    """No change of pitch, no beginning and no end comes back within a third of a second."""
    for before, after in pairwise(tones):
        assert after[1] - before[1] >= 334, (before, after)


def test_a_call_is_two_falling_tones_once(tmp_path: Path) -> None:
    tones = run(tmp_path, "s.play(CHIME)")
    assert [tone[0] for tone in tones] == [990, 790]
    assert tones[0][2] == pytest.approx(350, abs=2)
    assert tones[1][2] == pytest.approx(900, abs=4)
    slow_enough(tones)


@pytest.mark.parametrize("name", ["ALARM", "ESCALATED"])
def test_an_alarm_goes_on_until_it_is_stopped_and_is_never_faster_than_three_hertz(
    tmp_path: Path, name: str
) -> None:
    tones = run(tmp_path, f"s.repeat({name})\nawait asyncio.sleep(20)\ns.stop()", 40)
    slow_enough(tones)
    assert 15_000 < tones[-1][2] <= 20_010
    assert len(tones) > 15
    if name == "ESCALATED":
        assert {tone[0] for tone in tones} == {990, 660}
        assert sum(end - start for _, start, end in tones) > 19_900, "no pause"


def test_stop_is_silent_at_once(tmp_path: Path) -> None:
    tones = run(tmp_path, "s.play(CHIME)\nawait asyncio.sleep_ms(120)\ns.stop()")
    assert [(tone[0], tone[2]) for tone in tones] == [(990, pytest.approx(120, abs=2))]


def test_a_call_during_an_alarm_is_heard_and_the_alarm_goes_on(tmp_path: Path) -> None:
    tones = run(
        tmp_path,
        "s.repeat(ALARM)\nawait asyncio.sleep_ms(2000)\ns.play(CHIME)\nawait asyncio.sleep(5)\ns.stop()",
    )
    pitches = [tone[0] for tone in tones]
    assert pitches.count(990) == pitches.count(790) == 1
    at = pitches.index(990)
    assert set(pitches[:at]) == set(pitches[at + 2 :]) == {880}
    slow_enough(tones)


def test_escalating_takes_the_alarms_place_and_asking_again_changes_nothing(tmp_path: Path) -> None:
    acts = (
        "s.repeat(ALARM)\nawait asyncio.sleep_ms(900)\nfor _ in range(20):\n    s.repeat(ESCALATED)\n"
        "    await asyncio.sleep_ms(100)\ns.stop()"
    )
    tones = run(tmp_path, acts)
    pitches = [tone[0] for tone in tones]
    assert pitches[:4] == [880, 880, 990, 660]
    slow_enough(tones)


def test_patterns_for_impatient_callers_still_change_slowly(tmp_path: Path) -> None:
    tones = run(tmp_path, "for _ in range(30):\n    s.play(CHIME)\n    await asyncio.sleep_ms(70)\n")
    slow_enough(tones)
    assert tones[-1][0] == 790, "the last one is played to its end"


def test_after_close_it_plays_again_when_asked(tmp_path: Path) -> None:
    acts = "s.repeat(ALARM)\nawait asyncio.sleep(1)\ns.close()\nawait asyncio.sleep(1)\ns.play(CHIME)"
    tones = run(tmp_path, acts)
    assert [tone[0] for tone in tones] == [880, 880, 990, 790]


def test_nothing_wakes_while_nothing_is_played(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path,
        "import asyncio\nfrom drivers.sounder import CHIME\ns = sounder()\nasync def main():\n"
        "    s.play(CHIME)\n    await asyncio.sleep(100_000)\nasyncio.run(main())\n",
    )

    async def day() -> None:
        await rig.board.power_on()
        await wait_ms(2000)

    rig.kernel.run(day())
    guest = rig.board.guest
    assert guest is not None
    assert (guest.due_us() or 0) > 90_000 * 1_000_000
    assert [tone[0] for tone in heard(rig)] == [990, 790]
    rig.close()


def test_a_power_cut_silences_it(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path,
        "import asyncio\nfrom drivers.sounder import ESCALATED\ns = sounder()\nasync def main():\n"
        "    s.repeat(ESCALATED)\n    await asyncio.sleep(100)\nasyncio.run(main())\n",
    )

    async def day() -> None:
        await rig.board.power_on()
        await wait_ms(3000)
        assert rig.board.part("sounder").sounding
        rig.board.power_cut()

    rig.kernel.run(day())
    assert rig.board.part("sounder").sounding == 0
    assert heard(rig)[-1][2] <= 3000
    rig.close()
