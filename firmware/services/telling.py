"""What the kiosk says at length or unasked: runs of records, notices (docs/link.md, Requests)."""

import time

from hubcore.compat import const
from hubcore.messages import message

_NOTICE = const(2)  # as in hubcore.requests, which is in memory only while a request is answered
_CANCELLED = const(9)
_LATE = const(10)
_TOPIC_HEAD = const(1)
_TOPIC_ALERT = const(2)
_MOST_RUN = const(1020)  # bytes of a run: half of what the cable has under way, for what a cut costs
_START = const(18)  # what a run's head takes, at most


def stop(session, status: int = _CANCELLED) -> None:
    """End a pull under way, if there is one."""
    if session.pull:
        session.reply(session.pull[0], status, {})
        session.pull = None


def run(session):
    """The next reply to a pull, made in the scratch memory straight from the journal; None: it is late."""
    gate = session.gate
    buf = gate.out
    pull = session.pull
    number, first, left, until = pull
    if until is not None and time.ticks_diff(until, time.ticks_ms()) <= 0:
        stop(session, _LATE)
        return None
    at = _START
    most = _MOST_RUN
    seq = first
    over = True
    # Each run finds its place anew: a reader that stayed would need a buffer of its own.
    for found, view in gate.hub.journal.read_from(first, gate.window):
        if not left:
            break
        over = False
        if found != seq:
            if at == _START:
                first = seq = found  # what lies before is not readable: an empty run says so
            break
        if at + len(view) > most:
            break
        buf[at : at + len(view)] = view
        at += len(view)
        seq += 1
        left -= 1
    buf[at] = 0xF4 if over else 0xF5
    session.pull = None if over else [number, seq, left, until]
    # The head is written so that it ends where the records begin.
    size = at - _START
    head = bytearray(b"\0\0\x85\x01") + _number(0, number) + b"\0\x82" + _number(0, first)
    head += _number(0x40, size)
    start = _START - len(head)
    size = at - start - 1
    head[0] = size >> 8
    head[1] = size & 255
    buf[start:_START] = head
    return buf[start : at + 1]


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
