"""Makes `wiring.md` of each board's board.toml: `python tools/wiring.py [--check] [BOARD.TOML …]`."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HARDWARE = Path(__file__).resolve().parents[1] / "hardware"

Table = dict[str, Any]

PINS_OF_CHIP: dict[str, frozenset[int]] = {"esp32s3": frozenset(range(49)) - frozenset(range(22, 26))}
TAKEN: dict[str, dict[int, str]] = {
    "esp32s3": {
        0: "straps the boot mode",
        3: "straps the JTAG source",
        19: "USB D-",
        20: "USB D+",
        **dict.fromkeys(range(26, 33), "flash"),
        **dict.fromkeys(range(33, 38), "flash and PSRAM of octal modules"),
        45: "straps the flash voltage",
        46: "straps the boot mode",
    }
}
"""Pins that no part may have (ESP32-S3 datasheet, section 2: pins; module WROOM-1 without PSRAM)."""

# What a role is called on the part, and which way the signal goes.
_ROLES: dict[str, tuple[str, str]] = {
    "cs": ("CS", "out"),
    "dc": ("DC/RS", "out"),
    "rst": ("RESET", "out"),
    "bl": ("LED", "out"),
    "sck": ("SCK", "out"),
    "mosi": ("MOSI", "out"),
    "miso": ("MISO", "in"),
    "tx": ("TX", "out"),
    "rx": ("RX", "in"),
    "sda": ("SDA", "both, pulled up"),
    "scl": ("SCL", "out, pulled up"),
}
# A part with a single pin calls it "pin": what that is on the part.
_PIN_OF: dict[str, tuple[str, str]] = {
    "key": ("key to ground", "in, pulled up"),
    "buzzer": ("base of its transistor", "out"),
    "ws2812": ("DIN", "out"),
}


class Wire(NamedTuple):
    """One pin of the controller: where it goes, which way, and on whose account."""

    pin: int
    table: str
    signal: str
    way: str


def wires(board: Table) -> list[Wire]:
    """All pins that a parsed board.toml uses, by number. Raises ValueError for a pin that is not free."""
    chip = board["board"]["chip"]
    found: dict[int, Wire] = {}
    for name, row in _tables(board):
        for role, pin in row.items():
            signal = _PIN_OF[row["part"]] if role == "pin" else _ROLES.get(role)
            if signal is None:
                continue
            if pin not in PINS_OF_CHIP[chip] or pin in TAKEN[chip]:
                why = TAKEN[chip].get(pin, "does not exist")
                raise ValueError(f"[{name}] {role}: pin {pin} of an {chip} {why}")
            if pin in (43, 44) and name != "uart.console":
                raise ValueError(f"[{name}] {role}: pin {pin} belongs to the console")
            if pin in found:
                raise ValueError(f"[{name}] {role}: pin {pin} is taken by [{found[pin].table}]")
            found[pin] = Wire(pin, name, *signal)
    return [found[pin] for pin in sorted(found)]


def render(board: Table) -> str:
    """The wiring table of a parsed board.toml, as Markdown."""
    about = board["board"]
    lines = [
        f"# Wiring of the {about['title']}",
        "",
        "Made by `tools/wiring.py` from `board.toml`; change it there.",
        "",
        f"Controller: {about['chip']}, {about['flash_mb']} MB flash.",
        "",
        "| GPIO | goes to | signal | direction |",
        "|---:|---|---|---|",
    ]
    lines += [f"| {w.pin} | {_goes_to(board, w.table)} | {w.signal} | {w.way} |" for w in wires(board)]
    lines += ["", "| part | what | geometry |", "|---|---|---|"]
    lines += [
        f"| {name} | {row['part']} | {_geometry(row)} |" for name, row in _tables(board) if "part" in row
    ]
    lines += ["", "| bus | speed |", "|---|---|"]
    lines += [
        f"| {name} | {row.get('baud', row.get('freq')):,} |"
        for name, row in _tables(board)
        if "baud" in row or "freq" in row
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write wiring.md beside each board.toml, or with `--check` say which is out of date (exit code 1)."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a table is out of date"
    )
    parser.add_argument("boards", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    stale = 0
    for path in options.boards or sorted(HARDWARE.glob("*/board.toml")):
        try:
            text = render(tomllib.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
        table = path.with_name("wiring.md")
        if table.is_file() and table.read_text(encoding="utf-8") == text:
            continue
        if options.check:
            stale = 1
            print(f"{table} is out of date: run python tools/wiring.py", file=sys.stderr)
        else:
            table.write_text(text, encoding="utf-8")
    return stale


def _tables(board: Table) -> Iterator[tuple[str, Table]]:
    for name, row in board.items():
        if name in ("board", "partition"):
            continue
        if "part" in row:
            yield name, row
        else:
            for sub, inner in row.items():
                yield f"{name}.{sub}", inner


def _goes_to(board: Table, name: str) -> str:
    bus, _, number = name.partition(".")
    if bus not in ("spi", "i2c"):
        return name
    users = [part for part, row in _tables(board) if str(row.get(bus)) == number]
    return f"{', '.join(users)} ({name})"


def _geometry(row: Table) -> str:
    if "width" in row:
        size = f"{row['width']} x {row['height']} pixels"
        return f"{size} of {row['pitch_mm']} mm, read at {row['distance_mm']} mm"
    if "columns" in row:
        size = f"{row['columns'] * 8} x {row['rows'] * 8} LEDs, {row['columns'] * row['rows']} chips"
        return f"{size}, {row['pitch_mm']} mm apart, read at {row['distance_mm']} mm"
    return f"pressed = {row['active']}" if "active" in row else ""


if __name__ == "__main__":
    sys.exit(main())
