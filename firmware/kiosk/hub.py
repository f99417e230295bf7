"""The hub on the kiosk: journal, fold, desk and clock joined, so that a wish becomes one durable record."""

import os
import sys

from hubcore import records
from hubcore.compat import const
from hubcore.errors import HubError, Refused
from hubcore.fold import Hub
from hubcore.visits import ESCALATES_MS
from services.codes import Codes
from services.health import Health
from services.journal import JournalError
from services.staff import Staff
from services.watch import Watch
from tasks.forget import fetch, forget

_SAME_FAULT = const(8)  # so often the same fault is recorded in one boot; then it is only printed
# What is in memory only for so long: for what is seldom wished, to read records, to account for the state.
TURNS = (
    "hubcore.desk_seldom",
    "hubcore.steps_seldom",
    "hubcore.reading",
    "hubcore.account",
)
# What a wish takes, one after the other; it stays while there is room, since loading it takes 30 ms apiece.
_WISH = (
    "kiosk.wishes",
    "hubcore.desk",
    "hubcore.writing",
    "hubcore.table",
    "hubcore.steps",
    "hubcore.estimate",
)


class NotDone(Refused):
    """A refusal; ``seq`` is that of the command_done that keeps it, or 0."""

    def __init__(self, reason: str, about: str = "", seq: int = 0):
        super().__init__(reason, about)
        self.seq = seq


