"""Pictograms in a grid."""

from hubcore.labels import PICTOGRAMS
from kiosk.canvas import CHOSEN, PLAIN
from kiosk.ui import Screen


class Grid(Screen):
    """Cells of pictograms, one of them chosen; up and down go through all of them and round.

    `order` holds their numbers, `first` is the place of the first one shown, `shown` how many are.
    """

    title = ""
    columns = 4
    width = 120
    height = 104
    size = 80

    def __init__(self, ui):
        super().__init__(ui)
        self.at = 0
        self.order = bytearray(len(PICTOGRAMS))
        self.first = 0
        self.shown = 0

    def cells(self) -> int:
        """How many there are to choose from, with what is not a pictogram."""
        return self.shown

    def draw(self, canvas) -> None:
        canvas.begin()
        canvas.heading(self.ui.words(self.title))
        for i in range(self.cells()):
            self._cell(canvas, i)
        canvas.end()

    def _cell(self, canvas, i: int) -> None:
        chosen = i == self.at
        x = i % self.columns * self.width + 4
        y = 56 + i // self.columns * self.height
        ink = CHOSEN if chosen else PLAIN  # and a frame, so that colour is not the only cue
        what = self.order[self.first + i]
        canvas.cell(what, x, y, self.width - 8, self.height - 4, self.size, ink, chosen)

    def key(self, key: str) -> None:
        if key == "yes":
            self.choose(self.at)
        elif key == "back":
            self.ui.back()
        else:
            old = self.at
            self.at = (old + (1 if key == "down" else -1)) % self.cells()
            self._cell(self.ui.canvas, old)
            self._cell(self.ui.canvas, self.at)

    def choose(self, i: int) -> None:
        raise NotImplementedError


def used(fold) -> int:
    """The pictograms of open visits, as bits."""
    bits = 0
    for visit in fold.visits.values():
        bits |= 1 << PICTOGRAMS.index(visit.pictogram)
    return bits
