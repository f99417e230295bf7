"""MicroPython's raw REPL at a console: short pieces of code in, what they print out; no wait is endless."""

import asyncio
import json
from typing import Any

from smilehub.errors import WrongBoard
from smilehub.link.transport import Transport

#: A board's console keeps so many typed bytes for a program that is busy (MicroPython's ring of 260).
PIECE = 200

_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_REBOOT = b"soft reboot\r\n"
_ANSWER_S = 10.0
_BOOT_S = 30.0
_TRIES = 4
_TRY_S = 1.5


class CodeFailed(Exception):
    """The code raised. Says the last line of the board's traceback, in which nothing of the code stands."""


class RawRepl:
    """The raw REPL at an open ``transport``.

    mpremote's own client raises DTR and RTS, which resets many boards, and waits for some answers forever.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._seen = bytearray()

    async def enter(self) -> None:
        """Interrupt the program that runs. Raises WrongBoard if nothing there is MicroPython, LinkError."""
        for _ in range(_TRIES):
            await self._transport.send(b"\r\x03\x03\r\x01")
            try:
                await self._until(_BANNER, _TRY_S)
                # What an impatient second try calls forth comes before the answer to an empty piece of code.
                await self.run("0")  # and nothing at all would be a restart
                return
            except TimeoutError:
                continue
        raise WrongBoard(
            f"Nothing at {self._transport.name} answers as MicroPython does.",
            hint="Check that this is the kiosk's console port and that the kiosk is on; if it is new, write "
            "Smilehub's image to it first.",
        )

    async def restart(self) -> None:
        """Begin with an empty memory and boot.py, without the program. Raises WrongBoard, LinkError."""
        await self._transport.send(b"\x04")
        try:
            await self._until(_REBOOT, _ANSWER_S)
            await self._until(_BANNER, _BOOT_S)
        except TimeoutError:
            raise _silent(self._transport.name) from None

    async def run(self, code: str) -> str:
        """What ``code`` prints, without the end of the line. Raises CodeFailed, WrongBoard, LinkError."""
        data = code.encode()
        assert len(data) <= PIECE
        await self._transport.send(data + b"\x04")
        try:
            await self._until(b"OK", _ANSWER_S)
            out = await self._until(b"\x04", _ANSWER_S)
            error = await self._until(b"\x04", _ANSWER_S)
            await self._until(b">", _ANSWER_S)
        except TimeoutError:
            raise _silent(self._transport.name) from None
        if len(error) > 1:
            raise CodeFailed(error[:-1].decode(errors="replace").strip().rpartition("\n")[2])
        return out[:-1].decode(errors="replace").strip()

    async def ask(self, expression: str) -> Any:
        """The value of an expression that JSON can carry."""
        said = await self.run(f"import json;print(json.dumps({expression}))")
        try:
            return json.loads(said)
        except ValueError:
            raise WrongBoard(f"What is at {self._transport.name} answers nonsense.") from None

    async def reset(self) -> None:
        """Restart the board as its button does; it answers nothing any more. Raises LinkError."""
        await self._transport.send(b"import machine;machine.reset()\x04")
        try:
            await self._until(b"OK", _ANSWER_S)
        except TimeoutError:
            pass

    async def _until(self, wanted: bytes, seconds: float) -> bytes:
        async with asyncio.timeout(seconds):
            while wanted not in self._seen:
                self._seen += await self._transport.receive()
        end = self._seen.index(wanted) + len(wanted)
        found = bytes(self._seen[:end])
        del self._seen[:end]
        return found


def _silent(name: str) -> WrongBoard:
    return WrongBoard(
        f"The board at {name} stopped answering.", hint="Switch it off and on, then run the command again."
    )
