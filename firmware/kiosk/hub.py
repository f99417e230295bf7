"""The hub on the kiosk: journal, fold, desk and clock joined, so that a wish becomes one durable record."""

import os
import sys

from hubcore import records
from hubcore.compat import const
from hubcore.desk import decide, refusal, urgent
from hubcore.errors import HubError, Refused
from hubcore.fold import Hub
from services.journal import JournalFull

_DAY_OPENED = const(2)
_SAME_FAULT = const(8)  # so often the same fault is recorded in one boot; then it is only printed
_CLOCK_STEP_S = const(2)
_RECEIPT_RECORDS = const(200)
_RECEIPT_MS = const(600_000)


class NotDone(Refused):
    """A refusal; ``seq`` is that of the command_done that keeps it, or 0."""

    def __init__(self, reason: str, about: str = "", seq: int = 0):
        super().__init__(reason, about)
        self.seq = seq


class KioskHub:
    """``start()`` first. ``fold`` is the state; ``listeners`` get each record once it is applied.

    ``rnd(n)`` gives n random bytes; ``letter`` begins this kiosk's tickets.
    """

    def __init__(self, journal, clock, letter: str = "K", rnd=os.urandom):
        self.journal = journal
        self.clock = clock
        self.letter = letter
        self.fold = Hub()
        self.listeners = []
        self._rnd = rnd
        self._told = 0  # how many of the journal's faults are recorded
        self._repeats = {}
        self._noting = False
        self._receipt_at = 0
        self._receipt_ms = None

    def start(self, cause: str, firmware: str, slot: int | None = None) -> None:
        """Open the journal, fold what it holds from the newest day on, and record this boot.

        ``cause`` is a word such as "power" or "watchdog"; ``slot`` 0 is app_a, 1 app_b.
        """
        journal = self.journal
        journal.open()
        known = self._replay(self._day_start())
        self.fold.skip(journal.next_seq)
        journal.confirm(self.fold.confirmed)
        cause, firmware = records.clean(cause, 16) or "?", records.clean(firmware, 24) or "?"
        self._quietly("boot", {"cause": cause, "firmware": firmware, "slot": slot})
        self._repeats = known
        self.idle()

    def now_ms(self) -> int:
        """Queue time at this moment."""
        return self.fold.now_ms(self.journal.boot, self.clock.uptime_ms())

    def wish(self, name: str, args: dict, cmd=None) -> dict:
        """Carry out a wish of ``hubcore.desk``; the result has ``seq``, ``already``, perhaps ``ticket``.

        ``cmd`` is (issuer, counter) of a laptop's command: done before, it changes nothing and gives the same
        answer. Raises NotDone, also for a full journal.
        """
        if cmd is not None and self.fold.done(cmd[0], cmd[1]):
            return self._again(cmd)
        try:
            kind, fields = decide(self.fold, name, args, self.now_ms(), self._rnd, cmd, self.letter)
        except Refused as refused:
            done = None if cmd is None else self._quietly(*refusal(name, refused, cmd))
            raise NotDone(refused.reason, refused.about, done.seq if done else 0) from None
        return _result(self.record(kind, fields), False)

    def record(self, kind: str, fields: dict):
        """Write, apply and tell one record. Raises NotDone (journal_full), RecordError, JournalError."""
        code, body = records.build(kind, fields)
        try:
            raw = self.journal.append(
                code, body, self.clock.uptime_ms(), self.clock.utc_s(), urgent(kind, fields)
            )
        except JournalFull:
            raise NotDone("journal_full") from None
        record = records.decode(raw)
        self._apply(record)
        for listener in self.listeners:
            try:
                listener(record)
            except Exception as error:  # noqa: BLE001 - a screen's failure must not undo the record
                self.fault("listener", error)
        if kind == "day_opened" and self.clock.utc_s() is None:
            self.fault("clock", "the day was opened with the clock unknown")
        return record

    def set_clock(self, utc_s: int, source: str = "laptop") -> bool:
        """UTC is known from now on; True if that was news (2 s or more) and recorded.

        A full journal is no obstacle: a laptop that brings the time also comes to make room.
        """
        known = self.clock.utc_s()
        if known is not None and abs(known - utc_s) < _CLOCK_STEP_S:
            return False
        self.clock.set_utc(utc_s)
        return self._quietly("clock_set", {"utc": utc_s, "source": source}) is not None

    def receipt(self, seq: int) -> bool:
        """A laptop holds every record up to ``seq``; True if that became a record.

        So that receipts do not fill the journal, one is recorded for every 200 confirmed records or ten
        minutes, and none for what only confirms the last receipt. Raises NotDone for records that were never
        written here.
        """
        if seq >= self.journal.next_seq:
            text = "a laptop holds record " + str(seq) + ", which is not written here"
            self.fault("journal", text)
            raise NotDone("journal_shorter")
        self.journal.confirm(seq)
        now = self.clock.uptime_ms()
        fresh = seq - self.fold.confirmed
        due = self._receipt_ms is None or now - self._receipt_ms >= _RECEIPT_MS
        if seq <= self._receipt_at or (fresh < _RECEIPT_RECORDS and not due):
            return False
        self._receipt_ms = now
        return self._quietly("receipt", {"journal": self.journal.id, "seq": seq}) is not None

    def fault(self, task: str, error) -> None:
        """Record that something failed; never raises. Many of the same in one boot are only printed."""
        if isinstance(error, Exception) and hasattr(sys, "print_exception"):
            sys.print_exception(error)
        text = records.clean(error if isinstance(error, str) else repr(error), 160)
        key = task + ": " + text
        count = self._repeats.get(key, 0)
        if self._noting or count >= _SAME_FAULT:
            print("fault", key)
            return
        if len(self._repeats) >= 32:
            self._repeats.clear()
        self._repeats[key] = count + 1
        self._noting = True
        try:
            self._quietly("fault", {"task": records.clean(task, 16) or "?", "error": text})
        finally:
            self._noting = False

    def idle(self) -> None:
        """For quiet moments: report damage that was found in the journal, erase ahead."""
        faults = self.journal.faults
        while self._told < len(faults):
            what, seq, count = faults[self._told]
            self._told += 1
            if what == "lost":
                text = "records from " + str(seq) + " are lost: " + str(count)
            elif what == "header":
                text = "a sector header is damaged before record " + str(seq)
            elif what == "before":
                text = "the records before " + str(seq) + " are unreadable"
            else:
                text = "the journal was unreadable, a new one was begun"
            if "journal: " + text not in self._repeats:
                self.fault("journal", text)
        self.journal.prepare()

    # Inside

    def _day_start(self):
        # The seq of the newest day_opened, or of the first record held.
        end = self.journal.next_seq
        for first in self.journal.sectors():
            found = 0
            for seq, view in self.journal.read_from(first):
                if seq >= end:
                    break
                if len(view) > 1 and view[0] == 0x86 and view[1] == _DAY_OPENED:
                    found = seq
            if found:
                return found
            end = first
        return self.journal.first_seq

    def _replay(self, start):
        # Fold from there; returns the journal faults that are recorded already.
        known = {}
        for seq, view in self.journal.read_from(start):
            try:
                record = records.decode(bytes(view))
            except HubError:
                self.journal.faults.append(("lost", seq, 1))
                continue
            if self.fold.journal_id is not None:
                self.fold.skip(seq)
            self._apply(record)
            if record.kind == "fault" and record.body["task"] == "journal":
                known["journal: " + record.body["error"]] = 1
        return known

    def _apply(self, record):
        self.fold.apply(self.journal.id, record)
        if record.kind == "day_opened":
            self.journal.keep_from = record.seq
        elif record.kind == "receipt":
            self._receipt_at = record.seq

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

    def _quietly(self, kind, fields):
        # A record that nobody waits for: when it cannot be written, life goes on.
        try:
            return self.record(kind, fields)
        except HubError as error:
            print("not recorded:", kind, error)
            return None


def _result(record, already):
    result = {"seq": record.seq, "already": already}
    for field, name in (
        ("label", "ticket"),
        ("chair", "chair"),
        ("deferred", "deferred"),
        ("undone", "undone"),
    ):
        if field in record.body:
            result[name] = record.body[field]
    return result
