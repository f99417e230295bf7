"""The fold: from the records of one journal to the state of the hub, the same on kiosk and laptop.

What is day-scoped starts anew with `day_opened`, which carries over what must outlive the recycling of older records:
the issuers' counters, emergencies still waiting and alerts not acknowledged. Queue time starts anew there too. So a
fold of all records and one that starts anywhere before the last `day_opened` have the same digest. Outside the digest
are clock offsets and the receipt: nothing in the queue reads them.
"""

from collections import OrderedDict
from hashlib import sha256

from hubcore import cbor
from hubcore.apq import Waiting
from hubcore.classes import ANY_LANE, EMERGENCY, NEEDS, RATES
from hubcore.compat import const
from hubcore.errors import RecordError
from hubcore.labels import Used, number
from hubcore.records import MAX_ISSUERS, Record
from hubcore.visits import Act, Alert, Chair, Visit

MAX_CHAIRS = 16
MAX_ALERTS = 16  # further calls for help are refused while so many are unanswered; emergencies never

COUNTS = ("issued", "waiting", "called", "seated", "served", "left", "deferred", "absent")

_MAX_OFFSETS = const(8)
_MAX_CONSENTS = const(8)


class Hub:
    """The state of one hub. Feed it every record of a journal in order; what it already has changes nothing.

    ``visits`` holds open visits by label, ``chairs`` by name, ``alerts`` those not acknowledged by seq, ``counts``
    the day's people by where they are (issued is the sum of the rest), ``issuers`` the highest command counter of
    each issuer, least recently heard of first, and ``issuer_seq`` the record it became (day-scoped).
    """

    def __init__(self):
        self.journal_id = None
        self.next_seq = 1
        self.boot = 0
        self.queue_ms = 0  # queue time of the last record
        self.issuers = OrderedDict()
        self.confirmed = 0  # the highest seq that a receipt of this journal named
        self._base_ms = 0  # queue time at which the current boot began
        self._offsets = OrderedDict()
        self.day = 0
        self.day_open = False
        self._reset(RATES)

    def _reset(self, rates) -> None:
        self.rates = tuple(rates)
        self.full = False
        self.chairs = {}
        self.visits = {}
        self.alerts = {}
        self.waiting = Waiting(len(NEEDS))
        self.counts = {name: 0 for name in COUNTS}
        self.used = Used()
        self.issuer_seq = {}
        self.faults = 0

    # Records

    def apply(self, journal_id: bytes, record: Record) -> bool:
        """Take the next record; False if it was taken before. Kinds unknown here change nothing but the position.

        The first record taken sets journal and position. Raises RecordError for another journal's record or a gap.
        """
        if self.journal_id is None:
            self.journal_id = bytes(journal_id)
            self.next_seq = record.seq
        elif journal_id != self.journal_id:
            raise RecordError("this record belongs to another journal")
        if record.seq < self.next_seq:
            return False
        if record.seq > self.next_seq:
            raise RecordError("records " + str(self.next_seq) + " to " + str(record.seq - 1) + " are missing")
        self.next_seq = record.seq + 1
        self._tick(record)
        step = _STEPS.get(record.kind)
        if step is not None:
            step(self, record, record.body)
        if record.kind is not None and "cmd" in record.body:
            self._note(record.body["cmd"], record.seq)
        return True

    def skip(self, next_seq: int) -> None:
        """Go on at ``next_seq`` where the journal lost records for good."""
        self.next_seq = max(self.next_seq, next_seq)

    # Time

    def now_ms(self, boot: int, uptime_ms: int) -> int:
        """Queue time in ms, powered time since the day was opened, at a moment of a boot; never runs back."""
        if boot > self.boot:
            return self.queue_ms + uptime_ms
        if boot == self.boot:
            return max(self.queue_ms, self._base_ms + uptime_ms)
        return self.queue_ms

    def utc_of(self, record: Record):
        """UTC seconds of a record: by its boot's last `clock_set`, else as it says itself; None if unknown."""
        offset = self._offsets.get(record.boot)
        return record.clock_s if offset is None else (offset + record.uptime_ms) // 1000

    def _tick(self, record: Record) -> None:
        if record.boot > self.boot:
            self.boot = record.boot
            self._base_ms = self.queue_ms
        self.queue_ms = self.now_ms(record.boot, record.uptime_ms)

    # Questions

    def done(self, issuer: str, counter: int) -> bool:
        """Whether this command, or a later one of its issuer, has become a record."""
        return counter <= self.issuers.get(issuer, -1)

    def pick(self, chair: str, now_ms: int):
        """The visit that this chair calls next, or None."""
        return self.waiting.pick(self.chairs[chair].picks, now_ms // 1000, self.rates)

    def order(self, now_ms: int, limit: int, lanes=()):
        """Yield up to ``limit`` waiting visits of ``lanes`` (none: all) in the order of the pick at this moment."""
        return self.waiting.order(now_ms // 1000, self.rates, limit, lanes)

    def place(self, label: str, now_ms: int) -> int:
        """How many of those who wait, itself included, come up to this visit now; 0 if it does not wait."""
        visit = self.visits.get(label)
        if visit is None or visit.state != "waiting":
            return 0
        place = 0
        lanes = () if visit.lane == ANY_LANE else (visit.lane, ANY_LANE)
        for other in self.order(now_ms, len(self.waiting), lanes):
            place += 1
            if other is visit:
                break
        return place

    def why(self, visit: Visit, now_ms: int) -> dict:
        """What the order knows of a visit: all that there is to explain a call."""
        waited_s = now_ms // 1000 - visit.arrival
        rate = self.rates[visit.cls]
        return {
            "need": visit.need,
            "source": visit.source,
            "lane": visit.lane,
            "seq": visit.seq,
            "waited_s": waited_s,
            "strictly_first": visit.cls == EMERGENCY,
            "rate": rate,
            "priority": rate * waited_s,
        }

    @property
    def last_call(self):
        """(label, chair) of the newest call that stands, or None."""
        last = None
        for chair in self.chairs.values():
            if chair.call is not None and (last is None or chair.call[1] > last.call[1]):
                last = chair
        return None if last is None else (last.call[0], last.name)

    def undoable(self, chair=None):
        """The chair whose last act can be undone: the named one, or that with the newest act; else None."""
        best = None
        for candidate in self.chairs.values():
            act = candidate.undo
            if act is None or not act.standing() or (chair is not None and candidate.name != chair):
                continue
            if best is None or act.seq > best.undo.seq:
                best = candidate
        return best

    def digest(self) -> bytes:
        """SHA-256 over the deterministic CBOR of all that the queue depends on, part by part."""
        sha = sha256()
        for part in self.parts():
            sha.update(cbor.dumps(part))
        return sha.digest()

    def parts(self):
        """Yield the state in a fixed order, as values that CBOR has."""
        yield [self.journal_id, self.next_seq, self.boot, self._base_ms, self.queue_ms]
        yield [[name, self.issuers[name], self.issuer_seq.get(name)] for name in self.issuers]
        yield [self.day, self.day_open, self.full, self.rates, self.faults, self.counts, self.used.bits]
        for group in (self.chairs, self.visits, self.alerts):
            yield len(group)
            for key in sorted(group):
                yield group[key].parts()

    # Steps: one a kind. A record that does not fit the state changes nothing: the desk writes none such.

    def _note(self, cmd, seq: int) -> None:
        issuer, counter = cmd
        known = self.issuers.pop(issuer, -1)
        self.issuers[issuer] = max(known, counter)
        if counter > known:
            self.issuer_seq[issuer] = seq
        if len(self.issuers) > MAX_ISSUERS:
            oldest = next(iter(self.issuers))
            self.issuers.pop(oldest)
            self.issuer_seq.pop(oldest, None)

    def _day_opened(self, record: Record, body: dict) -> None:
        self._base_ms -= self.queue_ms
        self.queue_ms = 0
        self._reset(body["rates"])
        self.day = body["day"]
        self.day_open = True
        self.issuers = OrderedDict()
        for issuer, counter in body["issuers"]:
            self.issuers[issuer] = counter
        for label, seq, need, lane, lang, pictogram, by, seconds in body["visits"]:
            self._admit(Visit(label, seq, -seconds, lang, pictogram, by), lane, need)
        for seq, seconds, why, label in body["alerts"]:
            self.alerts[seq] = Alert(seq, -1000 * seconds, why, label)

    def _day_closed(self, record: Record, body: dict) -> None:
        self.day_open = False
        self.full = False
        for visit in list(self.visits.values()):
            if visit.state != "waiting":
                self._move(visit, "served" if visit.state == "seated" else "deferred", None, record.seq)
            elif visit.cls != EMERGENCY:
                self._move(visit, "deferred", None, record.seq)
        self.chairs = {}

    def _full_today(self, record: Record, body: dict) -> None:
        self.full = body["full"]

    def _chair_opened(self, record: Record, body: dict) -> None:
        name = body["chair"]
        chair = self.chairs.get(name)
        if chair is not None:
            chair.serve(tuple(body["lanes"]))
        elif len(self.chairs) < MAX_CHAIRS and self.day_open:
            self.chairs[name] = Chair(name, tuple(body["lanes"]))

    def _chair_closed(self, record: Record, body: dict) -> None:
        chair = self.chairs.get(body["chair"])
        if chair is not None and chair.visit is None:
            chair.close()

    def _checkin(self, record: Record, body: dict) -> None:
        label = body["label"]
        if label in self.visits:
            return
        visit = Visit(label, record.seq, self.queue_ms // 1000, body["lang"], body["pictogram"], body["by"])
        self._admit(visit, body["lane"], body["need"])
        if visit.cls == EMERGENCY:
            self.alerts[record.seq] = Alert(record.seq, self.queue_ms, "emergency", label)

    def _admit(self, visit: Visit, lane: str, need: str) -> None:
        self.visits[visit.label] = visit
        self.waiting.add(visit, lane, NEEDS.index(need), visit.arrival)
        self.counts["issued"] += 1
        self.counts["waiting"] += 1
        self.used.add(number(visit.label))
        if self.used.full():
            self._free_labels()

    def _free_labels(self) -> None:
        """After 990 tickets in a day: only those in use stay taken."""
        self.used.clear()
        for label in self.visits:
            self.used.add(number(label))
        for chair in self.chairs.values():
            if chair.undo is not None:
                self.used.add(number(chair.undo.visit.label))

    def _class_changed(self, record: Record, body: dict) -> None:
        visit = self.visits.get(body["label"])
        if visit is None:
            return
        cls = NEEDS.index(body["need"])
        visit.source = "staff"
        if cls == EMERGENCY and visit.cls != EMERGENCY:
            self.alerts[record.seq] = Alert(record.seq, self.queue_ms, "emergency", visit.label)
        if visit.state == "waiting":
            self.waiting.remove(visit)
            self.waiting.add(visit, visit.lane, cls, visit.arrival)
        else:
            visit.cls = cls

    def _called(self, record: Record, body: dict) -> None:
        visit = self.visits.get(body["label"])
        chair = self.chairs.get(body["chair"])
        if visit is None or visit.state != "waiting" or chair is None or chair.visit is not None:
            return
        self._act(record, visit, "called", chair)
        chair.call = (visit.label, record.seq)

    def _recalled(self, record: Record, body: dict) -> None:
        visit = self.visits.get(body["label"])
        if visit is not None and visit.state == "called":
            chair = self.chairs[visit.chair]
            self._act(record, visit, "called", chair)
            visit.recalls += 1
            chair.call = (visit.label, record.seq)

    def _seated(self, record: Record, body: dict) -> None:
        self._from(record, body, ("called",), "seated")

    def _served(self, record: Record, body: dict) -> None:
        self._from(record, body, ("called", "seated"), "served")

    def _no_show(self, record: Record, body: dict) -> None:
        self._from(record, body, ("called",), "absent")

    def _left(self, record: Record, body: dict) -> None:
        self._from(record, body, _OPEN, "left")

    def _deferred(self, record: Record, body: dict) -> None:
        self._from(record, body, _OPEN, "deferred")

    def _requeued(self, record: Record, body: dict) -> None:
        self._from(record, body, ("called", "seated"), "waiting")

    def _transferred(self, record: Record, body: dict) -> None:
        self._from(record, body, _OPEN, "waiting", body["lane"])

    def _from(self, record: Record, body: dict, states: tuple, state: str, lane=None) -> None:
        visit = self.visits.get(body["label"])
        if visit is None or visit.state not in states:
            return
        chair = None if visit.chair is None else self.chairs[visit.chair]
        self._act(record, visit, state, chair, lane)

    def _act(self, record: Record, visit: Visit, state: str, chair, lane=None) -> None:
        """Move a visit; if a chair does it, that chair can undo it."""
        if chair is not None:
            chair.undo = Act(record.kind, record.seq, visit, chair)
        self._move(visit, state, chair if state in ("called", "seated") else None, record.seq, lane)

    def _move(self, visit: Visit, state: str, chair, seq: int, lane=None) -> None:
        """Put a visit into a state, at a chair or none: the lists, the counts and the chairs follow."""
        self.counts[visit.state] -= 1
        self.counts[state] += 1
        if visit.state == "waiting":
            self.waiting.remove(visit)
        if visit.chair is not None:
            self.chairs[visit.chair].visit = None
        visit.chair = None if chair is None else chair.name
        visit.state = state
        visit.act = seq
        if lane is not None:
            visit.lane = lane
        if state in _OPEN:
            self.visits[visit.label] = visit
        else:
            self.visits.pop(visit.label, None)
        if chair is not None:
            chair.visit = visit.label
        if state == "waiting":
            self.waiting.add(visit, visit.lane, visit.cls, visit.arrival)

    def _corrected(self, record: Record, body: dict) -> None:
        chair = self.chairs.get(body["chair"])
        act = None if chair is None else chair.undo
        if act is None or act.seq != body["undone"] or not act.standing():
            return
        back = chair if act.state in ("called", "seated") else None
        self._move(act.visit, act.state, back, act.act, act.lane)
        act.visit.recalls = act.recalls
        chair.call = act.call
        chair.undo = None

    def _alert_raised(self, record: Record, body: dict) -> None:
        self.alerts[record.seq] = Alert(record.seq, self.queue_ms, body["why"], body.get("label"))

    def _alert_acknowledged(self, record: Record, body: dict) -> None:
        alert = self.alerts.pop(body["alert"], None)
        if alert is not None:
            alert.acknowledged = True

    def _consent_given(self, record: Record, body: dict) -> None:
        visit = self.visits.get(body["label"])
        if visit is not None and body["purpose"] not in visit.consents and len(visit.consents) < _MAX_CONSENTS:
            visit.consents = sorted(visit.consents + [body["purpose"]])

    def _consent_withdrawn(self, record: Record, body: dict) -> None:
        visit = self.visits.get(body["label"])
        if visit is not None:
            visit.consents = [purpose for purpose in visit.consents if purpose != body["purpose"]]

    def _clock_set(self, record: Record, body: dict) -> None:
        self._offsets.pop(record.boot, None)
        self._offsets[record.boot] = body["utc"] * 1000 - record.uptime_ms
        if len(self._offsets) > _MAX_OFFSETS:
            self._offsets.pop(next(iter(self._offsets)))

    def _receipt(self, record: Record, body: dict) -> None:
        if body["journal"] == self.journal_id:
            self.confirmed = max(self.confirmed, body["seq"])

    def _fault(self, record: Record, body: dict) -> None:
        self.faults += 1


_OPEN = ("waiting", "called", "seated")

_STEPS = {
    "day_opened": Hub._day_opened,
    "day_closed": Hub._day_closed,
    "chair_opened": Hub._chair_opened,
    "chair_closed": Hub._chair_closed,
    "checkin": Hub._checkin,
    "class_changed": Hub._class_changed,
    "called": Hub._called,
    "recalled": Hub._recalled,
    "seated": Hub._seated,
    "served": Hub._served,
    "no_show": Hub._no_show,
    "requeued": Hub._requeued,
    "transferred": Hub._transferred,
    "left": Hub._left,
    "alert_raised": Hub._alert_raised,
    "alert_acknowledged": Hub._alert_acknowledged,
    "consent_given": Hub._consent_given,
    "consent_withdrawn": Hub._consent_withdrawn,
    "corrected": Hub._corrected,
    "full_today": Hub._full_today,
    "deferred": Hub._deferred,
    "clock_set": Hub._clock_set,
    "receipt": Hub._receipt,
    "fault": Hub._fault,
}
