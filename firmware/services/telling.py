"""What the kiosk says at length or unasked: runs of records, notices (docs/link.md, Requests)."""

import time

from hubcore.compat import const
from hubcore.messages import message

_NOTICE = const(2)  # as in hubcore.requests, which is in memory only while a request is answered
_CANCELLED = const(9)
_LATE = const(10)
_TOPIC_HEAD = const(1)
_TOPIC_ALERT = const(2)
_MOST_RUN = const(2700)  # bytes of a run: two parts, mostly
_MOST_PART = const(1380)  # and of what is encrypted at once: less than a window, for what a cut costs
_START = const(18)  # what a run's head takes, at most


def stop(session, status: int = _CANCELLED) -> None:
    """End a pull under way, if there is one."""
    if session.pull:
        session.reply(session.pull[0], status, {})
        session.pull = None


def run(session):
    """What comes next of the replies to a pull, made in the scratch memory straight from the journal, and to
    be encrypted before anything else is made there; None: it is late.

    Whole records, whose bytes a reply's head counts: ``session.rest`` has (their first seq, bytes) while some
    of a reply is still to come. Raises OSError if they are no longer there.
    """
    gate = session.gate
    buf = gate.out
    pull = session.pull
    rest = session.rest
    if rest:
        seq, most = rest
        left = most
    else:
        number, seq, left, until = pull
        most = _MOST_RUN
        if until is not None and time.ticks_diff(until, time.ticks_ms()) <= 0:
            stop(session, _LATE)
            return None
    first = later = seq
    at = _START
    size = 0
    over = True
    # Each time it finds its place anew: a reader that stayed would need a buffer of its own.
    for found, view in gate.hub.journal.read_from(seq, gate.window):
        if not left:
            break
        over = False
        if found != seq:
            if not size:
                first = seq = found  # what lies before is not readable: an empty run says so
            break
        n = len(view)
        if size + n > most or (rest and size + n > _MOST_PART):
            break
        size += n
        seq += 1
        left -= 1
        if size <= _MOST_PART:
            buf[at : at + n] = view
            at += n
            later = seq
    start = _START
    if rest:
        if first != rest[0] or not size:
            raise OSError
    else:
        session.pull = None if over else [number, seq, left, until]
        # The head is written so that it ends where the records begin.
        head = bytearray(b"\0\0\x85\x01") + _number(0, number) + b"\0\x82" + _number(0, first)
        head += _number(0x40, size)
        start -= len(head)
        n = _START + size - start - 1
        head[0] = n >> 8
        head[1] = n & 255
        buf[start:_START] = head
        most = size
    most -= at - _START
    session.rest = (later, most) if most else None
    if not most:
        buf[at] = 0xF4 if over else 0xF5
        at += 1
    return buf[start:at]


def head(journal) -> bytes:
    """The notice of the journal's head."""
    return message((_NOTICE, _TOPIC_HEAD, [journal.id, journal.next_seq]))


def alert(hub, record):
    """The notice of an alert that this record raised or acknowledged, or None."""
    body = record.body
    if record.kind == "alert_acknowledged":
        value = {0: body["alert"], 1: "", 2: None, 3: 0}
    else:
        alert = hub.fold.alerts.get(record.seq)
        if alert is None:
            return None
        value = {0: record.seq, 1: alert.why, 2: alert.label, 3: alert.level(hub.now_ms())}
    return message((_NOTICE, _TOPIC_ALERT, value))


def _number(major, n):
    # A CBOR head below 2^32, in its shortest form.
    if n < 24:
        return bytes((major | n,))
    size = 0 if n < 256 else 1 if n < 65536 else 2
    return bytes((major | 0x18 + size,)) + n.to_bytes(1 << size, "big")
