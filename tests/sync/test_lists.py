"""A sync hands a kiosk the newest revocation list, once, and only from the hub's authority."""

import asyncio
from pathlib import Path

import pytest
from jumping import run
from link_rig import DEVICE
from peer import MemoryTransport, Peer, reply
from test_ways_on_board import AirDesk, Ways, desk  # noqa: F401 -- the fixture

from hubcore import requests
from smilehub.errors import ListsBehind, Revoked
from smilehub.link.air import AirTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.store.database import Store
from smilehub.sync.lists import Behind, Listed, Unlisted
from smilehub.sync.syncer import Event, Syncer
from smilehub.sync.watch import Watch
from smilehub.trust import lists
from smilehub.trust.authority import Authority
from smilehub.trust.given import RevocationLists
from smilehub.trust.identity import Identity

NOW = 1_800_000_000
WORDS = "correct horse battery staple"


class Listening(Peer):
    """A kiosk that takes lists as services.identity does: under its key, and with a higher number only."""

    def __init__(self, hub: Authority) -> None:
        super().__init__()
        issued = hub.issue_kiosk(self.device_id)
        self.key = issued.list_key
        self.serial = b"SERIAL-1"
        self.sequence = -1
        self.serials: list[bytes] = []
        self.heard = 0
        self.worn = False
        self.ops = list(range(1, 17))

    def hello(self, version: int) -> dict:
        return super().hello(version) | {12: self.ops}

    def answer(self, number: int, op: int, args: dict) -> list[bytes]:
        if op != requests.REVOKE:
            return super().answer(number, op, args)
        self.heard += 1
        if self.worn:
            return [reply(number, requests.FAULT, {0: "The kiosk failed at this request."})]
        found = lists.decode(self.key, args[0])
        if found is None or found[0] <= self.sequence:
            held = "" if found is None else str(self.sequence)
            return [reply(number, requests.REFUSED, {0: "bad_list", 1: "bad_list", 2: 0, 3: held})]
        self.sequence, self.serials = found
        return [reply(number, 0, {})]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "trust"


@pytest.fixture
def hub(folder: Path) -> Authority:
    return Authority.create(folder, "Here", clock=lambda: NOW)


def sync(peer: Listening, tmp_path: Path, folder: Path) -> list[Event]:
    events: list[Event] = []
    transport = MemoryTransport(peer)
    transport.peer_serial = peer.serial  # type: ignore[attr-defined] -- as a session has it

    async def work() -> None:
        with Store.open(tmp_path / "store") as store:
            async with KioskClient(transport, timeout=0.5) as client:
                known = RevocationLists(folder)
                await Syncer(client, store, lambda: NOW, on_event=events.append, lists=known).run()

    run(work())
    return [event for event in events if isinstance(event, (Listed, Unlisted, Behind))]


def test_a_kiosk_is_told_once_who_was_taken_back(hub: Authority, tmp_path: Path, folder: Path):
    peer = Listening(hub)
    thief = hub.issue_person("laptop", "thief")
    assert sync(peer, tmp_path, folder) == [] and peer.heard == 0, "nobody was taken back yet"
    hub.revoke(thief.serial)
    assert sync(peer, tmp_path, folder) == [Listed(peer.device_id, NOW)]
    assert peer.serials == [thief.serial]
    assert sync(peer, tmp_path, folder) == [] and peer.heard == 1
    second = hub.issue_person("technician", "second")
    hub.revoke(second.serial)
    sync(peer, tmp_path, folder)
    assert peer.heard == 2 and sorted(peer.serials) == sorted([thief.serial, second.serial])


def test_a_kiosk_with_a_new_identity_is_told_again(hub: Authority, tmp_path: Path, folder: Path):
    peer = Listening(hub)
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    sync(peer, tmp_path, folder)
    peer.sequence, peer.serials, peer.serial = -1, [], b"SERIAL-2"  # its flash was erased
    assert sync(peer, tmp_path, folder) == [Listed(peer.device_id, NOW)]
    assert len(peer.serials) == 1


def test_one_that_another_laptop_told_before_is_believed(hub: Authority, tmp_path: Path, folder: Path):
    peer = Listening(hub)
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    peer.sequence = NOW
    assert sync(peer, tmp_path, folder) == []
    assert sync(peer, tmp_path, folder) == [] and peer.heard == 1


def test_a_list_that_this_laptop_never_made_is_told_of_and_not_outbid(
    hub: Authority, tmp_path: Path, folder: Path
):
    peer = Listening(hub)
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    peer.sequence = NOW + 5
    for _ in range(2):
        assert sync(peer, tmp_path, folder) == [Behind(peer.device_id, NOW + 5, NOW)]
    held = RevocationLists(folder).highest
    assert held == NOW + 5
    other = hub.issue_person("laptop", "other").serial
    with pytest.raises(ListsBehind):
        hub.revoke(other, held)
    assert other not in hub.revoked
    hub.catch_up(held)
    hub.revoke(other, held)
    assert sync(peer, tmp_path, folder) == [Listed(peer.device_id, NOW + 6)]


def test_one_that_cannot_keep_it_gives_its_records_and_is_told_again(
    hub: Authority, tmp_path: Path, folder: Path
):
    peer = Listening(hub)
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    peer.worn = True
    (failed,) = sync(peer, tmp_path, folder)
    assert isinstance(failed, Unlisted) and "fail" in failed.message
    with Store.open(tmp_path / "store") as store:
        assert store.last_seq(peer.journal_id) == len(peer.raws)
    peer.worn = False
    assert sync(peer, tmp_path, folder) == [Listed(peer.device_id, NOW)]


