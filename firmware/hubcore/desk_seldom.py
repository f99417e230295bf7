"""What staff wish now and then: the day, chairs, changes of a ticket, undo, codes and PINs.

Each has a function of its name, which takes the hubcore.desk.Desk and gives (kind, fields). On the kiosk this
module is in memory only while one of them is asked for.
"""

from hubcore.classes import LANES, NEEDS, RATES, RESTS
from hubcore.errors import Refused
from hubcore.records import MAX_CARRIED
from hubcore.visits import MAX_CHAIRS, MAX_VISITS

# Beside letters and digits, what names of people and chairs are written in: the kiosk's fonts have no more.
NAME_SIGNS = ".,-'()/:+&#!?"


def promise(desk) -> tuple:
    desk.need_day()
    if not desk.hub.full:
        raise Refused("not_full")
    fields = {}
    if desk.said(fields) == NEEDS[0]:
        raise Refused("bad_argument", "need")  # emergencies are taken at once
    desk.draft(fields, None)
    desk.room(1, MAX_VISITS)
    fields["label"] = desk.labels([], 1)[0]
    return "promised", fields


def day_open(desk) -> tuple:
    hub = desk.hub
    if hub.day_open:
        raise Refused("day_is_open")
    now_s = desk.now_ms // 1000
    visits = []
    for visit in hub.order(desk.now_ms, len(hub.waiting)):
        waited = max(0, now_s - visit.arrival)
        place = [
            visit.label,
            visit.seq,
            visit.need,
            visit.lane,
            visit.lang,
            visit.pictogram,
            visit.source,
            waited,
        ]
        visits.append(place)
    if len(visits) > MAX_CARRIED:
        raise Refused("emergencies_waiting")
    alerts = []
    for seq in sorted(hub.alerts):
        alert = hub.alerts[seq]
        alerts.append([seq, max(0, desk.now_ms - alert.raised_ms) // 1000, alert.why, alert.label])
    if len(alerts) > MAX_CARRIED:
        raise Refused("alerts_standing")
    fields = {
        "day": hub.day + 1,
        "rates": list(RATES),
        "issuers": [[issuer, hub.issuers[issuer]] for issuer in hub.issuers],
        "visits": visits,
        "alerts": alerts,
    }
    for label in hub.promises:
        if not hub.promises[label].due and hub.opened_seq:
            fields["since"] = hub.opened_seq
    return "day_opened", fields


def day_close(desk) -> tuple:
    desk.need_day()
    rest = desk.args.get("rest", RESTS[0])
    if rest not in RESTS:
        raise Refused("bad_argument", "rest")
    deferred = 0
    for label in sorted(desk.hub.visits):
        visit = desk.hub.visits[label]
        if visit.chair is not None:
            raise Refused("chair_busy", visit.chair)
        if visit.need == NEEDS[0]:
            raise Refused("emergency_waiting", label)
        deferred += 1
    return "day_closed", {"day": desk.hub.day, "deferred": deferred, "rest": rest}


def full_today(desk) -> tuple:
    desk.need_day()
    return "full_today", {"full": desk.args.get("full", True) is not False}


def chair_open(desk) -> tuple:
    desk.need_day()
    name = _name(desk, "chair")
    lanes = desk.args.get("lanes") or []
    if not isinstance(lanes, (list, tuple)):
        raise Refused("bad_argument", "lanes")
    for lane in lanes:
        if lane not in LANES:
            raise Refused("bad_argument", "lanes")
    chairs = desk.hub.chairs
    if name not in chairs:
        for other in chairs:
            if other.lower() == name.lower():  # the wall has capitals only
                raise Refused("chair_alike", other)
        if len(chairs) >= MAX_CHAIRS:
            raise Refused("too_many_chairs")
    return "chair_opened", {"chair": name, "lanes": sorted(set(lanes))}


def pause(desk) -> tuple:
    paused = desk.args.get("paused", True) is not False
    return "chair_paused", {"chair": desk.chair(False).name, "paused": paused}


def chair_close(desk) -> tuple:
    return "chair_closed", {"chair": desk.chair().name}


def transfer(desk) -> tuple:
    visit = desk.ticket()
    lane = desk.lane()
    if visit.lane == lane and visit.chair is None:
        raise Refused("no_change", visit.label)
    return "transferred", desk.why({"label": visit.label, "lane": lane})


def change_class(desk) -> tuple:
    fields = {"label": desk.ticket().label}
    desk.said(fields)
    fields.pop("said", None)
    desk.why(fields)
    if "why" not in fields:
        raise Refused("bad_argument", "why")
    return "class_changed", fields


def defer(desk) -> tuple:
    desk.need_day()
    visit = desk.ticket()
    if visit.need == NEEDS[0]:
        raise Refused("emergency_waiting", visit.label)
    return "deferred", desk.why({"label": visit.label, "promise": True})


def code_lift(desk) -> tuple:
    return "code_lifted", {}


def undo(desk) -> tuple:
    chair = desk.args.get("chair")
    if chair is not None:
        chair = desk.limited("chair", 1, 12)
    act = desk.hub.undoable(chair)
    if act is None:
        raise Refused("nothing_to_undo", "" if chair is None else " at chair " + chair)
    fields: dict = {"undone": act.seq}
    if act.chair is not None:
        fields["chair"] = chair or act.chair
    return "corrected", desk.why(fields, "made by mistake")


def staff_set(desk) -> tuple:
    return "staff_set", {"staff": _name(desk, "staff")}


def staff_remove(desk) -> tuple:
    return "staff_removed", {"staff": desk.limited("staff", 1, 12)}


def _name(desk, name: str) -> str:
    value = desk.limited(name, 1, 12)
    for char in value:
        if not ("0" <= char <= "9" or "a" <= char.lower() <= "z" or char in NAME_SIGNS):
            raise Refused("bad_name", value)
    return value
