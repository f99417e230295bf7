"""The desk: what staff and visitors may wish, and the one record it becomes, or a refusal."""

from hubcore.classes import LANES, NEEDS, RATES, class_of
from hubcore.errors import Refused
from hubcore.fold import MAX_ALERTS, Hub
from hubcore.labels import PICTOGRAMS, draw
from hubcore.records import ALERTS, MAX_CARRIED, URGENT, clean
from hubcore.steps import MAX_CHAIRS
from hubcore.visits import Visit

# Visits that a kiosk's memory holds at a time; the last places are for emergencies, and beyond them an
# emergency is an alert alone.
MAX_VISITS = 40
MAX_EMERGENCIES = 48


def decide(hub: Hub, name: str, args: dict, now_ms: int, rnd, cmd=None, letter: str = "K") -> tuple:
    """(kind, fields) of the record that a wish becomes; nothing is changed here.

    ``now_ms`` is queue time, ``rnd(n)`` gives n random bytes, ``cmd`` is (issuer, counter) of a command or
    None and goes into the record, ``letter`` begins the labels of this kiosk. Raises Refused.
    """
    wish = _WISHES.get(name)
    if wish is None:
        raise Refused("unknown_command")
    desk = _Desk(hub, args, now_ms, rnd, letter)
    kind, fields = wish(desk)
    if cmd is not None:
        fields["cmd"] = list(cmd)
    return kind, fields


def refusal(name: str, refused: Refused, cmd) -> tuple:
    """(kind, fields) of the `command_done` that keeps a refused command from being tried again."""
    return "command_done", {"command": clean(name, 16) or "?", "reason": refused.reason, "cmd": list(cmd)}


def urgent(kind: str, fields: dict) -> bool:
    """Whether this record may use the journal's reserved space."""
    return kind in URGENT or (kind == "checkin" and fields.get("need") == NEEDS[0])


