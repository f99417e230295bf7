"""What the records of staff's rarer acts do to the hub: the day, chairs, promises, changes, undo.

Loaded by hubcore.steps when such a record comes.
"""

from collections import OrderedDict

from hubcore.classes import EMERGENCY, NEEDS
from hubcore.compat import const
from hubcore.labels import number
from hubcore.records import Record
from hubcore.steps import admit, busy, drafted, make_room, move, shared, use
from hubcore.visits import MAX_CHAIRS, MAX_VISITS, Act, Alert, Before, Chair

_MAX_OFFSETS = const(8)


def day_opened(hub, record: Record, body: dict) -> None:
    hub.base_ms -= hub.queue_ms
    hub.queue_ms = 0
    hub.reset(body["rates"])
    promises = hub.promises
    for label in list(promises):
        visit = promises[label]
        if visit.due or body.get("since") is None:
            del promises[label]
        else:
            visit.due = True
            hub.used.add(number(label))
    hub.day = body["day"]
    hub.day_open = True
    hub.opened_seq = record.seq
    hub.issuers = OrderedDict()
    for issuer, counter in body["issuers"]:
        hub.issuers[issuer] = counter
    for label, seq, need, lane, lang, pictogram, by, seconds in body["visits"]:
        visit = hub.blank()
        visit.begin(label, seq, -seconds, shared(hub, lang), pictogram, by)
        admit(hub, visit, lane, need)
    for seq, seconds, why, label in body["alerts"]:
        hub.alerts[seq] = Alert(seq, -1000 * seconds, why, label)


def day_closed(hub, record: Record, body: dict) -> None:
    hub.day_open = False
    hub.full = False
    rest = body.get("rest")
    for visit in list(hub.visits.values()):
        if visit.state == "seated":
            move(hub, visit, "served", None, record.seq)
        elif visit.state == "called" or visit.cls != EMERGENCY:
            state = "left" if rest == "left" else "deferred"
            move(hub, visit, state, None, record.seq, rest == "tomorrow")
    hub.chairs = {}
    hub.undo = None


def full_today(hub, record: Record, body: dict) -> None:
    hub.full = body["full"]


def chair_opened(hub, record: Record, body: dict) -> None:
    name = body["chair"]
    chair = hub.chairs.get(name)
    if chair is not None:
        chair.serve(tuple(body["lanes"]))
    elif len(hub.chairs) < MAX_CHAIRS and hub.day_open:
        hub.chairs[name] = Chair(name, tuple(body["lanes"]))


def chair_paused(hub, record: Record, body: dict) -> None:
    chair = hub.chairs.get(body["chair"])
    if chair is not None and chair.open:
        chair.paused = body["paused"]
        if chair.visit is None:
            chair.since = -1


def chair_closed(hub, record: Record, body: dict) -> None:
    chair = hub.chairs.get(body["chair"])
    if chair is not None and chair.visit is None:
        chair.close()


def promised(hub, record: Record, body: dict) -> None:
    label = body["label"]
    if label in hub.visits or label in hub.promises:
        return
    visit = drafted(hub, record, label, hub.queue_ms // 1000, body, "self")
    visit.state = "deferred"
    visit.lane = body["lane"]
    visit.cls = NEEDS.index(body["need"])
    hub.promises[label] = visit
    hub.counts["issued"] += 1
    hub.counts["deferred"] += 1
    use(hub, label)
    make_room(hub, MAX_VISITS)


def class_changed(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    if visit is None:
        return
    act = hub.undo = Act(record.kind, record.seq)
    act.before.append(Before(visit, None, False))
    visit.act = record.seq
    visit.source = "staff"
    cls = NEEDS.index(body["need"])
    if cls == EMERGENCY and visit.cls != EMERGENCY:
        hub.alerts[record.seq] = Alert(record.seq, hub.queue_ms, "emergency", visit.label)
    # The whole wait counts at the new class's rate: staff corrected what had been true all along.
    if visit.state == "waiting":
        hub.waiting.remove(visit)
        hub.waiting.add(visit, visit.lane, cls, visit.arrival)
    else:
        visit.cls = cls


def corrected(hub, record: Record, body: dict) -> None:
    name = body.get("chair")
    act = hub.undo
    if name is not None:
        act = hub.chairs[name].undo if name in hub.chairs else None
    if act is None or act.seq != body["undone"] or not act.standing():
        return
    for before in act.before:
        visit = before.visit
        chair = before.chair
        promise, state, lane, cls, source, recalls, moved, call, since = before.was
        hub.waiting.remove(visit)
        visit.lane = lane
        visit.cls = cls
        visit.source = source
        if visit.recalls != recalls:
            visit.recalls = recalls
        back = None
        if state in ("called", "seated"):
            back = chair or hub.chairs[visit.chair]
        move(hub, visit, state, back, moved, promise)
        if chair is not None:
            chair.call = call
            chair.since = since
            chair.undo = None
            if before.took >= 0:
                busy(hub, before.took, -1)
    if act is hub.undo:
        hub.undo = None
    alert = hub.alerts.pop(act.seq, None)  # raised by a change of class that was a mistake
    if alert is not None:
        alert.acknowledged = True


def code_lifted(hub, record: Record, body: dict) -> None:
    hub.misses = 0
    hub.code_until_ms = 0


def clock_set(hub, record: Record, body: dict) -> None:
    hub.offsets.pop(record.boot, None)
    hub.offsets[record.boot] = body["utc"] * 1000 - record.uptime_ms
    if len(hub.offsets) > _MAX_OFFSETS:
        hub.offsets.pop(next(iter(hub.offsets)))
