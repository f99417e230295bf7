"""The desk: what staff and visitors may wish, and the one record it becomes, or a refusal."""

from hubcore.classes import LANES, NEEDS, PURPOSES, class_of
from hubcore.errors import Refused
from hubcore.fold import MAX_ALERTS, Hub
from hubcore.labels import PICTOGRAMS, draw, number, valid
from hubcore.records import ALERTS, MAX_FAMILY, clean
from hubcore.visits import MAX_EMERGENCIES, MAX_VISITS, Visit

# What moves one ticket and needs no more: the record that it becomes, and the states that it begins in.
_MOVES = {
    "recall": ("recalled", "called"),
    "seated": ("seated", "called"),
    "served": ("served", "called seated"),
    "no_show": ("no_show", "called"),
    "requeue": ("requeued", "called seated"),
}
# What has a method of its name here, and what has a function in hubcore.desk_seldom.
_USUAL = (
    "checkin",
    "call",
    "left",
    "alert_raise",
    "alert_ack",
    "code_miss",
    "consent_give",
    "consent_withdraw",
)
_SELDOM = (
    "day_open",
    "day_close",
    "full_today",
    "promise",
    "chair_open",
    "chair_close",
    "pause",
    "transfer",
    "class",
    "defer",
    "undo",
    "code_lift",
    "staff_set",
    "staff_remove",
)


def decide(hub: Hub, name: str, args: dict, now_ms: int, rnd, cmd=None, letter: str = "K") -> tuple:
    """(kind, fields) of the record that a wish becomes; nothing is changed here.

    ``now_ms`` is queue time, ``rnd(n)`` gives n random bytes, ``cmd`` is (issuer, counter) of a command or
    None and goes into the record, as does ``who`` of the arguments: the person signed in at the desk.
    ``letter`` begins the labels of this kiosk. Raises Refused.
    """
    desk = Desk(hub, args, now_ms, rnd, letter)
    if name in _MOVES:
        kind, states = _MOVES[name]
        fields: dict = {"label": desk.ticket(states).label}
        if kind == "requeued":
            desk.why(fields)
    elif name in _USUAL:
        kind, fields = getattr(desk, name)()
    elif name in _SELDOM:
        from hubcore import desk_seldom

        kind, fields = getattr(desk_seldom, "change_class" if name == "class" else name)(desk)
    else:
        raise Refused("unknown_command")
    if args.get("who") is not None:
        fields["who"] = desk.limited("who", 1, 24)
    if cmd is not None:
        fields["cmd"] = list(cmd)
    return kind, fields


def refusal(name: str, refused: Refused, cmd) -> tuple:
    """(kind, fields) of the `command_done` that keeps a refused command from being tried again."""
    return "command_done", {"command": clean(name, 16) or "?", "reason": refused.reason, "cmd": list(cmd)}


