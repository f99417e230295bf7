"""What a check-in ends in: the ticket, where to wait, and the consents, which care never depends on."""

from kiosk.canvas import GREEN, MARGIN
from kiosk.screens import Choice, Notice
from kiosk.ui import TICKET_MS, Screen
from kiosk.visitor import PURPOSES, chair, consent

_PICTURE = 120


class Ticket(Screen):
    """Label, picture, place, minutes and code; one page for each of a family. What it says is durable."""

    patience_ms = TICKET_MS
    warns = False

    def __init__(self, ui):
        super().__init__(ui)
        self._page = 0
        self._place = 0
        self._minutes = None

    def enter(self) -> None:
        self._turn(0)

    def _turn(self, page):
        # Once a page: the visit may be called, and gone from the fold, while this shows.
        self._page = page
        hub = self.ui.hub
        now_ms = hub.now_ms()
        self._place = hub.fold.place(self._label(), now_ms)
        self._minutes = hub.fold.estimate(self._label(), now_ms) if self._place else None

    def _label(self):
        answers = self.ui.answers
        return answers.others[self._page - 1] if self._page else answers.label

    def draw(self, canvas) -> None:
        words = self.ui.words
        answers = self.ui.answers
        label = self._label()
        canvas.begin(GREEN)
        y = canvas.heading(self._title(words, answers))
        canvas.label(label.encode(), MARGIN, y + 20)
        canvas.picture(answers.pictogram, canvas.width - _PICTURE - MARGIN, y, _PICTURE)
        y += _PICTURE + 4
        if not answers.tomorrow:
            y = self._queue(canvas, words, y, self.ui.hub.fold.visits.get(label))
        if answers.code:
            text = words.fill("ticket.code", answers.code)
        elif answers.kept and answers.others and not self._page:
            text = self._which(words, answers)  # the heading says that the place is kept
        else:
            text = words("ticket.lost")
        canvas.text(text, canvas.height - 48)
        canvas.end()

    def _title(self, words, answers):
        if answers.tomorrow:
            return words("ticket.tomorrow")
        if answers.kept and not self._page:
            return words("ticket.kept")
        return self._which(words, answers) if answers.others else words("ticket.title")

    def _which(self, words, answers):
        return words.fill("ticket.family", self._page + 1, len(answers.others) + 1)

    def _queue(self, canvas, words, y, visit):
        if visit is not None and visit.chair is not None:
            return canvas.text(words.fill("ticket.now", chair(self.ui, visit.chair)), y)
        if self._place:
            y = canvas.text(words.fill("ticket.place", self._place), y)
            if self._minutes:
                y = canvas.text(words.fill("ticket.minutes", *self._minutes), y)
            else:
                y = canvas.text(words("ticket.unknown"), y)
        return y

    def key(self, key: str) -> None:
        ui = self.ui
        page = self._page + (-1 if key in ("back", "up") else 1)
        if page < 0:
            return
        if page <= len(ui.answers.others):
            self._turn(page)
            self.draw(ui.canvas)
        elif ui.answers.kept:
            ui.idle()
        else:
            ui.show("seat")


class Seat(Notice):
    """Where to wait, and what the code is for."""

    patience_ms = 60000
    accent = GREEN

    def say(self):
        if self.ui.answers.tomorrow:
            return "ticket.tomorrow", "seat.tomorrow"
        return "seat.title", "seat.text"

    def key(self, key: str) -> None:
        ui = self.ui
        if key == "back":
            ui.back()
        elif ui.answers.tomorrow:
            ui.idle()
        else:
            ui.show("intro")


class Intro(Notice):
    """Two questions, if the visitor likes."""

    def say(self):
        return "consent.title", "consent.intro"

    def key(self, key: str) -> None:
        if key == "back":
            self.ui.idle()
        else:
            self.ui.show("consent")


class Consent(Choice):
    """One purpose after the other, each no until somebody says yes."""

    note = "consent.note"
    table = ((False, "answer.no"), (True, "answer.yes"))

    def __init__(self, ui):
        super().__init__(ui)
        self._asked = 0

    def enter(self) -> None:
        super().enter()
        self._asked = 0

    def head(self):
        return self.ui.words(PURPOSES[self._asked][1])

    def take(self, value) -> None:
        ui = self.ui
        if value and not consent(ui, "consent_give", PURPOSES[self._asked][0]):
            ui.show("sorry", False)
        elif self._asked + 1 < len(PURPOSES):
            self._asked += 1
            self.at = 0
            self.draw(ui.canvas)
        else:
            ui.idle()

    def key(self, key: str) -> None:
        if key == "back" and self._asked:
            self._asked -= 1
            self.at = 0
            self.draw(self.ui.canvas)
        else:
            super().key(key)
