"""`smilehub sim kiosk`: its links, its flash file, its end."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import time
from pathlib import Path

from console_bench import SMILEHUB, Kiosk, mpremote
from littlefs import LittleFS

from smilehub.cli._typed import keys_in


def vfs(flash: Path) -> LittleFS:
    """The file system of the partition `vfs` of a flash file."""
    data = flash.read_bytes()
    for at in range(0x8000, 0x9000, 32):
        offset, size = struct.unpack_from("<II", data, at + 4)
        if data[at + 12 : at + 28].rstrip(b"\0") == b"vfs":
            fs = LittleFS(block_size=4096, block_count=size // 4096, mount=False)
            fs.context.buffer = bytearray(data[offset : offset + size])
            fs.mount()
            return fs
    raise AssertionError("no partition vfs")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def refusal(*arguments: str | Path) -> str:
    done = subprocess.run([SMILEHUB, "sim", "kiosk", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_links_flash_and_refusals(tmp_path: Path) -> None:
    ports = tmp_path / "ports"
    ports.mkdir()
    stale = tmp_path / "port"
    stale.symlink_to("/nowhere")
    kiosk = Kiosk(tmp_path, "--serial-link", tmp_path / "serial", env={"SMILEHUB_PORTS": str(ports)})
    try:
        assert kiosk.said["console"] == str(stale.readlink())
        assert kiosk.said["link"] == str((tmp_path / "serial").readlink())
        assert [str(entry.readlink()) for entry in ports.iterdir()] == [kiosk.said["link"]]
        devices = subprocess.run(
            [SMILEHUB, "devices", "--json"],
            env=os.environ | {"SMILEHUB_PORTS": str(ports)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "ports/kiosk-" in devices.stdout
        assert "Another simulated board" in refusal("--flash", kiosk.flash)
        mpremote(kiosk.console, "exec", "f = open('kept.txt', 'w'); f.write('kept'); f.close()")
    finally:
        code = kiosk.stop()
    assert code == 0
    assert not stale.is_symlink()
    assert not (tmp_path / "serial").is_symlink()
    assert not list(ports.iterdir())
    # What the board wrote, another tool reads from the flash file; and the next board has it.
    fs = vfs(kiosk.flash)  # kept: an open file does not hold its file system
    with fs.open("kept.txt", "r") as file:
        assert file.read() == "kept"
    again = Kiosk(tmp_path)
    try:
        assert mpremote(again.console, "cat", ":kept.txt") == "kept"
    finally:
        again.stop()
    (tmp_path / "file").write_text("mine")
    assert "not a link" in refusal("--flash", kiosk.flash, "--console-link", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    assert "no folder" in refusal("--flash", kiosk.flash, "--console-link", tmp_path / "none" / "port")
    assert "no board description" in refusal("--board", tmp_path / "none.toml")


def test_no_guest_outlives_its_board(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    mpremote(kiosk.console, "exec", "--no-follow", "while True: pass")
    guests = children(kiosk.process.pid)
    assert guests
    os.kill(kiosk.process.pid, signal.SIGKILL)
    kiosk.process.wait(10)
    for _ in range(300):
        if not any(alive(pid) for pid in guests):
            break
        time.sleep(0.01)
    assert not [pid for pid in guests if alive(pid)]


def test_terminal_keys() -> None:
    taps = ["up", "down", "yes", "help", "back", "yes"]
    assert list(keys_in(b"\x1b[A\x1b[B\rh\x7f?\n")) == [(key, 80) for key in taps]
    assert list(keys_in(b"\x1b[CxybH")) == [("yes", 1500), ("back", 1500), ("help", 1500)]
