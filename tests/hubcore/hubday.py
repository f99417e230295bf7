"""A day at a hub for tests: wishes go through the desk, become records, are encoded, decoded and folded."""

import random

from hubcore import desk, records
from hubcore.classes import PURPOSES, SAID
from hubcore.errors import Refused
from hubcore.fold import COUNTS, Hub
from hubcore.labels import PICTOGRAMS

JOURNAL = b"journal1"
NEEDS_SAID = [*SAID, "toothache", "broken", "checkup", "checkup"]
STATES = ("waiting", "called", "seated", "served", "left", "deferred", "absent")


class Day:
    """One kiosk's journal, and the fold of it."""

    def __init__(self, seed=0):
        self.rng = random.Random(seed)
        self.hub = Hub()
        self.raws = []
        self.boot = 1
        self.uptime_ms = 0
        self.clock_s = None

    def sleep(self, seconds):
        self.uptime_ms += round(seconds * 1000)

    def outage(self):
        self.boot += 1
        self.uptime_ms = 0

    @property
    def now_ms(self):
        return self.hub.now_ms(self.boot, self.uptime_ms)

    def record(self, kind, **fields):
        """Write any record, whether or not the desk would."""
        code, body = records.build(kind, fields)
        raw = records.encode(code, self.hub.next_seq, self.boot, self.uptime_ms, self.clock_s, body)
        self.raws.append(raw)
        record = records.decode(raw)
        assert self.hub.apply(JOURNAL, record)
        check(self.hub)
        return record

    def wish(self, name, cmd=None, **args):
        kind, fields = desk.decide(self.hub, name, args, self.now_ms, self.rng.randbytes, cmd)
        return self.record(kind, **fields)

    def checkin(self, need="toothache", **args):
        return self.wish("checkin", need=need, **args).body["label"]

    def opened(self, chairs=("1",)):
        self.wish("day_open")
        for chair in chairs:
            self.wish("chair_open", chair=chair)
        return self


def check(hub):
    """What holds after every record."""
    counts = hub.counts
    assert set(counts) == set(COUNTS)
    assert counts["issued"] == sum(counts[state] for state in STATES)
    assert min(counts.values()) >= 0
    states = [visit.state for visit in hub.visits.values()]
    for state in STATES[:3]:
        assert counts[state] == states.count(state)
    assert len(hub.waiting) == counts["waiting"]
    seen = list(hub.order(hub.queue_ms, 10**6))
    assert {visit.label for visit in seen} == {v.label for v in hub.visits.values() if v.state == "waiting"}
    assert len(seen) == len({visit.label for visit in seen})
    for label, visit in hub.visits.items():
        assert visit.label == label
        assert (visit.chair is None) == (visit.state == "waiting")
        if visit.chair is not None:
            assert hub.chairs[visit.chair].visit == label
    assert not set(hub.visits) & set(hub.promises)
    for label, visit in hub.promises.items():
        assert (visit.label, visit.state, visit.chair) == (label, "deferred", None)
        assert hub.used.has(int(label[1:]))
    assert hub.busy[0] >= 0 and hub.busy[1] >= 0 and hub.busy[2] * hub.busy[0] >= hub.busy[1] ** 2
    for chair in hub.chairs.values():
        assert chair.visit is None or chair.since >= 0
        assert chair.visit is None or hub.visits[chair.visit].chair == chair.name


def fold(raws, journal=JOURNAL):
    """A fresh fold of encoded records."""
    hub = Hub()
    for raw in raws:
        hub.apply(journal, records.decode(raw))
    return hub


