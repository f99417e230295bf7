"""What the kiosk answers to requests (docs/link.md, Requests); in memory only meanwhile."""

import time

from hubcore import asked
from hubcore.compat import const
from services import telling

# As in hubcore.requests.
_DONE = const(0)
_HELLO = const(1)
_BAD_VERSION = const(2)
_PULL = const(2)
_UNKNOWN_OP = const(3)
_COMMAND = const(3)
_RECEIPT = const(4)
_STATE = const(5)
_OTHER_JOURNAL = const(5)
_SET_CLOCK = const(6)
_CANCEL = const(7)
_FORBIDDEN = const(8)
_BUSY = const(11)
_REVOKE = const(16)

_WRITING = const(0x848)  # a bit an op: what writes flash each time, COMMAND, SET_CLOCK and CONFIG_SET,
_EACH_MS = const(2000)  # is done once in so long,
_AT_ONCE_MS = const(400_000)  # or up to 200 times at once


def answer(session, number: int, op: int, args: dict, deadline) -> tuple:
    """(status, result); (None, None) for what is streamed; for what makes a record (None, what is to be
    called, with its arguments): then there is no room for this module too.

    Raises RequestError, Refused, HubError.
    """
    gate = session.gate
    hub = gate.hub
    journal = hub.journal
    if not asked.ROLES[session.role] >> op & 1:
        if not 0 < op <= _REVOKE:
            return _UNKNOWN_OP, {0: "This kiosk does not know request " + str(op) + "."}
        return _FORBIDDEN, {0: "A " + session.role + " may not ask this."}
    if op == _HELLO:
        return _hello(session, args)
    if _WRITING >> op & 1:
        now = hub.clock.uptime_ms()
        owed = max(session.owed, now)
        if owed - now >= _AT_ONCE_MS:
            return _BUSY, {}
        session.owed = owed + _EACH_MS
    if op == _PULL or op == _RECEIPT:
        return _records(session, number, op, args, deadline)
    if op == _COMMAND:
        cmd, name, named = asked.parse_command(args)
        # nobody else's numbers can be used up
        issuer = (session.serial[:4].hex() + cmd[0])[:16]
        return None, (hub.wish, name, named, (issuer, cmd[1]))
    if op == _STATE:
        fold = hub.fold
        room = [journal.used, journal.total]
        state = (journal.id, journal.next_seq, fold.digest(), fold.counts, fold.faults, room)
        return _DONE, dict(enumerate(state))
    if op == _SET_CLOCK:
        return None, (hub.set_clock, asked.parse_set_clock(args))
    if op == _CANCEL:
        if session.pull and session.pull[0] == args.get(0):
            telling.stop(session)
        return _DONE, {}
    return None, (session.rare, op, args)


def _hello(session, args):
    gate = session.gate
    hub = gate.hub
    journal = hub.journal
    lowest, highest, _ = asked.parse_hello(args)
    version = asked.choose_version(lowest, highest)
    if version is None:
        return _BAD_VERSION, {0: list(asked.VERSIONS)}
    telling.stop(session)
    hello = (version, gate.about[0], journal.id, journal.next_seq, journal.first_seq, "kiosk")
    hello += gate.about[1:] + (journal.boot, hub.clock.uptime_ms(), hub.clock.utc_s())
    ops = [op for op in range(1, _REVOKE + 1) if asked.ROLES[session.role] >> op & 1]
    return _DONE, dict(enumerate(hello + (ops, session.role)))


def _records(session, number, op, args, deadline):
    hub = session.gate.hub
    parts = (asked.parse_pull if op == _PULL else asked.parse_receipt)(args)
    if parts[0] != hub.journal.id:
        return _OTHER_JOURNAL, {0: "This kiosk has another journal.", 1: hub.journal.id}
    if op == _RECEIPT:
        return None, (hub.receipt, parts[1])
    telling.stop(session)
    until = None if deadline is None else time.ticks_add(time.ticks_ms(), min(deadline, 0x1FFFFFFF))
    session.pull = [number, parts[1], parts[2], until]
    return None, None
