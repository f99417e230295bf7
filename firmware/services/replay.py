"""At the start of the kiosk: from the records that the journal holds to the state of the hub."""

from hubcore import reading
from hubcore.compat import const
from hubcore.errors import HubError

_DAY_OPENED = const(2)


def day_start(journal) -> int:
    """The seq from which to fold: the newest day_opened, or that of the day before while promises of it
    stand; without any, the first record held."""
    within = found = since = 0
    for number, seq, view in journal.newest(_DAY_OPENED):
        if found and number != within:
            break
        try:
            since = reading.decode(view).body.get("since") or seq
            found = seq
            within = number
        except HubError:
            pass
    return max(since, journal.first_seq)


def replay(journal, fold, apply) -> dict:
    """Fold the journal: ``apply(record)`` for each record since the day's start.

    Returns the journal's faults that are recorded already, as keys of ``KioskHub.fault``.
    """
    known = {}
    record = None  # one for all of them: what they hold goes into the fold, they do not
    for seq, view in journal.read_from(day_start(journal)):
        try:
            record = reading.replay(view, record)
        except HubError:
            journal.faults.append(("lost", seq, 1))
            record = None
            continue
        if fold.journal_id is not None:
            fold.skip(seq)
        apply(record)
        if record.kind == "fault" and record.body["task"] == "journal":
            known["journal: " + record.body["error"]] = 1
    fold.skip(journal.next_seq)
    return known


def told(fault: tuple) -> str:
    """A fault of the journal in words."""
    what, seq, count = fault
    if what == "lost":
        return "records from " + str(seq) + " are lost: " + str(count)
    if what == "header":
        return "a sector header is damaged before record " + str(seq)
    if what == "before":
        return "the records before " + str(seq) + " are unreadable"
    return "the journal was unreadable, a new one was begun"
