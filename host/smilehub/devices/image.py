"""Builds what is flashed: compiled application slots, boot files, and the whole flash image of a board."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import re
import struct
import tempfile
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from littlefs import LittleFS, LittleFSError, UserContext

from smilehub.devices import boardcfg, memory, packed
from smilehub.devices.bytecode import PART, cache_root, compile_file, short, write_if_changed
from smilehub.devices.partitions import SECTOR, TABLE_OFFSET, BoardFile, encode_table, load_board
from smilehub.devices.sources import board_toml, firmware_root
from smilehub.errors import ImageError

PACKAGES = ("hubcore", "tasks", "drivers", "services", "kiosk")
DEFAULT_LETTER = boardcfg.LETTER
DEFAULT_TZ = boardcfg.TZ
MANIFEST = "manifest"
BOOT = ("boot.py", "main.py")
#: What a laptop asks for at the console (smilehub.devices.enrol), of boardcfg and services.identity.
CONSOLE = frozenset({"BOARD_ID", "VERSION", "load", "store"})
#: Of the partition ``keys``: where an identity lies that no kiosk has written yet (docs/trust.md).
IDENTITY_SECTOR = 4
# What MicroPython gives VfsLfs2 on a Partition: extmod/vfs_lfs.c and vfs_lfsx.c.
LITTLEFS: dict[str, int] = {
    "block_size": SECTOR,
    "read_size": 32,
    "prog_size": 32,
    "cache_size": 128,
    "lookahead_size": 32,
    "block_cycles": 100,
}

# Abbreviation and offset of standard time; perhaps those of summer time, with when it begins and ends.
_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_TIME = r"[+-]?\d{1,3}(?::\d\d){0,2}"
_RULE = rf",M(?:1[0-2]|[1-9])\.[1-5]\.[0-6](?:/{_TIME})?"
_TZ = re.compile(f"{_NAME}{_TIME}(?:{_NAME}(?:{_TIME})?{_RULE}{_RULE})?")
_BOOT_STATE = struct.Struct("<2sBBI4s")


def build_app(
    out_dir: Path,
    board: BoardFile | None = None,
    *,
    letter: str = DEFAULT_LETTER,
    tz: str = DEFAULT_TZ,
    more: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Compile the application into ``out_dir`` and return its files, path in the slot → bytes.

    The packages of ``firmware/`` and the generated ``boardcfg`` become ``.mpy`` (bytecode only, small
    integers of 31 bits, lean and with short names: ``smilehub.devices.shorten``), and so do the sources
    ``more``, in place of those of the same paths or beside them; the files under ``kiosk/assets`` and
    those that ``smilehub.devices.assets.build(dir)`` makes are taken as they are; ``manifest`` lists all.
    Files that did not change are not written again. Raises ImageError with the compiler's message, or for a
    time zone that the kiosk does not understand.
    """
    check_tz(tz)
    sources = app_sources(board or load_board(board_toml()), letter=letter, tz=tz) | dict(more or {})
    lasting = {path for path in sources if memory.lasting(path)}
    sources = short(sources, names_kept(), lasting)
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        compiled = pool.map(compile_file, sources, sources.values(), (path in lasting for path in sources))
        files = {
            name.removesuffix(".py") + ".mpy": code for name, code in zip(sources, compiled, strict=True)
        }
    files |= _assets(firmware_root())
    files[MANIFEST] = manifest(files)
    out_dir.mkdir(parents=True, exist_ok=True)
    for old in sorted(out_dir.rglob("*"), reverse=True):
        stale = old.relative_to(out_dir).as_posix() not in files and old.suffix != PART
        if stale and old.is_file():
            old.unlink(missing_ok=True)
    for name, data in files.items():
        write_if_changed(out_dir / name, data)
    return files


def app_sources(board: BoardFile, *, letter: str = DEFAULT_LETTER, tz: str = DEFAULT_TZ) -> dict[str, bytes]:
    """What the application is compiled from, path in the slot → text."""
    root = firmware_root()
    sources = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
        if "assets" not in path.relative_to(root).parts
    }
    sources[packed.PATH] = packed.source().encode()
    sources["boardcfg.py"] = boardcfg.source(board, letter=letter, tz=tz).encode()
    return sources


def names_kept() -> set[str]:
    """Names in the application that others know: those of the boot files, those that enrolment asks for."""
    trees = [ast.parse((firmware_root() / "boot" / name).read_bytes()) for name in BOOT]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    fields = ("id", "attr", "arg", "name")
    given = {
        name for node in nodes for field in fields if isinstance(name := getattr(node, field, None), str)
    }
    return given | CONSOLE


def check_tz(tz: str) -> None:
    """Raises ImageError for what the kiosk (services/zone.py) does not take for a POSIX time zone."""
    if not _TZ.fullmatch(tz):
        raise ImageError(f"“{tz}” is no POSIX time zone such as EET-2EEST,M3.5.0/3,M10.5.0/4.")


