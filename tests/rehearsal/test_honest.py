"""What the rehearsal shows and claims is the kiosk's own doing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clinic_rig import a_hub, crowded

from smilehub.devices import memory
from smilehub.devices.sources import board_toml
from smilehub.rehearsal import day
from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.control import Kind
from smilehub.sim.spec import load_spec
from smilehub.store.database import Store


def test_pictures_come_over_spi_alone(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        for kind in (Kind.SPI_WRITE, Kind.SPI_XFER):
            hub.board.on(kind, lambda frame: b"\xff" * len(frame.payload))
        with pytest.raises(Dead):
            hub.kernel.run(hub.power_on())
        assert hub.board.booted
        assert not any(hub.board.part("panel").image().convert("RGB").tobytes())
        assert not any(lit for row in hub.board.part("wall").pixels() for lit in row)


def test_a_kiosk_that_does_not_react_is_said_to_be_dead(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        hub.press = lambda key: None
        with pytest.raises(Dead):
            day.run(hub, crowded(1, visitors=1, outages=0))


def test_a_lost_record_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Store.records

    def forgetful(self: Store, journal_id: bytes, *bounds: int) -> Iterator[tuple[int, bytes]]:
        for seq, raw in whole(self, journal_id, *bounds):
            if bounds or seq != 7:
                yield seq, raw

    monkeypatch.setattr(Store, "records", forgetful)
    with a_hub(tmp_path) as hub:
        report = day.run(hub, crowded(1, visitors=1, outages=0))
        assert not report.ok
        assert not report.journal_verified
        assert report.records_on_laptop == report.records_on_kiosk - 1


def test_somebody_without_a_ticket_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smilehub.rehearsal.people import Visitors

    async def walk_by(self: Visitors, _: object) -> None:
        self.with_ticket += 1

    monkeypatch.setattr(Visitors, "check_in", walk_by)
    monkeypatch.setattr(day, "_OVERTIME_S", 600.0)
    with a_hub(tmp_path) as hub:
        report = day.run(hub, crowded(1, visitors=1, outages=0))
        assert not report.ok
        assert report.journal_verified


def test_forty_visitors_with_no_more_heap_than_a_kiosk_has(tmp_path: Path) -> None:
    with a_hub(tmp_path, 4) as hub:
        spec = load_spec(board_toml("kiosk"))
        faults: list[str] = []
        hub.laptop.on_record.append(lambda it: faults.append(it.body["task"]) if it.kind == "fault" else None)
        report = day.run(hub, crowded(4, visitors=40, outages=0))
        assert report.ok, report
        # The collector counts in blocks of 32 bytes.
        assert report.heap_limit_bytes < memory.kiosk_heap(spec.heap_limit) + 32
        assert "MemoryError" not in hub.board.console_text()
        # A new kiosk's clock stands still until the laptop sets it.
        assert set(faults) == {"clock"}


def test_the_hub_is_made_anew_over_what_an_earlier_one_left(tmp_path: Path) -> None:
    for _ in range(2):
        with a_hub(tmp_path, 2) as hub:
            assert isinstance(hub, SimulatedHub)
            assert day.run(hub, crowded(2, visitors=1, outages=0)).ok
