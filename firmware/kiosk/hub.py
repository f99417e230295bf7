"""The hub on the kiosk: journal, fold, desk and clock joined, so that a wish becomes one durable record."""

import os
import sys

from hubcore import records, steps
from hubcore.classes import EMERGENCY, class_of
from hubcore.compat import const
from hubcore.desk import decide, refusal
from hubcore.errors import HubError, Refused
from hubcore.fold import Hub
from hubcore.visits import ESCALATES_MS
from services.codes import Codes
from services.health import Health
from services.journal import JournalError, JournalFull
from services.staff import Staff
from services.watch import Watch
from tasks.forget import fetch, forget, room, shed

_NEEDS = const(4096)  # bytes that applying and showing a record takes, at most (tests/kiosk/test_heap…)
_SAME_FAULT = const(8)  # so often the same fault is recorded in one boot; then it is only printed
_CLOCK_STEP_S = const(2)
_RECEIPT_RECORDS = const(200)
_RECEIPT_MS = const(600_000)
# What takes turns in memory: to decide on a wish, to write its record, to fold it, to account for the state.
# What most wishes need of the first and third stays: loading takes up to 40 ms.
_TURNS = (
    "hubcore.desk_seldom",
    "hubcore.steps_seldom",
    "hubcore.reading",
    "hubcore.account",
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
        self._receipt_at = 0
        self._receipt_ms = None

    def start(self, cause: str, firmware: str, slot: "int | None" = None, damaged: str = "") -> None:
        """Open the journal, fold what it holds from the newest day on, and record this boot.

        ``cause`` is a word such as "power" or "watchdog"; ``slot`` 0 is app_a, 1 app_b; ``damaged`` says what
        is wrong with a slot.
        """
        from kiosk.opening import start

        start(self, cause, firmware, slot, damaged)
        forget(*_TURNS)

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
        if name == "staff_list" and self.staff:
            return {"seq": 0, "already": False, "staff": list(self.staff.names())}
        if cmd is not None and self.fold.done(cmd[0], cmd[1]):
            return self._again(cmd)
        if name == "alert_ack" and self.alarm and args.get("alert") is None:
            self._alarm(None)
            return {"seq": 0, "already": False}
        code = None
        try:
            if name in ("checkin", "promise") and self._coded(name, args):
                code, mac = self.codes.fresh(self.fold.by_code)
                args = dict(args)
                args["code"] = mac
            kind, fields = self._roomy(
                decide, self.fold, name, args, self.now_ms(), self.rnd, cmd, self.letter
            )
            pin = "staff" in fields
            if pin:
                if not self.staff:
                    raise Refused("unknown_command")
                if kind == "staff_set":
                    self.staff.set(fields["staff"], args.get("pin"))
                else:
                    self.staff.remove(fields["staff"])
        except Refused as refused:
            done = None if cmd is None else self.note(*refusal(name, refused, cmd))
            raise NotDone(refused.reason, refused.about, done.seq if done else 0) from None
        try:
            record = self.record(kind, fields)
        except HubError:
            if pin:
                self.staff.restore(fields["staff"])
            elif kind == "alert_raised":
                self._alarm("emergency" if fields["why"] == "emergency" else "help")
            elif kind == "checkin" and records.urgent(kind, fields):
                self._alarm("emergency")
            raise
        result = _result(record, False)
        if code:
            result["code"] = code
        return result

    def withdraw(self, presses: str) -> "list | None":
        """The visits that a typed code stands for, or None: a miss, which is recorded and counts.

        Raises NotDone: code_paused after too many misses, and while the journal takes no record, neither of a
        miss nor of what a visitor would do with the code.
        """
        if self.fold.code_pause_ms(self.now_ms()) or self.worn or not self.journal.room(True):
            raise NotDone("code_paused")
        found = self.fold.by_code(self.codes.mac(presses))
        if not found:
            self.wish("code_miss", {})
        return found or None

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
            self._receipt_at = record.seq
        if self.staff and record.kind and (record.kind == "day_opened" or record.kind[:6] == "staff_"):
            self.staff.heard(record)

    def record(self, kind: str, fields: dict):
        """Write, apply and tell one record. Raises NotDone (journal_full, journal_worn), RecordError."""
        forget(*_TURNS)
        journal = self.journal
        code, body = self._roomy(records.build, kind, fields)
        uptime_ms, clock_s = self.clock.uptime_ms(), self.clock.utc_s()
        raw = self._roomy(records.encode, code, journal.next_seq, journal.boot, uptime_ms, clock_s, body)
        # Once it is written it must be applied, so there is room for that before. And no earlier: to collect
        # takes longer than all else here.
        self._roomy(steps.ready, kind)
        room(_NEEDS)
        seq = journal.next_seq
        try:
            journal.append_raw(raw, records.urgent(kind, fields))
        except JournalFull:
            self.health.set("journal", True, "the journal is full")
            raise NotDone("journal_full") from None
        except JournalError:
            self._wear()
            raise NotDone("journal_worn") from None
        said = {name: value for name, value in fields.items() if value is not None}
        record = records.Record(kind, code, seq, journal.boot, uptime_ms, clock_s, said, raw)
        self.apply(record)
        forget(*_TURNS)
        for listener in self.listeners:
            try:
                listener(record)
            except Exception as error:  # noqa: BLE001 - a screen's failure must not undo the record
                self.fault("listener", error)
        if kind == "day_opened" and self.clock.utc_s() is None and "clock" not in self.health.standing:
            self.fault("clock", "the day was opened with the clock unknown")
        return record

    def set_clock(self, utc_s: int, source: str = "laptop") -> bool:
        """UTC is known from now on; True if that was news (2 s or more) and recorded.

        A full journal is no obstacle: a laptop that brings the time also comes to make room.
        """
        known = self.clock.utc_s()
        if known is not None and abs(known - utc_s) < _CLOCK_STEP_S and "clock" not in self.health.standing:
            return False
        self.clock.set_utc(utc_s)
        noted = self.note("clock_set", {"utc": utc_s, "source": source}) is not None
        self.watch.ask("look")
        return noted

    def receipt(self, seq: int) -> bool:
        """A laptop holds every record up to ``seq``; True if that became a record.

        So that receipts do not fill the journal, one is recorded for every 200 confirmed records or ten
        minutes, and none for what only confirms the last receipt. Raises NotDone for records that were never
        written here.
        """
        if seq >= self.journal.next_seq:
            self.fault("journal", "a laptop holds records that are not written here")
            raise NotDone("journal_shorter")
        self.watch.confirmed()
        self.journal.confirm(seq)
        now = self.clock.uptime_ms()
        fresh = seq - self.fold.confirmed
        due = self._receipt_ms is None or now - self._receipt_ms >= _RECEIPT_MS
        if seq <= self._receipt_at or (fresh < _RECEIPT_RECORDS and not due):
            return False
        self._receipt_ms = now
        return self.note("receipt", {"journal": self.journal.id, "seq": seq}) is not None

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
        forget(*_TURNS)
        try:
            self.journal.prepare()
        except JournalError:
            self._wear()

    # Inside

    def _roomy(self, call, *args):
        # Calls what changes nothing: where memory lacks, once more without all that others can do without.
        try:
            return call(*args)
        except MemoryError:
            forget(*_TURNS)
            shed()
            return call(*args)

    def _wear(self):
        self.worn = True
        self.health.set("journal", True, "the journal's flash is worn out")

    def _coded(self, name, args):
        # Whether this wish makes a ticket that needs a code: a promise redeemed has its own, and an emergency
        # none, since it is not given up by pressing keys. Raises Refused.
        try:
            if class_of(args.get("need")) == EMERGENCY:
                return False
        except (KeyError, TypeError):
            pass  # the desk refuses it, or the promise knows it
        if name == "checkin" and self.left_over and args.get("by") != "staff":
            raise Refused("day_closed")
        return args.get("code") is None and args.get("promise") is None

    def _alarm(self, what):
        if what != self.alarm and (what is None or self.alarm != "emergency"):
            self.alarm = what
            self._alarm_ms = self.now_ms()
            self.health.tell("alarm")

    def _again(self, cmd):
        # A command that was done before: the same answer, from its record if that is still at hand.
        seq = self.fold.issuer_seq.get(cmd[0], 0)
        raw = self.journal.read(seq) if seq and self.fold.issuers.get(cmd[0]) == cmd[1] else None
        if raw is None:
            return {"seq": 0, "already": True}
        record = records.decode(raw)
        if record.kind == "command_done":
            raise NotDone(record.body["reason"], "", seq)
        return _result(record, True)


def _result(record, already):
    result = {"seq": record.seq, "already": already}
    for field, name in (
        ("label", "ticket"),
        ("others", "others"),
        ("chair", "chair"),
        ("deferred", "deferred"),
        ("undone", "undone"),
    ):
        if field in record.body:
            result[name] = record.body[field]
    return result
