"""The entry of codes of key presses, which visitors and staff share."""

from micropython import const

from kiosk.canvas import PLAIN
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
        for i in range(self.length):
            self._keys[i] = 0

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
        text = b""
        if i < self._n:
            text = b"\x08" if self.secret else self._keys[i : i + 1]
        canvas.cell(text, x, _TOP, _BOX, _STEP, 0, PLAIN, True)

    def key(self, key: str) -> None:
        n = self._n
        if n < self.length:
            self._keys[n] = _KEYS.index(key) + 1
            self._n = n + 1
            self._box(self.ui.canvas, n)
            if key == "back":  # it may be held yet, to leave: then it is no symbol
                return
        self.release("back")

    def release(self, key: str) -> None:
        if key == "back" and self._n == self.length and self.ui.screen is self:
            presses = "".join(["?udyb"[k] for k in self._keys])
            self.enter()
            self.done(presses)

    def hold(self, key: str) -> None:
        if key == "back" and self.ui.screen is self:
            self.ui.back()
