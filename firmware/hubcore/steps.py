"""What each kind of record does to the hub; one that does not fit the state does nothing.

A kind either moves a visit as _MOVES says, or has a function of its name here, or, if it is in _SELDOM, in
hubcore.steps_seldom, which on the kiosk is in memory only for so long; or it does nothing.
"""

from hubcore.classes import EMERGENCY, NEEDS
from hubcore.compat import const
from hubcore.labels import number
from hubcore.records import Record
from hubcore.visits import (
    MAX_CLOSED,
    MAX_EMERGENCIES,
    MAX_VISITS,
    Act,
    Alert,
    Before,
    Chair,
    Visit,
)

_MAX_CONSENTS = const(8)
_OPEN = ("waiting", "called", "seated")

# Withdrawal codes: so many misses, and after each pause so many more, pause for ten minutes, then for twice
# that, and so on. A day of ten hours has room for 20 guesses: with 40 codes of 8 presses of 4 keys out, the
# odds of a hit are 20 x 40 / 4**8, below 2 %.
FREE_MISSES = 5
MORE_MISSES = 3
PAUSE_MS = 600_000

_MAX_DOUBLED = const(8)
_TURNAROUND_S = const(600)  # a chair that calls later after its last visitor was not busy in between
_MAX_BUSY = const(720)  # tens of seconds; so 990 squares stay below 2**30

_SELDOM = (
    "day_opened",
    "day_closed",
    "full_today",
    "promised",
    "chair_opened",
    "chair_closed",
    "chair_paused",
    "class_changed",
    "corrected",
    "code_lifted",
    "clock_set",
)

# kind: of which states, into which
_MOVES = {
    "seated": ("called", "seated"),
    "served": ("called seated", "served"),
    "no_show": ("called", "absent"),
    "deferred": ("waiting called seated", "deferred"),
    "requeued": ("called seated", "waiting"),
    "transferred": ("waiting called seated", "waiting"),
}


def ready(kind: str) -> None:
    """Have in memory what ``step`` needs for this kind: where memory lacks, it shows here, before anything is
    changed."""
    if kind in _SELDOM:
        from hubcore import steps_seldom  # noqa: F401


def step(hub, record: Record) -> None:
    """Do what this record, of a known kind, does."""
    body = record.body
    move = _MOVES.get(record.kind)
    if move is None:
        if record.kind in _SELDOM:
            from hubcore import steps_seldom

            act = getattr(steps_seldom, record.kind)
        else:
            act = globals().get(record.kind)
        if act is not None:
            act(hub, record, body)
        return
    visit = hub.visits.get(body["label"])
    if visit is not None and visit.state in move[0]:
        chair = hub.chairs[visit.chair] if move[1] == "seated" else None
        _act(hub, record, [visit], move[1], chair, body.get("lane"), body.get("promise") is True)


def checkin(hub, record: Record, body: dict) -> None:
    label = body["label"]
    if label in hub.visits:
        return
    family = [label] + list(body.get("others") or ())
    promise = body.get("promise")
    hub.promises.pop(promise, None)
    # Who was promised to come first has waited since the opening.
    arrival = 0 if promise and hub.day_open else hub.queue_ms // 1000
    for rank in range(len(family)):
        member = family[rank]
        if member in hub.visits:
            continue
        hub.promises.pop(member, None)
        visit = drafted(hub, record, member, arrival, body, body["by"])
        if rank:
            visit.rank = rank
        if len(family) > 1:
            visit.group = label
        admit(hub, visit, body["lane"], body["need"])
    emergency = hub.visits[label].cls == EMERGENCY
    make_room(hub, MAX_EMERGENCIES if emergency else MAX_VISITS)
    if emergency:
        hub.alerts[record.seq] = Alert(record.seq, hub.queue_ms, "emergency", label)


def make_room(hub, most: int) -> None:
    """Let go of what has no claim to its place: closed visits first, then promises."""
    while hub.closed and (
        len(hub.closed) > MAX_CLOSED or len(hub.visits) + len(hub.promises) + len(hub.closed) > MAX_VISITS
    ):
        hub.closed.pop(min((visit.act, label) for label, visit in hub.closed.items())[1])
    for visit in hub.yielding(hub.queue_ms):
        if len(hub.visits) + len(hub.promises) <= most:
            break
        del hub.promises[visit.label]


def drafted(hub, record: Record, label: str, arrival: int, body: dict, by: str) -> Visit:
    visit = hub.blank()
    visit.begin(label, record.seq, arrival, shared(hub, body["lang"]), body["pictogram"], by)
    visit.code = body.get("code")
    return visit


def shared(hub, lang: str) -> str:
    """This word, as another visit has it already: each of its own would be 32 bytes more on the device."""
    for visit in hub.visits.values():
        if visit.lang == lang:
            return visit.lang
    return lang


def admit(hub, visit: Visit, lane: str, need: str) -> None:
    hub.visits[visit.label] = visit
    cls = NEEDS.index(need)
    hub.waiting.add(visit, lane, cls, visit.arrival)
    hub.counts["issued"] += 1
    hub.counts["waiting"] += 1
    hub.arrived[cls] += 1
    use(hub, visit.label)


