"""The wall: the last three calls in turn, triangles while staff are called, nothing that flashes."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from signs_rig import Picture, Room, fastest

CALLS = [(1000, "call('K47', '2')"), (7000, "call('A12', '1')"), (13_000, "call('X999', '3')")]


Watch = Callable[..., Room]


@pytest.fixture
def watch(tmp_path: Path, built: Path) -> Watch:
    def run(script: list[tuple[int, str]], ms: int, **options: str) -> Room:
        return Room(tmp_path, built / "wall.fnt", script, ms, **options)

    return run


def lit(picture: Picture) -> set[tuple[int, int]]:
    return {(x, y) for y, row in enumerate(picture) for x, on in enumerate(row) if on}


def at(room: Room, ms: int) -> Picture:
    return [picture for when, picture in room.wall if when <= ms][-1]


def test_one_call_stands_still_on_all_rows_and_then_nothing_is_sent(watch: Watch) -> None:
    room = watch([(1000, "call('K47', '2')")], 120_000)
    assert not lit(at(room, 900)), "nobody is called: dark"
    call = lit(at(room, 2000))
    # Capitals of 14 LEDs use the whole 16 with a dark row above and below.
    assert {y for _, y in call} == set(range(1, 15))
    assert len(room.wall) == 2
    assert max(room.latches) < 1200
    assert not room.violations


def test_an_arrow_stands_between_label_and_chair(watch: Watch) -> None:
    picture = at(watch([(1000, "call('K47', '2')")], 2000), 1500)
    columns = [sum(row[x] for row in picture) for x in range(96)]
    heights = [columns[x : x + 5] for x in range(92)]
    assert [9, 7, 5, 3, 1] in heights


def test_the_newest_is_seen_at_once_and_the_last_three_take_turns(watch: Watch) -> None:
    room = watch(CALLS, 40_000)
    k47, a12, x999 = at(room, 2000), at(room, 8000), at(room, 14_000)
    assert len({k47, a12, x999}) == 3
    assert at(room, 7100) == a12 and at(room, 13_100) == x999
    seen = [picture for when, picture in room.wall if when >= 13_000]
    assert seen[:6] == [x999, a12, k47, x999, a12, k47]
    turns = [when for when, _ in room.wall if when > 13_500]
    assert min(later - now for now, later in pairwise(turns)) >= 3980
    assert fastest(when for when, _ in room.wall) <= 2


def test_a_fourth_call_takes_the_oldest_off_the_wall(watch: Watch) -> None:
    room = watch([*CALLS, (20_000, "call('H10', '4')")], 50_000)
    k47 = at(room, 2000)
    assert k47 not in [picture for when, picture in room.wall if when > 20_000]


def test_a_recall_is_shown_at_once(watch: Watch) -> None:
    room = watch([*CALLS, (14_000, "call('X999', '3', 'recalled')"), (18_700, "tell('recalled')")], 25_000)
    x999 = at(room, 13_500)
    assert at(room, 18_600) != x999
    assert at(room, 19_300) == x999


@pytest.mark.parametrize(("why", "triangles"), [("help", 1), ("other", 1), ("emergency", 3)])
def test_triangles_alternate_with_the_call_until_acknowledged(watch: Watch, why: str, triangles: int) -> None:
    room = watch([(1000, "call('K47', '2')"), (3000, f"alert('{why}')"), (20_000, "acknowledge()")], 40_000)
    call = at(room, 2000)
    warning = at(room, 3500)
    assert warning != call
    tops = [x for x in range(96) if warning[1][x]]
    assert len(tops) == 2 * triangles, "each begins with two LEDs at its top"
    assert {picture for when, picture in room.wall if when >= 3000} == {call, warning}
    assert at(room, 39_000) == call
    assert max(room.latches) < 22_000, "then it rests"
    assert fastest(when for when, _ in room.wall) <= 2, "at most one flash a second"


def test_an_emergency_that_waits_shows_more_triangles_and_not_faster(watch: Watch) -> None:
    room = watch([(1000, "alert('emergency')")], 90_000)
    assert sum(at(room, 1500)[1]) == 6
    late = [picture for when, picture in room.wall if when > 63_000]
    assert max(sum(picture[1]) for picture in late) == 10
    assert fastest(when for when, _ in room.wall) <= 2


def test_every_call_has_its_turn_among_the_warnings(watch: Watch) -> None:
    room = watch([*CALLS, (14_000, "alert('help')")], 44_000)
    calls = {at(room, 2000), at(room, 8000), at(room, 13_900)}
    assert calls <= {picture for when, picture in room.wall if when > 14_500}


def test_many_at_once_do_not_flash_and_the_last_one_stays(watch: Watch) -> None:
    burst = [(1000 + 60 * i, f"call('K{10 + i}', '1')") for i in range(20)]
    room = watch([*burst, (2300, "alert('help')"), (2400, "acknowledge()")], 20_000)
    assert fastest(when for when, _ in room.wall) <= 3
    alone = watch([(1000, "call('K29', '1')")], 3000)
    assert room.wall[-1][1] == at(alone, 2000)


def test_a_broken_wall_stops_nothing_else(watch: Watch) -> None:
    room = watch(CALLS, 20_000, broken="wall")
    assert not any(lit(picture) for _, picture in room.wall)
    assert len(room.tones) == 6, "three chimes"