class Desk:
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

    def ticket(self, states: str = "waiting called seated", promised: bool = False) -> Visit:
        label = self.word("ticket").upper()
        visit = self.hub.visits.get(label)
        if promised and label in self.hub.promises:
            return self.hub.promises[label]
        if visit is None:
            raise Refused("unknown_ticket", clean(label, 16))
        if visit.state not in states:
            raise Refused(
                "wrong_state", label + " is " + visit.state + ", not " + states.replace(" ", " or ")
            )
        return visit

    def why(self, fields: dict, default=None) -> dict:
        value = self.args.get("why")
        if isinstance(value, str) and clean(value).strip():
            fields["why"] = clean(value)
        elif default is not None:
            fields["why"] = default
        return fields

    def lane(self, default=None) -> str:
        lane = self.limited("lane", 1, 7, default)
        if lane not in LANES:
            raise Refused("bad_argument", "lane")
        return lane

    def need_day(self) -> None:
        if not self.hub.day_open:
            raise Refused("day_closed")

    # Wishes

    def said(self, fields: dict, default=None) -> str:
        said = self.word("need", default)
        try:
            need = NEEDS[class_of(said)]
        except KeyError:
            raise Refused("bad_argument", "need") from None
        if said not in NEEDS:
            fields["said"] = said
        fields["need"] = need
        return need

    def draft(self, fields: dict, old) -> None:
        """What a check-in and a promise have in common; ``old`` is the promise redeemed, or None."""
        pictogram = self.args.get("pictogram")
        if pictogram is None:
            pictogram = old.pictogram if old else PICTOGRAMS[0]
        if (
            isinstance(pictogram, int)
            and not isinstance(pictogram, bool)
            and 0 <= pictogram < len(PICTOGRAMS)
        ):
            pictogram = PICTOGRAMS[pictogram]
        if pictogram not in PICTOGRAMS:
            raise Refused("bad_argument", "pictogram")
        fields["pictogram"] = pictogram
        fields["lane"] = self.lane(old.lane if old else LANES[0])
        fields["lang"] = self.limited("lang", 2, 8, old.lang if old else "en")
        code = self.args.get("code")
        if code is None and old:
            code = old.code
        if code is not None:
            if not isinstance(code, bytes) or len(code) != 8:
                raise Refused("bad_argument", "code")
            fields["code"] = code

    def room(self, size: int, most: int, labels=()) -> None:
        # Whoever redeems a promise has a place already, emergencies or not; ``labels`` are theirs.
        hub = self.hub
        taken = len(hub.visits) + len(hub.promises) - len(hub.yielding(self.now_ms, labels))
        if size and taken + size > most:
            raise Refused("full")

    def labels(self, labels: list, size: int) -> list:
        """``labels`` and as many new ones as make ``size``."""
        try:
            while len(labels) < size:
                taken = [number(label) for label in labels]
                labels.append(draw(self.hub.used, self.letter, self.rnd, taken))
        except ValueError:
            raise Refused("no_labels") from None
        return labels

    def kept(self):
        """The promise that is to be redeemed, or None."""
        if self.args.get("promise") is None:
            return None
        label = self.word("promise").upper()
        old = self.hub.promises.get(label)
        if old is None:
            raise Refused("unknown_promise", clean(label, 16))
        if not old.due:
            raise Refused("promise_tomorrow", label)
        return old

    def checkin(self) -> tuple:
        hub = self.hub
        old = self.kept()
        fields: dict = {"by": "staff" if self.args.get("by") == "staff" else "self"}
        need = self.said(fields, old.need if old else None)
        self.draft(fields, old)
        size = self.args.get("size", 1)
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_FAMILY:
            raise Refused("bad_argument", "size")
        if need != NEEDS[0]:
            self.need_day()
            if hub.full and old is None:
                raise Refused("full")
        labels = []
        if old:  # a family that was promised together comes together, by the labels that it has
            fields["promise"] = old.label
            labels = [old.label] + self.family(old, hub.promises)
            size = max(size, len(labels))
        self.room(size - len(labels), MAX_EMERGENCIES if need == NEEDS[0] else MAX_VISITS, labels)
        labels = self.labels(labels, size)
        fields["label"] = labels[0]
        if size > 1:
            fields["others"] = labels[1:]
        return "checkin", fields

    def family(self, visit: Visit, among: dict) -> list:
        """Labels of the others of its family."""
        group = visit.group
        return [
            label for label in sorted(among) if group and among[label].group == group and label != visit.label
        ]

    def chair(self, free: bool = True):
        """An open chair, and no visitor at it unless that does not matter."""
        name = self.limited("chair", 1, 12)
        chair = self.hub.chairs.get(name)
        if chair is None or not chair.open:
            raise Refused("chair_closed", name)
        if free and chair.visit is not None:
            raise Refused("chair_busy", name)
        return chair

    def call(self) -> tuple:
        self.need_day()
        chair = self.chair()
        if chair.paused:
            raise Refused("chair_paused", chair.name)
        visit = self.hub.pick(chair.name, self.now_ms)
        if visit is None:
            raise Refused("nobody_waits", chair.name)
        return "called", {"label": visit.label, "chair": chair.name}

    def left(self) -> tuple:
        visit = self.ticket(promised=True)
        fields = self.why({"label": visit.label})
        if self.args.get("family") is True:
            among = self.hub.promises if visit.label in self.hub.promises else self.hub.visits
            others = self.family(visit, among)[: MAX_FAMILY - 1]
            if others:
                fields["others"] = others
        return "left", fields

    def code_miss(self) -> tuple:
        if self.hub.code_pause_ms(self.now_ms):
            raise Refused("code_paused")
        return "code_missed", {}

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
        if not isinstance(alert, int) or isinstance(alert, bool) or alert not in alerts:
            raise Refused("alert_unknown", "" if alert is None else clean(str(alert), 16))
        return "alert_acknowledged", {"alert": alert}

    def consent_give(self) -> tuple:
        label = self.ticket(promised=True).label
        purpose = self.limited("purpose", 1, 16)
        if purpose not in PURPOSES:
            raise Refused("bad_argument", "purpose")
        return "consent_given", {"label": label, "purpose": purpose}

    def consent_withdraw(self) -> tuple:
        # Also for who has gone, by any label of this day: to withdraw must not be harder than to give.
        label = self.word("ticket").upper()
        if not valid(label) or label[0] != self.letter or not self.hub.used.has(number(label)):
            label = self.ticket(promised=True).label
        return "consent_withdrawn", {"label": label, "purpose": self.limited("purpose", 1, 16)}
