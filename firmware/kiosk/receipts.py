"""What a laptop brings a kiosk.hub.KioskHub: the time, and what it has stored; in memory only meanwhile."""

from hubcore.compat import const
from kiosk.hub import NotDone

_CLOCK_STEP_S = const(2)
_RECEIPT_RECORDS = const(200)
_RECEIPT_MS = const(600_000)


def set_clock(hub, utc_s: int, source: str) -> bool:
    """As KioskHub.set_clock."""
    known = hub.clock.utc_s()
    if known is not None and abs(known - utc_s) < _CLOCK_STEP_S and "clock" not in hub.health.standing:
        return False
    hub.clock.set_utc(utc_s)
    noted = hub.note("clock_set", {"utc": utc_s, "source": source}) is not None
    hub.watch.ask("look")
    return noted


def receipt(hub, seq: int) -> bool:
    """As KioskHub.receipt."""
    if seq >= hub.journal.next_seq:
        hub.fault("journal", "a laptop holds records that are not written here")
        raise NotDone("journal_shorter")
    hub.watch.confirmed()
    hub.journal.confirm(seq)
    now = hub.clock.uptime_ms()
    fresh = seq - hub.fold.confirmed
    due = hub.receipt_ms is None or now - hub.receipt_ms >= _RECEIPT_MS
    if seq <= hub.receipt_at or (fresh < _RECEIPT_RECORDS and not due):
        return False
    hub.receipt_ms = now
    return hub.note("receipt", {"journal": hub.journal.id, "seq": seq}) is not None
