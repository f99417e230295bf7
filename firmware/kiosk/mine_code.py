"""My ticket: its code opens it; its owner takes consents back or leaves the queue.

These screens are in memory only while somebody uses them (kiosk.groups).
"""

from hubcore.errors import HubError, Refused
from hubcore.labels import PICTOGRAMS
from kiosk.canvas import BIG, GREEN
from kiosk.code import CodeEntry
from kiosk.screens import Choice, List, Notice, attempt
from kiosk.visitor import PURPOSES, chair, consent, show_ticket, sign, sorry


def screens(ui) -> dict:
    """All of them by name, made anew."""
    return {
        "mine_code": TicketCode(ui),
        "mine_visit": Visit(ui),
        "mine_leave": Leave(ui),
        "mine_done": Done(ui),
    }


class TicketCode(CodeEntry):
    """The code of a ticket: opens what its owner may do without staff."""

    title = "code.title"
    note = "code.text"

    def __init__(self, ui):
        super().__init__(ui)
        self._missed = False

    def enter(self) -> None:
        super().enter()
        self._missed = False

    def head(self):
        return self.ui.words("code.wrong" if self._missed else "code.title")

    def done(self, presses: str) -> None:
        ui = self.ui
        try:
            visits = ui.hub.withdraw(presses)
        except HubError as error:
            if not isinstance(error, Refused):
                ui.hub.fault("ui", error)
            sorry(ui, error.reason if isinstance(error, Refused) else "other")
            return
        if visits:
            _restore(ui, visits)
            ui.end("mine_visit")
        else:
            self._missed = True
            self.clear()


class Visit(List):
    """What the code of a ticket opens: what was given can be taken back, even when it is over."""

    beside = BIG
    _acts = ()

    def _list(self):
        # (name of the string, wish, purpose)
        acts = []
        fold = self.ui.hub.fold
        label = self.ui.answers.label
        promise = label in fold.promises
        visit = fold.find(label)
        if visit is not None:
            if promise and visit.due:
                acts.append(("visit.here", "here", None))
            given = visit.consents
            for purpose, _, stop, _ in PURPOSES:
                if purpose in given:
                    acts.append((stop, "consent_withdraw", purpose))
            if label not in fold.closed:
                acts.append(("visit.leave", "left", None))
                for purpose, _, _, allow in PURPOSES:
                    if purpose not in given and not promise:  # who comes again is asked anew
                        acts.append((allow, "consent_give", purpose))
        acts.append(("visit.close", None, None))
        self._acts = acts

    def draw(self, canvas) -> None:
        self._list()
        super().draw(canvas)

    def refresh(self, canvas) -> None:
        acts = self._acts
        self._list()
        if acts != self._acts:  # the visit was closed meanwhile
            self.at = len(self._acts) - 1
            super().draw(canvas)

    def head(self):
        label = self.ui.answers.label
        fold = self.ui.hub.fold
        if label in fold.visits:
            return standing(self.ui, label)
        return self.ui.words.fill("visit.promise" if label in fold.promises else "visit.ended", label)

    def count(self) -> int:
        return len(self._acts)

    def text(self, i: int):
        return self.ui.words(self._acts[i][0])

    def icon(self, i: int):
        return self.ui.words.icon(self._acts[i][0])

    def choose(self, i: int) -> None:
        ui = self.ui
        answers = ui.answers
        _, wish, purpose = self._acts[i]
        if wish is None:
            ui.idle()
        elif wish == "left":
            ui.show("mine_leave")
        elif wish == "here":
            show_ticket(ui, attempt(ui, "checkin", sign(ui, {"promise": answers.label})))
        elif consent(ui, wish, purpose):
            answers.reason = "done.given" if wish == "consent_give" else "done.withdrawn"
            ui.show("mine_done")
        else:
            ui.show("sorry")


class Leave(Choice):
    """Asked once: the place would be gone."""

    title = "leave.title"
    table = ((False, "leave.no"), (True, "leave.yes"))

    def take(self, value) -> None:
        ui = self.ui
        if not value:
            ui.back()
        elif attempt(ui, "left", {"ticket": ui.answers.label, "family": True}) is None:
            ui.end("sorry")
        else:
            ui.answers.reason = "done.left"
            ui.end("mine_done")


class Done(Notice):
    """What a visitor changed about their visit is stored."""

    accent = GREEN

    def say(self):
        return "done.title", self.ui.answers.reason


def _restore(ui, visits) -> None:
    # Visits that a code has opened become the answers, in their language; with who of the family has gone,
    # whose consents are taken back with theirs.
    answers = ui.answers
    first = visits[0]
    answers.label = first.label
    family = visits + [visit for visit in ui.hub.fold.closed.values() if visit.code == first.code]
    answers.others = [visit.label for visit in family if visit is not first]
    answers.pictogram = PICTOGRAMS.index(first.pictogram)
    ui.speak(first.lang)


def standing(ui, label: str):
    """Label and place, or label and chair, as glyph codes; valid until the next fill."""
    hub = ui.hub
    visit = hub.fold.visits.get(label)
    if visit is not None and visit.chair is not None:
        return ui.words.fill("found.chair", label, chair(ui, visit.chair))
    place = hub.fold.place(label, hub.now_ms())
    return ui.words.fill("found.place", label, place or "-")
