"""Make docs/kiosk.png: a fresh ticket on the panel, a call on the wall, as the simulated parts show them."""

import asyncio
import sys
import tempfile
from pathlib import Path

from PIL import Image

from smilehub.rehearsal import plan
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.people import Staff

ROOT = Path(__file__).resolve().parent.parent
_SEED = 4
_GAP = 24
_BACKGROUND = (24, 26, 30)
#: Idle, language, need, no red flag, lane, the second picture: a ticket.
_KEYS = ("yes", "yes", "yes", "yes", "yes", "down", "yes")


async def _scene(hub: SimulatedHub) -> None:
    await hub.power_on()
    staff = Staff(hub, plan.draw(4, _SEED).care)
    watch = asyncio.create_task(hub.laptop.watch())
    (chair,) = await staff.open(1)
    for visitor in range(2):
        for key in _KEYS:
            await asyncio.sleep(1)
            hub.press(key)
        await hub.eyes.still()
        if visitor == 0:
            hub.press("yes")
            await hub.laptop.until(lambda fold: bool(fold.visits))
            await hub.laptop.command("call", {"chair": chair})
    await asyncio.sleep(1)
    watch.cancel()


def main() -> int:
    """Write the picture; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="smilehub-picture-") as folder:
        hub = SimulatedHub(Path(folder), _SEED)
        try:
            hub.kernel.run(_scene(hub))
            panel = hub.board.part("panel").image()
            wall = hub.board.part("wall").image(scale=10)
        finally:
            hub.close()
    width = max(panel.width, wall.width) + 2 * _GAP
    picture = Image.new("RGB", (width, wall.height + panel.height + 3 * _GAP), _BACKGROUND)
    picture.paste(wall, ((width - wall.width) // 2, _GAP))
    picture.paste(panel, ((width - panel.width) // 2, wall.height + 2 * _GAP))
    picture.save(ROOT / "docs" / "kiosk.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
