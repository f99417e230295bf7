"""The module ``boardcfg``, by which the firmware knows its board: generated from ``board.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import smilehub
from smilehub.devices.partitions import BoardFile

LETTER = "K"
TZ = "UTC0"

_NOT_FOR_FIRMWARE = ("title", "chip", "colour", "console", "heap_limit", "flash_mb")


def source(board: BoardFile, *, letter: str = LETTER, tz: str = TZ, version: str = "") -> str:
    """The text of the generated module ``boardcfg``.

    Every leaf of ``board.toml`` becomes a constant named by its path in capitals: ``[panel] cs`` is
    ``PANEL_CS``, ``[spi.1] sck`` is ``SPI_1_SCK``, ``[uart.link] rxbuf`` is ``UART_LINK_RXBUF``. Lengths
    (``…_mm``) become whole micrometres (``PANEL_PITCH_UM``). The keys are one dictionary, ``KEYS =
    {"up": 4, …}`` (name to pin; all of them active low with a pull-up). ``LETTER`` is the letter of this
    kiosk's tickets, ``TZ`` the POSIX time zone of its clock, ``VERSION`` the firmware's. Left out:
    partitions, which are found by name, and what only people and the simulated board need.
    """
    tables = dict(board.tables)
    tables.pop("partition", None)
    keys: dict[str, dict[str, Any]] = tables.pop("keys", {})
    lines = [f"# Generated from hardware/{board.id}/board.toml; change it there."]
    lines.append(f"VERSION = {version or smilehub.__version__!r}")
    lines.append(f"LETTER = {letter!r}")
    lines.append(f"TZ = {tz!r}")
    lines.append("KEYS = {" + ", ".join(f"{name!r}: {key['pin']}" for name, key in keys.items()) + "}")
    lines += [f"{name} = {value!r}" for name, value in _leaves("", tables)]
    return "\n".join(lines) + "\n"


def _leaves(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        name = f"{prefix}{key}".upper()
        if key in _NOT_FOR_FIRMWARE:
            continue
        if isinstance(value, dict):
            found += _leaves(f"{prefix}{key}_", value)  # pyright: ignore[reportUnknownArgumentType]
        elif key.endswith("_mm") and isinstance(value, int | float):
            found.append((name.removesuffix("_MM") + "_UM", round(value * 1000)))
        elif isinstance(value, bool | int | str):
            found.append((name, value))
    return found
