"""Two benches: a guest as small as can be on a console, and a whole board with mpremote as its client."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from smilehub.sim.console import Console
from smilehub.sim.terminal import BINARY_MARK, REPL_MARK

LAUNCHER = f"""
import micropython, sys
for name in ("boot.py",) if {{raw}} else ("boot.py", "main.py"):
    try:
        execfile(name)
    except OSError:
        pass
    except BaseException as error:
        sys.print_exception(error)
def binary(data):
    sys.stdout.write({BINARY_MARK!r} + bytes([len(data) & 255, len(data) >> 8]) + data)
sys.stdout.write({REPL_MARK!r})
"""


class Bench:
    """A console whose guest is restarted whenever it ends, as a soft reset does, and a client's end of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.console = Console(asyncio.get_running_loop())
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.seen = bytearray()
        self.fd = -1
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        raw = self.console.raw
        launcher = self.directory / "launcher.py"
        launcher.write_text(
            "def execfile(name):\n exec(open(name).read(), globals())\n" + LAUNCHER.format(raw=raw)
        )
        stdin, stdout = self.console.stdio()
        interpreter = Path(sys.executable).with_name("micropython")
        self.process = subprocess.Popen(
            [interpreter, "-i", launcher], stdin=stdin, stdout=stdout, stderr=stdout, cwd=self.directory
        )
        os.close(stdin)
        os.close(stdout)
        self.starts += 1
        self.console.started(self.process.pid)
        self._watch = asyncio.create_task(self._wait())
        await asyncio.sleep(0.15)
        self.console.booting()

    async def _wait(self) -> None:
        assert self.process is not None
        while self.process.poll() is None:
            await asyncio.sleep(0.005)
        self.console.ended(soft=True)
        await self.start()

    def connect(self) -> None:
        self.fd = os.open(self.console.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def disconnect(self) -> None:
        os.close(self.fd)
        self.fd = -1

    def send(self, data: bytes) -> None:
        assert os.write(self.fd, data) == len(data)

    async def until(self, wanted: bytes, seconds: float = 10.0) -> bytes:
        """What came up to and with `wanted`, or an assertion that shows what came."""
        async with asyncio.timeout(seconds):
            while wanted not in self.seen:
                try:
                    self.seen += os.read(self.fd, 4096)
                except BlockingIOError:
                    await asyncio.sleep(0.002)
                except TimeoutError:
                    break
        at = self.seen.index(wanted) + len(wanted)
        found = bytes(self.seen[:at])
        del self.seen[:at]
        return found

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self.fd >= 0:
            self.disconnect()
        self.console.close()


SMILEHUB = Path(sys.executable).with_name("smilehub")
MPREMOTE = Path(sys.executable).with_name("mpremote")


def mpremote(port: str, *arguments: str | Path) -> str:
    """What mpremote says. Raises CalledProcessError, or TimeoutExpired after 30 s."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [MPREMOTE, "connect", port, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=30,
        env=env,
    )
    text = done.stdout.decode().replace("\r\n", "\n")
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, done.args, text)
    return text


class Kiosk:
    """`smilehub sim kiosk` in a process of its own; `said` is its line of JSON, `console` a link to it."""

    def __init__(self, folder: Path, *arguments: str | Path, env: dict[str, str] | None = None) -> None:
        self.flash = folder / "flash.bin"
        self.console = str(folder / "port")
        self.process = subprocess.Popen(
            [
                SMILEHUB,
                "sim",
                "kiosk",
                "--json",
                "--flash",
                self.flash,
                "--console-link",
                self.console,
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=os.environ | (env or {}),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the board did not start"
        self.said: dict[str, Any] = json.loads(line)

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()
