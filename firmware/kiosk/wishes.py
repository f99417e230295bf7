"""From a wish to its record: the part of kiosk.hub.KioskHub that gives way where memory lacks."""

from hubcore import records
from hubcore.classes import EMERGENCY, class_of
from hubcore.compat import const
from hubcore.errors import HubError, Refused
from kiosk.hub import TURNS, NotDone
from services.journal import JournalError, JournalFull
from tasks.forget import fetch, forget, room, shed

_NEEDS = const(4096)  # bytes: no record takes more to be applied (tests/hubcore/test_both.py)


def wish(hub, name: str, args: dict, cmd) -> dict:
    """As KioskHub.wish."""
    if name == "staff_list" and hub.staff:
        return {"seq": 0, "already": False, "staff": list(hub.staff.names())}
    if cmd is not None and hub.fold.done(cmd[0], cmd[1]):
        return _again(hub, cmd)
    if name == "alert_ack" and hub.alarm and args.get("alert") is None:
        hub.alert(None)
        return {"seq": 0, "already": False}
    code = None
    try:
        if name in ("checkin", "promise") and _coded(hub, name, args):
            code, mac = hub.codes.fresh(hub.fold.by_code)
            args = dict(args)
            args["code"] = mac
        kind, fields = _roomy(
            "hubcore.desk", "decide", hub.fold, name, args, hub.now_ms(), hub.rnd, cmd, hub.letter
        )
        pin = "staff" in fields
        if pin:
            if not hub.staff:
                raise Refused("unknown_command")
            if kind == "staff_set":
                hub.staff.set(fields["staff"], args.get("pin"))
            else:
                hub.staff.remove(fields["staff"])
    except Refused as refused:
        done = None if cmd is None else hub.note(*fetch("hubcore.desk").refusal(name, refused, cmd))
        raise NotDone(refused.reason, refused.about, done.seq if done else 0) from None
    try:
        made = record(hub, kind, fields)
    except HubError:
        if pin:
            hub.staff.restore(fields["staff"])
        elif kind == "alert_raised":
            hub.alert("emergency" if fields["why"] == "emergency" else "help")
        elif kind == "checkin" and records.urgent(kind, fields):
            hub.alert("emergency")
        raise
    result = _result(made, False)
    if code:
        result["code"] = code
    return result


def withdraw(hub, presses: str) -> "list | None":
    """As KioskHub.withdraw."""
    if hub.fold.code_pause_ms(hub.now_ms()) or hub.worn or not hub.journal.room(True):
        raise NotDone("code_paused")
    found = hub.fold.by_code(hub.codes.mac(presses))
    if not found:
        wish(hub, "code_miss", {}, None)
    return found or None


def record(hub, kind: str, fields: dict):
    """As KioskHub.record."""
    forget(*TURNS)
    journal = hub.journal
    code, body = _roomy("hubcore.writing", "build", kind, fields)
    seq = journal.next_seq
    uptime_ms, clock_s = hub.clock.uptime_ms(), hub.clock.utc_s()
    raw = _roomy("hubcore.writing", "encode", code, seq, journal.boot, uptime_ms, clock_s, body)
    # Once it is written it must be applied, so what that needs is there before. What is garbage is collected
    # only if it stands in the way: that takes longer than all else here.
    _roomy("hubcore.steps", "ready", kind)
    if not room(_NEEDS):
        _roomy("hubcore.steps", "ready", kind)
    try:
        journal.append_raw(raw, records.urgent(kind, fields))
    except JournalFull:
        hub.health.set("journal", True, "the journal is full")
        raise NotDone("journal_full") from None
    except JournalError:
        hub.wear()
        raise NotDone("journal_worn") from None
    said = {name: value for name, value in fields.items() if value is not None}
    made = records.Record(kind, code, seq, journal.boot, uptime_ms, clock_s, said, raw)
    hub.apply(made)
    forget(*TURNS)
    for listener in hub.listeners:
        try:
            listener(made)
        except Exception as error:  # noqa: BLE001 - a screen's failure must not undo the record
            hub.fault("listener", error)
    if kind == "day_opened" and clock_s is None and "clock" not in hub.health.standing:
        hub.fault("clock", "the day was opened with the clock unknown")
    return made


def _roomy(module, name, *args):
    # Calls what changes nothing: where memory lacks, once more without all that others can do without.
    try:
        return getattr(fetch(module), name)(*args)
    except MemoryError:
        shed()
        return getattr(fetch(module), name)(*args)


def _coded(hub, name, args):
    # Whether this wish makes a ticket that needs a code: a promise redeemed has its own, and an emergency
    # none, since it is not given up by pressing keys. Raises Refused.
    try:
        if class_of(args.get("need")) == EMERGENCY:
            return False
    except (KeyError, TypeError):
        pass  # the desk refuses it, or the promise knows it
    if name == "checkin" and hub.left_over and args.get("by") != "staff":
        raise Refused("day_closed")
    return args.get("code") is None and args.get("promise") is None


def _again(hub, cmd):
    # A command that was done before: the same answer, from its record if that is still at hand.
    seq = hub.fold.issuer_seq.get(cmd[0], 0)
    raw = hub.journal.read(seq) if seq and hub.fold.issuers.get(cmd[0]) == cmd[1] else None
    if raw is None:
        return {"seq": 0, "already": True}
    found = records.decode(raw)
    if found.kind == "command_done":
        raise NotDone(found.body["reason"], "", seq)
    return _result(found, True)


def _result(made, already):
    result = {"seq": made.seq, "already": already}
    for field, name in (
        ("label", "ticket"),
        ("others", "others"),
        ("chair", "chair"),
        ("deferred", "deferred"),
        ("undone", "undone"),
    ):
        if field in made.body:
            result[name] = made.body[field]
    return result
