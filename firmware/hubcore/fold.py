"""The fold: from the records of one journal to the state of the hub, the same on kiosk and laptop.

What is day-scoped starts anew with `day_opened`, which carries over what must outlive the recycling of older
records: the issuers' counters, emergencies still waiting and alerts not acknowledged. Queue time starts anew
there too. So a fold of all records and one that starts anywhere before the last `day_opened` have the same
digest. Only promises ("tomorrow first") come from the records of the day before: while some stand, the
opening says in ``since`` from which record a fold must start at the latest. Outside the digest are clock
offsets and the receipt: nothing in the queue reads them.
"""

from collections import OrderedDict

from hubcore.apq import Waiting
from hubcore.classes import ANY_LANE, NEEDS, RATES
from hubcore.compat import const, roomy
from hubcore.errors import RecordError
from hubcore.labels import Used
from hubcore.records import MAX_ISSUERS, Record
from hubcore.visits import HOLD_MS, Act, Alert, Chair, Visit

MAX_ALERTS = 16  # further calls for help are refused while so many are unanswered; emergencies never

_ROOM = const(47)  # visits and promises, at most (hubcore.desk): a size that tables of MicroPython have

COUNTS = ("issued", "waiting", "called", "seated", "served", "left", "deferred", "absent")


class Hub:
    """The state of one hub. Feed it every record of a journal in order; what it already has changes nothing.

    ``visits`` holds open visits by label, ``promises`` those who come first tomorrow, or today if they are
    ``due``, ``closed`` the day's last closed ones whose consents can still be withdrawn by code (as many as
    fit beside the others, 8 at most); ``chairs`` by name, ``alerts`` those not acknowledged by seq;
    ``counts`` the day's people by where they are (issued is the sum of the rest), ``issuers`` the highest
    command counter of each issuer, least recently heard of first, and ``issuer_seq`` the record it became
    (day-scoped).
    """

    def __init__(self):
        self.journal_id: "bytes | None" = None
        self.next_seq = 1
        self.boot = 0
        self.queue_ms = 0  # queue time of the last record
        self.issuers: "dict[str, int]" = OrderedDict()
        self.confirmed = 0  # the highest seq that a receipt of this journal named
        self.base_ms = 0  # queue time at which the current boot began
        self.offsets: "dict[int, int]" = OrderedDict()
        self.day = 0
        self.day_open = False
        self.opened_seq = 0  # of the newest day_opened; 0: not seen
        # These are never made anew: see roomy.
        self.visits: "dict[str, Visit]" = roomy(_ROOM)
        self.promises: "dict[str, Visit]" = roomy(_ROOM)
        # Visits, used again and again: made one by one, they would lie everywhere in the device's memory.
        self.pool = [Visit("", 0, 0, "", "", "self") for _ in range(_ROOM)]
        self.counts: "dict[str, int]" = {}
        self.waiting = Waiting(len(NEEDS))
        self.used = Used()
        self.reset(RATES)

    def reset(self, rates) -> None:
        """Begin a day: nobody is here."""
        self.rates = tuple(rates)
        self.full = False
        self.chairs: "dict[str, Chair]" = {}
        while self.visits:
            self.visits.popitem()
        self.closed: "dict[str, Visit]" = {}
        self.alerts: "dict[int, Alert]" = {}
        self.waiting.clear()
        for name in COUNTS:
            self.counts[name] = 0
        self.used.clear()
        self.issuer_seq: "dict[str, int]" = {}
        self.faults = 0
        self.undo: "Act | None" = None  # the last act that no chair did
        self.misses = 0  # wrong withdrawal codes
        self.code_until_ms = 0  # queue time until which no code is taken
        self.arrived = [0] * len(NEEDS)  # by class
        self.busy = [0, 0, 0]  # how often a chair was busy; sum and sum of squares, in tens of seconds

    def blank(self) -> Visit:
        """A visit that nothing here refers to any more, to ``begin`` anew."""
        acts = [chair.undo for chair in self.chairs.values()]
        acts.append(self.undo)
        holders = (self.visits, self.promises, self.closed)
        for visit in self.pool:
            for visits in holders:
                if visits.get(visit.label) is visit:
                    break
            else:
                for act in acts:
                    if act is not None and act.about(visit):
                        break
                else:
                    return visit
        return Visit("", 0, 0, "", "", "self")

    # Records

    def apply(self, journal_id: bytes, record: Record) -> bool:
        """Take the next record; False if it was taken before. Unknown kinds change nothing but the position.

        The first record taken sets journal and position. Raises RecordError for another journal's record or a
        gap.
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
        if record.kind is not None:
            from hubcore.steps import step

            step(self, record)
            if "cmd" in record.body:
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
            return max(self.queue_ms, self.base_ms + uptime_ms)
        return self.queue_ms

    def _tick(self, record: Record) -> None:
        if record.boot > self.boot:
            self.boot = record.boot
            self.base_ms = self.queue_ms
        self.queue_ms = self.now_ms(record.boot, record.uptime_ms)

    # Questions

    def done(self, issuer: str, counter: int) -> bool:
        """Whether this command, or a later one of its issuer, has become a record."""
        return counter <= self.issuers.get(issuer, -1)

    def pick(self, chair: str, now_ms: int) -> "Visit | None":
        """The visit that this chair calls next, or None."""
        return self.waiting.pick(self.chairs[chair].picks, now_ms // 1000, self.rates)

    def order(self, now_ms: int, limit: int, lanes=()):
        """Yield up to ``limit`` waiting visits of ``lanes`` (none: all) in the order of the pick, now."""
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
        """What the order knows of a visit: all that there is to explain a call (hubcore.account)."""
        from hubcore.account import why

        return why(self, visit, now_ms)

    def estimate(self, label: str, now_ms: int) -> "tuple[int, int] | None":
        """(least, most) minutes that this visit will wait from now, multiples of 5; None: nobody can tell."""
        visit = self.visits.get(label)
        if visit is None:
            return None
        from hubcore.estimate import estimate

        return estimate(self, visit, now_ms // 1000)

    def find(self, label: str) -> "Visit | None":
        """The open visit, promise or closed visit with this label."""
        return self.visits.get(label) or self.promises.get(label) or self.closed.get(label)

    def by_code(self, mac: bytes) -> "list[Visit]":
        """Open visits with this code, else promises with it, else closed visits that gave consents."""
        for visits in (self.visits, self.promises, self.closed):
            found = [visit for visit in visits.values() if visit.code == mac]
            if found:
                break
        return sorted(found, key=_by_label)

    def yielding(self, now_ms: int, but=()) -> "list[Visit]":
        """Today's promises, but for those labels, that hold no place any more; who gives way first, first."""
        if now_ms < HOLD_MS:
            return []
        due = [visit for visit in self.promises.values() if visit.due and visit.label not in but]
        return sorted(due, key=lambda visit: (visit.act or visit.seq, visit.seq, visit.rank), reverse=True)

    def code_pause_ms(self, now_ms: int) -> int:
        """For how long no withdrawal code is taken, in ms of queue time; 0: codes are taken."""
        return max(0, self.code_until_ms - now_ms)

    def calls(self, most: int) -> "list[tuple[str, str]]":
        """Up to ``most`` (label, chair) of those called and not yet seated, newest first; else the last."""
        found = []
        for chair in self.chairs.values():
            visit = chair.visit and self.visits[chair.visit]
            if visit and visit.state == "called":
                found.append((-chair.call[1], visit.label, chair.name))
        if found:
            return [entry[1:] for entry in sorted(found)[:most]]
        last = self.last_call
        return [last] if last and most > 0 else []

    @property
    def last_call(self) -> "tuple[str, str] | None":
        """(label, chair) of the newest call that stands, or None."""
        last = None
        newest = 0
        for chair in self.chairs.values():
            if chair.call is not None and chair.call[1] > newest:
                label, newest = chair.call
                last = (label, chair.name)
        return last

    def undoable(self, chair: "str | None" = None) -> "Act | None":
        """The act that can be undone: the named chair's last, or the newest of all, without a chair too."""
        best = None
        acts = [c.undo for c in self.chairs.values() if chair is None or c.name == chair]
        if chair is None:
            acts.append(self.undo)
        for act in acts:
            if act is not None and act.standing() and (best is None or act.seq > best.seq):
                best = act
        return best

    def digest(self) -> bytes:
        """SHA-256 over all that the queue depends on (hubcore.account)."""
        from hubcore.account import digest

        return digest(self)

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


def _by_label(visit: Visit) -> str:
    return visit.label
