"""The kiosk at its fullest, in the shipping heap: no place left, radio on, desk open, a sync under way."""

import asyncio
from pathlib import Path

from desk_rig import ANA, check, press, sign_in, start

from hubcore.desk import MAX_VISITS
from smilehub.devices import memory
from smilehub.devices.sources import board_toml
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.spec import load_spec

SPARE = 6000  # bytes here that are to remain


def test_a_full_day_with_the_desk_open_and_a_sync_fits(tmp_path: Path) -> None:
    heap = memory.kiosk_heap(load_spec(board_toml()).heap_limit) - SPARE
    hub = SimulatedHub(tmp_path, 5, heap_bytes=heap, measure=False)

    async def day() -> None:
        visits = [("checkin", {"need": "toothache", "by": "staff"})] * MAX_VISITS
        await start(hub, [ANA, ("day_open", {}), ("chair_open", {"chair": "1"}), *visits])
        # A visitor gets as far as the pictograms, and leaves.
        await press(hub, "yes", "yes", "yes", "yes", "yes", *["back"] * 5)
        await asyncio.sleep(3)
        await sign_in(hub)
        watch = asyncio.create_task(hub.laptop.watch())
        await press(hub, "yes", "yes", "yes", "yes")  # call, seated
        await press(hub, "down", "yes", "down", "down", "back")  # who waits
        await press(hub, "back", "up", "up", "yes", "back")  # the day
        await asyncio.sleep(5)
        await press(hub, "help")
        await asyncio.sleep(3)
        watch.cancel()
        assert len(hub.board.part("sounder").heard()) >= 2, "somebody was called"

    try:
        hub.kernel.run(asyncio.wait_for(day(), 3600))
        check(hub)
    finally:
        hub.close()
