"""The kiosk's board as data: free pins, documented partitions, sizes people can read, a current table."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tools import wiring

ROOT = Path(__file__).resolve().parents[2]
KIOSK = ROOT / "hardware" / "kiosk" / "board.toml"


@pytest.fixture
def board() -> dict[str, Any]:
    return tomllib.loads(KIOSK.read_text())


def test_the_committed_wiring_table_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert wiring.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_table_is_told_and_then_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "board.toml"
    copy.write_text(KIOSK.read_text())
    assert wiring.main(["--check", str(copy)]) == 1
    assert "out of date" in capsys.readouterr().err
    assert wiring.main([str(copy)]) == 0
    assert wiring.main(["--check", str(copy)]) == 0
    copy.write_text(KIOSK.read_text().replace("pin = 15", "pin = 16"))
    assert wiring.main(["--check", str(copy)]) == 1


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        (0, "straps"),
        (20, "USB"),
        (23, "does not exist"),
        (27, "flash"),
        (43, "console"),
        (9, r"taken by \[panel\]"),
    ],
)
def test_pins_that_are_not_free_are_refused(board: dict[str, Any], pin: int, why: str) -> None:
    board["keys"]["help"]["pin"] = pin
    with pytest.raises(ValueError, match=why):
        wiring.wires(board)


def test_the_partitions_are_those_of_the_architecture(board: dict[str, Any]) -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (0x[0-9A-F]+) \| (0x[0-9A-F]+) \|", table, re.MULTILINE)
    documented = [(name, int(offset, 16), int(size, 16)) for name, offset, size in rows]
    assert documented == [(p["name"], p["offset"], p["size"]) for p in board["partition"]]


def test_letters_can_be_large_enough(board: dict[str, Any]) -> None:
    """0.7 degrees (EN 301 549, 5.1.4) with at most 32 pixels on the panel and 14 LEDs on the wall."""
    tangent = 0.012218
    panel, wall = board["panel"], board["wall"]
    assert panel["pitch_mm"] * 32 >= panel["distance_mm"] * tangent
    assert wall["pitch_mm"] * 14 >= wall["distance_mm"] * tangent
    assert wall["rows"] * 8 >= 16


def test_the_bus_keeps_to_what_the_parts_stand(board: dict[str, Any]) -> None:
    assert board["spi"]["1"]["baud"] <= board["panel"]["write_hz_max"]
    assert board["spi"]["2"]["baud"] <= 10_000_000
