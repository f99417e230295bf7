"""What a board is made of, read from its board.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    ("app", "factory"): 0x00,
    ("app", "ota_0"): 0x10,
    ("app", "ota_1"): 0x11,
    ("app", "test"): 0x20,
    ("data", "ota"): 0x00,
    ("data", "phy"): 0x01,
    ("data", "nvs"): 0x02,
    ("data", "coredump"): 0x03,
    ("data", "nvs_keys"): 0x04,
    ("data", "undefined"): 0x06,
    ("data", "fat"): 0x81,
    ("data", "spiffs"): 0x82,
    ("data", "littlefs"): 0x83,
}
#: Tables of board.toml that are no parts.
_RESERVED = frozenset({"board", "partition", "uart", "spi", "i2c"})


class SpecError(ValueError):
    """The board.toml cannot be a board; the message names the table and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class PartitionSpec:
    """One row of the partition table; offset and size in bytes."""

    name: str
    type: int
    subtype: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class UartSpec:
    """One serial port: baud in bits/s, rxbuf in bytes."""

    name: str
    id: int
    tx: int
    rx: int
    baud: int
    rxbuf: int


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One part: its table, and the pins in it by role."""

    name: str
    part: str
    pins: Mapping[str, int]
    spi: int | None
    i2c: int | None
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """A board: sizes in bytes; ``heap_limit`` in device bytes (ARCHITECTURE, Heap)."""

    id: str
    chip: str
    flash_bytes: int
    heap_limit: int
    partitions: tuple[PartitionSpec, ...]
    uarts: Mapping[int, UartSpec] = field(default_factory=dict[int, UartSpec])
    spi: Mapping[int, Mapping[str, int]] = field(default_factory=dict[int, Mapping[str, int]])
    i2c: Mapping[int, Mapping[str, int]] = field(default_factory=dict[int, Mapping[str, int]])
    parts: tuple[PartSpec, ...] = ()

    def partition(self, name: str) -> PartitionSpec:
        """The partition of that name. Raises KeyError."""
        for row in self.partitions:
            if row.name == name:
                return row
        raise KeyError(name)


def load_spec(path: Path) -> BoardSpec:
    """Read a board.toml. Raises SpecError, OSError."""
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: {error}") from error
    try:
        return parse_spec(table)
    except KeyError as error:
        raise SpecError(f"{path}: {error.args[0]} is missing") from error
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def parse_spec(table: Mapping[str, Any]) -> BoardSpec:
    """Make a board of a parsed board.toml. Raises SpecError, KeyError."""
    board: Mapping[str, Any] = table["board"]
    flash_bytes = int(board["flash_mb"]) << 20
    return BoardSpec(
        id=str(board["id"]),
        chip=str(board["chip"]),
        flash_bytes=flash_bytes,
        heap_limit=int(board["heap_limit"]),
        partitions=_partitions(table.get("partition", []), flash_bytes),
        uarts={
            int(row["id"]): UartSpec(
                name, int(row["id"]), int(row["tx"]), int(row["rx"]), int(row["baud"]), int(row["rxbuf"])
            )
            for name, row in table.get("uart", {}).items()
        },
        spi={int(k): v for k, v in table.get("spi", {}).items()},
        i2c={int(k): v for k, v in table.get("i2c", {}).items()},
        parts=tuple(_parts(table)),
    )


def _partitions(rows: list[Mapping[str, Any]], flash_bytes: int) -> tuple[PartitionSpec, ...]:
    found: list[PartitionSpec] = []
    end = 0x9000
    for row in rows:
        kind, sub = str(row["type"]), str(row["subtype"])
        if (kind, sub) not in _SUBTYPES:
            raise SpecError(f"partition {row['name']}: no type {kind}/{sub}")
        part = PartitionSpec(
            str(row["name"]), _TYPES[kind], _SUBTYPES[kind, sub], int(row["offset"]), int(row["size"])
        )
        if part.offset % 4096 or part.size % 4096 or part.size <= 0:
            raise SpecError(f"partition {part.name}: offset and size must be multiples of 4096")
        if part.offset < end:
            raise SpecError(f"partition {part.name}: overlaps what is before it")
        end = part.offset + part.size
        if end > flash_bytes:
            raise SpecError(f"partition {part.name}: ends beyond the flash")
        found.append(part)
    return tuple(found)


def _parts(table: Mapping[str, Any]) -> list[PartSpec]:
    found: list[PartSpec] = []
    used: dict[int, str] = {}
    for name, row in table.items():
        if name in _RESERVED or not isinstance(row, dict):
            continue
        group = cast("dict[str, Any]", row)
        rows = {name: group} if "part" in group else {f"{name}.{k}": v for k, v in group.items()}
        for full, config in rows.items():
            if not isinstance(config, dict) or "part" not in config:
                raise SpecError(f"[{full}]: which part?")
            part = _part(full, cast("dict[str, Any]", config))
            for role, pin in part.pins.items():
                if pin in used and role != "cs":
                    raise SpecError(f"[{full}]: pin {pin} is taken by [{used[pin]}]")
                used[pin] = full
            found.append(part)
    return found


#: Keys of a part's table that name a pin, and so the roles a part may have.
PIN_ROLES = frozenset({"pin", "cs", "dc", "rst", "bl", "int", "busy", "te", "en", "din"})


def _part(name: str, config: Mapping[str, Any]) -> PartSpec:
    pins = {k: int(v) for k, v in config.items() if k in PIN_ROLES}
    spi, i2c = config.get("spi"), config.get("i2c")
    return PartSpec(
        name,
        str(config["part"]),
        pins,
        None if spi is None else int(spi),
        None if i2c is None else int(i2c),
        config,
    )
