"""What each kind of record does to the hub; one that does not fit the state does nothing."""

from collections import OrderedDict

from hubcore.classes import EMERGENCY, NEEDS
from hubcore.compat import const
from hubcore.labels import number
from hubcore.records import Record
from hubcore.visits import Act, Alert, Chair, Visit

MAX_CHAIRS = 16  # names of chairs in a day

_MAX_OFFSETS = const(8)
_MAX_CONSENTS = const(8)
_OPEN = ("waiting", "called", "seated")


def _day_opened(hub, record: Record, body: dict) -> None:
    hub.base_ms -= hub.queue_ms
    hub.queue_ms = 0
    hub.reset(body["rates"])
    hub.day = body["day"]
    hub.day_open = True
    hub.issuers = OrderedDict()
    for issuer, counter in body["issuers"]:
        hub.issuers[issuer] = counter
    for label, seq, need, lane, lang, pictogram, by, seconds in body["visits"]:
        _admit(hub, Visit(label, seq, -seconds, lang, pictogram, by), lane, need)
    for seq, seconds, why, label in body["alerts"]:
        hub.alerts[seq] = Alert(seq, -1000 * seconds, why, label)


def _day_closed(hub, record: Record, body: dict) -> None:
    hub.day_open = False
    hub.full = False
    for visit in list(hub.visits.values()):
        if visit.state != "waiting":
            _move(hub, visit, "served" if visit.state == "seated" else "deferred", None, record.seq)
        elif visit.cls != EMERGENCY:
            _move(hub, visit, "deferred", None, record.seq)
    hub.chairs = {}


def _full_today(hub, record: Record, body: dict) -> None:
    hub.full = body["full"]


def _chair_opened(hub, record: Record, body: dict) -> None:
    name = body["chair"]
    chair = hub.chairs.get(name)
    if chair is not None:
        chair.serve(tuple(body["lanes"]))
    elif len(hub.chairs) < MAX_CHAIRS and hub.day_open:
        hub.chairs[name] = Chair(name, tuple(body["lanes"]))


def _chair_closed(hub, record: Record, body: dict) -> None:
    chair = hub.chairs.get(body["chair"])
    if chair is not None and chair.visit is None:
        chair.close()