class KioskHub:
    """``start()`` first. ``fold`` is the state; ``listeners`` get each record once it is applied.

    ``rnd(n)`` gives n random bytes; ``letter`` begins this kiosk's tickets; ``keys`` is the partition of the
    key store: without it, or where its flash fails, codes hold for this boot only and there is no ``staff``.
    ``tz`` is a POSIX time zone.

    ``alarm`` is "emergency" or "help" while a call for help stands that the journal could not take,
    ``alarm_level`` as hubcore.visits.Alert.level; ``worn``: the journal's flash no longer keeps what is
    written.
    """

    def __init__(self, journal, clock, letter: str = "K", rnd=os.urandom, keys=None, tz: str = "UTC0"):
        self.journal = journal
        self.clock = clock
        self.letter = letter
        self.keys = keys
        self.fold = Hub()
        self.listeners = []
        self.alarm = None
        self._alarm_ms = 0
        self.worn = False
        self.rnd = rnd
        from kiosk.opening import device_key

        self.codes = Codes(device_key(self) or rnd(32), rnd)
        self.staff = Staff(self) if self.keys else None
        self.health = Health(self)
        self.watch = Watch(self, tz)
        self.told = 0  # how many of the journal's faults are recorded
        self.repeats = {}
        self._noting = False
        self.receipt_at = 0
        self.receipt_ms = None

    def start(self, cause: str, firmware: str, slot: "int | None" = None, damaged: str = "") -> None:
        """Open the journal, fold what it holds from the newest day on, and record this boot.

        ``cause`` is a word such as "power" or "watchdog"; ``slot`` 0 is app_a, 1 app_b; ``damaged`` says what
        is wrong with a slot.
        """
        from kiosk.opening import start

        start(self, cause, firmware, slot, damaged)
        forget(*TURNS)

    def now_ms(self) -> int:
        """Queue time at this moment."""
        return self.fold.now_ms(self.journal.boot, self.clock.uptime_ms())

    @property
    def alarm_level(self) -> int:
        """0 without an alarm, 1 when it is raised, 2 from 60 s of queue time on."""
        if self.alarm is None:
            return 0
        return 2 if self.now_ms() - self._alarm_ms >= ESCALATES_MS else 1

    @property
    def left_over(self) -> bool:
        """Whether the open day is one that somebody forgot to close (services.watch has the rule)."""
        return self.fold.day_open and self.watch.left_over

    @property
    def taking(self) -> bool:
        """Whether visitors can check in by themselves now."""
        return self.fold.day_open and not self.fold.full and not self.watch.left_over

    def local(self) -> "tuple | None":
        """(year, month, day, hour, minute) as the clock on the wall says, or None while that is unknown."""
        utc_s = self.clock.utc_s()
        return None if utc_s is None else self.watch.ask("local", utc_s)

    def secrets(self):
        """The key store, opened; who asks forgets its module ``services.keys`` afterwards."""
        return fetch("services.keys").KeyStore(self.keys, self.rnd)

    def wish(self, name: str, args: dict, cmd=None) -> dict:
        """Carry out a wish; the result has ``seq``, ``already`` and what the record says of tickets.

        Besides those of ``hubcore.desk`` there are ``staff_set`` {staff, pin}, ``staff_remove`` {staff} and
        ``staff_list`` (no record). A check-in or promise without a code gets one: ``code`` in the result,
        this once. ``cmd`` is (issuer, counter) of a laptop's command: done before, it changes nothing and
        gives the same answer. Raises NotDone, also for a journal that is full or worn.
        """
        return fetch("kiosk.wishes").wish(self, name, args, cmd)

    def withdraw(self, presses: str) -> "list | None":
        """The visits that a typed code stands for, or None: a miss, which is recorded and counts.

        Raises NotDone: code_paused after too many misses, and while the journal takes no record, neither of a
        miss nor of what a visitor would do with the code.
        """
        return fetch("kiosk.wishes").withdraw(self, presses)

    def settle(self, who: "str | None" = None) -> int:
        """Close a day with everything that is open in it; the number of tickets that were.

        Who sits is served; an emergency has left, its alert is acknowledged; everybody else, called or not,
        may come first tomorrow. Cut short by the power, it can be repeated. Raises NotDone.
        """
        from kiosk.settle import settle

        forget("kiosk.settle")
        return settle(self, who)

    def apply(self, record) -> None:
        """Take one record, new or from the journal, into the state."""
        self.fold.apply(self.journal.id, record)
        if record.kind == "day_opened":
            self.journal.keep_from = record.body.get("since") or record.seq
            self.watch.opened(record)
        elif record.kind == "receipt":
            self.receipt_at = record.seq
        if self.staff and record.kind and (record.kind == "day_opened" or record.kind[:6] == "staff_"):
            self.staff.heard(record)

    def record(self, kind: str, fields: dict):
        """Write, apply and tell one record. Raises NotDone (journal_full, journal_worn), RecordError."""
        return fetch("kiosk.wishes").record(self, kind, fields)

    def set_clock(self, utc_s: int, source: str = "laptop") -> bool:
        """UTC is known from now on; True if that was news (2 s or more) and recorded.

        A full journal is no obstacle: a laptop that brings the time also comes to make room.
        """
        return self._brought("set_clock", utc_s, source)

    def receipt(self, seq: int) -> bool:
        """A laptop holds every record up to ``seq``; True if that became a record.

        So that receipts do not fill the journal, one is recorded for every 200 confirmed records or ten
        minutes, and none for what only confirms the last receipt. Raises NotDone for records that were never
        written here.
        """
        return self._brought("receipt", seq)

    def fault(self, task: str, error) -> bool:
        """Record that something failed; never raises. Many of the same in one boot are only printed.

        True if it is recorded, and would be if it came once more.
        """
        try:
            if isinstance(error, Exception) and hasattr(sys, "print_exception"):
                sys.print_exception(error)
            text = records.clean(error if isinstance(error, str) else repr(error), 160)
            key = task + ": " + text
            count = self.repeats.get(key, 0)
            if self._noting or count >= _SAME_FAULT:
                print("fault", key)
                return False
            if len(self.repeats) >= 32:
                self.repeats.clear()
            self.repeats[key] = count + 1
            self._noting = True
            try:
                noted = self.note("fault", {"task": records.clean(task, 16) or "?", "error": text})
            finally:
                self._noting = False
        except MemoryError:
            return False
        return noted is not None and count + 1 < _SAME_FAULT

    def note(self, kind: str, fields: dict):
        """A record that nobody waits for, or None: when it cannot be written, life goes on."""
        try:
            return self.record(kind, fields)
        except (HubError, MemoryError) as error:
            print("not recorded:", kind, error)
            return None

    def idle(self) -> None:
        """For quiet moments: report damage that was found in the journal, look around, erase ahead."""
        faults = self.journal.faults
        while self.told < len(faults):
            from services.replay import told

            forget("services.replay")
            text = told(faults[self.told])
            self.told += 1
            if "journal: " + text not in self.repeats:
                self.fault("journal", text)
        self.watch.idle()
        forget(*TURNS)
        try:
            self.journal.prepare()
        except JournalError:
            self.wear()

    def shed(self) -> None:
        """Give up what a wish takes, until the next one."""
        forget(*_WISH)
        forget(*TURNS)

    def wear(self) -> None:
        """The flash no longer keeps what is written."""
        self.worn = True
        self.health.set("journal", True, "the journal's flash is worn out")

    def alert(self, what: "str | None") -> None:
        """Begin an alarm, or end it with None."""
        if what != self.alarm and (what is None or self.alarm != "emergency"):
            self.alarm = what
            self._alarm_ms = self.now_ms()
            self.health.tell("alarm")

    # Inside

    def _brought(self, what, *args):
        module = fetch("kiosk.receipts")
        forget("kiosk.receipts")
        return getattr(module, what)(self, *args)
