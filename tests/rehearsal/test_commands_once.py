"""A command is carried out exactly once, whatever happens to the link or the power around it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from clinic_rig import a_hub, crowded

from hubcore.records import Record
from smilehub.link.messages import Done
from smilehub.rehearsal import day
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.linkport import LinkPort


def _cable(hub: SimulatedHub) -> LinkPort:
    link = hub.uarts.links["link"]
    assert isinstance(link, LinkPort)
    return link


def _pull_cable(hub: SimulatedHub) -> None:
    _cable(hub).disconnect()
    hub.kernel.loop.call_later(1.0, _cable(hub).reconnect)


def _pull_plug(hub: SimulatedHub) -> None:
    if not hub.dark and hub.board.powered:
        task = hub.kernel.loop.create_task(hub.fail_power(1.0))
        task.add_done_callback(lambda done: done.cancelled() or done.result())


@pytest.mark.parametrize("trouble", [_pull_cable, _pull_plug])
def test_no_command_is_lost_or_done_twice(tmp_path: Path, trouble: Callable[[SimulatedHub], None]) -> None:
    seed = 8
    with a_hub(tmp_path, seed) as hub:
        rng = random.Random(seed)
        asked = 0
        records: list[Record] = []
        command = hub.laptop.command

        async def troubled(name: str, args: Mapping[str, Any]) -> Done:
            nonlocal asked
            asked += 1
            # A request is some 5 ms on the wire, its record 2 ms in the flash, its answer 3 ms on the way.
            if not hub.dark:
                hub.kernel.loop.call_later(rng.uniform(0.0, 0.02), trouble, hub)
            done = await command(name, args)
            assert not done.seq or records[done.seq - 1].body.get("cmd") is not None
            return done

        hub.laptop.command = troubled
        report = day.run(hub, crowded(seed, visitors=4, outages=0), records.append)
        assert report.ok, report
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        done = [tuple(record.body["cmd"]) for record in records if record.kind and "cmd" in record.body]
        assert len(set(done)) == len(done) == asked
        assert sorted(counter for _, counter in done) == list(range(1, asked + 1))
        assert hub.store.commands.unanswered() == set()
        for kind in ("called", "seated", "served"):
            labels = Counter(record.body["label"] for record in records if record.kind == kind)
            assert set(labels.values()) <= {1}, kind
        if trouble is _pull_plug:
            assert report.power_failures > 5


def test_a_day_without_a_laptop_arrives_whole_afterwards(tmp_path: Path) -> None:
    seed = 3
    today = crowded(seed, visitors=8, outages=2)
    from smilehub.rehearsal.people import Visitors
    from smilehub.rehearsal.staff import fail_power

    with a_hub(tmp_path, seed) as hub:

        async def hours() -> None:
            await hub.power_on()
            watch = asyncio.create_task(hub.laptop.watch())
            await hub.laptop.command("day_open", {})
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            known = hub.laptop.fold.next_seq
            visitors = Visitors(hub)
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_power(hub, today.outages))
                await visitors.come(today.visitors, group)
            await asyncio.sleep(4 * 3600)
            assert hub.laptop.fold.next_seq == known, "nobody was there to fetch anything"
            watch = asyncio.create_task(hub.laptop.watch())
            await hub.laptop.until(lambda fold: fold.counts["issued"] == today.people)
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            report, on_kiosk = await hub.laptop.verify()
            assert report.ok, report
            assert report.records == on_kiosk
            assert visitors.with_ticket == today.people

        hub.kernel.run(hours())


def test_the_queues_agree_all_day(tmp_path: Path) -> None:
    seed = 12
    with a_hub(tmp_path, seed) as hub:
        digests: dict[int, bytes] = {}
        compared = 0

        def tell(record: Record) -> None:
            fold = hub.laptop.fold
            digests[fold.next_seq] = fold.digest()
            counts = fold.counts
            assert counts["issued"] == sum(counts.values()) - counts["issued"], record
            assert counts["waiting"] == len(fold.waiting)

        async def compare() -> None:
            nonlocal compared
            while True:
                await asyncio.sleep(3)
                client = hub.laptop._client
                if client is None or hub.dark:
                    continue
                try:
                    state = await client.state()
                except Exception:  # noqa: BLE001 -- the power is out: asked again later
                    continue
                await hub.laptop.until(lambda fold, to=state.next_seq: fold.next_seq >= to)
                assert digests.get(state.next_seq, state.digest) == state.digest
                counts = state.counts
                assert counts["issued"] == sum(counts.values()) - counts["issued"]
                compared += state.next_seq in digests

        checks = hub.kernel.loop.create_task(compare())
        report = day.run(hub, crowded(seed, visitors=5, outages=3), tell)
        assert report.ok, report
        assert checks.cancelled(), "a check failed"
        assert compared > 20
