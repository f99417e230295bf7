"""The wall display: the last call, label and chair, redrawn only when it changes."""

from kiosk.glyphs import Ink
from tasks.wake import Wake

_ON = Ink(1, 0)


class Wall:
    """Draws the hub's last call on a matrix of LEDs (`matrix.fb`, `matrix.show()`), in the font's 14-LED
    capitals."""

    def __init__(self, matrix, font, hub):
        self._matrix = matrix
        self._font = font
        self._hub = hub
        self._shown = ()
        self._wake = Wake()

    def changed(self, *_) -> None:
        """The hub changed. Safe to call from anywhere but an interrupt."""
        self._wake.set()

    def draw(self) -> None:
        """Show the last call unless it already shows."""
        call = self._hub.fold.last_call
        if call == self._shown:
            return
        fb = self._matrix.fb
        fb.fill(0)
        if call:
            font = self._font
            x = font.draw(fb, call[0].encode(), 0, 1, _ON)
            # An arrow of its own: the shape tells label from chair.
            for i in range(5):
                fb.vline(x + 3 + i, 4 + i, 9 - 2 * i, 1)
            x += 11
            font.draw(fb, font.tail(call[1].upper().encode(), self._matrix.width - x), x, 1, _ON)
        self._matrix.show()
        self._shown = call

    async def run(self, turn) -> None:
        """The wall task."""
        turn.begin()
        self._shown = ()
        self._matrix.refresh()
        while True:
            turn.begin()
            self.draw()
            turn.rest()
            await self._wake.wait()