def use(hub, label: str) -> None:
    """The label is taken; after 990 tickets in a day only those still in use stay taken."""
    hub.used.add(number(label))
    if not hub.used.full():
        return
    hub.used.clear()
    for labels in (hub.visits, hub.promises, hub.closed):
        for label in labels:
            hub.used.add(number(label))
    for act in [hub.undo] + [chair.undo for chair in hub.chairs.values()]:
        if act is not None:
            for before in act.before:
                hub.used.add(number(before.visit.label))


def called(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    chair = hub.chairs.get(body["chair"])
    if visit is None or visit.state != "waiting" or chair is None or chair.visit is not None:
        return
    _act(hub, record, [visit], "called", chair)
    chair.call = (visit.label, record.seq)
    now = hub.queue_ms // 1000
    if chair.since < 0 or now - chair.since > _TURNAROUND_S:
        chair.since = now


def recalled(hub, record: Record, body: dict) -> None:
    visit = hub.visits.get(body["label"])
    if visit is not None and visit.state == "called":
        chair = hub.chairs[visit.chair]
        _act(hub, record, [visit], "called", chair)
        visit.recalls += 1
        chair.call = (visit.label, record.seq)


def left(hub, record: Record, body: dict) -> None:
    """One, or a family; who was promised tomorrow may leave as well."""
    gone = []
    for label in [body["label"]] + list(body.get("others") or ()):
        visit = hub.visits.get(label) or hub.promises.get(label)
        if visit is not None and visit not in gone:
            gone.append(visit)
    if gone:
        _act(hub, record, gone, "left")


def _act(hub, record: Record, visits: list, state: str, chair=None, lane=None, promise: bool = False) -> None:
    """Move visits, to ``chair`` or away from theirs; those chairs can undo it, else the desk."""
    act = Act(record.kind, record.seq)
    alone = True
    for visit in visits:
        at = chair if visit.chair is None else hub.chairs[visit.chair]
        before = Before(visit, at, visit.label in hub.promises)
        act.before.append(before)
        if at is not None:
            alone = False
            at.undo = act
            if chair is None:
                _freed(hub, at, before)
        if lane is not None:
            hub.waiting.remove(visit)
            visit.lane = lane
        move(hub, visit, state, chair, record.seq, promise)
    if alone:
        hub.undo = act


def _freed(hub, chair: Chair, before: Before) -> None:
    """A chair's visitor goes: note how long it was busy. While others wait, it is so until its next call."""
    now = hub.queue_ms // 1000
    before.took = min(_MAX_BUSY, (now - chair.since) // 10)
    busy(hub, before.took, 1)
    chair.since = now if len(hub.waiting) else -1


def busy(hub, took: int, n: int) -> None:
    hub.busy[0] += n
    hub.busy[1] += n * took
    hub.busy[2] += n * took * took


def move(hub, visit: Visit, state: str, chair, seq: int, promise: bool = False) -> None:
    """Put a visit into a state, at a chair or none: the lists, the counts and the chairs follow."""
    if not visit.due:  # else it was counted on the day before
        hub.counts[visit.state] -= 1
        hub.counts[state] += 1
    if visit.state == "waiting":
        hub.waiting.remove(visit)
    if visit.chair is not None:
        hub.chairs[visit.chair].visit = None
    if visit.chair is not None or chair is not None:
        visit.chair = None if chair is None else chair.name
    visit.state = state
    visit.act = seq
    label = visit.label
    hub.visits.pop(label, None)
    hub.promises.pop(label, None)
    hub.closed.pop(label, None)
    if state in _OPEN:
        hub.visits[label] = visit
    elif promise:
        hub.promises[label] = visit
    elif visit.code and visit.consents:
        hub.closed[label] = visit
        make_room(hub, MAX_EMERGENCIES)
    if chair is not None:
        chair.visit = label
    if state == "waiting":
        hub.waiting.add(visit, visit.lane, visit.cls, visit.arrival)


def alert_raised(hub, record: Record, body: dict) -> None:
    hub.alerts[record.seq] = Alert(record.seq, hub.queue_ms, body["why"], body.get("label"))


def alert_acknowledged(hub, record: Record, body: dict) -> None:
    alert = hub.alerts.pop(body["alert"], None)
    if alert is not None:
        alert.acknowledged = True


def consent_given(hub, record: Record, body: dict) -> None:
    visit = hub.find(body["label"])
    if visit is None:
        return
    consents = [purpose for purpose in visit.consents if purpose != body["purpose"]]
    if record.kind == "consent_given" and len(consents) < _MAX_CONSENTS:
        consents = sorted(consents + [body["purpose"]])
    visit.consents = tuple(consents)


consent_withdrawn = consent_given


def code_missed(hub, record: Record, body: dict) -> None:
    hub.misses += 1
    times, more = divmod(hub.misses - FREE_MISSES, MORE_MISSES)
    if times >= 0 and more == 0:
        hub.code_until_ms = hub.queue_ms + (PAUSE_MS << min(times, _MAX_DOUBLED))


def receipt(hub, record: Record, body: dict) -> None:
    if body["journal"] == hub.journal_id:
        hub.confirmed = max(hub.confirmed, body["seq"])


def fault(hub, record: Record, body: dict) -> None:
    hub.faults += 1
