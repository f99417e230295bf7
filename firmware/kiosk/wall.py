"""The wall display: one call at a time, the last three in turn, and triangles while staff are called."""

from time import ticks_diff, ticks_ms

from micropython import const

from kiosk.signs import sign_of
from tasks.wake import Wake

_CALLS = const(3)
_TURN_MS = const(4000)  # each call shows so long before the next one
_WARN_MS = const(1000)  # triangles and call alternate: half a flash a second
_LEAST_MS = const(500)  # no picture is shorter, however fast things happen: at most one flash a second
_TRIANGLE = const(16)


class Wall:
    """Draws `hub.fold.calls()` on a matrix of LEDs (`matrix.fb`, `.show()`, `.refresh()`) in the font's
    14-LED capitals."""

    def __init__(self, matrix, font, hub):
        self._matrix = matrix
        self._font = font
        self._hub = hub
        self._shown = ()
        self._since = 0
        self._fresh = True
        self._sign = 0
        self._at = 0
        self._beat = 0
        self._wake = Wake()

    def changed(self, record=None) -> None:
        """The hub changed, by this record if any. Safe to call from anywhere but an interrupt."""
        if record is not None and record.kind in ("called", "recalled"):
            self._fresh = True
        self._wake.set()

    def step(self):
        """Show what is due; the ms until something else is, or None while nothing turns."""
        now = ticks_ms()
        held = ticks_diff(now, self._since)
        if self._shown != () and 0 <= held < _LEAST_MS:
            return _LEAST_MS - held
        calls = self._hub.fold.calls(_CALLS)
        sign = sign_of(self._hub)
        due = _WARN_MS if sign else _TURN_MS if len(calls) > 1 else None
        if self._fresh:  # whoever is called sees it now
            self._at = self._beat = 0
        elif sign and not self._sign:
            self._beat = 1
        elif due is not None and held >= due:
            self._beat = self._beat + 1 & 7
            # Among warnings a call shows as long altogether as it does alone: in four beats of eight.
            if not sign or not self._beat:
                self._at += 1
        else:
            now = self._since
        if self._at >= len(calls):
            self._at = 0
        self._sign = sign
        what = sign if sign and self._beat & 1 else calls[self._at] if calls else None
        if what != self._shown or self._fresh:
            self._draw(what)
            now = ticks_ms()
        self._since = now
        self._fresh = False
        return None if due is None else max(1, due - ticks_diff(ticks_ms(), now))

    def _draw(self, what) -> None:
        matrix = self._matrix
        fb = matrix.fb
        fb.fill(0)
        if isinstance(what, int):
            # One triangle for help, three for an emergency, five when it has waited too long: never faster.
            n = 2 * what - 1
            x = (matrix.width - n * (_TRIANGLE + 2)) // 2
            for _ in range(n):
                for i in range(14):
                    w = i + 2 & ~1
                    fb.hline(x + 7 - w // 2, 1 + i, w, 1)
                fb.vline(x + 6, 6, 5, 0)
                fb.vline(x + 6, 12, 2, 0)
                x += _TRIANGLE + 2
        elif what:
            font = self._font
            x = font.draw(fb, what[0].encode(), 0, 1)
            # An arrow of its own: the shape tells label from chair.
            for i in range(5):
                fb.vline(x + 3 + i, 4 + i, 9 - 2 * i, 1)
            x += 11
            font.draw(fb, font.tail(what[1].upper().encode(), matrix.width - x), x, 1)
        if self._fresh:
            matrix.refresh()  # a chip that a disturbance has confused says nothing, and a call must be seen
        else:
            matrix.show()
        self._shown = what

    async def run(self, turn) -> None:
        """The wall task."""
        self._shown = ()
        self._fresh = True
        while True:
            turn.begin()
            left = self.step()
            turn.rest()
            await self._wake.wait(left)
