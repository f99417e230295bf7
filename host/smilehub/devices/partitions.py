"""Boards as data: reads ``board.toml`` and writes or reads the ESP-IDF partition table it describes."""

from __future__ import annotations

import hashlib
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smilehub.errors import ImageError

TABLE_OFFSET = 0x8000
TABLE_SIZE = 0xC00
SECTOR = 4096

_ENTRY = struct.Struct("<HBBII16sI")
_MAGIC = 0x50AA
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    ("app", "factory"): 0x00,
    ("app", "ota_0"): 0x10,
    ("app", "ota_1"): 0x11,
    ("data", "ota"): 0x00,
    ("data", "phy"): 0x01,
    ("data", "nvs"): 0x02,
    ("data", "undefined"): 0x06,
    ("data", "fat"): 0x81,
    ("data", "spiffs"): 0x82,
    ("data", "littlefs"): 0x83,
}


@dataclass(frozen=True, slots=True)
class Partition:
    """One row of the table: ``offset`` and ``size`` in bytes of flash."""

    name: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class BoardFile:
    """A ``board.toml``: its tables as read, and its partitions in order of offset."""

    path: Path
    tables: dict[str, Any]
    partitions: tuple[Partition, ...]

    @property
    def id(self) -> str:
        return str(self.tables["board"]["id"])

    @property
    def flash_bytes(self) -> int:
        return int(self.tables["board"]["flash_mb"]) * 1024 * 1024

    def partition(self, name: str) -> Partition:
        """The partition of that name; ImageError when there is none."""
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise ImageError(f"{self.path} has no partition named {name}.")


def load_board(path: Path) -> BoardFile:
    """Read a board description. Raises ImageError for what is missing, misaligned or overlapping."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ImageError(f"There is no board description at {path}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImageError(f"{path} is not valid TOML: {error}.") from None
    try:
        partitions = sorted((_partition(row) for row in tables["partition"]), key=lambda p: p.offset)
        board = BoardFile(path, tables, tuple(partitions))
        limit = board.flash_bytes
        _ = board.id
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path} misses or mistypes a field: {error}.") from None
    end = TABLE_OFFSET + 0x1000
    for partition in partitions:
        if partition.offset % SECTOR or partition.size % SECTOR or partition.size <= 0:
            raise ImageError(f"Partition {partition.name} is not aligned to {SECTOR} bytes.")
        if partition.offset < end:
            raise ImageError(f"Partition {partition.name} overlaps what lies before it.")
        end = partition.end
    if end > limit:
        raise ImageError(f"The partitions need {end} bytes, the flash has {limit}.")
    return board


def encode_table(partitions: tuple[Partition, ...]) -> bytes:
    """The binary partition table with its MD5 row, 3,072 bytes (ESP-IDF, ``gen_esp32part.py``'s format)."""
    rows = b"".join(
        _ENTRY.pack(_MAGIC, p.type, p.subtype, p.offset, p.size, p.name.encode("ascii"), 0)
        for p in partitions
    )
    rows += _MD5_MAGIC + hashlib.md5(rows, usedforsecurity=False).digest()
    if len(rows) > TABLE_SIZE:
        raise ImageError("Too many partitions for one table.")
    return rows.ljust(TABLE_SIZE, b"\xff")


def decode_table(data: bytes) -> tuple[Partition, ...]:
    """Read a partition table as written at 0x8000. Raises ImageError when it is absent or damaged."""
    found: list[Partition] = []
    for at in range(0, min(len(data), TABLE_SIZE) - _ENTRY.size + 1, _ENTRY.size):
        row = data[at : at + _ENTRY.size]
        if row.startswith(_MD5_MAGIC):
            if hashlib.md5(data[:at], usedforsecurity=False).digest() != row[16:]:
                raise ImageError("The partition table is damaged: its MD5 does not fit.")
            return tuple(found)
        magic, kind, subtype, offset, size, name, _flags = _ENTRY.unpack(row)
        if magic != _MAGIC:
            break
        found.append(Partition(name.rstrip(b"\0").decode("ascii", "replace"), kind, subtype, offset, size))
    raise ImageError("There is no complete partition table at 0x8000.")


def _partition(row: dict[str, Any]) -> Partition:
    kind, subtype, name = row["type"], row["subtype"], row["name"]
    if (kind, subtype) not in _SUBTYPES:
        raise ImageError(f"Partition {name}: type {kind}, subtype {subtype} is not known.")
    if not 1 <= len(name.encode("ascii", "replace")) <= 15:
        raise ImageError(f"Partition name {name!r} must have 1 to 15 letters.")
    return Partition(name, _TYPES[kind], _SUBTYPES[kind, subtype], int(row["offset"]), int(row["size"]))
