"""What is seldom asked over the link: health, log, settings, files, revocation. In memory only meanwhile."""

import gc
import os
import sys

from hubcore import requests
from hubcore.compat import const
from hubcore.errors import HubError, Refused, RequestError
from tasks.forget import fetch, forget

_MOST = const(1024)  # bytes of a file in a reply
_NAMES = const(24)  # entries of a folder in a reply
_RATES = ("115200", "230400", "460800", "921600")
_DEFAULTS = {"radio": "1", "rate": "921600"}  # and tz: what the program was built with
_OTHER = "/other"  # where the slot that does not run is mounted while it is asked for


def answer(session, op: int, args: dict):
    """The result. Raises RequestError, Refused, HubError."""
    gate = session.gate
    if op == requests.HEALTH:
        return _health(gate)
    if op == requests.LOGS:
        at, data = gate.log.read_from(_count(args.get(0, 0)))
        return {0: at, 1: data, 2: at + len(data)}
    if op == requests.CONFIG_GET:
        return settings(gate.hub)
    if op == requests.CONFIG_SET:
        return _set(gate, args.get(0), args.get(1))
    if op == requests.REVOKE:
        return _revoke(gate, args.get(0))
    return _files(gate, op, args)


def settings(hub) -> dict:
    """What is set, by name: texts."""
    values = dict(_DEFAULTS, tz=hub.watch.tz)
    try:
        store = hub.secrets()
        for name in values:
            kept = store.get("c." + name)
            if kept is not None:
                values[name] = kept.decode()
    finally:
        forget("services.keys")
    return values


def apply(gate, values: dict) -> None:
    """Let settings hold from now on."""
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
    apply(gate, settings(gate.hub))
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
        list(requests.VERSIONS),
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
        if not identity.take_list(part, identity.load(part)[4], blob):
            raise Refused("bad_list")
        for session in gate.ways.values():
            if session.role and identity.revoked(part, session.serial):
                session.end(6)
    finally:
        forget("services.identity")
    return {}


def _files(gate, op, args):
    path = args.get(0)
    if not isinstance(path, str) or path[:1] != "/" or ".." in path.split("/") or len(path) > 128:
        raise RequestError("a path begins with / and has at most 128 characters")
    other = path == _OTHER or path.startswith(_OTHER + "/")
    writes = op == requests.FILE_WRITE or op == requests.FILE_REMOVE
    if writes and not other:
        raise Refused("read_only", path)
    try:
        if other:
            _mount(gate.slot, op == requests.FILE_WRITE)
        try:
            if op == requests.FILE_LIST:
                return _list(path, _count(args.get(1, 0)))
            if op == requests.FILE_REMOVE:
                os.remove(path)
                return {}
            at = _count(args.get(1, 0))
            if op == requests.FILE_READ:
                return _read(path, at, min(_count(args.get(2, _MOST)), _MOST))
            return _write(path, at, args.get(2))
        finally:
            if other:
                os.umount(_OTHER)
    except OSError as error:
        raise HubError("The kiosk cannot: " + path + ": " + str(error)) from None


def _list(path, first):
    # From the first-th entry on: [name, size or -1 for a folder].
    found = []
    for entry in os.ilistdir(path):
        if first > 0:
            first -= 1
        elif len(found) < _NAMES:
            size = -1 if entry[1] & 0x4000 else entry[3] if len(entry) > 3 else 0
            found.append([entry[0], size])
    return found


def _read(path, at, most):
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(min(at, size))
        return {0: file.read(most), 1: size}


def _write(path, at, data):
    if not isinstance(data, bytes):
        raise RequestError("what is to be written is bytes")
    folder = _OTHER
    for name in path.split("/")[2:-1]:
        folder += "/" + name
        try:
            os.mkdir(folder)
        except OSError:
            pass  # it is there
    with open(path, "r+b" if at else "wb") as file:
        file.seek(at)
        file.write(data)
        return {0: file.seek(0, 2)}


def _mount(running, make):
    import vfs
    from esp32 import Partition

    part = Partition.find(Partition.TYPE_DATA, label="app_a" if running else "app_b")[0]
    try:
        system = vfs.VfsLfs2(part)
    except OSError:
        if not make:
            raise
        vfs.VfsLfs2.mkfs(part)
        system = vfs.VfsLfs2(part)
    vfs.mount(system, _OTHER)


def _count(value):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 0x40000000:
        raise RequestError("a number is missing")
    return value
