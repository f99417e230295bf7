"""My ticket: who has one already looks it up, takes consents back or leaves the queue.

These screens are in memory only while somebody uses them (kiosk.groups).
"""

from hubcore.errors import HubError, Refused
from hubcore.labels import PICTOGRAMS
from kiosk.canvas import BIG, GREEN
from kiosk.code import CodeEntry
from kiosk.mine_find import Find, Found, standing
from kiosk.screens import Choice, List, Notice, attempt
from kiosk.visitor import PURPOSES, consent, show_ticket, sign, sorry


def screens(ui) -> dict:
    """All of them by name, made anew."""
    return {
        "mine": Mine(ui),
        "mine_code": TicketCode(ui),
        "mine_visit": Visit(ui),
        "mine_leave": Leave(ui),
        "mine_done": Done(ui),
        "mine_find": Find(ui),
        "mine_found": Found(ui),
    }


class Mine(Choice):
    """How to say which ticket."""

    title = "mine.title"
    table = (("code", "mine.code"), ("find", "mine.find"))

    def take(self, value) -> None:
        if value == "code":
            self.ui.show("mine_code")
        elif self.ui.hub.fold.visits:
            self.ui.show("mine_find")
        else:
            sorry(self.ui, "nobody")


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
    """What the code of a ticket opens: what was given can be taken back first."""

    beside = BIG

    def __init__(self, ui):
        super().__init__(ui)
        self._acts = ()

    def enter(self) -> None:
        super().enter()
        self._list()

    def _list(self):
        # (name of the string, wish, purpose)
        acts = []
        fold = self.ui.hub.fold
        label = self.ui.answers.label
        promise = fold.promises.get(label)
        visit = promise or fold.visits.get(label)
        if visit is not None:
            if visit.due:
                acts.append(("visit.here", "here", None))
            given = visit.consents
            for purpose, _, stop, _ in PURPOSES:
                if purpose in given:
                    acts.append((stop, "consent_withdraw", purpose))
            acts.append(("visit.leave", "left", None))
            for purpose, _, _, allow in PURPOSES:
                if purpose not in given and promise is None:  # who comes again is asked anew
                    acts.append((allow, "consent_give", purpose))
        acts.append(("visit.close", None, None))
        self._acts = acts

    def head(self):
        label = self.ui.answers.label
        if label in self.ui.hub.fold.promises:
            return self.ui.words.fill("visit.promise", label)
        return standing(self.ui, label)

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
            self._list()
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
    # Visits that a code has opened become the answers, in their language.
    answers = ui.answers
    answers.label = visits[0].label
    answers.others = [visit.label for visit in visits[1:]]
    answers.pictogram = PICTOGRAMS.index(visits[0].pictogram)
    ui.speak(visits[0].lang)