def busy(seed, steps=300, outages=True):
    """A journal of a few lively days, made of whatever comes to anybody's mind, refusals included."""
    day = Day(seed)
    rng = day.rng
    day.record("boot", cause="power", firmware="test")
    day.checkin("injury")
    day.opened()
    counter = 0
    for _ in range(steps):
        day.sleep(rng.choice((0, 0.5, 7, 40, 90)))
        if outages and rng.random() < 0.02:
            day.outage()
            day.record("boot", cause="power", firmware="test")
        if rng.random() < 0.05:
            day.clock_s = rng.choice((None, rng.randrange(2**32)))
        tickets = sorted(day.hub.visits) or ["K10"]
        at_chairs = [label for label in tickets if label in day.hub.visits and day.hub.visits[label].chair]
        ticket = rng.choice(at_chairs if at_chairs and rng.random() < 0.8 else tickets)
        chair = rng.choice(("1", "2", "A"))
        counter += 1
        cmd = (f"laptop{rng.randrange(10)}", counter)
        name, args = rng.choice(
            [("checkin", {"need": rng.choice(NEEDS_SAID), "lane": rng.choice(("any", "adult", "child"))})] * 8
            + [("call", {"chair": chair})] * 6
            + [
                (act, {"ticket": ticket})
                for act in ("recall", "seated", "seated", "served", "no_show", "left")
            ]
            * 2
            + [("undo", {}), ("undo", {"chair": chair})]
            + [("chair_open", {"chair": chair, "lanes": rng.choice(([], ["adult"], ["child"]))})] * 2
            + [("day_open", {})] * 2
            + [
                ("requeue", {"ticket": ticket}),
                ("transfer", {"ticket": ticket, "lane": rng.choice(("any", "adult", "child"))}),
                ("class", {"ticket": ticket, "need": rng.choice(NEEDS_SAID), "why": "seen", "who": "dr-x"}),
                ("defer", {"ticket": ticket}),
                ("left", {"ticket": rng.choice(sorted(day.hub.promises) or ["K10"]), "family": True}),
                ("left", {"ticket": rng.choice(tickets), "family": True}),
                ("pause", {"chair": chair, "paused": rng.random() < 0.5}),
                ("code_miss", {}),
                ("promise", {"need": rng.choice(("broken", "checkup")), "code": rng.randbytes(8)}),
                ("undo", {}),
                ("checkin", {"need": "broken", "size": rng.randrange(2, 7), "code": rng.randbytes(8)}),
            ]
            + [("checkin", {"need": None, "promise": rng.choice(sorted(day.hub.promises) or ["K10"])})] * 2
            + [("chair_close", {"chair": chair}), ("alert_raise", {"why": "help"}), ("alert_ack", {})]
            + [("alert_ack", {})] * 2
            + [
                ("consent_give", {"ticket": ticket, "purpose": rng.choice(PURPOSES)}),
                ("full_today", {"full": rng.random() < 0.3}),
            ]
            + [("consent_withdraw", {"ticket": ticket, "purpose": rng.choice(PURPOSES)})]
        )
        if name == "checkin" and "promise" not in args:
            args["pictogram"] = rng.choice(PICTOGRAMS)
        if rng.random() < 0.12:
            _rare(day, rng, ticket)
        if rng.random() < 0.01:
            evening(day)
        try:
            day.wish(name, cmd, **args)
        except Refused as refused:
            if rng.random() < 0.7:
                continue
            kind, fields = desk.refusal(name, refused, cmd)
            day.record(kind, **fields)
    return day


def evening(day):
    """Everybody at a chair is served, emergencies are seen to, the day is closed."""
    for label, visit in sorted(day.hub.visits.items()):
        if visit.chair or visit.need == "emergency":
            day.wish("left", ticket=label)
    if day.hub.day_open:
        day.wish("day_close", rest=day.rng.choice(("tomorrow", "left")))


def _rare(day, rng, ticket):
    kind, fields = rng.choice(
        [
            (
                "class_changed",
                {"label": ticket, "need": rng.choice(("emergency", "urgent", "non-urgent")), "why": "x"},
            ),
            ("requeued", {"label": ticket}),
            ("transferred", {"label": ticket, "lane": rng.choice(("adult", "child"))}),
            ("deferred", {"label": ticket}),
            ("clock_set", {"utc": rng.randrange(2**33), "source": "laptop"}),
            ("fault", {"task": "ui", "error": "ValueError: no"}),
            ("receipt", {"journal": JOURNAL, "seq": max(1, day.hub.next_seq - 1)}),
            ("corrected", {"undone": rng.randrange(1, day.hub.next_seq + 1), "chair": "1", "why": "x"}),
            ("served", {"label": ticket}),
            ("staff_signed_in", {"staff": "s1"}),
            ("staff_refused", {"why": "unknown badge"}),
            ("code_lifted", {}),
            ("code_missed", {}),
            ("staff_set", {"staff": "s1", "who": "s2"}),
            ("staff_removed", {"staff": "s1"}),
            ("staff_signed_out", {"staff": "s1"}),
            ("left", {"label": ticket, "others": sorted(day.hub.visits)[:5] or ["K10"]}),
            ("deferred", {"label": ticket, "promise": True}),
            ("chair_paused", {"chair": "1", "paused": False}),
            ("day_closed", {"day": 1, "deferred": 0}) if rng.random() < 0.03 else ("code_lifted", {}),
            ("config_changed", {"name": "tz", "value": "UTC0"}),
        ]
    )
    day.record(kind, **fields)
