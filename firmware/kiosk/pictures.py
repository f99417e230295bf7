"""Pictograms in a grid: to choose one, and to find one's ticket by it."""

from os import urandom

from micropython import const

from hubcore.labels import PICTOGRAMS
from kiosk.canvas import BLACK, CHOSEN, PLAIN
from kiosk.checkin import take_ticket
from kiosk.screens import List, sorry
from kiosk.ui import Screen
from kiosk.words import plain

_PAGE = const(8)
_MORE_Y = const(268)


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
        ink = CHOSEN if i == self.at else PLAIN
        w = self.width - 8
        h = self.height - 4
        fb = canvas.tile(
            i % self.columns * self.width + 4, 56 + i // self.columns * self.height, w, h, ink.bg
        )
        if i == self.at:  # a frame within, so that colour is not the only cue
            fb.rect(2, 2, w - 4, h - 4, BLACK)
            fb.rect(3, 3, w - 6, h - 6, BLACK)
        size = self.size
        canvas.pictures.draw(fb, self.order[self.first + i], (w - size) // 2, (h - size) // 2, ink, size)
        canvas.send()

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


class Pictogram(Grid):
    """A picture to be known by, beside the label: eight at a time, those that nobody has first."""

    title = "pictogram.title"

    def enter(self) -> None:
        self.at = 0
        self.first = 0
        self.shown = _PAGE
        used = _used(self.ui.hub.fold)
        n = len(PICTOGRAMS)
        start = urandom(1)[0] % n
        put = 0
        for taken in (False, True):
            for i in range(n):
                i = (start + i) % n
                if bool(used >> i & 1) == taken:
                    self.order[put] = i
                    put += 1

    def cells(self) -> int:
        return _PAGE + 1

    def _cell(self, canvas, i: int) -> None:
        if i < _PAGE:
            super()._cell(canvas, i)
        else:
            words = self.ui.words
            canvas.row(words("pictogram.more"), _MORE_Y, i == self.at, words.icon("pictogram.more"))

    def choose(self, i: int) -> None:
        if i < _PAGE:
            self.ui.answers.pictogram = self.order[self.first + i]
            take_ticket(self.ui)
        else:
            self.first = (self.first + _PAGE) % len(PICTOGRAMS)
            self.at = 0
            self.draw(self.ui.canvas)


class Find(Grid):
    """The pictograms of those who are here: which is yours?"""

    title = "find.title"
    columns = 8
    width = 60
    height = 64
    size = 52

    def enter(self) -> None:
        self.at = 0
        used = _used(self.ui.hub.fold)
        put = 0
        for i in range(len(PICTOGRAMS)):
            if used >> i & 1:
                self.order[put] = i
                put += 1
        self.shown = put

    def choose(self, i: int) -> None:
        self.ui.answers.pictogram = self.order[i]
        self.ui.show("found")


class Found(List):
    """The tickets with that pictogram and where each stands; changing anything takes the code."""

    title = "found.title"

    def __init__(self, ui):
        super().__init__(ui)
        self._labels = ()

    def enter(self) -> None:
        super().enter()
        name = PICTOGRAMS[self.ui.answers.pictogram]
        self._labels = sorted([v.label for v in self.ui.hub.fold.visits.values() if v.pictogram == name])

    def count(self) -> int:
        return len(self._labels)

    def text(self, i: int):
        return standing(self.ui, self._labels[i])

    def choose(self, i: int) -> None:
        self.ui.show("code")


def find(ui) -> None:
    """Look for a ticket by its pictogram, if there is any."""
    if ui.hub.fold.visits:
        ui.show("find")
    else:
        sorry(ui, "nobody")


def standing(ui, label: str):
    """Label and place, or label and chair, as glyph codes; valid until the next fill."""
    hub = ui.hub
    visit = hub.fold.visits.get(label)
    if visit is not None and visit.chair is not None:
        return ui.words.fill("found.chair", label, chair(ui, visit.chair))
    place = hub.fold.place(label, hub.now_ms())
    return ui.words.fill("found.place", label, place or "-")


def chair(ui, name: str):
    """What of a chair's name fits beside other words: its end tells it from the others."""
    return ui.canvas.font.tail(plain(name), 96)


def _used(fold) -> int:
    # The pictograms of open visits, as bits.
    bits = 0
    for visit in fold.visits.values():
        bits |= 1 << PICTOGRAMS.index(visit.pictogram)
    return bits
