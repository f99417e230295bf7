"""The watch over several ways: it finds, prefers the cable, moves, and survives what happens to a laptop."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from jumping import run
from peer import MemoryTransport, Noise, Peer

from smilehub.errors import NoIdentity, Revoked, SmilehubError, WrongPeer
from smilehub.link.client import KioskClient
from smilehub.store.database import Store
from smilehub.sync.fleet import Fleet
from smilehub.sync.syncer import Event, Lost, Moving, Stored, Synced
from smilehub.sync.watch import Phase, Watch
from smilehub.sync.ways import Kind, Way, best

NOW = 1_800_000_000


class World:
    """A kiosk, the ways that lead to it now, and this laptop's clock."""

    def __init__(self, store: Store, peer: Peer | None = None) -> None:
        self.peer = peer or Peer()
        self.store = store
        self.up: dict[str, Kind] = {}
        self.errors: dict[str, SmilehubError] = {}
        self.lines: dict[str, MemoryTransport] = {}
        self.noise: dict[str, dict[int, str]] = {}
        self.events: list[Event] = []
        self.phases: list[Phase] = []
        self.slept = 0
        self.looks = 0

    def clock(self) -> int:
        return NOW + self.slept + int(asyncio.get_running_loop().time())

    async def ways(self, *, cables_only: bool = False) -> Sequence[Way]:
        self.looks += 1
        if not cables_only and "air" in self.up.values():
            await asyncio.sleep(3)
        return [
            Way(kind, name, lambda name=name: self.connect(name), -60 if kind == "air" else None)
            for name, kind in self.up.items()
            if kind == "cable" or not cables_only
        ]

    async def look(self, *, cables_only: bool = False) -> Sequence[tuple[bytes, Way]]:
        return [(self.peer.device_id, way) for way in await self.ways(cables_only=cables_only)]

    def connect(self, name: str) -> KioskClient:
        line = self.lines[name] = MemoryTransport(self.peer, Noise(self.noise.get(name)))
        if name in self.errors:

            async def refuse() -> None:
                raise self.errors[name]

            line.open = refuse  # type: ignore[method-assign]
        return KioskClient(line, timeout=0.5)

    async def unplug(self, name: str) -> None:
        del self.up[name]
        await self.lines[name].close()

    def watch(self) -> Watch:
        return Watch(self, self.store, self.clock, on_event=self.events.append, on_phase=self.phases.append)

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def held(self) -> list[bytes]:
        return [raw for _, raw in self.store.records(self.peer.journal_id)]


def play(tmp_path: Path, scene: Callable[[World, Watch], object], **up: Kind) -> World:
    async def work(world: World) -> None:
        watch = world.watch()
        task = asyncio.create_task(watch.run())
        acting = asyncio.ensure_future(scene(world, watch))  # type: ignore[arg-type]
        try:
            await asyncio.wait((task, acting), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            await acting
        finally:
            for one in (task, acting):
                one.cancel()
            await asyncio.gather(task, acting, return_exceptions=True)

    with Store.open(tmp_path / "store.sqlite") as store:
        world = World(store)
        world.up.update(up)
        run(work(world))
        assert world.held() == world.peer.raws[: len(world.held())]
        return world


async def until(true: Callable[[], bool], seconds: float = 300) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)


def test_the_best_way_is_a_cable_that_works_then_the_loudest():
    def way(kind: Kind, name: str, signal: int | None = None) -> Way:
        return Way(kind, name, KioskClient, signal)  # type: ignore[arg-type]

    cable, near, far = way("cable", "c"), way("air", "n", -50), way("air", "f", -90)
    assert best([far, near, cable]) == cable
    assert best([far, near]) == near
    assert best([far, near, cable], frozenset("c")) == near
    assert best([cable], frozenset("c")) == cable
    assert best([]) is None


