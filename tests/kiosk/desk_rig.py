"""A simulated hub whose staff sign in at the desk, for tests of the board as a whole."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from smilehub.rehearsal.hub import SimulatedHub

PIN = ("up", "down", "yes", "back", "up", "down")
#: What makes ana's PIN the one above.
ANA = ("staff_set", {"staff": "ana", "pin": "udybud"})


async def start(hub: SimulatedHub, wishes: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Switch the kiosk on and have a laptop carry out the wishes."""
    await hub.power_on()
    await asyncio.sleep(3)
    async with hub.laptop.connect() as client:
        for counter, (name, args) in enumerate(wishes, 1):
            await client.command(name, dict(args), ("test", counter))


async def press(hub: SimulatedHub, *names: str) -> None:
    """Keys, one after the other."""
    for name in names:
        hub.press(name)
        await asyncio.sleep(0.6)


async def sign_in(hub: SimulatedHub) -> None:
    """Ana signs in from idle."""
    hub.hold("yes", 2000)
    await asyncio.sleep(3)
    await press(hub, "yes", *PIN)
    await asyncio.sleep(1)


def check(hub: SimulatedHub) -> None:
    """The program neither failed nor lacked memory."""
    text = hub.board.console_text()
    assert "MemoryError" not in text and "Traceback" not in text, text
