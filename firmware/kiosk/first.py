"""What shows first after the start; in memory only until then."""

from hubcore.classes import EMERGENCY
from hubcore.labels import PICTOGRAMS
from kiosk.screens import stands
from kiosk.ui import TICKET_MS


def first(ui) -> None:
    """Draw idle, or the ticket whose owner had no time to read it before the power failed."""
    hub = ui.hub
    visit = _unread(hub)
    ui.kept = bool(hub.fold.visits)
    if visit is None or (visit.cls == EMERGENCY and not stands(hub)):
        ui.idle()
        return
    answers = ui.answers
    answers.forget()
    answers.label = visit.label
    if visit.group:  # a family: all its labels, the first one first
        family = [each.label for each in hub.fold.visits.values() if each.group == visit.group]
        answers.others = sorted(family, key=lambda label: label != visit.group)
        answers.label = answers.others.pop(0)
    answers.tomorrow = visit.state == "deferred"
    answers.kept = True
    answers.pictogram = PICTOGRAMS.index(visit.pictogram)
    ui.speak(visit.lang)
    # An emergency as its owner saw it, so that nobody else takes it for a new one.
    ui.end("emergency" if visit.cls == EMERGENCY else "ticket")


def _unread(hub):
    # The newest ticket or promise, if it was issued so short a time ago (powered time) that it may not have
    # been read. What staff deferred was read.
    newest = None
    for visits in (hub.fold.visits, hub.fold.promises):
        for visit in visits.values():
            if visit.state == "deferred" and (visit.due or visit.act):
                continue
            if newest is None or visit.seq > newest.seq:
                newest = visit
    # A free chair calls at once: being called does not mean that the ticket was read.
    if newest is None or newest.state == "seated":
        return None
    age_ms = hub.now_ms() - newest.arrival_s * 1000
    return newest if 0 <= age_ms < TICKET_MS else None
