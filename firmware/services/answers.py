"""What the kiosk answers to requests, and the notices that it gives (docs/link.md, Requests)."""

import gc
import time

from hubcore import requests
from hubcore.compat import const
from tasks.forget import fetch, forget

_START = const(18)  # what a run's head takes, at most


def answer(session, number: int, op: int, args: dict, deadline) -> tuple:
    """(status, result), or (None, None) for what is streamed. Raises RequestError, Refused, HubError."""
    gate = session.gate
    hub = gate.hub
    journal = hub.journal
    if not requests.ROLES[session.role] >> op & 1:
        if not 0 < op <= requests.REVOKE:
            return requests.UNKNOWN_OP, {0: "This kiosk does not know request " + str(op) + "."}
        return requests.FORBIDDEN, {0: "A " + session.role + " may not ask this."}
    if op == requests.HELLO:
        lowest, highest, _ = requests.parse_hello(args)
        version = requests.choose_version(lowest, highest)
        if version is None:
            return requests.BAD_VERSION, {0: list(requests.VERSIONS)}
        stop(session)
        hello = (version, gate.about[0], journal.id, journal.next_seq, journal.first_seq, "kiosk")
        hello += gate.about[1:] + (journal.boot, hub.clock.uptime_ms(), hub.clock.utc_s())
        ops = [op for op in range(1, requests.REVOKE + 1) if requests.ROLES[session.role] >> op & 1]
        return requests.DONE, dict(enumerate(hello + (ops, session.role)))
    if op == requests.PULL or op == requests.RECEIPT:
        parse = requests.parse_pull if op == requests.PULL else requests.parse_receipt
        parts = parse(args)
        if parts[0] != journal.id:
            return requests.OTHER_JOURNAL, {0: "This kiosk has another journal.", 1: journal.id}
        if op == requests.RECEIPT:
            hub.receipt(parts[1])
            return requests.DONE, {}
        stop(session)
        until = None if deadline is None else time.ticks_add(time.ticks_ms(), min(deadline, 0x1FFFFFFF))
        session.pull = [number, parts[1], parts[2], until]
        return None, None
    if op == requests.COMMAND:
        cmd, name, named = requests.parse_command(args)
        result = hub.wish(name, named, cmd)
        return requests.DONE, {0: result.pop("seq"), 1: result.pop("already"), 2: result}
    if op == requests.STATE:
        fold = hub.fold
        room = [journal.used, journal.total]
        state = (journal.id, journal.next_seq, fold.digest(), fold.counts, fold.faults, room)
        return requests.DONE, dict(enumerate(state))
    if op == requests.SET_CLOCK:
        hub.set_clock(requests.parse_set_clock(args))
        return requests.DONE, {}
    if op == requests.CANCEL:
        if session.pull and session.pull[0] == args.get(0):
            stop(session)
        return requests.DONE, {}
    try:
        return requests.DONE, fetch("services.rare").answer(session, op, args)
    finally:
        forget("services.rare")
        gc.collect()


def stop(session, status: int = requests.CANCELLED) -> None:
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
        stop(session, requests.LATE)
        return None
    at = _START
    most = min(len(buf), requests.MOST_SAID + 2) - 1
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
    head = bytearray(b"\0\0\x85\x01") + _number(0, number) + bytes((requests.DONE, 0x82)) + _number(0, first)
    head += _number(0x40, size)
    start = _START - len(head)
    size = at - start - 1
    head[0] = size >> 8
    head[1] = size & 255
    buf[start:_START] = head
    return buf[start : at + 1]


def head(journal) -> bytes:
    """The notice of the journal's head."""
    return requests.message((requests.NOTICE, requests.TOPIC_HEAD, [journal.id, journal.next_seq]))


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
    return requests.message((requests.NOTICE, requests.TOPIC_ALERT, value))


def _number(major, n):
    # A CBOR head below 2^32, in its shortest form.
    if n < 24:
        return bytes((major | n,))
    size = 0 if n < 256 else 1 if n < 65536 else 2
    return bytes((major | 0x18 + size,)) + n.to_bytes(1 << size, "big")
