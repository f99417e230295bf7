"""What the fold keeps of a visit, a chair and an alert."""

from hubcore.apq import Node
from hubcore.classes import ANY_LANE, NEEDS
from hubcore.compat import const

_ESCALATES_MS = const(60000)


class Visit(Node):
    """An open visit. ``state`` is waiting, called or seated; ``chair`` its chair's name from the call on."""

    # What is the same for nearly all who wait is the class's until it changes: on the device a visit then has
    # twelve attributes of its own, the most that fit into 96 bytes.
    state = "waiting"
    chair: "str | None" = None
    recalls = 0
    consents = ()

    def __init__(self, label: str, seq: int, arrival_s: int, lang: str, pictogram: str, source: str):
        super().__init__(arrival_s, seq)
        self.label = label
        self.lang = lang
        self.pictogram = pictogram
        self.source = source  # who chose the class: "self" or "staff"
        self.act = seq  # the last record that moved it

    @property
    def arrival_s(self) -> int:
        """Seconds of queue time at which it came; negative: before the day was opened."""
        return self.arrival

    @property
    def need(self) -> str:
        """The need class that counts now."""
        return NEEDS[self.cls]

    def parts(self) -> list:
        """All of it, for the digest."""
        return [
            self.label,
            self.seq,
            self.cls,
            self.lane,
            self.lang,
            self.pictogram,
            self.source,
            self.state,
            self.chair,
            self.recalls,
            self.act,
            self.arrival,
            self.consents,
        ]


class Chair:
    """A service point. ``visit`` is the label called to it or seated; no ``lanes`` means every lane."""

    __slots__ = ("call", "lanes", "name", "open", "picks", "undo", "visit")

    def __init__(self, name: str, lanes: tuple):
        self.name = name
        self.visit: "str | None" = None
        self.call: "tuple[str, int] | None" = None  # (label, seq) of its last call
        self.undo: "Act | None" = None  # what it did last
        self.serve(lanes)

    def serve(self, lanes: tuple) -> None:
        """Open for ``lanes``; whoever waits in the lane "any" may come to every chair."""
        self.open = True
        self.lanes = lanes
        self.picks = () if not lanes or ANY_LANE in lanes else lanes + (ANY_LANE,)

    def close(self) -> None:
        """Close; what was done at it is past and no longer undone."""
        self.open = False
        self.undo = None

    def parts(self) -> list:
        """All of it, for the digest."""
        undo = self.undo.parts() if self.undo else None
        return [self.name, self.lanes, self.open, self.visit, self.call, undo]


class Act:
    """What a chair did last, and how things stood before, so that exactly that can be put back."""

    __slots__ = ("act", "call", "kind", "lane", "recalls", "seq", "state", "visit")

    def __init__(self, kind: str, seq: int, visit: Visit, chair: Chair):
        self.kind = kind
        self.seq = seq
        self.visit = visit
        self.state = visit.state
        self.lane = visit.lane
        self.recalls = visit.recalls
        self.act = visit.act
        self.call = chair.call

    def standing(self) -> bool:
        """Whether the visit is still as this act left it, so that the act can be undone."""
        return self.visit.act == self.seq

    def parts(self) -> list:
        """All of it, for the digest."""
        return [
            self.kind,
            self.seq,
            self.state,
            self.lane,
            self.recalls,
            self.act,
            self.call,
            self.visit.parts(),
        ]


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
        return 2 if now_ms - self.raised_ms >= _ESCALATES_MS else 1

    def parts(self) -> list:
        """All of it, for the digest."""
        return [self.seq, self.raised_ms, self.why, self.label]
