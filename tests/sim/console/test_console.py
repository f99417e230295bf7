"""The console's pseudo-terminals with the real interpreter as guest: what a client types and gets."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from console_bench import Bench

from smilehub.sim.interrupt import catches_interrupt, interrupt

FRIENDLY = b">>> "
RAW = b"raw REPL; CTRL-B to exit\r\n>"


def on_a_bench(directory: Path, scene: Callable[[Bench], Awaitable[None]], *, connected: bool = True) -> None:
    async def play() -> None:
        bench = Bench(directory)
        try:
            if connected:
                bench.connect()
            await bench.start()
            await scene(bench)
        finally:
            await bench.close()

    asyncio.run(play())


async def raw_repl(bench: Bench) -> None:
    bench.send(b"\r\x03")
    await asyncio.sleep(0.05)
    bench.send(b"\r\x01")
    await bench.until(RAW)


def test_prompt_lines_and_soft_reset(tmp_path: Path) -> None:
    (tmp_path / "boot.py").write_text("print('boot')\n")
    (tmp_path / "main.py").write_text("print('main')\nkept = 7\n")

    async def scene(bench: Bench) -> None:
        assert b"boot\r\nmain\r\n" in await bench.until(FRIENDLY)
        bench.send(b"print(kept, 'a\\nb')\r")
        assert b"7 a\r\nb\r\n" in await bench.until(FRIENDLY)
        bench.send(b"\x04")
        text = await bench.until(FRIENDLY)
        assert text.startswith(b"\r\nMPY: soft reboot\r\nboot\r\nmain\r\nMicroPython ")
        # In the raw REPL Ctrl-D runs boot.py, then the raw REPL, without main.py.
        await raw_repl(bench)
        bench.send(b"\x04")
        assert await bench.until(RAW) == b"OK\r\nMPY: soft reboot\r\nboot\r\n" + RAW
        bench.send(b"print('kept' in globals())\x04")
        assert await bench.until(b"\x04>") == b"OKFalse\r\n\x04\x04>"
        # sys.exit() in code is a soft reset, too.
        bench.send(b"import sys; sys.exit()\x04")
        assert b"MPY: soft reboot\r\nboot\r\n" + RAW in await bench.until(RAW)
        assert bench.starts == 4

    on_a_bench(tmp_path, scene)


def test_ctrl_c_reaches_running_code_and_only_that(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(FRIENDLY)
        # A byte at the prompt: a new prompt, and the interpreter lives.
        bench.send(b"abc\x03")
        await bench.until(b"abc\r\n>>> ")
        # In one go with the line that it interrupts, with more typed before it than is read.
        bench.send(b"while 1: pass\r\r\r\r\x03")
        await bench.until(b"KeyboardInterrupt")
        await raw_repl(bench)
        # Raw-paste leaves the terminal in the prompt's mode while code runs.
        bench.send(b"\x05A\x01")
        await bench.until(b"R\x01\x80\x00\x01")
        bench.send(b"print('in')\nwhile 1: pass\n\x04")
        await bench.until(b"in\r\n")
        bench.send(b"\x03\x03\x03")
        await bench.until(b"KeyboardInterrupt: \r\n\x04>")
        # Code that set another interrupt character gets the byte.
        bench.send(
            b"import sys, micropython\nmicropython.kbd_intr(-1)\nprint('go')\nx = sys.stdin.read(1)\n"
            b"micropython.kbd_intr(3)\nprint('got', ord(x))\x04"
        )
        await bench.until(b"go\r\n")
        bench.send(b"\x03")
        assert await bench.until(b"\x04>") == b"got 3\r\n\x04\x04>"
        assert bench.starts == 1

    on_a_bench(tmp_path, scene)


def test_ctrl_c_stops_a_main_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print('on')\nwhile True:\n pass\n")

    async def scene(bench: Bench) -> None:
        # Typed while the guest starts: it waits for boot.py.
        bench.send(b"\r\x03")
        assert b"KeyboardInterrupt" in await bench.until(FRIENDLY)
        await raw_repl(bench)
        bench.send(b"print(6*7)\x04")
        await bench.until(b"OK42\r\n\x04\x04>")

    on_a_bench(tmp_path, scene)


def test_clients_come_and_go_and_miss_what_was_said_meanwhile(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(FRIENDLY)
        bench.send(b"import time\r")
        await bench.until(FRIENDLY)
        bench.send(b"time.sleep(0.3); print('unheard ' * 5000); print('end')\r")
        await asyncio.sleep(0.1)
        bench.disconnect()
        async with asyncio.timeout(10):
            while not bench.console.text().endswith("end\r\n>>> "):
                await asyncio.sleep(0.01)
        bench.connect()
        bench.seen.clear()
        bench.send(b"print('back')\r")
        text = await bench.until(b"back\r\n")
        assert b"unheard" not in text
        for _ in range(30):
            bench.disconnect()
            bench.connect()
        bench.seen.clear()
        bench.send(b"\rprint('a' + 'gain')\r")
        await bench.until(b"again\r\n")
        assert bench.starts == 1

    on_a_bench(tmp_path, scene)


def test_a_slow_client_gets_everything_and_a_dead_one_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smilehub.sim.console.STUCK_SECONDS", 0.3)

    async def scene(bench: Bench) -> None:
        await bench.until(FRIENDLY)
        bench.send(b"for i in range(100000): print(i)\r\r")
        await bench.until(b"\r\n0\r\n")
        want = 1
        text = bytes(bench.seen)
        bench.seen.clear()
        async with asyncio.timeout(20):
            while want < 100000:
                try:
                    text += os.read(bench.fd, 4096)
                except BlockingIOError:
                    await asyncio.sleep(0.001)
                    continue
                *lines, text = text.split(b"\r\n")
                for line in lines:
                    assert int(line) == want
                    want += 1
        bench.seen += text
        await bench.until(FRIENDLY)
        # This client stops reading, and the program goes on all the same.
        bench.send(b"for i in range(200000): print(i)\r\rx = 'done'; print(x)\r")
        async with asyncio.timeout(20):
            while not bench.console.text().endswith("done\r\n>>> "):
                await asyncio.sleep(0.01)

    on_a_bench(tmp_path, scene)


def test_a_flood_into_a_program_that_does_not_read_leaves_ctrl_c_working(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(FRIENDLY)
        bench.send(b"while 1: pass\r\r\r")
        await bench.until(b"... \r\n")
        await asyncio.sleep(0.05)
        flood = b"#" * 500_000
        async with asyncio.timeout(10):
            while flood:
                try:
                    flood = flood[os.write(bench.fd, flood) :]
                except BlockingIOError:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            bench.send(b"\x03")
        await bench.until(b"KeyboardInterrupt")

    on_a_bench(tmp_path, scene)


def test_random_garbage_never_breaks_the_port(tmp_path: Path) -> None:
    chance = random.Random(5)

    async def scene(bench: Bench) -> None:
        await bench.until(FRIENDLY)
        odd = (1, 2, 3, 5, 10, 13, 32)
        for _ in range(30):
            data = bytes(
                chance.choice((*odd, chance.randrange(32, 127))) for _ in range(chance.randrange(1, 300))
            )
            bench.console.type(data + chance.randbytes(8) + (b"\x04" if chance.random() < 0.2 else b""))
            await asyncio.sleep(0.003)
        # Whatever state that left: a client that behaves gets its raw REPL, once all that is done.
        async with asyncio.timeout(20):
            while True:
                bench.send(b"\r\x03")
                await asyncio.sleep(0.05)
                bench.send(b"\r\x01print('fi' + 'ne')\x04")
                try:
                    await bench.until(b"OKfine\r\n\x04\x04>", 0.5)
                    break
                except TimeoutError:
                    bench.seen.clear()

    on_a_bench(tmp_path, scene)


def test_interrupt_asks_the_guest_first(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.until(FRIENDLY)
        assert bench.process is not None
        pid = bench.process.pid
        assert catches_interrupt(pid) is False
        assert not interrupt(pid)
        for _ in range(300):
            # At any moment of a short command, the interpreter must survive it.
            bench.send(b"1\r")
            interrupt(pid)
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)
        assert bench.process.poll() is None
        assert bench.starts == 1
        assert not interrupt(2**22 - 3)

    on_a_bench(tmp_path, scene)
