"""The staff desk: alerts, above all its other screens."""

from time import ticks_diff, ticks_ms

from micropython import const

from hubcore.classes import AMBULANCE
from hubcore.records import ALERTS, decode
from kiosk.canvas import BLUE, MARGIN, PITCH, RED
from kiosk.desk import Desk, Part

_GUARD_MS = const(700)  # a key that was meant for the screen under an alert does not acknowledge it


def screens(ui) -> dict:
    """The alert, by its name, made anew."""
    return {"desk_alert": Alert(Desk(ui))}


class Alert(Part):
    """What staff are called for, above every other screen of the desk; yes: I take care of it."""

    def __init__(self, desk):
        super().__init__(desk)
        self._shown = None  # (why, seq, ..) of the alert that shows
        self._since = 0
        self._stuck = None

    def _worst(self):
        hub = self.ui.hub
        # A call that the journal could not take stands without a record.
        worst = hub.alarm and (hub.alarm != ALERTS[0], 0, hub.alarm, None, None)
        for alert in hub.fold.alerts.values():
            key = (alert.why != ALERTS[0], alert.seq, alert.why, alert.label, alert.raised_ms)
            if not worst or key < worst:
                worst = key
        return worst or None

    def _said(self, seq):
        # Which sign of danger it was: the fold does not keep it, the record does.
        raw = self.ui.hub.journal.read(seq) if seq else None
        return None if raw is None else decode(raw).body.get("said")

    def enter(self) -> None:
        self._shown = self._stuck = None

    def draw(self, canvas) -> None:
        desk = self.desk
        alert = self._worst()
        if alert is None:  # acknowledged at another place meanwhile
            self.ui.back()
            return
        if alert != self._shown:
            self._shown = alert
            self._since = ticks_ms()
        why = "alert_" + alert[2]
        canvas.begin(RED if why == "alert_emergency" else BLUE)
        y = canvas.heading(desk.text(why), self.ui.words.icon("desk." + why)) + 4
        if self._stuck:
            canvas.text(desk.text(self._stuck), y)
        else:
            self._told(canvas, alert, y)
        canvas.text(desk.text("alert_take"), canvas.height - PITCH)
        canvas.end()

    def _told(self, canvas, alert, y):
        desk = self.desk
        hub = self.ui.hub
        _, seq, _, label, raised_ms = alert
        if label:
            canvas.label(label.encode(), MARGIN, y)
            y += 96
        if raised_ms is not None:
            y = canvas.text(desk.text("alert_for", max(0, hub.now_ms() - raised_ms) // 60000), y)
        if self._said(seq) in AMBULANCE:
            y = canvas.text(desk.text("alert_ambulance"), y)
        others = len(hub.fold.alerts) - bool(seq)
        if others > 0 and y <= canvas.height - 2 * PITCH:  # else they show when this one is taken care of
            canvas.text(desk.text("alert_more", others), y)

    def refresh(self, canvas) -> None:
        if self._worst() != self._shown:
            self.draw(canvas)

    def key(self, key: str) -> None:
        ui = self.ui
        if key == "back" and self._stuck:  # it cannot be acknowledged here: the desk has to be left somehow
            ui.sign_out()
        elif key == "yes" and ticks_diff(ticks_ms(), self._since) >= _GUARD_MS:
            seq = self._shown[1]
            self._stuck = self.desk.attempt("alert_ack", {"alert": seq} if seq else {})
            if self._worst() != self._shown:
                self._stuck = None
            self.draw(ui.canvas)
