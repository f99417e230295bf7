"""The flash file of a board: the whole chip, with ESP-IDF's partition table at 0x8000.

Erased bytes are 0xFF. The guest programs and erases it (``shims/_flash.py``); this module makes one, and
reads its table.
Format: ESP-IDF, "Partition Tables", binary rows of 32 bytes and an MD5 row.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

from smilehub.sim.spec import BoardSpec, PartitionSpec

TABLE_OFFSET = 0x8000
TABLE_SIZE = 0xC00
SECTOR = 4096
_ROW = struct.Struct("<HBBII16sI")
_MAGIC = 0x50AA
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14


class FlashError(ValueError):
    """The file is no flash image of a board."""


def encode_table(partitions: Sequence[PartitionSpec]) -> bytes:
    """The partition table as it stands at 0x8000 (0xC00 bytes, with its MD5 row)."""
    rows = b"".join(
        _ROW.pack(_MAGIC, p.type, p.subtype, p.offset, p.size, p.name.encode(), 0) for p in partitions
    )
    table = rows + _MD5_MAGIC + hashlib.md5(rows, usedforsecurity=False).digest()
    if len(table) > TABLE_SIZE:
        raise FlashError(f"{len(partitions)} partitions do not fit the table")
    return table.ljust(TABLE_SIZE, b"\xff")


def decode_table(table: bytes) -> tuple[PartitionSpec, ...]:
    """The rows of a partition table. Raises FlashError if there is none or its MD5 is wrong."""
    found: list[PartitionSpec] = []
    for at in range(0, len(table) - _ROW.size + 1, _ROW.size):
        row = table[at : at + _ROW.size]
        if row[:16] == _MD5_MAGIC:
            if row[16:] != hashlib.md5(table[:at], usedforsecurity=False).digest():
                raise FlashError("the partition table's MD5 is wrong")
            return tuple(found)
        magic, kind, subtype, offset, size, name, _ = _ROW.unpack(row)
        if magic != _MAGIC:
            break
        found.append(PartitionSpec(name.rstrip(b"\0").decode(), kind, subtype, offset, size))
    raise FlashError("no partition table")


def create(path: Path, spec: BoardSpec) -> None:
    """Write an erased flash with the spec's partition table. Raises OSError."""
    blank = b"\xff" * (1 << 20)
    with path.open("wb") as file:
        for _ in range(spec.flash_bytes >> 20):
            file.write(blank)
        file.seek(TABLE_OFFSET)
        file.write(encode_table(spec.partitions))


def read_table(path: Path) -> tuple[PartitionSpec, ...]:
    """The partitions of a flash file. Raises FlashError, OSError."""
    with path.open("rb") as file:
        file.seek(TABLE_OFFSET)
        return decode_table(file.read(TABLE_SIZE))


def read_partition(path: Path, name: str) -> bytes:
    """The bytes of one partition. Raises KeyError, FlashError, OSError."""
    for row in read_table(path):
        if row.name == name:
            with path.open("rb") as file:
                file.seek(row.offset)
                return file.read(row.size)
    raise KeyError(name)


def write_partition(path: Path, name: str, data: bytes) -> None:
    """Put bytes at the start of one partition, as a programmer would. Raises KeyError, FlashError,
    OSError."""
    for row in read_table(path):
        if row.name == name:
            if len(data) > row.size:
                raise FlashError(f"{len(data)} bytes do not fit partition {name}")
            with path.open("r+b") as file:
                file.seek(row.offset)
                file.write(data)
            return
    raise KeyError(name)
