"""mpremote takes the simulated board for a board: the commands people use, with and without `resume`."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_bench import Kiosk, mpremote


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
    yield kiosk
    kiosk.stop()


def test_exec_eval_and_run_with_and_without_resume(kiosk: Kiosk, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('sum', 6 * 7)\n")
    port = kiosk.console
    assert mpremote(port, "exec", "import sys; print(sys.implementation.name); kept = 5") == "micropython\n"
    assert mpremote(port, "resume", "eval", "kept + 1") == "6\n"
    assert mpremote(port, "run", script) == "sum 42\n"
    # Without `resume` a soft reset came first; main.py does not run then.
    assert mpremote(port, "eval", "'kept' in globals()") == "False\n"
    with pytest.raises(subprocess.CalledProcessError) as error:
        mpremote(port, "resume", "exec", "1/0")
    assert "ZeroDivisionError" in error.value.output


def test_files_go_both_ways_and_stay(kiosk: Kiosk, tmp_path: Path) -> None:
    port = kiosk.console
    data = random.Random(1).randbytes(20_000)
    (tmp_path / "r.bin").write_bytes(data)
    there = ("cp", tmp_path / "r.bin", ":r.bin")
    said = mpremote(
        port, *there, "+", "cp", ":r.bin", tmp_path / "back.bin", "+", "sha256sum", ":r.bin", "+", "df"
    )
    assert (tmp_path / "back.bin").read_bytes() == data
    assert hashlib.sha256(data).hexdigest() in said
    assert "/app" in said
    assert "20000 r.bin" in mpremote(port, "ls")
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "one.txt").write_text("one\ntwo\n")
    (tree / "inner" / "deep.py").write_text("x=1\n")
    mpremote(port, "mkdir", ":d", "+", "touch", ":d/empty", "+", "cp", "-r", tree, ":d/")
    assert mpremote(port, "resume", "cat", ":d/tree/one.txt") == "one\ntwo\n"
    assert (
        mpremote(port, "resume", "exec", "import os; print(os.listdir('/d/tree/inner'))") == "['deep.py']\n"
    )
    mpremote(port, "fs", "cp", "-r", ":d/tree", tmp_path / "again")
    assert (tmp_path / "again" / "inner" / "deep.py").read_text() == "x=1\n"
    mpremote(port, "resume", "rm", "-r", ":d", "+", "rm", ":r.bin")
    assert "r.bin" not in mpremote(port, "ls")


def test_a_mounted_folder_is_read_and_written_to_the_byte(kiosk: Kiosk, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    every = bytes(range(256)) * 3
    (folder / "in.bin").write_bytes(every)
    (folder / "module.py").write_text("def double(x):\n    return 2 * x\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import module\nprint(module.double(21))\n"
        "with open('in.bin', 'rb') as i, open('out.bin', 'wb') as o:\n    o.write(i.read())\n"
        "with open('out.txt', 'w') as o:\n    o.write('a\\nb\\r\\n')\n"
    )
    assert "42" in mpremote(kiosk.console, "mount", folder, "run", script).splitlines()
    assert (folder / "out.bin").read_bytes() == every
    assert (folder / "out.txt").read_bytes() == b"a\nb\r\n"


def test_soft_and_hard_reset(kiosk: Kiosk) -> None:
    port = kiosk.console
    mpremote(port, "soft-reset")
    ask = "import machine; print(machine.reset_cause() == machine.{})"
    assert mpremote(port, "resume", "exec", ask.format("SOFT_RESET")) == "True\n"
    mpremote(port, "resume", "reset")
    time.sleep(1)
    assert mpremote(port, "resume", "exec", ask.format("HARD_RESET")) == "True\n"
    # sys.exit() in code is a soft reset; mpremote asks for the prompt only once, so let boot.py end before.
    with contextlib.suppress(subprocess.CalledProcessError):
        mpremote(port, "resume", "exec", "--no-follow", "import sys; sys.exit()")
    time.sleep(1)
    assert mpremote(port, "resume", "eval", "1 + 1") == "2\n"


def test_a_program_that_never_ends_is_interrupted_by_the_next_client(kiosk: Kiosk) -> None:
    port = kiosk.console
    for program in ("while True: pass", "import time\nwhile True: time.sleep(60)"):
        mpremote(port, "exec", "--no-follow", program)
        assert mpremote(port, "resume", "eval", "3 * 3") == "9\n"
    # Interrupted while it writes a file: no harm to the file system.
    mpremote(port, "exec", "--no-follow", "while True:\n with open('w', 'w') as f: f.write('x' * 3000)")
    time.sleep(0.2)
    assert mpremote(port, "resume", "exec", "import os; os.remove('w'); print(sorted(os.listdir()))") == (
        "['app', 'boot.py', 'main.py']\n"
    )


def test_prints_without_a_client_are_not_kept_for_the_next(kiosk: Kiosk) -> None:
    port = kiosk.console
    # The file says that all has been printed. The board has then read all but the last 64 KiB, which a pipe
    # holds, and so has had the chance to keep it.
    lines, unread = 20_000, 64 * 1024 // len("unheard 19999\n") + 1
    program = f"for i in range({lines}): print('unheard', i)\nwith open('w', 'w') as f: f.write('to the end')"
    mpremote(port, "exec", "--no-follow", program)
    until = time.monotonic() + 60
    while b"to the end" not in kiosk.flash.read_bytes():
        assert time.monotonic() < until, "it never ends"
        time.sleep(0.02)
    fd = os.open(port, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    heard = b""
    try:
        for _ in range(20):
            with contextlib.suppress(BlockingIOError):
                heard += os.read(fd, 65536)
            time.sleep(0.01)
    finally:
        os.close(fd)
    whole = [line.split() for line in heard.split(b"\r\n")[1:-1]]
    numbers = [int(words[1]) for words in whole if words[:1] == [b"unheard"]]
    assert min(numbers, default=lines) >= lines - unread
    assert mpremote(port, "resume", "exec", "import os; os.remove('w'); print(4)") == "4\n"
