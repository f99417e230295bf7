"""The entry of codes of key presses, which visitors and staff share."""

from micropython import const

from kiosk.canvas import PLAIN, WHITE
from kiosk.ui import Screen

_BOX = const(52)
_STEP = const(56)
_TOP = const(68)
_KEYS = ("up", "down", "yes", "back")


class CodeEntry(Screen):
    """`length` presses of the four keys, back among them; holding back leaves.

    Subclasses give `title` and `note` (names of strings), `length`, `secret` (boxes are filled instead of
    showing the keys) and `done(presses)`, presses a str of the letters u, d, y, b.
    """

    title = ""
    note = ""
    length = 8
    secret = False

    def __init__(self, ui):
        super().__init__(ui)
        self._keys = bytearray(self.length)
        self._n = 0

    def enter(self) -> None:
        self._n = 0

    def clear(self) -> None:
        """Begin anew."""
        self._n = 0
        self.draw(self.ui.canvas)

    def head(self):
        """The heading, as glyph codes."""
        return self.ui.words(self.title)

    def done(self, presses: str) -> None:
        raise NotImplementedError

    def draw(self, canvas) -> None:
        canvas.begin()
        canvas.heading(self.head())
        for i in range(self.length):
            self._box(canvas, i)
        if self.note:
            canvas.text(self.ui.words(self.note), _TOP + _STEP + 16)
        canvas.end()

    def _box(self, canvas, i):
        x = (canvas.width - self.length * _STEP) // 2 + i * _STEP
        fb = canvas.tile(x, _TOP, _BOX, _STEP)
        fb.rect(0, 0, _BOX, _STEP, WHITE)
        fb.rect(1, 1, _BOX - 2, _STEP - 2, WHITE)
        if i < self._n:
            if self.secret:
                fb.fill_rect(12, 14, _BOX - 24, _STEP - 28, WHITE)
            else:
                glyph = bytes((self._keys[i],))
                canvas.font.draw(fb, glyph, (_BOX - canvas.font.width(glyph)) // 2, 4, PLAIN)
        canvas.send()

    def key(self, key: str) -> None:
        n = self._n
        self._keys[n] = _KEYS.index(key) + 1
        self._n = n + 1
        self._box(self.ui.canvas, n)
        if self._n == self.length:
            presses = "".join(["?udyb"[k] for k in self._keys])
            for i in range(self.length):
                self._keys[i] = 0
            self.done(presses)

    def hold(self, key: str) -> None:
        if key == "back" and self.ui.screen is self:
            self.ui.back()
