"""Visits are used again: nothing may be seen of that, and nothing that is still referred to may be taken."""

import pytest
from hubday import JOURNAL, Day, busy

from hubcore import records
from hubcore.fold import Hub
from hubcore.visits import MAX_EMERGENCIES, Visit


def fresh(_hub):
    return Visit("", 0, 0, "", "", "self")


@pytest.mark.parametrize("seed", range(6))
def test_visits_used_again_are_as_good_as_new_ones(seed, monkeypatch):
    mine, other = Hub(), Hub()
    monkeypatch.setattr(other, "blank", lambda: fresh(other))
    for raw in busy(seed, 300).raws:
        for hub in (mine, other):
            hub.apply(JOURNAL, records.decode(raw))
        assert mine.digest() == other.digest()


def whole(hub):
    """Every visit that is referred to, by what refers to it."""
    held = [*hub.visits.values(), *hub.promises.values(), *hub.closed.values()]
    for act in (hub.undo, *(chair.undo for chair in hub.chairs.values())):
        held += [before.visit for before in act.before] if act else []
    return held


@pytest.mark.parametrize("seed", range(6))
def test_a_visit_that_is_referred_to_is_nobody_elses(seed):
    hub = Hub()
    for raw in busy(seed, 300).raws:
        hub.apply(JOURNAL, records.decode(raw))
        held = whole(hub)
        blank = hub.blank()
        assert all(each is not blank for each in held)
        assert len(set(map(id, held))) == len({(visit.label, visit.seq) for visit in held})


def test_a_day_needs_no_visit_but_those_of_the_pool():
    day = Day().opened()
    pool = day.hub.pool
    assert len(pool) == MAX_EMERGENCIES == len(set(map(id, pool)))
    for _ in range(60):
        label = day.checkin(code=b"12345678")
        visit = day.hub.visits[label]
        assert any(visit is each for each in pool)
        day.wish("consent_give", ticket=label, purpose="study")
        day.wish("left", ticket=label)
    assert len(day.hub.closed) == 8


def test_beyond_the_pool_visits_are_made():
    day = Day().opened()
    labels = [day.checkin(size=1) for _ in range(40)] + [day.checkin("injury") for _ in range(7)]
    assert len({id(day.hub.visits[label]) for label in labels}) == 47
    day.wish("left", ticket=labels[0])
    assert day.hub.undoable() is not None
    last = day.checkin("injury")  # the act holds the one that is gone
    assert all(day.hub.visits[last] is not visit for visit in day.hub.pool), (
        "the act holds the one that is gone"
    )
    day.wish("undo")
    assert day.hub.visits[labels[0]].state == "waiting" and day.hub.visits[labels[0]].seq == 3


def test_what_came_to_a_visit_is_gone_from_the_next():
    day = Day().opened()
    visit = fresh(day.hub)
    names = ("state", "chair", "recalls", "consents", "due", "act", "rank", "code", "group", "source")
    new = {name: getattr(visit, name) for name in names}
    for name, value in zip(
        names, ("called", "1", 2, ("study",), True, 9, 3, b"12345678", "K10", "staff"), strict=True
    ):
        setattr(visit, name, value)
    visit.begin("K11", 5, -4, "uk", "cat", "self")
    assert {name: getattr(visit, name) for name in names} == new
    assert (visit.label, visit.seq, visit.arrival_s) == ("K11", 5, -4)
    assert (visit.lang, visit.pictogram) == ("uk", "cat")