def test_an_older_kiosk_and_a_laptop_that_is_no_authority(hub: Authority, tmp_path: Path, folder: Path):
    peer = Listening(hub)
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    peer.ops = list(range(1, 12))
    assert sync(peer, tmp_path, folder) == [] and peer.heard == 0
    peer.ops = list(range(1, 17))
    assert sync(peer, tmp_path, tmp_path / "elsewhere") == [] and peer.heard == 0


@pytest.mark.parametrize("damage", [b"", b"\x00" * 9, b"\xa0\x00\x00\x00\x00"])
def test_what_was_given_may_be_forgotten(hub: Authority, tmp_path: Path, folder: Path, damage: bytes):
    peer = Listening(hub)
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    sync(peer, tmp_path, folder)
    (folder / "given").write_bytes(damage)
    assert sync(peer, tmp_path, folder) == [] and peer.heard == 2
    assert sync(peer, tmp_path, folder) == [] and peer.heard == 2


def test_a_stolen_laptop_in_the_air_is_put_out_by_a_sync_over_the_cable(
    desk: AirDesk,  # noqa: F811
    tmp_path: Path,
    folder: Path,
):
    hub = Authority.create(folder, "Board", clock=lambda: NOW)
    laptop, thief = hub.issue_person("laptop", "desk"), hub.issue_person("laptop", "thief")
    desk.enrol(hub)
    backend = Ways(desk).backend
    events: list[Event] = []

    def by_air() -> KioskClient:
        air = AirTransport(DEVICE, hub.hub_key, backend=backend)
        return KioskClient(SecureTransport(air, thief, expect_device=DEVICE))

    async def synced() -> None:
        client = desk.client(laptop)
        with Store.open(tmp_path / "store") as store:
            async with client:
                known = RevocationLists(folder)
                await Syncer(client, store, lambda: NOW, on_event=events.append, lists=known).run()

    async def work() -> None:
        async with by_air() as stolen:
            await stolen.hello()
            await synced()
            await stolen.state()
            hub.revoke(thief.serial)
            await synced()
            with pytest.raises(Revoked):
                while True:
                    await stolen.state()
        with pytest.raises(Revoked):
            async with by_air() as stolen:
                await stolen.hello()
        await synced()

    desk.run(work)
    assert [event for event in events if isinstance(event, Listed)] == [Listed(DEVICE, NOW)]


def test_an_older_backup_lets_nobody_in_again(desk: AirDesk, tmp_path: Path, folder: Path):  # noqa: F811
    """Export, take somebody back, sync; then the older backup on a new laptop, and last the newer one."""
    hub = Authority.create(folder, "Board", clock=lambda: NOW)
    thief, second = hub.issue_person("laptop", "thief"), hub.issue_person("laptop", "second")
    desk.enrol(hub)
    older = hub.export(WORDS, cost=4)
    hub.revoke(thief.serial)
    newer = hub.export(WORDS, cost=4)
    later = tmp_path / "later" / "trust"
    events: list[Event] = []

    async def synced(known: RevocationLists, who: Identity) -> None:
        with Store.open(tmp_path / "store") as store:
            async with desk.client(who) as client:
                await Syncer(client, store, lambda: NOW, on_event=events.append, lists=known).run()

    async def work() -> None:
        await synced(RevocationLists(folder), hub.issue_person("laptop", "desk"))
        brought = Authority.import_(later, older, WORDS, clock=lambda: NOW + 99)
        known = RevocationLists(later)
        known.imported()
        assert known.highest is None
        await synced(known, brought.issue_person("laptop", "desk 2"))
        assert known.highest == NOW
        with pytest.raises(ListsBehind):
            brought.revoke(second.serial, known.highest)
        brought = Authority.import_(later, newer, WORDS, clock=lambda: NOW + 99)
        assert brought.find("desk 2"), "what only the laptop knew is there still"
        brought.revoke(second.serial, known.highest)
        await synced(known, brought.issue_person("laptop", "desk 3"))
        for one in (thief, second):
            assert isinstance(await desk.refused(one), Revoked)

    desk.run(work)
    heard = [event for event in events if isinstance(event, (Listed, Behind))]
    assert heard == [Listed(DEVICE, NOW), Behind(DEVICE, NOW, 0), Listed(DEVICE, NOW + 99)]


def test_a_watch_tells_it_too_and_whoever_is_taken_back_meanwhile(
    hub: Authority, tmp_path: Path, folder: Path
):
    peer = Listening(hub)
    thief = hub.issue_person("laptop", "thief")
    events: list[Event] = []

    async def work() -> None:
        with Store.open(tmp_path / "store") as store:
            watch = Watch(
                lambda: KioskClient(MemoryTransport(peer), timeout=0.5),
                store,
                lambda: NOW,
                on_event=events.append,
                lists=RevocationLists(folder),
            )
            task = asyncio.create_task(watch.run())
            await asyncio.sleep(1)
            assert not task.done() and peer.heard == 0
            hub.revoke(thief.serial)
            await asyncio.sleep(40)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(work())
    assert [event for event in events if isinstance(event, Listed)] == [Listed(peer.device_id, NOW)]
    assert peer.heard == 1
