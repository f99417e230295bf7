"""The staff desk on the simulated board, within its heap: what its keys make heard and seen in the room."""

import asyncio
from pathlib import Path

from desk_rig import ANA, check, press, sign_in, start

from smilehub.rehearsal.hub import SimulatedHub


def test_a_call_from_the_desk_is_heard_seen_and_repeated_after_a_power_cut(tmp_path: Path) -> None:
    hub = SimulatedHub(tmp_path, 5)
    board = hub.board
    sounder, wall = board.part("sounder"), board.part("wall")

    async def day() -> None:
        visit = ("checkin", {"need": "toothache"})
        await start(hub, [ANA, ("day_open", {}), ("chair_open", {"chair": "1"}), visit])
        await sign_in(hub)
        assert not sounder.heard()
        await press(hub, "yes", "yes")
        await asyncio.sleep(3)
        chime = [tone.freq for tone in sounder.heard()]
        assert len(chime) == 2
        called = wall.pixels()
        assert any(any(row) for row in called)
        before = hub.kernel.now_us()
        await hub.fail_power(30)
        await asyncio.sleep(5)
        assert [tone.freq for tone in sounder.heard(before)] == chime
        assert wall.pixels() == called
        await sign_in(hub)  # and the day goes on: seated, served
        await press(hub, "yes", "yes", "yes", "yes")
        await press(hub, "help")
        await asyncio.sleep(2)
        assert board.part("pixel").colour[2] > 0, "blue or white: help is wanted"

    try:
        hub.kernel.run(asyncio.wait_for(day(), 3600))
        check(hub)
    finally:
        hub.close()
