"""`smilehub demo` as somebody types it."""

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from smilehub.cli.demo import demo
from smilehub.errors import DemoFailed
from smilehub.store.database import Store

SMILEHUB = str(Path(sys.executable).parent / "smilehub")
KEYS = {
    "visitors",
    "tickets_issued",
    "tickets_called",
    "tickets_served",
    "records_on_kiosk",
    "records_on_laptop",
    "queue_agrees",
    "journal_verified",
    "interpreter",
    "heap_limit_bytes",
    "heap_peak_bytes",
    "lcd_png",
    "wall_png",
    "store",
    "flash",
    "seconds",
}
#: For what a busy machine may need; nothing is measured by it.
_PATIENCE_S = 60


def test_a_headless_day_answers_in_json_and_leaves_its_files(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    command = [SMILEHUB, "demo", "--headless", "--visitors", "3", "--seed", "5", "--unplug", "1", "--json"]
    done = subprocess.run([*command, "--keep", str(keep)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) >= KEYS
    assert report["visitors"] == report["tickets_issued"] == 3
    assert report["tickets_called"] + report["tickets_left"] >= 3
    assert report["tickets_served"] <= report["tickets_called"]
    assert report["records_on_kiosk"] == report["records_on_laptop"] > 10
    assert report["queue_agrees"] is report["journal_verified"] is True
    assert report["interpreter"].startswith("(name='micropython', version=(1,")
    assert 0 < report["heap_peak_bytes"] <= report["heap_limit_bytes"]
    assert report["seconds"] > 0
    for name in ("lcd_png", "wall_png", "store", "flash"):
        assert Path(report[name]).parent == keep
    assert Image.open(report["lcd_png"]).size == (480, 320)
    assert Image.open(report["wall_png"]).getbbox() is not None
    assert Path(report["flash"]).stat().st_size == 16 << 20
    with sqlite3.connect(report["store"]) as store:
        assert store.execute("SELECT count(*) FROM records").fetchone() == (report["records_on_laptop"],)
    verified = subprocess.run(
        [SMILEHUB, "verify", "--store", report["store"], "--json", "--offline"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert verified.returncode == 0, verified.stderr


def test_without_keep_nothing_is_left(tmp_path: Path) -> None:
    command = [SMILEHUB, "demo", "--headless", "--visitors", "1", "--json"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [report[name] for name in ("lcd_png", "wall_png", "store", "flash")] == [None] * 4
    assert list(tmp_path.iterdir()) == []


def test_a_laptop_that_loses_a_record_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Store.records

    def forgetful(self: Store, journal_id: bytes, *bounds: int):
        return (row for row in whole(self, journal_id, *bounds) if bounds or row[0] != 7)

    monkeypatch.setattr(Store, "records", forgetful)
    result = CliRunner().invoke(demo, ["--headless", "--visitors", "1", "--json"])
    assert isinstance(result.exception, DemoFailed)
    assert json.loads(result.stdout)["journal_verified"] is False


@pytest.mark.parametrize(
    "arguments", [["--visitors", "3"], ["--unplug", "1"], ["--headless", "--visitors", "0"]]
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    done = subprocess.run([SMILEHUB, "demo", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_show_runs_on_a_terminal_until_ctrl_c() -> None:
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100", "LINES": "60"}
    running = subprocess.Popen(
        [SMILEHUB, "demo"], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
    )
    os.close(slave)
    try:
        seen = _read_until(master, lambda text: "day_opened" in text and "▀" in text)
        assert "kiosk" in seen
        assert "waiting" in seen
        children = _descendants(running.pid)
        assert children, "the board's interpreter runs"
        os.killpg(running.pid, signal.SIGINT)
        end = _read_until(master, lambda _: running.poll() is not None)
        assert running.wait(_PATIENCE_S) == 0, end[-2000:]
        assert "Traceback" not in end
        assert not [pid for pid in children if _alive(pid)]
    finally:
        running.kill()
        running.wait()
        os.close(master)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_show_prints_lines_to_what_is_no_terminal(number: signal.Signals) -> None:
    running = subprocess.Popen(
        [SMILEHUB, "demo", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert running.stdout is not None
        ports = json.loads(running.stdout.readline())
        assert ports["pid"] == running.pid
        for name in ("console", "link", "flash"):
            assert Path(ports[name]).exists()
        kinds = [json.loads(running.stdout.readline())["kind"] for _ in range(4)]
        assert "boot" in kinds
        children = _descendants(running.pid)
        assert children
        running.send_signal(number)
        _, errors = running.communicate(timeout=_PATIENCE_S)
        assert running.returncode == 0, errors
        assert b"Traceback" not in errors
        assert not [pid for pid in children if _alive(pid)]
        assert not Path(ports["flash"]).exists()
    finally:
        running.kill()
        running.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_headless_day_that_is_stopped_says_so_and_leaves_nothing(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    running = subprocess.Popen(
        [SMILEHUB, "demo", "--headless", "--visitors", "200"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        end = time.monotonic() + _PATIENCE_S
        while not (children := _descendants(running.pid)) and time.monotonic() < end:
            time.sleep(0.1)
        assert children
        time.sleep(0.5)
        running.send_signal(number)
        _, errors = running.communicate(timeout=_PATIENCE_S)
        assert (running.returncode, errors.decode()) == (code, "Stopped.\n")
        assert not [pid for pid in children if _alive(pid)]
        assert list(tmp_path.iterdir()) == []
    finally:
        running.kill()
        running.wait()


def _read_until(fd: int, enough) -> str:
    text = ""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if enough(text):
            return text
        if select.select([fd], [], [], 0.2)[0]:
            try:
                text += os.read(fd, 65536).decode(errors="replace")
            except OSError:  # the terminal's other side is closed
                return text
    raise AssertionError(f"it did not come to that: {text[-2000:]}")


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
