"""The sounder and the status light: what calls, what alarms, and that neither is ever too fast."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from signs_rig import Room, fastest

GREEN = (0, 40, 0)
DIM = (2, 2, 2)
AMBER = (70, 28, 0)


Watch = Callable[..., Room]


@pytest.fixture
def watch(tmp_path: Path, built: Path) -> Watch:
    def run(script: list[tuple[int, str]], ms: int) -> Room:
        room = Room(tmp_path, built / "wall.fnt", script, ms)
        assert not room.violations
        # Neither sound nor light changes faster than three times on and off a second.
        assert fastest(when for _, when, _ in room.tones) <= 3
        assert fastest(when for when, _ in room.light if when > 0) <= 3
        return room

    return run


def between(room: Room, first: int, last: int) -> list[int]:
    return [freq for freq, start, _ in room.tones if first <= start < last]


def colour(room: Room, ms: int) -> tuple[int, int, int]:
    return [c for when, c in room.light if when <= ms][-1]


def test_each_call_and_recall_chimes_once(watch: Watch) -> None:
    room = watch(
        [
            (1000, "call('K47', '2')"),
            (10_000, "call('A12', '1')"),
            (20_000, "tell('recalled')"),
            (30_000, "tell('seated')"),
        ],
        60_000,
    )
    chime = between(room, 1000, 5000)
    assert len(chime) == 2
    assert between(room, 10_000, 15_000) == between(room, 20_000, 25_000) == chime
    assert len(room.tones) == 6


@pytest.mark.parametrize(("state", "chimes"), [("called", 1), ("seated", 0)])
def test_after_the_power_came_back_a_call_that_stands_is_repeated_once(
    watch: Watch, state: str, chimes: int
) -> None:
    stood = f"hub.fold.made = [('K47', '2')]; hub.fold.visits['K47'] = Thing(state='{state}')"
    room = watch([(-1, stood), (5000, "tell('receipt')"), (9000, "call('A12', '1')")], 30_000)
    assert len(between(room, 0, 8000)) == 2 * chimes
    assert len(room.tones) == 2 * chimes + 2
    assert any(any(row) for row in room.wall[0][1]), "and the wall shows it"


def test_an_emergency_sounds_until_acknowledged(watch: Watch) -> None:
    room = watch([(1000, "alert('emergency')"), (30_000, "acknowledge()")], 60_000)
    times = [start for _, start, _ in room.tones]
    assert min(times) < 1200
    gaps = [later - now for now, later in pairwise(times)]
    assert max(gaps) <= 2000, "it never pauses for long"
    assert max(end for _, _, end in room.tones) < 31_000


def test_an_emergency_escalates_after_a_minute(watch: Watch) -> None:
    room = watch([(1000, "alert('emergency')")], 120_000)
    early = between(room, 5000, 55_000)
    late = between(room, 65_000, 115_000)
    assert set(late) != set(early)
    assert len(late) > 1.5 * len(early), "more of it"


def test_help_is_soft_and_comes_back_every_twenty_seconds(watch: Watch) -> None:
    room = watch([(1000, "alert('help')"), (50_000, "acknowledge()")], 100_000)
    starts = [start for _, start, _ in room.tones][::2]
    assert len(starts) == 3
    assert [round((start - starts[0]) / 1000) for start in starts] == [0, 20, 40]
    assert max(freq for freq, _, _ in room.tones) < 600, "lower than a call or an alarm"


def test_a_call_is_heard_through_an_alarm_and_the_alarm_goes_on(watch: Watch) -> None:
    room = watch([(1000, "alert('emergency')"), (10_500, "call('K47', '2')")], 30_000)
    alone = watch([(1000, "call('K47', '2')")], 5000)
    chime = between(alone, 0, 5000)
    heard = between(room, 10_500, 14_000)
    assert any(heard[i : i + 2] == chime for i in range(len(heard)))
    assert between(room, 20_000, 25_000)


def test_a_call_does_not_swallow_help(watch: Watch) -> None:
    room = watch([(1000, "hub.fold.alerts[1] = Alert(why='help', raised_ms=0); call('K47', '2')")], 6000)
    assert len(room.tones) == 4
    starts = [start for _, start, _ in room.tones]
    assert 1480 <= starts[2] - starts[0] <= 1700, "after the chime has come to its end"


def test_a_call_for_help_that_has_no_record_counts_too(watch: Watch) -> None:
    room = watch([(1000, "unrecorded('emergency')"), (10_000, "unrecorded(None)")], 20_000)
    assert between(room, 1000, 9000) and not between(room, 11_000, 20_000)


def test_an_emergency_without_a_record_escalates_as_one_with_it(watch: Watch) -> None:
    without = watch([(1000, "unrecorded('emergency')")], 90_000)
    recorded = watch([(1000, "alert('emergency')")], 90_000)
    assert without.tones == recorded.tones and without.light == recorded.light
    assert [picture for _, picture in without.wall] == [picture for _, picture in recorded.wall]
    help_wanted = watch([(1000, "unrecorded('help')")], 90_000)
    assert between(help_wanted, 65_000, 85_000) == between(help_wanted, 5000, 25_000), "help never does"


def test_the_light_says_how_things_stand(watch: Watch) -> None:
    room = watch(
        [
            (2000, "hub.fold.day_open = False; tell('day_closed')"),
            (4000, "health.standing = ('wall',); signs.changed()"),
            (6000, "health.standing = (); hub.fold.day_open = True; signs.changed()"),
        ],
        30_000,
    )
    assert [colour(room, ms) for ms in (1000, 3000, 5000, 7000)] == [GREEN, DIM, AMBER, GREEN]
    assert max(when for when, _ in room.light) < 7000, "it stands still"


@pytest.mark.parametrize(("why", "colours"), [("help", 2), ("emergency", 2)])
def test_the_light_blinks_slowly_for_an_alert_whatever_else_is_wrong(
    watch: Watch, why: str, colours: int
) -> None:
    room = watch(
        [
            (1000, "health.standing = ('clock',); signs.changed()"),
            (3000, f"alert('{why}')"),
            (20_000, "acknowledge()"),
        ],
        40_000,
    )
    seen = {c for when, c in room.light if 3300 < when < 20_000}
    assert len(seen) == colours
    changes = [when for when, _ in room.light if 3300 < when < 20_000]
    assert 14 <= len(changes) <= 18, "half a flash a second"
    if why == "emergency":
        assert all(green == blue == 0 for _, green, blue in seen)
    else:
        assert all(blue > 0 for _, _, blue in seen)
    assert colour(room, 30_000) == AMBER


def test_an_emergency_that_waits_blinks_faster_and_still_slowly(watch: Watch) -> None:
    room = watch([(1000, "alert('emergency')")], 90_000)
    late = [when for when, _ in room.light if 65_000 < when < 85_000]
    assert 36 <= len(late) <= 42, "one flash a second"


def test_many_alerts_at_once_do_not_flash(watch: Watch) -> None:
    script = []
    for i in range(10):
        script += [(1000 + 200 * i, "alert('emergency')"), (1100 + 200 * i, "acknowledge()")]
    room = watch(script, 10_000)
    assert colour(room, 9000) == GREEN
