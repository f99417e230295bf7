"""Flash images: what is in them, that the file systems open elsewhere, and that the board boots from them."""

import asyncio
import inspect
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from littlefs import LittleFS

from smilehub.devices import boardcfg, bytecode, enrol, image, shorten
from smilehub.devices.partitions import (
    TABLE_OFFSET,
    TABLE_SIZE,
    Partition,
    decode_table,
    encode_table,
    load_board,
)
from smilehub.devices.sources import board_toml, firmware_root
from smilehub.errors import ImageError
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec

TOML = board_toml()


@pytest.fixture(scope="module")
def flash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "flash.bin"
    image.build_image(TOML, path)
    return path


def partition_bytes(flash: Path, name: str) -> bytes:
    partition = load_board(TOML).partition(name)
    return flash.read_bytes()[partition.offset : partition.end]


def files_in(data: bytes) -> dict[str, bytes]:
    config: dict[str, Any] = dict(image.LITTLEFS)
    fs = LittleFS(mount=False, block_count=len(data) // 4096, **config)
    fs.context.buffer = bytearray(data)
    fs.mount()
    found: dict[str, bytes] = {}
    for folder, _, names in fs.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with fs.open(path, "rb") as file:
                found[path.lstrip("/")] = file.read()
    return found


def boot(flash: Path, typed: str = "", seconds: float = 3) -> str:
    """What the board prints within some virtual seconds; ``typed`` is entered at the console half-way."""
    kernel = Kernel.virtual(1)
    board = Board(kernel, load_spec(TOML), flash, seed=1)

    async def run() -> str:
        await board.power_on()
        await asyncio.sleep(seconds)
        if typed:
            board.console_write(typed.encode() + b"\r")
            await asyncio.sleep(seconds)
        return board.console_text()

    try:
        return kernel.run(run())
    finally:
        board.close()
        kernel.close()


#: Stands in for the application where a test wants the console.
APP = {
    "kiosk/app.py": b"def main(slot, damaged):\n    print('slot', slot, 'damaged', damaged or 'nothing')\n"
}


def slot(flash: Path, more: dict[str, bytes]) -> bytes:
    app = partition_bytes(flash, "app_a")
    return image.pack_littlefs(files_in(app) | APP | more, len(app))


def changed(flash: Path, tmp_path: Path, edits: dict[str, bytes]) -> Path:
    board = load_board(TOML)
    data = bytearray(flash.read_bytes())
    for name, content in edits.items():
        at = board.partition(name).offset
        data[at : at + len(content)] = content
    path = tmp_path / "changed.bin"
    path.write_bytes(data)
    return path


def test_the_table_says_what_board_toml_says(flash: Path) -> None:
    data = flash.read_bytes()
    assert len(data) == 16 * 1024 * 1024
    table = decode_table(data[TABLE_OFFSET : TABLE_OFFSET + TABLE_SIZE])
    assert table == load_board(TOML).partitions
    assert {p.name: p.offset for p in table}["journal"] == 0x900000


def test_what_nobody_wrote_is_erased(flash: Path) -> None:
    for name in ("journal", "app_b", "factory", "nvs"):
        assert not partition_bytes(flash, name).strip(b"\xff"), name
    assert partition_bytes(flash, "keys")[:16] == image.boot_entry(0, 1)


def test_both_file_systems_open_with_littlefs_python(flash: Path, tmp_path: Path) -> None:
    boot_files = files_in(partition_bytes(flash, "vfs"))
    assert sorted(boot_files) == ["boot.py", "main.py"]
    assert boot_files["main.py"] == (firmware_root() / "boot" / "main.py").read_bytes()
    app = files_in(partition_bytes(flash, "app_a"))
    assert app == image.build_app(tmp_path / "app")
    assert {"boardcfg.mpy", "hubcore/fold.mpy", "services/journal.mpy", "kiosk/hub.mpy"} <= set(app)
    assert any(name.startswith("kiosk/assets/") for name in app)
    assert not [name for name in app if name.endswith(".py")]


def test_the_same_sources_give_the_same_image_without_compiling(
    flash: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = bytecode._compiler()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(bytecode, "_compiler", lambda: compiler)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("compiled again"))
    monkeypatch.setattr(shorten, "shorten", lambda *_: pytest.fail("made lean again"))
    image.build_image(TOML, tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == flash.read_bytes()


def test_files_that_are_gone_leave_the_output(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "stale.mpy").write_bytes(b"x")
    files = image.build_app(tmp_path)
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} == set(files)


def test_more_sources_are_compiled_along_and_know_the_short_names(tmp_path: Path) -> None:
    program = b"from kiosk.hub import KioskHub\ndef begin(): return KioskHub.start"
    plain = image.build_app(tmp_path)
    more = image.build_app(tmp_path, more={"kiosk/app.py": program, "own.py": b"import kiosk.app"})
    assert more.keys() - plain.keys() == {"own.mpy"}
    assert b"KioskHub" not in more["kiosk/app.mpy"] != plain["kiosk/app.mpy"]
    with pytest.raises(ImageError, match="lean"):
        image.build_app(tmp_path, more={"own.py": b"from kiosk.app import *"})


def test_what_enrolment_asks_a_kiosk_for_has_its_name(tmp_path: Path) -> None:
    text = inspect.getsource(enrol)
    assert "import boardcfg as c" in text
    assert "import identity as i" in text
    of_boardcfg, of_identity = (set(re.findall(rf"\b{name}\.(\w+)", text)) for name in "ci")
    assert of_boardcfg == {"BOARD_ID", "VERSION"}
    assert of_identity == {"load", "store"}
    assert of_boardcfg | of_identity <= image.CONSOLE
    files = image.build_app(tmp_path)
    for name in of_boardcfg:
        assert name.encode() in files["boardcfg.mpy"]
    for name in of_identity:
        assert name.encode() in files["services/identity.mpy"]


def test_a_source_that_does_not_compile_is_named() -> None:
    with pytest.raises(ImageError, match=r"kiosk/bad\.py"):
        image.compile_file("kiosk/bad.py", b"def f(:\n")


def test_boardcfg_is_plain_constants() -> None:
    scope: dict[str, Any] = {}
    exec(boardcfg.source(load_board(TOML), letter="R"), scope)
    assert scope["LETTER"] == "R"
    assert scope["KEYS"] == {"up": 4, "down": 5, "yes": 6, "back": 7, "help": 15}
    assert (scope["PANEL_CS"], scope["SPI_1_BAUD"], scope["UART_LINK_RXBUF"]) == (10, 40_000_000, 1024)
    assert scope["PANEL_PITCH_UM"] == 174
    assert not any(isinstance(value, float) for value in scope.values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("offset = 0x300000", "offset = 0x2F0000", "app_a"),
        ("offset = 0x900000", "offset = 0x900100", "journal"),
        ("offset = 0x900000", "offset = 0x5F0000", "journal"),
        ("size = 0x400000", "size = 0x800000", "the flash has"),
        ('subtype = "nvs"', 'subtype = "bogus"', "bogus"),
        ('id = "kiosk"', "", "id"),
        ("[board]", "[board", "TOML"),
    ],
)
def test_a_board_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = TOML.read_text()
    assert old in text
    path = tmp_path / "board.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ImageError, match=message):
        if old == "offset = 0x300000":
            path.write_text(text.replace("size = 0x10000\n", "size = 0x61000\n", 1))
        load_board(path)


