"""My ticket: who has one already looks it up, takes consents back or leaves the queue."""

from kiosk.checkin import show_ticket
from kiosk.emergency import sign
from kiosk.pictures import find, standing
from kiosk.screens import Choice, List, attempt
from kiosk.ticket import PURPOSES, consent


class Mine(Choice):
    """How to say which ticket."""

    title = "mine.title"
    table = (("code", "mine.code"), ("find", "mine.find"))

    def take(self, value) -> None:
        if value == "code":
            self.ui.show("code")
        else:
            find(self.ui)


class Visit(List):
    """What the code of a ticket opens: what was given can be taken back first."""

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
        visit = fold.visits.get(label)
        if label in fold.promises:
            if fold.promises[label].due:
                acts.append(("visit.here", "here", None))
            acts.append(("visit.leave", "left", None))
        elif visit is not None:
            given = visit.consents
            for purpose, _, stop, _ in PURPOSES:
                if purpose in given:
                    acts.append((stop, "consent_withdraw", purpose))
            acts.append(("visit.leave", "left", None))
            for purpose, _, _, allow in PURPOSES:
                if purpose not in given:
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
            ui.show("leave")
        elif wish == "here":
            show_ticket(ui, attempt(ui, "checkin", sign(ui, {"promise": answers.label})))
        elif consent(ui, wish, purpose):
            answers.reason = "done.given" if wish == "consent_give" else "done.withdrawn"
            self._list()
            ui.show("done")
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
            ui.end("done")
