"""The screen of an emergency: help is coming, and no key takes it away."""

from hubcore.classes import AMBULANCE, EMERGENCY
from hubcore.labels import PICTOGRAMS
from kiosk.canvas import ACCENT, RED, TITLE
from kiosk.screens import attempt, call_help, stands
from kiosk.ui import Screen
from kiosk.visitor import sign

_BOTTOM = 248  # where the line begins that is drawn once the record is durable


class Emergency(Screen):
    """Shown before anything is written; it never becomes merely a ticket.

    It stays until staff acknowledge, or until a minute passed without a key: then others may check in, and
    idle goes on showing the alert. Every key calls help again; holding yes lets staff sign in.
    """

    patience_ms = 60000
    warns = False

    def __init__(self, ui):
        super().__init__(ui)
        self._recorded = False
        self._again = False  # help was called once more
        self._stood = False  # the alert was seen, so that its end means something

    def enter(self) -> None:
        self._recorded = self.ui.answers.label is not None
        self._again = False
        self._stood = stands(self.ui.hub)

    def draw(self, canvas) -> None:
        words = self.ui.words
        canvas.begin(RED)
        y = canvas.heading(words("emergency.title"), words.icon("emergency.title"))
        y = canvas.text(words("emergency.text"), y, TITLE)
        need = self.ui.answers.need
        if need is None or need in AMBULANCE:  # after a power cut nobody knows which sign it was
            y = canvas.text(words("emergency.ambulance"), y, TITLE)
        canvas.blank(y, _BOTTOM - y, ACCENT)
        if self._recorded:
            self.finish(canvas)

    def finish(self, canvas) -> None:
        """The lines below: first drawn once the record is durable, so that nothing is sent twice."""
        self._recorded = True
        words = self.ui.words
        label = self.ui.answers.label
        if self._again:
            text = words("emergency.again")
        elif label is not None:
            text = words.fill("emergency.ticket", label)
        else:
            text = words("emergency.call")
        y = canvas.text(text, _BOTTOM, TITLE)
        canvas.blank(y, canvas.height - y, ACCENT)
        canvas.end()

    def key(self, key: str) -> None:
        self.help()

    def hold(self, key: str) -> None:
        ui = self.ui
        if key == "yes" and ui.screen is self and ui.home == "idle":
            ui.idle()  # staff have come: the alert waits for them at the desk
            ui.show("desk_in", False)

    def help(self) -> None:
        ui = self.ui
        call_help(ui, ui.answers.label if ui.answers.label in ui.hub.fold.visits else None)
        if not self._again:
            self._again = True
            self.finish(ui.canvas)

    def refresh(self, canvas) -> None:
        stood = self._stood
        self._stood = stands(self.ui.hub)
        if stood and not self._stood:
            self.ui.idle()


def raise_emergency(ui, flag: str) -> None:
    """Show that help comes, then record the emergency: as a visit, or where that is refused as an alert
    alone."""
    answers = ui.answers
    answers.need = flag
    ui.end("emergency")
    args = {"need": flag, "lane": "any", "lang": ui.words.language, "pictogram": PICTOGRAMS[EMERGENCY]}
    result = attempt(ui, "checkin", sign(ui, args))
    if result is not None:
        answers.label = result["ticket"]
    else:
        attempt(ui, "alert_raise", {"why": "emergency"})
    ui.screen.finish(ui.canvas)
    ui.screen.refresh(ui.canvas)