def test_a_missing_board_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no board description"):
        load_board(tmp_path / "nowhere.toml")


def test_a_damaged_table_is_noticed() -> None:
    table = bytearray(encode_table((Partition("a", 1, 2, 0x9000, 0x1000),)))
    assert decode_table(table)[0].name == "a"
    table[5] ^= 1
    with pytest.raises(ImageError, match="damaged"):
        decode_table(table)
    with pytest.raises(ImageError, match="no complete"):
        decode_table(b"\xff" * TABLE_SIZE)


def test_files_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ImageError, match="do not fit"):
        image.pack_littlefs({"a": bytes(40_000)}, 8 * 4096)


def test_the_board_boots_the_slot(flash: Path, tmp_path: Path) -> None:
    copy = changed(flash, tmp_path, {"app_a": slot(flash, {})})
    said = boot(copy, "import sys, kiosk, os; print(kiosk.__file__, os.listdir('/'), sys.path[0])")
    assert "name='micropython'" in said
    assert f"Smilehub {load_version()}" in said
    assert "/app/kiosk/__init__.mpy" in said
    assert "['app', 'boot.py', 'main.py'] /app" in said
    assert "slot 0 damaged nothing" in said
    assert "Traceback" not in said


def test_the_slot_is_read_only(flash: Path, tmp_path: Path) -> None:
    copy = changed(flash, tmp_path, {"app_a": slot(flash, {})})
    before = partition_bytes(copy, "app_a")
    assert "OSError" in boot(copy, "open('/app/x', 'w')")
    assert partition_bytes(copy, "app_a") == before


