"""The last question of a check-in: a pictogram to be known by; then the ticket is taken."""

from os import urandom

from micropython import const

from hubcore.labels import PICTOGRAMS
from kiosk.grid import Grid, used
from kiosk.groups import drop
from kiosk.screens import attempt
from kiosk.ticket import Consent, Intro, Seat, Ticket
from kiosk.visitor import show_ticket, sign

_PAGE = const(8)
_MORE_Y = const(268)


def screens(ui) -> dict:
    """The end of a check-in by name, made anew."""
    return {
        "pictogram": Pictogram(ui),
        "ticket": Ticket(ui),
        "seat": Seat(ui),
        "intro": Intro(ui),
        "consent": Consent(ui),
    }


class Pictogram(Grid):
    """A picture to be known by, beside the label: eight at a time, those that nobody has first."""

    title = "pictogram.title"

    def enter(self) -> None:
        self.at = 0
        self.first = 0
        self.shown = _PAGE
        taken = used(self.ui.hub.fold)
        n = len(PICTOGRAMS)
        start = urandom(1)[0] % n
        put = 0
        for bit in (0, 1):
            for i in range(n):
                i = (start + i) % n
                if taken >> i & 1 == bit:
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


def take_ticket(ui) -> None:
    """Ask the hub for the ticket and show it once it is durable; a refusal is shown instead."""
    answers = ui.answers
    drop(ui, [group for group in ui.groups if group != "need"])  # no way back from here: room for the record
    args = {
        "need": answers.need,
        "lane": answers.lane,
        "lang": ui.words.language,
        "pictogram": PICTOGRAMS[answers.pictogram],
    }
    if not answers.tomorrow:
        args["size"] = answers.size
    show_ticket(ui, attempt(ui, "promise" if answers.tomorrow else "checkin", sign(ui, args)))
