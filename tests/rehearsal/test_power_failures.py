"""Whatever the power does, everybody gets exactly one ticket, and laptop and kiosk agree."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from clinic_rig import a_hub, a_visitor, crowded, one_day, play

from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.people import Visitors

# What went wrong once. 9, 47: an emergency's kept ticket was taken for somebody else's; 17: a ticket was
# called and then never shown again; 25: an outage shorter than a visitor's patience.
_SEEDS = (9, 17, 25, 47)
_FLASH_OPERATIONS = 2  # of a check-in; one more is waited for in vain
_TEARS = (0.0, 0.5, 1.0)
_BACK_S = 3.0


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_crowded_day_with_outages_adds_up(seed: int, tmp_path: Path) -> None:
    today = crowded(seed)
    report, console = one_day(tmp_path, today, seed)
    assert report.ok, report
    assert report.visitors == len(today.visitors)
    assert report.power_failures == len(today.outages)
    assert "Traceback" not in console


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 330))
def test_many_crowded_days_add_up(seed: int, tmp_path: Path) -> None:
    test_a_crowded_day_with_outages_adds_up(seed, tmp_path)


def _shows_a_new_ticket(hub: SimulatedHub, visitors: Visitors) -> bool:
    """The ticket of the visitor before may be shown again instead: that is not what they chose or saw."""
    return hub.eyes.heading() != visitors._idle and visitors._mine(hub.eyes.picture())


def test_a_cut_in_any_flash_operation_of_a_check_in_leaves_no_ticket_or_one_that_is_shown(
    tmp_path: Path,
) -> None:
    with a_hub(tmp_path) as hub:
        happened = 0
        kept = 0

        async def cut_once(visitors: Visitors, operation: int, tear: float) -> bool:
            issued = hub.laptop.fold.counts["issued"]
            press = hub.press

            def armed(key: str) -> None:
                if visitors._last_answer and key == "yes":
                    hub.board.arm_cut(operation, tear)
                press(key)

            hub.press = armed
            try:
                with contextlib.suppress(Dead):
                    await visitors._answer(a_visitor())
            finally:
                hub.press = press
            await asyncio.sleep(0.5)
            cut = not hub.board.powered
            await hub.fail_power(1)
            shown = _shows_a_new_ticket(hub, visitors)
            await asyncio.sleep(_BACK_S)
            await hub.laptop.until(lambda fold: fold.boot == hub.board.stats.boots)
            assert hub.laptop.fold.counts["issued"] - issued == int(shown)
            assert shown or cut, "a ticket that was on the panel is gone"
            nonlocal kept
            kept += shown and cut
            return cut

        async def scene(visitors: Visitors) -> None:
            nonlocal happened
            visitors._boots = 1
            for operation in range(1, _FLASH_OPERATIONS + 2):
                for tear in _TEARS:
                    visitors._boots = hub.board.stats.boots
                    happened += await cut_once(visitors, operation, tear)

        play(hub, scene)
        # The check-in's own operations are cut, and only a whole last one leaves a ticket.
        assert happened >= len(_TEARS)
        assert kept >= 1


def test_a_cut_at_any_moment_after_the_last_key_leaves_no_ticket_or_one_that_is_shown(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        outcomes: list[bool] = []

        async def scene(visitors: Visitors) -> None:
            await hub.laptop.command("chair_open", {"chair": "1", "lanes": ["any"]})
            for number in range(12):
                issued = hub.laptop.fold.counts["issued"]
                visitors._boots = hub.board.stats.boots
                press = hub.press

                def cut_soon(key: str, press=press, number=number) -> None:
                    press(key)
                    if visitors._last_answer and key == "yes":
                        hub.kernel.loop.call_later(0.004 + 0.010 * number, hub.board.power_cut)

                hub.press = cut_soon
                try:
                    with contextlib.suppress(Dead):
                        await visitors._answer(a_visitor(number, emergency=number % 3 == 2))
                finally:
                    hub.press = press
                await asyncio.sleep(0.5)
                assert not hub.board.powered
                await hub.fail_power(1)
                shown = _shows_a_new_ticket(hub, visitors)
                await hub.laptop.until(lambda fold: fold.boot == hub.board.stats.boots)
                assert hub.laptop.fold.counts["issued"] - issued == int(shown), number
                outcomes.append(shown)

        play(hub, scene)
        assert set(outcomes) == {True, False}


def test_a_ticket_that_is_called_before_it_is_read_is_shown_again(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:

        async def scene(visitors: Visitors) -> None:
            await hub.laptop.command("chair_open", {"chair": "1", "lanes": ["any"]})
            visitors._boots = hub.board.stats.boots
            await visitors._answer(a_visitor())
            await hub.eyes.still()
            ticket = hub.eyes.ticket()
            await hub.laptop.command("call", {"chair": "1"})
            await hub.fail_power(1)
            assert ticket is not None
            assert hub.eyes.ticket() == ticket

        play(hub, scene)
