"""Faults of a kiosk in plain words: what it means for the day, and what to do."""

from typing import Any, NamedTuple

from hubcore import records
from hubcore.errors import HubError
from smilehub.store.database import Store

_BOOT = 1
_FAULT = 29
_NEWEST = 200  # faults looked at; a kiosk records the same one at most eight times a boot
_ENDED = "ended: "  # before what a trouble said that is over

#: task: (what it is, what to do).
TROUBLES: dict[str, tuple[str, str]] = {
    "clock": (
        "The kiosk does not know the time: its clock's battery is empty or missing.",
        "A sync gives it the time until the power goes; put in a new CR2032. The queue does not need it.",
    ),
    "wall": (
        "The wall display does not answer.",
        "Call by voice and by the kiosk's chime; check the wall's cable and power.",
    ),
    "panel": (
        "The kiosk's screen does not answer.",
        "Check in by `smilehub desk check-in`; wall and sound still call. Have the screen looked at.",
    ),
    "key": (
        "A key of the kiosk is stuck.",
        "Free it; until then check in by `smilehub desk check-in`.",
    ),
    "journal": (
        "The kiosk's journal is full, worn or damaged.",
        "Run `smilehub sync`, which makes room. If this comes again, have the kiosk's flash looked at.",
    ),
    "laptop": (
        "For a week no laptop has fetched the kiosk's records.",
        "Run `smilehub sync`, once a day from now on.",
    ),
    "slot": (
        "One of the kiosk's two copies of its program is damaged; it runs from the other.",
        "It works as before. Have it installed anew soon.",
    ),
    "day": (
        "A day was left open overnight.",
        "Close it with `smilehub day close`, then open today's.",
    ),
    "radio": (
        "The kiosk's Bluetooth does not start.",
        "Use the cable. It is tried again every ten minutes; if it lasts, switch the kiosk off and on.",
    ),
}
_OTHER = (
    "A part of the kiosk's program failed and was started again.",
    "Nothing more is needed. If it comes again, report what it says.",
)


class Trouble(NamedTuple):
    """A fault that a kiosk recorded; ``seq`` is its newest record's, ``clock_s`` UTC seconds or None."""

    task: str
    seq: int
    clock_s: int | None
    error: str

    @property
    def means(self) -> str:
        """What it means, in a sentence."""
        return TROUBLES.get(self.task, _OTHER)[0]

    @property
    def do(self) -> str:
        """What to do, in a sentence."""
        return TROUBLES.get(self.task, _OTHER)[1]

    def json(self) -> dict[str, Any]:
        """As plain values."""
        return {**self._asdict(), "means": self.means, "do": self.do}


def begins(record: records.Record) -> bool:
    """Whether a record tells that something has failed, rather than that a trouble is over."""
    return record.kind == "fault" and not _ends(record)


def _ends(record: records.Record) -> bool:
    return record.body["task"] in TROUBLES and record.body["error"].startswith(_ENDED)


def reported(store: Store, journal_id: bytes) -> list[Trouble]:
    """What the kiosk has reported since it was last switched on, the newest of each kind, oldest first.

    A trouble that stands is reported again after each start; one that is over is left out.
    """
    started = store.newest(journal_id, _BOOT, 1)
    first = started[0][0] if started else 0
    found: dict[str, Trouble] = {}
    over: set[tuple[str, str]] = set()
    for seq, raw in store.newest(journal_id, _FAULT, _NEWEST):
        if seq < first:
            break
        try:
            record = records.decode(raw)
        except HubError:
            continue  # a sync says so
        task, error = record.body["task"], record.body["error"]
        if _ends(record):
            over.add((task, error.removeprefix(_ENDED)))
        elif (task, error) not in over:
            found.setdefault(task, Trouble(task, seq, record.clock_s, error))
    return sorted(found.values(), key=lambda trouble: trouble.seq)
