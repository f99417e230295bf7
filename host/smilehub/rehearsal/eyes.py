"""What a person sees of the kiosk: pixels of the panel, nothing else."""

import asyncio

from smilehub.sim.peripherals.st7796s import ST7796S

_HEADING = (0, 0, 480, 48)  # every screen names itself in its topmost band
_LABEL = (0, 56, 328, 176)  # of a ticket, on black
_PICTOGRAM = (328, 56, 480, 176)
_LOOK_S = 0.05
_STILL_S = 0.5


class Dead(RuntimeError):
    """The panel does not react."""


class Eyes:
    """Looks at one panel; time is the running loop's."""

    def __init__(self, panel: ST7796S) -> None:
        self._panel = panel

    def picture(self) -> bytes:
        """The whole panel as it looks now."""
        return self._panel.image().tobytes()

    def heading(self) -> bytes:
        """The topmost band, by which screens are told apart."""
        return self._panel.image().crop(_HEADING).tobytes()

    def ticket(self) -> tuple[bytes, bytes] | None:
        """What tells tickets apart: label and pictogram; None if the screen is no ticket on black.

        The rest of a ticket may differ when it is shown again: its heading, the place in the queue.
        """
        image = self._panel.image()
        if any(image.convert("RGB").crop((0, _LABEL[1], 1, _LABEL[3])).tobytes()):
            return None
        return image.crop(_LABEL).tobytes(), image.crop(_PICTOGRAM).tobytes()

    async def change(self, before: bytes, within_s: float = 5.0) -> None:
        """Wait until the picture differs from ``before``. Raises Dead if it does not."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        seen = None
        while True:
            if (traffic := self._traffic()) != seen:
                seen = traffic
                if self.picture() != before:
                    return
            if loop.time() >= end:
                raise Dead(f"A key was pressed and for {within_s:g} s the panel showed no change.")
            await asyncio.sleep(_LOOK_S)

    async def still(self, within_s: float = 30.0) -> bytes:
        """Wait until a lit picture has stood still for half a second and return it. Raises Dead."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        seen, since = self._traffic(), loop.time()
        while True:
            now = self._traffic()
            if now != seen or not self._panel.lit:
                seen, since = now, loop.time()
            elif loop.time() - since >= _STILL_S:
                return self.picture()
            if loop.time() >= end:
                raise Dead(f"For {within_s:g} s the panel showed nothing that stands still.")
            await asyncio.sleep(_LOOK_S)

    def _traffic(self) -> tuple[int, int]:
        """Changes whenever the picture may have changed: cheaper than looking each time."""
        total = self._panel.total
        return total.pixel_bytes, total.command_bytes
