"""A guest as small as can be: the real interpreter on a console, without the rest of a board."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

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