def test_a_watch_goes_through_its_states(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        await asyncio.sleep(3)
        assert watch.phase is Phase.WAITING
        world.up["usb"] = "cable"
        await until(lambda: watch.phase is Phase.LISTENING)

    world = play(tmp_path, scene)
    assert world.phases[:2] == [Phase.SEARCHING, Phase.WAITING]
    assert world.phases[-4:] == [Phase.SEARCHING, Phase.CONNECTING, Phase.CATCHING_UP, Phase.LISTENING]
    assert "out of reach" in world.of(Lost)[0].message
    assert [event.retry_s for event in world.of(Lost)] == [0.5, 1.0, 2.0]


def test_it_moves_from_the_air_to_the_cable_and_back(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        await until(lambda: watch.phase is Phase.LISTENING)
        assert watch.way is not None and watch.way.kind == "air"
        looks = world.looks
        world.up["usb"] = "cable"
        await until(lambda: watch.way is not None and watch.way.kind == "cable")
        await until(lambda: watch.phase is Phase.LISTENING)
        assert world.of(Moving) == [Moving("sh", "usb")] and world.looks < looks + 5
        world.peer.write("fault", {"task": "x", "error": "news"})
        await world.unplug("usb")
        await until(lambda: watch.way is not None and watch.way.kind == "air")
        await until(lambda: world.held() == world.peer.raws)

    world = play(tmp_path, scene, sh="air")
    assert len(world.of(Lost)) == 1


def test_a_cable_that_leads_nowhere_does_not_keep_it_from_the_air(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        world.noise["usb"] = {0: "hush"}
        await until(lambda: watch.phase is Phase.LISTENING)
        assert watch.way is not None and watch.way.kind == "air"
        await asyncio.sleep(3600)
        assert watch.way.kind == "air"

    world = play(tmp_path, scene, usb="cable", sh="air")
    tries = len(world.of(Lost))
    assert tries <= 16, f"{tries} tries in an hour: it pauses longer and longer"


def test_a_cable_to_another_kiosk_is_left_for_the_air_but_alone_it_is_an_error(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        world.errors["usb"] = WrongPeer("At usb is another kiosk.")
        await until(lambda: watch.phase is Phase.LISTENING)
        assert watch.way is not None and watch.way.kind == "air"

    play(tmp_path, scene, usb="cable", sh="air")
    with pytest.raises(WrongPeer):
        play(tmp_path, scene, usb="cable")


@pytest.mark.parametrize("error", [Revoked("no more"), NoIdentity("nobody")])
def test_what_trust_forbids_is_not_repeated(tmp_path: Path, error: SmilehubError):
    async def scene(world: World, watch: Watch) -> None:
        world.errors["usb"] = error
        await asyncio.sleep(100)

    with pytest.raises(type(error)):
        play(tmp_path, scene, usb="cable")


def test_after_the_laptop_slept_it_asks_at_once(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        await until(lambda: watch.phase is Phase.LISTENING)
        world.peer.write("fault", {"task": "x", "error": "while asleep"})
        world.slept += 8 * 3600
        before = asyncio.get_running_loop().time()
        await until(lambda: world.held() == world.peer.raws)
        assert asyncio.get_running_loop().time() - before < 11

    play(tmp_path, scene, usb="cable")


def test_after_the_laptop_slept_pauses_begin_anew(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        await until(lambda: len(world.of(Lost)) > 8)
        assert world.of(Lost)[-1].retry_s == 30
        world.slept += 3600
        world.up["usb"] = "cable"
        await until(lambda: watch.phase is Phase.LISTENING, seconds=11)

    play(tmp_path, scene)


@pytest.mark.parametrize("jump", [-86_400, 86_400])
def test_a_clock_that_jumps_costs_nothing(tmp_path: Path, jump: int):
    async def scene(world: World, watch: Watch) -> None:
        await until(lambda: watch.phase is Phase.LISTENING)
        world.slept += jump
        await asyncio.sleep(100)
        assert watch.phase is Phase.LISTENING

    world = play(tmp_path, scene, usb="cable")
    assert world.of(Lost) == []


def test_a_kiosk_that_restarts_is_found_again(tmp_path: Path):
    async def scene(world: World, watch: Watch) -> None:
        await until(lambda: watch.phase is Phase.LISTENING)
        for _ in range(5):
            await world.lines["usb"].close()
            world.peer.write("boot", {"cause": "power", "firmware": "test"})
            await until(lambda: world.held() == world.peer.raws)
        assert [event.retry_s for event in world.of(Lost)] == [0.5] * 5

    play(tmp_path, scene, usb="cable")


def test_a_fleet_watches_each_kiosk_once_and_gives_up_one_alone(tmp_path: Path):
    async def work(one: World, two: World) -> None:
        class Both:
            async def look(self, *, cables_only: bool = False) -> Sequence[tuple[bytes, Way]]:
                return [*await one.look(), *await two.look()]

        told: list[tuple[bytes, Event]] = []
        given_up: list[bytes] = []
        fleet = Fleet(
            Both(),
            one.store,
            one.clock,
            on_event=lambda device, event: told.append((device, event)),
            on_given_up=lambda device, error: given_up.append(device),
        )
        task = asyncio.create_task(fleet.run())
        one.up["a"] = "cable"
        await asyncio.sleep(10)
        two.errors["b"] = Revoked("no more")
        two.up["b"] = "cable"
        await asyncio.sleep(30)
        assert given_up == [two.peer.device_id] and set(fleet.watches) == {one.peer.device_id}
        del two.up["b"]
        await asyncio.sleep(10)
        two.errors.clear()
        two.up["b"] = "cable"
        await asyncio.sleep(10)
        assert one.held() == one.peer.raws and two.held() == two.peer.raws
        synced = [device for device, event in told if isinstance(event, Synced)]
        assert set(synced) == {one.peer.device_id, two.peer.device_id}
        assert sum(event.new for _, event in told if isinstance(event, Stored)) == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with Store.open(tmp_path / "store.sqlite") as store:
        run(work(World(store), World(store, Peer(seed=2))))