@pytest.mark.parametrize("damage", ["boot state says b", "a is damaged"])
def test_the_other_slot_is_taken(flash: Path, tmp_path: Path, damage: str) -> None:
    edits = {"app_a": slot(flash, {}), "app_b": slot(flash, {"slot_b.py": b""})}
    if damage == "a is damaged":
        edits["app_a"] = bytes(8192)
    else:
        torn = bytearray(image.boot_entry(0, 3))
        torn[15] ^= 1
        edits["keys"] = image.boot_entry(0, 1) + image.boot_entry(1, 2) + bytes(torn)
    said = boot(changed(flash, tmp_path, edits), "import slot_b; print('it', 'is', 'b')")
    assert "it is b" in said
    assert "slot 1 damaged " + ("app_a: file system" if damage == "a is damaged" else "nothing") in said


def marred(flash: Path, name: str, at: float = 0.5) -> bytes:
    """A slot in which one bit of a file is wrong; littlefs has no checksum over what files hold."""
    app = partition_bytes(flash, "app_a")
    files = files_in(app) | APP
    data = bytearray(files[name])
    data[int(len(data) * at)] ^= 4
    return image.pack_littlefs(files | {name: bytes(data)}, len(app))


@pytest.mark.parametrize("name", ["hubcore/fold.mpy", "boardcfg.mpy", "kiosk/assets/uk.str", "manifest"])
def test_one_wrong_bit_is_enough_to_take_the_other_slot(flash: Path, tmp_path: Path, name: str) -> None:
    edits = {"app_a": marred(flash, name), "app_b": slot(flash, {})}
    said = boot(changed(flash, tmp_path, edits))
    assert f"Smilehub: damaged: app_a: {name}. app_b runs." in said
    assert f"slot 1 damaged app_a: {name}" in said


def test_a_file_that_is_gone_is_damage(flash: Path, tmp_path: Path) -> None:
    app = partition_bytes(flash, "app_a")
    files = files_in(app) | APP
    del files["services/journal.mpy"]
    edits = {"app_a": image.pack_littlefs(files, len(app)), "app_b": slot(flash, {})}
    assert "slot 1 damaged app_a: services/journal.mpy" in boot(changed(flash, tmp_path, edits))


def test_damaged_pictures_are_better_than_no_kiosk_but_damaged_code_never_runs(
    flash: Path, tmp_path: Path
) -> None:
    picture, code = "kiosk/assets/pictures.bin", "kiosk/hub.mpy"
    said = boot(changed(flash, tmp_path, {"app_a": marred(flash, picture), "app_b": marred(flash, code)}))
    assert f"slot 0 damaged app_a: {picture}, app_b: {code}" in said
    said = boot(changed(flash, tmp_path, {"app_a": marred(flash, code), "app_b": marred(flash, picture)}))
    assert f"slot 1 damaged app_a: {code}, app_b: {picture}" in said
    said = boot(changed(flash, tmp_path, {"app_a": marred(flash, code), "app_b": marred(flash, code)}))
    assert "no application in app_a or app_b" in said
    assert "slot" not in said.replace("slots", "")


def test_without_any_slot_one_clear_line_and_a_console(flash: Path, tmp_path: Path) -> None:
    edits = {"app_a": b"\xff" * 0x300000, "keys": b"\xff" * 4096}
    said = boot(changed(flash, tmp_path, edits), "print(6 * 7)")
    assert "Smilehub: no application in app_a or app_b." in said
    assert "Traceback" not in said
    assert "\n42" in said.replace("\r", "")


def load_version() -> str:
    import smilehub

    return smilehub.__version__
