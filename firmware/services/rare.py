"""What is seldom asked over the link: health, log, settings, revocation. In memory only meanwhile."""

import gc
import sys

from hubcore.compat import const
from hubcore.errors import Refused, RequestError
from hubcore.messages import VERSIONS
from tasks.forget import fetch, forget

# As in hubcore.requests.
_HEALTH = const(8)
_LOGS = const(9)
_CONFIG_GET = const(10)
_CONFIG_SET = const(11)
_REVOKE = const(16)

_RATES = ("115200", "230400", "460800", "921600")
_DEFAULTS = {"radio": "1", "rate": "921600"}  # and tz: what the program was built with


def answer(session, op: int, args: dict):
    """The result. Raises RequestError, Refused, HubError."""
    gate = session.gate
    if op == _HEALTH:
        return _health(gate)
    if op == _LOGS:
        at, data = gate.log.read_from(count(args.get(0, 0)))
        return {0: at, 1: data, 2: at + len(data)}
    if op == _CONFIG_GET:
        return settings(gate.hub)
    if op == _CONFIG_SET:
        return _set(gate, args.get(0), args.get(1))
    if op == _REVOKE:
        return _revoke(gate, args.get(0))
    files = fetch("services.files")
    forget("services.files")
    return files.answer(gate, op, args)


def settings(hub) -> dict:
    """What is set, by name: texts."""
    values = dict(_DEFAULTS, tz=hub.watch.tz)
    if not hub.keys:
        return values
    try:
        store = hub.secrets()
        for name in values:
            kept = store.get("c." + name)
            if kept is not None:
                values[name] = kept.decode()
    finally:
        forget("services.keys")
    return values


def begin(gate) -> None:
    """Let what is set hold from now on."""
    values = settings(gate.hub)
    gate.hub.watch.tz = values["tz"]
    for session in gate.ways.values():
        if session.carrier.way == "cable":
            session.carrier.highest = int(values["rate"])
        else:
            session.carrier.switch(values["radio"] == "1")


def _set(gate, name, value):
    good = isinstance(value, str) and len(value.encode()) <= 36
    if name == "tz" and good:
        try:
            fetch("services.zone").local(value, 0)
        except (ValueError, IndexError):
            good = False
        forget("services.zone")
    elif name == "radio":
        good = value in ("0", "1")
    elif name == "rate":
        good = value in _RATES
    elif name != "tz":
        raise Refused("unknown_setting", str(name)[:16])
    if not good:
        raise Refused("bad_setting", name)
    try:
        gate.hub.secrets().set("c." + name, value.encode())
    finally:
        forget("services.keys")
    begin(gate)
    return {}


def _health(gate):
    hub = gate.hub
    gc.collect()
    counts = {}
    for way, session in gate.ways.items():
        carrier = session.carrier
        counts[way] = {
            "opened": carrier.opened,
            "refused": session.refused,
            "role": session.role or "",
        }
        if way == "cable":
            stream = carrier.stream
            counts[way].update(
                {
                    "dropped": carrier.dropped,
                    "resent": stream.resent,
                    "received": stream.received,
                    "rate": carrier.baud,
                }
            )
    health = (
        list(hub.health.standing),
        gate.about[1],
        list(VERSIONS),
        gc.mem_free(),
        [hub.journal.used, hub.journal.total],
        hub.clock.uptime_ms(),
        counts,
        gate.restarts,
        sys.version,
    )
    return dict(enumerate(health))


def _revoke(gate, blob):
    if not isinstance(blob, bytes):
        raise RequestError("a revocation list is bytes")
    part = gate.hub.keys
    identity = fetch("services.identity")
    try:
        held = identity.take_list(part, identity.load(part)[4], blob)
        if held is not None:
            raise Refused("bad_list", held)
        for session in gate.ways.values():
            if session.role and identity.revoked(part, session.serial):
                session.end(6)
    finally:
        forget("services.identity")
    return {}


def count(value) -> int:
    """A number among a request's arguments. Raises RequestError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 0x40000000:
        raise RequestError("a number is missing")
    return value
