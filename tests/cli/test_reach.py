"""Which kiosks are in reach: only this hub's are spoken to, the air only if no cable leads, ports seldom."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from jumping import run
from peer import papers

from smilehub.cli import _common, _reach
from smilehub.devices.ports import Port
from smilehub.errors import AirOff, NoAnswer, NoDevice, NoIdentity, PortBusy, SeveralDevices, SmilehubError
from smilehub.link.air import Heard
from smilehub.store.database import Store
from smilehub.trust import certificates
from smilehub.trust.authority import Authority

ONE, TWO, STRANGER = bytes(5) + b"\1", bytes(5) + b"\2", bytes(5) + b"\3"


class World:
    """What is plugged in and what is in the air, in place of this machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.cables: dict[str, bytes | SmilehubError] = {}
        self.air: list[Heard] | SmilehubError = []
        self.scans = 0
        self.asked: list[str] = []
        self.home = home
        monkeypatch.setenv("SMILEHUB_HOME", str(home))
        monkeypatch.setenv("XDG_DATA_HOME", str(home))
        monkeypatch.setattr(
            _reach.ports, "discover", lambda *_: [Port(p, "test", "link") for p in self.cables]
        )
        monkeypatch.setattr(_reach, "scan", self.scan)
        monkeypatch.setattr(_reach, "CableTransport", self.cable)

    async def scan(self, seconds: float, backend: object) -> list[Heard]:
        self.scans += 1
        await asyncio.sleep(seconds)
        if isinstance(self.air, SmilehubError):
            raise self.air
        return self.air

    def cable(self, inner: object, **_: object) -> object:
        world, path = self, inner.name  # type: ignore[attr-defined]

        class Cable:
            name = path

            async def open(self) -> None:
                world.asked.append(path)
                found = world.cables[path]
                if isinstance(found, SmilehubError):
                    raise found
                self.device_id = found

            async def close(self) -> None: ...

        return Cable()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    made = World(monkeypatch, tmp_path / "home")
    papers().save(made.home / "trust")
    with Store.open(tmp_path / "store") as store:
        store.add_journal(b"journal1", ONE)
        store.add_journal(b"journal2", TWO)
    return made


def loud(device_id: bytes, signal: int = -50, *, whole: bool = True) -> Heard:
    return Heard(device_id[-3:], device_id if whole else None, signal, f"AA:{device_id[-1]:02X}")


def look(tmp_path: Path, scene: Callable[[_reach.Reach], object], told: list[str] | None = None) -> None:
    async def work() -> None:
        silent: list[str] = told if told is not None else []
        await scene(_reach.Reach(tmp_path / "store", lambda path, error: silent.append(path)))  # type: ignore[misc]

    run(work())


def test_known_are_those_with_records_here_and_those_with_keys_of_ours(world: World, tmp_path: Path):
    assert _reach.enrolled(tmp_path / "store") == {ONE, TWO}
    assert _reach.enrolled(tmp_path / "none") == frozenset()
    hub = Authority.create(world.home / "trust", "Here")
    hub.issue_kiosk(STRANGER)
    gone = hub.issue_kiosk(b"gonego")
    hub.revoke(certificates.serial_of(gone.cert))
    assert _reach.enrolled(tmp_path / "none") == {STRANGER}


def test_the_authoritys_laptop_knows_at_once_which_kiosk_was_taken_back(world: World):
    hub = Authority.create(world.home / "trust", "Here")
    stolen = certificates.serial_of(hub.issue_kiosk(STRANGER).cert)
    hub.issue_person("laptop", "desk").save(world.home / "trust")
    assert stolen not in _reach._identity(None).revoked
    hub.revoke(stolen)
    assert stolen in _reach._identity(None).revoked


def test_strangers_in_the_air_are_passed_over(world: World):
    world.air = [loud(STRANGER), loud(TWO, whole=False), loud(ONE, -80), loud(ONE, -90)]
    found = run(_reach.heard(frozenset((ONE, TWO))))
    assert found == {TWO: loud(TWO, whole=False), ONE: loud(ONE, -80)}
    assert run(_reach.heard(frozenset())) == {} and world.scans == 1, (
        "nobody is known, nobody is listened for"
    )
    (world.home / "trust" / "laptop").unlink()
    with pytest.raises(NoIdentity):
        run(_reach.heard(frozenset((ONE,))))


def test_the_air_is_searched_only_for_whom_no_cable_reaches(world: World, tmp_path: Path):
    world.cables = {"/a": ONE, "/b": TWO}
    world.air = [loud(ONE), loud(TWO)]

    async def scene(reach: _reach.Reach) -> None:
        found = await reach.look()
        assert [(device, way.kind, way.name) for device, way in found] == [
            (ONE, "cable", "/a"),
            (TWO, "cable", "/b"),
        ]
        assert world.scans == 0
        del world.cables["/b"]
        found = await reach.look()
        assert [(device, way.kind, way.signal_dbm) for device, way in found] == [
            (ONE, "cable", None),
            (TWO, "air", -50),
        ]
        await reach.look()
        assert world.scans == 1, "what was just heard still counts"
        await asyncio.sleep(20)
        world.air = AirOff("off")
        assert [way.kind for _, way in await reach.look()] == ["cable"]
        assert await reach.look(cables_only=True) and world.scans == 2

    look(tmp_path, scene)


def test_a_port_is_asked_once_and_a_silent_one_again_after_a_while(world: World, tmp_path: Path):
    world.cables = {"/a": ONE, "/mute": NoAnswer("mute"), "/busy": PortBusy("busy")}
    told: list[str] = []

    async def scene(reach: _reach.Reach) -> None:
        for _ in range(4):
            await reach.look(cables_only=True)
            await asyncio.sleep(5)
        assert sorted(world.asked) == ["/a", "/busy", "/mute"]
        await asyncio.sleep(20)
        await reach.look(cables_only=True)
        assert sorted(world.asked) == ["/a", "/busy", "/busy", "/mute", "/mute"]
        assert told == ["/mute"], "once, and a busy port is another program's"
        world.cables["/mute"] = TWO
        await asyncio.sleep(31)
        assert {device for device, _ in await reach.look(cables_only=True)} == {ONE, TWO}
        del world.cables["/a"]
        assert {device for device, _ in await reach.look(cables_only=True)} == {TWO}
        world.cables["/a"] = STRANGER
        assert {device for device, _ in await reach.look(cables_only=True)} == {STRANGER, TWO}

    look(tmp_path, scene, told)


def test_without_a_cable_the_only_kiosk_in_the_air_is_meant(world: World, tmp_path: Path):
    async def meant() -> str:
        client = await _common._meant(None, tmp_path / "store", None)
        return client.transport.name

    world.air = [loud(TWO)]
    assert run(meant()) == "SH-000002"
    world.air = [loud(TWO), loud(ONE)]
    with pytest.raises(SeveralDevices, match="in the air"):
        run(meant())
    for nobody in ([loud(STRANGER)], AirOff("off")):
        world.air = nobody
        with pytest.raises(NoDevice):
            run(meant())