def build_image(
    board_path: Path,
    path: Path,
    *,
    letter: str = DEFAULT_LETTER,
    tz: str = DEFAULT_TZ,
    slots: tuple[str, ...] = ("app_a",),
    identity: bytes | None = None,
) -> BoardFile:
    """Write a board's flash as a file: table, ``vfs``, application slots, boot state, the rest erased.

    Args:
        board_path: a ``board.toml``.
        path: the file to write; an existing one is replaced at once (never half).
        letter: the first letter of this kiosk's tickets.
        tz: the POSIX time zone of the clock that staff see.
        slots: which application slots get the application; the first is the one that boots.
        identity: what ``smilehub.trust`` issued to this board (``KioskIdentity.blob``); without one the kiosk
            answers no laptop until it is enrolled.

    Raises ImageError or MissingExtra.
    """
    board = load_board(board_path)
    app = build_app(cache_root() / "app" / f"{board.id}-{letter}", board, letter=letter, tz=tz)
    image = _image_bytes(board, app, slots)
    if identity is not None:
        at = board.partition("keys").offset + IDENTITY_SECTOR * SECTOR
        image[at : at + len(identity)] = identity
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    if identity is not None:  # a key is in it
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
    part.write_bytes(image)
    part.replace(path)
    return board


def manifest(files: Mapping[str, bytes]) -> bytes:
    """What a slot holds (docs/formats.md): a line a file, its CRC-32 and path; last the CRC-32 of the lines
    before.

    The boot code reads it in this order: a slot with damaged code is known before its pictures are read.
    """
    names = sorted(files, key=lambda name: (not name.endswith("py"), name))
    lines = "".join(f"{zlib.crc32(files[name]):08x} {name}\n" for name in names).encode()
    return lines + f"{zlib.crc32(lines):08x}\n".encode()


def boot_entry(slot: int, counter: int, flags: int = 0) -> bytes:
    """One entry of the boot state (docs/formats.md): 16 bytes; slot 0 is app_a, 1 is app_b."""
    head = _BOOT_STATE.pack(b"SB", slot, flags, counter, b"\xff" * 4)
    return head + struct.pack("<I", zlib.crc32(head))


def pack_littlefs(files: Mapping[str, bytes], size: int) -> bytes:
    """A LittleFS of ``size`` bytes as MicroPython's VfsLfs2 mounts it, trimmed after the last written block.

    The same files give the same bytes. Raises ImageError when they do not fit.
    """
    context = _Flash(size)
    fs = LittleFS(context, False, None, block_count=size // SECTOR, **LITTLEFS)
    fs.format()
    fs.mount()
    made: set[str] = set()
    try:
        for name in sorted(files):
            for parent in reversed(Path(name).parents):
                folder = parent.as_posix()
                if folder not in (".", "/") and folder not in made:
                    fs.mkdir(folder)
                    made.add(folder)
            with fs.open(name, "wb") as file:
                file.write(files[name])
    except LittleFSError as error:
        raise ImageError(f"The files do not fit into {size} bytes: {error}.") from error
    fs.unmount()
    return bytes(context.buffer[: context.end])


class _Flash(UserContext):
    """A block device of plain slices: the library's own formats a log line for each access."""

    def __init__(self, size: int) -> None:
        self.buffer = bytearray(b"\xff") * size
        self.end = 0

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
        start = block * SECTOR + off
        return self.buffer[start : start + size]

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        start = block * SECTOR + off
        self.buffer[start : start + len(data)] = data
        self.end = max(self.end, (block + 1) * SECTOR)
        return 0

    def erase(self, cfg: Any, block: int) -> int:
        self.buffer[block * SECTOR : (block + 1) * SECTOR] = b"\xff" * SECTOR
        return 0

    def sync(self, cfg: Any) -> int:
        return 0


def _image_bytes(board: BoardFile, app: Mapping[str, bytes], slots: tuple[str, ...]) -> bytearray:
    boot = {name: (firmware_root() / "boot" / name).read_bytes() for name in BOOT}
    image = bytearray(b"\xff") * board.flash_bytes
    content = {"vfs": pack_littlefs(boot, board.partition("vfs").size)}
    if slots:
        packed = _packed_app(app, board.partition(slots[0]).size)
        content |= dict.fromkeys(slots, packed)
        content["keys"] = boot_entry(0 if slots[0] == "app_a" else 1, 1)
    for name, data in content.items():
        partition = board.partition(name)
        if len(data) > partition.size:
            raise ImageError(f"{name} needs {len(data)} bytes, its partition has {partition.size}.")
        image[partition.offset : partition.offset + len(data)] = data
    table = encode_table(board.partitions)
    image[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
    return image


def _packed_app(app: Mapping[str, bytes], size: int) -> bytes:
    digest = hashlib.sha256(f"{size} {sorted(LITTLEFS.items())}".encode())
    for name in sorted(app):
        digest.update(f"\0{name}\0{len(app[name])}\0".encode() + app[name])
    cached = cache_root() / "slot" / digest.hexdigest()
    if cached.is_file():
        return cached.read_bytes()
    packed = pack_littlefs(app, size)
    write_if_changed(cached, packed)
    return packed


def _assets(root: Path) -> dict[str, bytes]:
    """Files under kiosk/assets, and what the asset builder makes; both end there in the slot."""
    folders = [root / "kiosk" / "assets"]
    # In a folder of this process alone: another one that builds must not read half a file.
    with tempfile.TemporaryDirectory(prefix="smilehub-assets-") as made:
        if importlib.util.find_spec("smilehub.devices.assets") is not None:
            importlib.import_module("smilehub.devices.assets").build(Path(made))
            folders.append(Path(made))
        return {
            f"kiosk/assets/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