class _Desk:
    """One wish: its arguments read with care, its record drafted."""

    def __init__(self, hub: Hub, args: dict, now_ms: int, rnd, letter: str):
        self.hub = hub
        self.args = args
        self.now_ms = now_ms
        self.rnd = rnd
        self.letter = letter

    # Arguments

    def word(self, name: str, default=None) -> str:
        value = self.args.get(name)
        if value is None:
            value = default
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value:
            raise Refused("bad_argument", name)
        for char in value:
            if not "!" <= char <= "~":
                raise Refused("bad_argument", name)
        return value

    def limited(self, name: str, least: int, most: int, default=None) -> str:
        value = self.word(name, default)
        if not least <= len(value) <= most:
            raise Refused("bad_argument", name)
        return value

    def ticket(self, states=("waiting", "called", "seated")) -> Visit:
        label = self.word("ticket").upper()
        visit = self.hub.visits.get(label)
        if visit is None:
            raise Refused("unknown_ticket", clean(label, 16))
        if visit.state not in states:
            raise Refused("wrong_state", label + " is " + visit.state + ", not " + " or ".join(states))
        return visit

    def why(self, fields: dict, default=None) -> dict:
        value = self.args.get("why")
        if isinstance(value, str) and clean(value):
            fields["why"] = clean(value)
        elif default is not None:
            fields["why"] = default
        return fields

    def lane(self) -> str:
        lane = self.limited("lane", 1, 12, LANES[0])
        if lane not in LANES:
            raise Refused("bad_argument", "lane")
        return lane

    def need_day(self) -> None:
        if not self.hub.day_open:
            raise Refused("day_closed")

    # Wishes

    def checkin(self) -> tuple:
        hub = self.hub
        said = self.word("need")
        try:
            need = NEEDS[class_of(said)]
        except KeyError:
            raise Refused("bad_argument", "need") from None
        pictogram = self.args.get("pictogram", 0)
        if isinstance(pictogram, int) and 0 <= pictogram < len(PICTOGRAMS):
            pictogram = PICTOGRAMS[pictogram]
        if pictogram not in PICTOGRAMS:
            raise Refused("bad_argument", "pictogram")
        if need != NEEDS[0]:
            self.need_day()
            if hub.full:
                raise Refused("full")
        if len(hub.visits) >= (MAX_EMERGENCIES if need == NEEDS[0] else MAX_VISITS):
            raise Refused("full")
        try:
            label = draw(hub.used, self.letter, self.rnd)
        except ValueError:
            raise Refused("no_labels") from None
        fields = {
            "label": label,
            "need": need,
            "lane": self.lane(),
            "lang": self.limited("lang", 2, 8, "en"),
            "pictogram": pictogram,
            "by": "staff" if self.args.get("by") == "staff" else "self",
        }
        if said not in NEEDS:
            fields["said"] = said
        return "checkin", fields

    def day_open(self) -> tuple:
        hub = self.hub
        if hub.day_open:
            raise Refused("day_is_open")
        now_s = self.now_ms // 1000
        visits = []
        for visit in hub.order(self.now_ms, len(hub.waiting)):
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
            alerts.append([seq, max(0, self.now_ms - alert.raised_ms) // 1000, alert.why, alert.label])
        if len(alerts) > MAX_CARRIED:
            raise Refused("alerts_standing")
        return "day_opened", {
            "day": hub.day + 1,
            "rates": list(RATES),
            "issuers": [[issuer, hub.issuers[issuer]] for issuer in hub.issuers],
            "visits": visits,
            "alerts": alerts,
        }

    def day_close(self) -> tuple:
        self.need_day()
        deferred = 0
        for label in sorted(self.hub.visits):
            visit = self.hub.visits[label]
            if visit.chair is not None:
                raise Refused("chair_busy", visit.chair)
            if visit.need == NEEDS[0]:
                raise Refused("emergency_waiting", label)
            deferred += 1
        return "day_closed", {"day": self.hub.day, "deferred": deferred}

    def full_today(self) -> tuple:
        self.need_day()
        return "full_today", {"full": self.args.get("full", True) is not False}

    def chair_open(self) -> tuple:
        self.need_day()
        name = self.limited("chair", 1, 12)
        lanes = self.args.get("lanes") or []
        if not isinstance(lanes, (list, tuple)):
            raise Refused("bad_argument", "lanes")
        for lane in lanes:
            if lane not in LANES:
                raise Refused("bad_argument", "lanes")
        if name not in self.hub.chairs and len(self.hub.chairs) >= MAX_CHAIRS:
            raise Refused("too_many_chairs")
        return "chair_opened", {"chair": name, "lanes": sorted(set(lanes))}

    def chair(self):
        name = self.limited("chair", 1, 12)
        chair = self.hub.chairs.get(name)
        if chair is None or not chair.open:
            raise Refused("chair_closed", name)
        if chair.visit is not None:
            raise Refused("chair_busy", name)
        return chair

    def chair_close(self) -> tuple:
        return "chair_closed", {"chair": self.chair().name}

    def call(self) -> tuple:
        self.need_day()
        chair = self.chair()
        visit = self.hub.pick(chair.name, self.now_ms)
        if visit is None:
            raise Refused("nobody_waits", chair.name)
        return "called", {"label": visit.label, "chair": chair.name}

    def recall(self) -> tuple:
        return "recalled", {"label": self.ticket(("called",)).label}

    def seated(self) -> tuple:
        return "seated", {"label": self.ticket(("called",)).label}

    def served(self) -> tuple:
        return "served", {"label": self.ticket(("called", "seated")).label}

    def no_show(self) -> tuple:
        return "no_show", {"label": self.ticket(("called",)).label}

    def left(self) -> tuple:
        return "left", self.why({"label": self.ticket().label})

    def alert_raise(self) -> tuple:
        why = self.args.get("why")
        if len(self.hub.alerts) >= MAX_ALERTS and why != ALERTS[0]:
            raise Refused("help_called")
        fields = {"why": why if why in ALERTS else "other"}
        if why not in ALERTS and isinstance(why, str) and clean(why):
            fields["note"] = clean(why)
        if self.args.get("ticket") is not None:
            fields["label"] = self.ticket().label
        return "alert_raised", fields

    def alert_ack(self) -> tuple:
        alerts = self.hub.alerts
        alert = self.args.get("alert")
        if alert is None and alerts:
            alert = min(alerts)
        if alert is None or alert not in alerts:
            raise Refused("alert_unknown", "" if alert is None else clean(str(alert), 16))
        return "alert_acknowledged", {"alert": alert}

    def undo(self) -> tuple:
        chair = self.args.get("chair")
        if chair is not None:
            chair = self.limited("chair", 1, 12)
        found = self.hub.undoable(chair)
        if found is None or found.undo is None:
            raise Refused("nothing_to_undo", "" if chair is None else " at chair " + chair)
        return "corrected", self.why({"undone": found.undo.seq, "chair": found.name}, "made by mistake")

    def consent_give(self) -> tuple:
        return "consent_given", self.consent()

    def consent_withdraw(self) -> tuple:
        return "consent_withdrawn", self.consent()

    def consent(self) -> dict:
        return {"label": self.ticket().label, "purpose": self.limited("purpose", 1, 16)}


_WISHES = {
    "checkin": _Desk.checkin,
    "day_open": _Desk.day_open,
    "day_close": _Desk.day_close,
    "full_today": _Desk.full_today,
    "chair_open": _Desk.chair_open,
    "chair_close": _Desk.chair_close,
    "call": _Desk.call,
    "recall": _Desk.recall,
    "seated": _Desk.seated,
    "served": _Desk.served,
    "no_show": _Desk.no_show,
    "left": _Desk.left,
    "alert_raise": _Desk.alert_raise,
    "alert_ack": _Desk.alert_ack,
    "undo": _Desk.undo,
    "consent_give": _Desk.consent_give,
    "consent_withdraw": _Desk.consent_withdraw,
}
WISHES = tuple(_WISHES)