def _checkin(hub, record: Record, body: dict) -> None:
    label = body["label"]
    if label in hub.visits:
        return
    visit = Visit(label, record.seq, hub.queue_ms // 1000, body["lang"], body["pictogram"], body["by"])
    _admit(hub, visit, body["lane"], body["need"])
    if visit.cls == EMERGENCY:
        hub.alerts[record.seq] = Alert(record.seq, hub.queue_ms, "emergency", label)


def _admit(hub, visit: Visit, lane: str, need: str) -> None:
    hub.visits[visit.label] = visit
    hub.waiting.add(visit, lane, NEEDS.index(need), visit.arrival)
    hub.counts["issued"] += 1
    hub.counts["waiting"] += 1
    hub.used.add(number(visit.label))
    if hub.used.full():
        _free_labels(hub)


def _free_labels(hub) -> None:
    """After 990 tickets in a day: only those in use stay taken."""
    hub.used.clear()
    for label in hub.visits:
        hub.used.add(number(label))
    for chair in hub.chairs.values():
        if chair.undo is not None:
            hub.used.add(number(chair.undo.visit.label))


def _class_changed(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    if visit is None:
        return
    cls = NEEDS.index(body["need"])
    visit.source = "staff"
    if cls == EMERGENCY and visit.cls != EMERGENCY:
        hub.alerts[record.seq] = Alert(record.seq, hub.queue_ms, "emergency", visit.label)
    if visit.state == "waiting":
        hub.waiting.remove(visit)
        hub.waiting.add(visit, visit.lane, cls, visit.arrival)
    else:
        visit.cls = cls


def _called(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    chair = hub.chairs.get(body["chair"])
    if visit is None or visit.state != "waiting" or chair is None or chair.visit is not None:
        return
    _act(hub, record, visit, "called", chair)
    chair.call = (visit.label, record.seq)


def _recalled(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    if visit is not None and visit.state == "called":
        chair = hub.chairs[visit.chair]
        _act(hub, record, visit, "called", chair)
        visit.recalls += 1
        chair.call = (visit.label, record.seq)


def _seated(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, ("called",), "seated")


def _served(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, ("called", "seated"), "served")


def _no_show(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, ("called",), "absent")


def _left(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, _OPEN, "left")


def _deferred(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, _OPEN, "deferred")


def _requeued(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, ("called", "seated"), "waiting")


def _transferred(hub, record: Record, body: dict) -> None:
    _from(hub, record, body, _OPEN, "waiting", body["lane"])


def _from(hub, record: Record, body: dict, states: tuple, state: str, lane=None) -> None:
    visit = hub.visits.get(body["label"])
    if visit is None or visit.state not in states:
        return
    chair = None if visit.chair is None else hub.chairs[visit.chair]
    _act(hub, record, visit, state, chair, lane)


def _act(hub, record: Record, visit: Visit, state: str, chair, lane=None) -> None:
    """Move a visit; if a chair does it, that chair can undo it."""
    if chair is not None:
        chair.undo = Act(record.kind, record.seq, visit, chair)
    _move(hub, visit, state, chair if state in ("called", "seated") else None, record.seq, lane)


def _move(hub, visit: Visit, state: str, chair, seq: int, lane=None) -> None:
    """Put a visit into a state, at a chair or none: the lists, the counts and the chairs follow."""
    hub.counts[visit.state] -= 1
    hub.counts[state] += 1
    if visit.state == "waiting":
        hub.waiting.remove(visit)
    if visit.chair is not None:
        hub.chairs[visit.chair].visit = None
    visit.chair = None if chair is None else chair.name
    visit.state = state
    visit.act = seq
    if lane is not None:
        visit.lane = lane
    if state in _OPEN:
        hub.visits[visit.label] = visit
    else:
        hub.visits.pop(visit.label, None)
    if chair is not None:
        chair.visit = visit.label
    if state == "waiting":
        hub.waiting.add(visit, visit.lane, visit.cls, visit.arrival)


def _corrected(hub, record: Record, body: dict) -> None:
    chair = hub.chairs.get(body["chair"])
    act = None if chair is None else chair.undo
    if act is None or act.seq != body["undone"] or not act.standing():
        return
    back = chair if act.state in ("called", "seated") else None
    _move(hub, act.visit, act.state, back, act.act, act.lane)
    act.visit.recalls = act.recalls
    chair.call = act.call
    chair.undo = None


def _alert_raised(hub, record: Record, body: dict) -> None:
    hub.alerts[record.seq] = Alert(record.seq, hub.queue_ms, body["why"], body.get("label"))


def _alert_acknowledged(hub, record: Record, body: dict) -> None:
    alert = hub.alerts.pop(body["alert"], None)
    if alert is not None:
        alert.acknowledged = True


def _consent_given(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    if visit is not None and body["purpose"] not in visit.consents and len(visit.consents) < _MAX_CONSENTS:
        visit.consents = sorted(list(visit.consents) + [body["purpose"]])


def _consent_withdrawn(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    if visit is not None:
        visit.consents = [purpose for purpose in visit.consents if purpose != body["purpose"]]


def _clock_set(hub, record: Record, body: dict) -> None:
    hub.offsets.pop(record.boot, None)
    hub.offsets[record.boot] = body["utc"] * 1000 - record.uptime_ms
    if len(hub.offsets) > _MAX_OFFSETS:
        hub.offsets.pop(next(iter(hub.offsets)))


def _receipt(hub, record: Record, body: dict) -> None:
    if body["journal"] == hub.journal_id:
        hub.confirmed = max(hub.confirmed, body["seq"])


def _fault(hub, record: Record, body: dict) -> None:
    hub.faults += 1


STEPS = {
    "day_opened": _day_opened,
    "day_closed": _day_closed,
    "chair_opened": _chair_opened,
    "chair_closed": _chair_closed,
    "checkin": _checkin,
    "class_changed": _class_changed,
    "called": _called,
    "recalled": _recalled,
    "seated": _seated,
    "served": _served,
    "no_show": _no_show,
    "requeued": _requeued,
    "transferred": _transferred,
    "left": _left,
    "alert_raised": _alert_raised,
    "alert_acknowledged": _alert_acknowledged,
    "consent_given": _consent_given,
    "consent_withdrawn": _consent_withdrawn,
    "corrected": _corrected,
    "full_today": _full_today,
    "deferred": _deferred,
    "clock_set": _clock_set,
    "receipt": _receipt,
    "fault": _fault,
}
