"""What a person sees of the kiosk: pixels of the panel, nothing else."""

import asyncio

from smilehub.rehearsal.reading import Page, names
from smilehub.sim.peripherals.st7796s import ST7796S

_LOOK_S = 0.05
_STILL_S = 0.5
_MOMENT_S = 0.02  # what is being drawn changes every millisecond


class Dead(RuntimeError):
    """The panel does not react, or does not show what it must."""


class Eyes:
    """Looks at one panel; time is the running loop's."""

    def __init__(self, panel: ST7796S) -> None:
        self._panel = panel

    def picture(self) -> bytes:
        """The whole panel as it looks now."""
        return self._panel.image().tobytes()

    def page(self) -> Page:
        """The panel as it looks now, to be read."""
        return Page(self._panel.image())

    def screen(self) -> str:
        """The name of the string that is the heading, in whatever language; "idle" for the idle screen.

        "" if the heading is none of the translators' strings.
        """
        page = self.page()
        if page.idle:
            return "idle"
        # Idle says "Help is coming" too; that it is not idle is known already.
        candidates = [name for _, name in names(page.heading) if not name.startswith(("idle.", "trouble."))]
        return candidates[0] if candidates else ""

    def label(self) -> str:
        """The ticket's label in large letters, or ""."""
        return self.page().label

    def code(self) -> str:
        """The eight arrows of a ticket's code as letters of u, d, y and b, or ""."""
        return self.page().code

    async def stands(self) -> bool:
        """Whether nothing is being drawn, which takes a moment to see: else parts of two pictures show."""
        seen = self._traffic()
        await asyncio.sleep(_MOMENT_S)
        return self._traffic() == seen

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
