"""The shipping program against the shipping firmware on a simulated board, over a pseudo-terminal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "smilehub.cli"]
LONGEST_S = 120.0


@pytest.fixture
def kiosk(tmp_path: Path) -> Generator[dict[str, str]]:
    link = tmp_path / "ports" / "link"
    link.parent.mkdir()
    home = str(tmp_path / "home")
    command = [*PROGRAM, "sim", "kiosk", "--flash", str(tmp_path / "flash.bin"), "--serial-link", str(link)]
    log = (tmp_path / "log").open("wb")
    with (
        log,
        subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"SMILEHUB_HOME": home},
        ) as board,
    ):
        give_up = time.monotonic() + LONGEST_S
        while not link.exists():
            assert board.poll() is None and time.monotonic() < give_up, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield os.environ | {
            "SMILEHUB_PORTS": str(link.parent),
            "XDG_DATA_HOME": str(tmp_path),
            "SMILEHUB_HOME": home,
        }
        board.send_signal(signal.SIGINT)
        board.wait(LONGEST_S)


def test_a_desk_without_visitors(kiosk: dict[str, str]):
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*PROGRAM, *args], env=kiosk, capture_output=True, text=True, timeout=LONGEST_S)

    expected = [
        (["devices"], 0, "named in SMILEHUB_PORTS"),
        (["call", "1"], 12, "The day is closed."),
        (["day", "open"], 0, "The day is open."),
        (["chair", "open", "1", "--lane", "child"], 0, "Chair 1 is open."),
        (["call", "1"], 12, "Nobody waits for chair 1."),
        (["recall", "K99"], 12, "There is no open ticket K99."),
        (["alert", "ack"], 12, "There is no alert to acknowledge."),
        (["undo"], 12, "There is nothing that can be undone."),
        (["queue"], 0, "0 waiting"),
        (["chair", "close", "1"], 0, "Chair 1 is closed."),
        (["day", "close"], 0, "The day is closed."),
        (["verify"], 0, "the kiosk's queue and this laptop's are the same"),
        (["sync"], 0, "1 new record;"),  # of the receipt that it gives
        (["sync"], 0, "0 new records;"),
    ]
    for args, code, said in expected:
        ran = run(*args)
        assert (ran.returncode, said in ran.stdout + ran.stderr) == (code, True), (args, ran)
