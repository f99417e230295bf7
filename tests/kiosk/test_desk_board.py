"""The staff desk on the simulated board, within its heap: what its keys make heard and seen in the room."""

import asyncio
from pathlib import Path
from typing import Any

from smilehub.link.client import KioskClient
from smilehub.rehearsal.hub import SimulatedHub

PIN = ("up", "down", "yes", "back", "up", "down")


def test_a_call_from_the_desk_is_heard_seen_and_repeated_after_a_power_cut(tmp_path: Path) -> None:
    hub = SimulatedHub(tmp_path, 5)
    board = hub.board
    sounder, wall = board.part("sounder"), board.part("wall")

    async def press(*names: str) -> None:
        for name in names:
            hub.press(name)
            await asyncio.sleep(0.6)

    async def sign_in() -> None:
        board.keys.press("yes", hold_ms=2000)
        await asyncio.sleep(3)
        await press("yes", *PIN)
        await asyncio.sleep(1)

    async def day() -> None:
        await hub.power_on()
        await asyncio.sleep(3)
        link: Any = hub.uarts.links["link"]
        async with KioskClient(link, name="test") as client:
            wishes: list[tuple[str, dict[str, str]]] = [
                ("staff_set", {"staff": "ana", "pin": "udybud"}),
                ("day_open", {}),
                ("chair_open", {"chair": "1"}),
                ("checkin", {"need": "toothache"}),
            ]
            for counter, (name, args) in enumerate(wishes, 1):
                await client.command(name, dict(args), ("test", counter))
        await sign_in()
        assert not sounder.heard()
        await press("yes", "yes")
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
        await sign_in()  # and the day goes on: seated, served
        await press("yes", "yes", "yes", "yes")
        await press("help")
        await asyncio.sleep(2)
        assert board.part("pixel").colour[2] > 0, "blue or white: help is wanted"
        text = board.console_text()
        assert "Traceback" not in text and "MemoryError" not in text, text

    try:
        hub.kernel.run(asyncio.wait_for(day(), 3600))
    finally:
        hub.close()
