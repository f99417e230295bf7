"""A sync through all layers, cable, TLS and requests: the line cut, silent, noisy or flooded anywhere."""

import asyncio
import random
from pathlib import Path

import pytest
from cable_kiosk import Fault, Line, chance
from hypothesis import given, settings
from hypothesis import strategies as st
from jumping import run
from peer import KioskEnd, Peer, papers

from smilehub.errors import LinkError
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.store.database import Store
from smilehub.sync.syncer import Synced, Syncer

NOW = 1_800_000_000
TOKENS = random.Random(1)


def day(visitors: int = 6) -> Peer:
    peer = Peer()
    peer.chunk = 8
    peer.busy_day(visitors)
    return peer


async def sync(line: Line, store: Store) -> Synced:
    session = SecureTransport(
        CableTransport(line, rnd=TOKENS.randbytes), papers(), expect_device=line.kiosk.device_id
    )
    async with KioskClient(session, timeout=5.0) as client:
        return await Syncer(client, store, lambda: NOW).run()


def held(store: Store, peer: Peer) -> list[bytes]:
    return [raw for _, raw in store.records(peer.journal_id)]


def line(peer: Peer, fault: Fault | None = None) -> Line:
    return Line(KioskEnd(peer).kiosk, fault)


def test_everything_arrives(tmp_path: Path):
    peer = day(60)
    with Store.open(tmp_path / "s") as store:
        synced = run(sync(line(peer), store))
        assert held(store, peer) == peer.raws and synced.last == len(peer.raws)


@pytest.mark.parametrize("how", ["cut", "silent"])
def test_whatever_ends_at_any_frame_goes_on_in_the_next_session(tmp_path: Path, how: str):
    """The kiosk goes on as it is; nothing is lost, nothing twice, and nobody waits past a deadline."""
    frames = line(day())
    with Store.open(tmp_path / "count") as store:
        run(sync(frames, store))
    assert 20 < frames.count < 100
    for at in range(1, frames.count + 1, 1 if how == "cut" else 3):
        peer = day()
        end = KioskEnd(peer)
        broken = Line(end.kiosk)
        over = False

        def fault(number: int, frame: bytes, up: bool, at: int = at, broken: Line = broken) -> list[bytes]:
            nonlocal over
            over = over or number >= at
            if over and how == "cut":
                broken.hang_up()
            return [] if over else [frame]

        broken.fault = fault

        async def work(
            at: int = at, broken: Line = broken, end: KioskEnd = end, store_path: Path = tmp_path / f"{at}"
        ) -> float:
            with Store.open(store_path) as store:
                loop = asyncio.get_running_loop()
                began = loop.time()
                try:
                    await sync(broken, store)
                    assert at > frames.count - 5, "only the goodbye was lost"
                except LinkError:
                    pass
                spent = loop.time() - began
                before = held(store, end.peer)
                assert before == end.peer.raws[: len(before)]
                synced = await sync(Line(end.kiosk), store)
                assert held(store, end.peer) == end.peer.raws
                assert synced.new == len(end.peer.raws) - len(before)
                return spent

        assert run(work()) < 30


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.025))
def test_a_noisy_line_costs_time_but_no_record(
    tmp_path_factory: pytest.TempPathFactory, seed: int, share: float
):
    peer = day(30)
    kinds = dict.fromkeys(("loss", "flip", "twice", "late", "garbage", "cut"), share)
    with Store.open(tmp_path_factory.mktemp("noise") / "s") as store:
        noisy = line(peer, chance(seed, **kinds))
        for _ in range(20):
            try:
                run(sync(noisy, store))
                break
            except LinkError:
                continue
        assert held(store, peer) == peer.raws


def test_a_flood_of_frames_of_any_kind_changes_nothing(tmp_path: Path):
    peer = day()
    end = KioskEnd(peer)
    flooded = Line(end.kiosk)
    kinds = [*range(0x10, 0x17), *range(0x20, 0x26), 0x30, 0xFF]

    def fault(number: int, frame: bytes, up: bool) -> list[bytes]:
        kind = kinds[number % len(kinds)]
        return [frame, *[end.kiosk.say(kind, *range(n)) for n in (0, 1, 5, 30)]] if not up else [frame]

    flooded.fault = fault
    with Store.open(tmp_path / "s") as store:
        try:
            run(sync(flooded, store))
        except LinkError:  # an ACK or DATA that is made up may break the stream, but nothing worse
            run(sync(Line(end.kiosk), store))
        assert held(store, peer) == peer.raws


def test_frames_of_an_earlier_session_replayed_change_nothing(tmp_path: Path):
    peer = day()
    end = KioskEnd(peer)
    first, second = Line(end.kiosk), Line(end.kiosk)
    said: list[bytes] = []
    first.fault = lambda number, frame, up: [frame] if up else [said.append(frame) or frame]

    def replay(number: int, frame: bytes, up: bool) -> list[bytes]:
        return [frame] if up or number % 3 else [said[number % len(said)], frame]

    second.fault = replay
    with Store.open(tmp_path / "a") as store:
        run(sync(first, store))
    with Store.open(tmp_path / "b") as store:
        try:
            run(sync(second, store))
        except LinkError:
            run(sync(Line(end.kiosk), store))
        assert held(store, peer) == peer.raws
