"""The wall display: the last call, label and chair, redrawn only when it changes."""

import asyncio

from micropython import const

from kiosk.glyphs import Ink

_HEIGHT = const(14)
_ON = Ink(1, 0)


class Wall:
    """Draws the hub's last call on a matrix of LEDs (`matrix.fb`, `matrix.show()`), in the font's 14-LED
    capitals."""

    def __init__(self, matrix, font, hub):
        self._matrix = matrix
        self._font = font
        self._hub = hub
        self._shown = ()
        self._wake = asyncio.Event()

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
            font.draw(fb, call[1].upper().encode(), x + 11, 1, _ON)
        self._matrix.show()
        self._shown = call

    async def run(self) -> None:
        """The wall task."""
        self._shown = ()
        while True:
            self.draw()
            await self._wake.wait()
            self._wake.clear()
