"""To account for a hub: its state part by part, their digest, and what explains a call.

On the kiosk this module is in memory only while somebody asks.
"""

from hashlib import sha256

from hubcore import cbor
from hubcore.classes import EMERGENCY


def digest(hub) -> bytes:
    """SHA-256 over the deterministic CBOR of all that the queue depends on, part by part."""
    sha = sha256()
    for part in parts(hub):
        sha.update(cbor.dumps(part))
    return sha.digest()


def parts(hub):
    """Yield the state in a fixed order, as values that CBOR has."""
    yield [hub.journal_id, hub.next_seq, hub.boot, hub.base_ms, hub.queue_ms]
    yield [[name, hub.issuers[name], hub.issuer_seq.get(name)] for name in hub.issuers]
    yield [hub.day, hub.day_open, hub.full, hub.rates, hub.faults, hub.counts, hub.used.bits]
    yield [hub.misses, hub.code_until_ms, hub.arrived, hub.busy, of_act(hub.undo)]
    yield [len(hub.chairs), len(hub.visits), len(hub.promises), len(hub.alerts)]
    for name in sorted(hub.chairs):
        yield of_chair(hub.chairs[name])
    for visits in (hub.visits, hub.promises, hub.closed):
        for label in sorted(visits):
            yield of_visit(visits[label])
    for seq in sorted(hub.alerts):
        alert = hub.alerts[seq]
        yield [alert.seq, alert.raised_ms, alert.why, alert.label]


def of_visit(visit) -> list:
    """All of a visit."""
    return [
        visit.label,
        visit.seq,
        visit.cls,
        visit.lane,
        visit.lang,
        visit.pictogram,
        visit.source,
        visit.state,
        visit.chair,
        visit.recalls,
        visit.act,
        visit.arrival,
        visit.consents,
        visit.code,
        visit.group,
        visit.rank,
        visit.due,
    ]


def of_chair(chair) -> list:
    """All of a chair."""
    undo = of_act(chair.undo)
    return [chair.name, chair.lanes, chair.open, chair.paused, chair.visit, chair.call, chair.since, undo]


def of_act(act) -> "list | None":
    """All that an act can be undone by."""
    if act is None:
        return None
    before = []
    for each in act.before:
        chair = each.chair.name if each.chair else None
        before.append([chair, each.was, each.took, of_visit(each.visit)])
    return [act.kind, act.seq, before]


def why(hub, visit, now_ms: int) -> dict:
    """What the order knows of a visit: all that there is to explain a call."""
    waited_s = now_ms // 1000 - visit.arrival
    rate = hub.rates[visit.cls]
    return {
        "need": visit.need,
        "source": visit.source,
        "lane": visit.lane,
        "seq": visit.seq,
        "waited_s": waited_s,
        "strictly_first": visit.cls == EMERGENCY,
        "rate": rate,
        "priority": rate * waited_s,
    }


def utc_of(hub, record) -> "int | None":
    """UTC seconds of a record by its boot's last `clock_set`, else as it says itself, else None."""
    offset = hub.offsets.get(record.boot)
    return record.clock_s if offset is None else (offset + record.uptime_ms) // 1000
