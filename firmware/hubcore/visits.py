"""What the fold keeps of a visit, a chair and an alert, and how many of them at most."""

from hubcore.apq import Node
from hubcore.classes import ANY_LANE, NEEDS

ESCALATES_MS = 60_000

MAX_CHAIRS = 16  # names of chairs in a day

# Open visits and promises that a kiosk's memory holds at a time; the last places are for emergencies, and
# beyond them an emergency is an alert alone.
MAX_VISITS = 40
MAX_EMERGENCIES = 47

# A promise has its place for two hours of queue time after the opening. Then it holds until somebody needs
# the place: the one made last gives way first, since who was promised first has waited longest for it.
HOLD_MS = 7_200_000

MAX_CLOSED = 8  # closed visits with consents that can still be withdrawn by code


class Visit(Node):
    """An open visit, or a promise. ``state`` is waiting, called or seated, of a promise deferred.

    ``chair`` is its chair's name from the call on, ``code`` the keyed hash of its withdrawal code, ``group``
    the label of a family's first. A promise is ``due`` once the day after has been opened.
    """

    def __init__(self, label: str, seq: int, arrival_s: int, lang: str, pictogram: str, source: str):
        super().__init__(arrival_s, seq)
        self.begin(label, seq, arrival_s, lang, pictogram, source)

    def begin(self, label: str, seq: int, arrival_s: int, lang: str, pictogram: str, source: str) -> None:
        """Be another visit, or promise, from now on. All attributes are set here: no table grows later."""
        self.label = label
        self.seq = seq
        self.arrival = arrival_s
        self.lang = lang
        self.pictogram = pictogram
        self.source = source  # who chose the class: "self" or "staff"
        self.code: "bytes | None" = None
        self.group: "str | None" = None
        self.state = "waiting"
        self.chair: "str | None" = None
        self.recalls = 0
        self.consents = ()
        self.due = False
        self.act = 0  # the last record that moved it; 0: none did
        self.rank = 0

    @property
    def arrival_s(self) -> int:
        """Seconds of queue time at which it came; negative: before the day was opened."""
        return self.arrival

    @property
    def need(self) -> str:
        """The need class that counts now."""
        return NEEDS[self.cls]


class Chair:
    """A service point. ``visit`` is the label called to it or seated; no ``lanes`` means every lane.

    ``since`` is the second of queue time from which it has been busy, with a visitor or because others wait;
    -1: it has nothing to do.
    """

    __slots__ = ("call", "lanes", "name", "open", "paused", "picks", "since", "undo", "visit")

    def __init__(self, name: str, lanes: tuple):
        self.name = name
        self.visit: "str | None" = None
        self.call: "tuple[str, int] | None" = None  # (label, seq) of its last call
        self.undo: "Act | None" = None  # what it did last
        self.since = -1
        self.serve(lanes)

    def serve(self, lanes: tuple) -> None:
        """Open for ``lanes``; whoever waits in the lane "any" may come to every chair."""
        self.open = True
        self.paused = False
        self.lanes = lanes
        self.picks = () if not lanes or ANY_LANE in lanes else lanes + (ANY_LANE,)

    def close(self) -> None:
        """Close; what was done at it is past and no longer undone."""
        self.open = False
        self.undo = None
        self.since = -1

    def takes(self, visit: Visit) -> bool:
        """Whether it may call this visit, once it is free and not paused."""
        return self.open and (visit.cls == 0 or not self.picks or visit.lane in self.picks)


class Before:
    """How one visit, and the chair that an act concerned (or None), stood before it.

    ``was``: whether the visit was a promise; its state, lane, class, source, recalls, act; the chair's call
    and since.
    """

    __slots__ = ("chair", "took", "visit", "was")

    def __init__(self, visit: Visit, chair, promise: bool):
        self.visit = visit
        self.chair: "Chair | None" = chair
        self.took = -1  # in tens of seconds: what the act added to the day's services
        self.was = (
            promise,
            visit.state,
            visit.lane,
            visit.cls,
            visit.source,
            visit.recalls,
            visit.act,
            chair.call if chair else None,
            chair.since if chair else -1,
        )


class Act:
    """What a chair did last, or the desk without one, and how things stood before: enough to undo it."""

    __slots__ = ("before", "kind", "seq")

    def __init__(self, kind: str, seq: int):
        self.kind = kind
        self.seq = seq
        self.before: "list[Before]" = []  # more than one when a family left

    @property
    def visit(self) -> Visit:
        """The visit, or the first of several."""
        return self.before[0].visit

    @property
    def chair(self) -> "str | None":
        """The chair that did it, or None."""
        for before in self.before:
            if before.chair is not None:
                return before.chair.name
        return None

    def about(self, visit: Visit) -> bool:
        """Whether it can put this visit back to where it was."""
        for before in self.before:
            if before.visit is visit:
                return True
        return False

    def standing(self) -> bool:
        """Whether visits and chairs are still as this act left them, so that it can be undone."""
        for before in self.before:
            if before.visit.act != self.seq or (before.chair is not None and before.chair.undo is not self):
                return False
        return True


class Alert:
    """A call for staff that repeats until acknowledged. ``raised_ms`` is queue time."""

    __slots__ = ("acknowledged", "label", "raised_ms", "seq", "why")

    def __init__(self, seq: int, raised_ms: int, why: str, label):
        self.seq = seq
        self.raised_ms = raised_ms
        self.why = why
        self.label = label
        self.acknowledged = False

    def level(self, now_ms: int) -> int:
        """0 once acknowledged, 1 when raised, 2 from 60 s of queue time on."""
        if self.acknowledged:
            return 0
        return 2 if now_ms - self.raised_ms >= ESCALATES_MS else 1
