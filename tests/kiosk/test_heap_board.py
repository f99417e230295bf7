"""The kiosk at its fullest: no place left, the staff desk open and a sync under way, in the shipping heap."""

import asyncio
from pathlib import Path
from typing import Any

from hubcore.desk import MAX_VISITS
from smilehub.devices import memory
from smilehub.devices.sources import board_toml
from smilehub.link.client import KioskClient
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.spec import load_spec

PIN = ("up", "down", "yes", "back", "up", "down")
SPARE = 2048  # bytes here that are to remain


def test_a_full_day_with_the_desk_open_and_a_sync_fits(tmp_path: Path) -> None:
    heap = memory.kiosk_heap(load_spec(board_toml()).heap_limit) - SPARE
    hub = SimulatedHub(tmp_path, 5, heap_bytes=heap, measure=False)
    board = hub.board

    async def press(*names: str) -> None:
        for name in names:
            hub.press(name)
            await asyncio.sleep(0.6)

    async def day() -> None:
        await hub.power_on()
        await asyncio.sleep(3)
        link: Any = hub.uarts.links["link"]
        async with KioskClient(link, name="test") as client:
            wishes: list[tuple[str, dict[str, Any]]] = [
                ("staff_set", {"staff": "ana", "pin": "udybud"}),
                ("day_open", {}),
                ("chair_open", {"chair": "1"}),
                *[("checkin", {"need": "toothache", "by": "staff"})] * MAX_VISITS,
            ]
            for counter, (name, args) in enumerate(wishes, 1):
                await client.command(name, dict(args), ("test", counter))
        # A visitor gets as far as the pictograms, and leaves.
        await press("yes", "yes", "yes", "yes", "yes", *["back"] * 5)
        await asyncio.sleep(3)
        board.keys.press("yes", hold_ms=2000)
        await asyncio.sleep(3)
        await press("yes", *PIN)
        watch = asyncio.create_task(hub.laptop.watch())
        await press("yes", "yes", "yes", "yes")  # call, seated
        await press("down", "yes", "down", "down", "back")  # who waits
        await press("back", "up", "up", "yes", "back")  # the day
        await asyncio.sleep(5)
        await press("help")
        await asyncio.sleep(3)
        watch.cancel()
        assert len(board.part("sounder").heard()) >= 2, "somebody was called"

    try:
        hub.kernel.run(asyncio.wait_for(day(), 3600))
        text = board.console_text()
        assert "MemoryError" not in text and "Traceback" not in text, text
    finally:
        hub.close()
