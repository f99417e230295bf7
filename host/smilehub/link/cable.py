"""The cable: a reliable stream of bytes over a serial line that loses some (docs/link.md, Cable)."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from hubcore import cbor, frames
from hubcore.errors import HubError
from hubcore.stream import ACK, DATA, PADDED, POKE, Stream
from smilehub.errors import KioskBusy, LinkClosed, LinkError, NoAnswer, NotEnrolled, SmilehubError
from smilehub.link import bye, rates
from smilehub.link.rates import FIRST, HIGHER, Rates
from smilehub.link.transport import Transport
from smilehub.link.versions import VERSIONS, mismatch

VERSION_1, OPEN, OPENED, WAIT, BYE = 0x01, 0x10, 0x11, 0x25, 0x26

_TAKES = 1024  # payload bytes of a frame that we take
_GIVES = 384  # and that we give: four of them fit a kiosk's UART while it erases flash
_WINDOW = 4
_QUANTUM = 256
_ANSWER_S = 0.5
_OPENINGS = 12
_LAST_WORDS_S = 0.5
_ANSWERS = 16
_TICKS = 0x3FFFFFFF
_CONTROL = {OPENED, rates.RATED, rates.ECHO}
# Kiosks of version 1 answer nothing but this: a hello that asks for a version they do not have.
_HELLO_1 = bytes((VERSION_1,)) + bytes(cbor.dumps([0, 0, 1, {0: list(VERSIONS), 1: ""}]))


class _Stream(Stream):
    @property
    def idle(self) -> bool:
        """Whether all that was written has arrived."""
        return self._base == self._tail


class CableTransport:
    """A reliable transport over a serial one. ``rates``: bits a second to try beyond 115200, best first.

    ``rnd(n)`` gives n random bytes, for the token that tells this opening's frames from an earlier one's.
    """

    mtu = _WINDOW * (_GIVES - 2)

    def __init__(
        self,
        inner: Transport,
        *,
        rates: Sequence[int] = HIGHER,
        rnd: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.inner = inner
        self.on_wait: Callable[[int], None] | None = None
        #: What the kiosk calls itself before any certificate is seen.
        self.device_id = b""
        self._wanted = rates
        self._rnd = rnd
        self._stream = _Stream(_GIVES, _TAKES, _WINDOW, _WINDOW)
        self._rates = Rates(inner, self._send, self._answer, self._stream.rate)
        self._token = b""
        self._answers: asyncio.Queue[bytes] = asyncio.Queue(_ANSWERS)
        self._kick = asyncio.Event()
        self._readable = asyncio.Event()
        self._room = asyncio.Event()
        self._still = asyncio.Event()
        self._ended: SmilehubError | None = None
        self._up = False
        self._tasks: list[asyncio.Task[None]] = []
        self._reset_line()

    @property
    def name(self) -> str:
        """The port's name."""
        return self.inner.name

    @property
    def baud(self) -> int:
        """Bits a second of the line now."""
        return self._rates.baud

    @property
    def dropped(self) -> int:
        """Frames that arrived damaged since the beginning."""
        return int(self._decoder.dropped)

    @property
    def resent(self) -> int:
        """Frames sent more than once since the beginning."""
        return int(self._stream.resent)

    def handshaking(self, lasts: bool) -> None:
        """While a handshake lasts, what its messages' lengths would tell is padded away."""
        self._stream.quantum = _QUANTUM if lasts else 0

    async def open(self) -> None:
        """Open the port, find a kiosk on it and raise the rate as far as it holds.

        Raises what the port raises, NoAnswer, VersionMismatch, NotEnrolled, KioskBusy.
        """
        self._reset_line()
        await self.inner.open()
        self._began = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._read(), name=f"read {self.name}")]
        try:
            await self._greet()
            self._up = True
            self._tasks.append(asyncio.create_task(self._write(), name=f"write {self.name}"))
            if self._rates.there and self.baud == FIRST:
                await self._settle(self._wanted)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Say goodbye, if there is somebody to say it to, and give the port back."""
        if self._up and self._ended is None:
            self._end(LinkClosed(f"The connection at {self.name} was closed."), still=False)
            with contextlib.suppress(SmilehubError, TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self._drained()
                    await self._send(bytes((BYE, bye.DONE)))
        self._up = False
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.inner.close()

    async def send(self, data: bytes) -> None:
        """Hand over all of ``data``, waiting while the kiosk is slow. Raises what ended the link."""
        view = memoryview(data)
        while view:
            self._raise_if_over()
            taken = self._stream.write(view)
            view = view[taken:]
            if taken:
                self._kick.set()
            else:
                self._room.clear()
                await self._room.wait()
        self._raise_if_over()

    async def receive(self) -> bytes:
        """At least one byte. Raises what ended the link, after the last of them."""
        buf = bytearray(_WINDOW * _TAKES)
        while True:
            size = self._stream.readinto(buf)
            if size:
                self._kick.set()  # there may be credit to give
                return bytes(buf[:size])
            self._raise_if_over()
            self._readable.clear()
            await self._readable.wait()

    # --- opening ------------------------------------------------------------------------------------

    def _reset_line(self) -> None:
        self._decoder = frames.Decoder(_TAKES)
        self._ended = None
        self._up = False
        self._began = 0.0
        self._rates.begin()

    async def _greet(self) -> None:
        self._token = self._rnd(4)
        size = _TAKES.to_bytes(2, "little")
        hello = bytes((OPEN, *VERSIONS)) + self._token + size + bytes((_WINDOW,))
        for attempt in range(_OPENINGS):
            # a kiosk that an earlier program left at a high rate may not have noticed yet
            self._rates.set(HIGHER[0] if attempt % 4 == 2 else FIRST)
            await self._send(hello, first=True)
            if attempt >= 2 and self.baud == FIRST:
                await self._send(_HELLO_1)
            answer = await self._answer(OPENED, _ANSWER_S)
            if answer is not None:
                return self._opened(answer)
        damaged = f" ({self.dropped} damaged frames arrived)" if self.dropped else ""
        raise NoAnswer(f"No kiosk answers at {self.name}{damaged}.")

    def _opened(self, answer: bytes) -> None:
        size = int.from_bytes(answer[6:8], "little")
        state = answer[9]
        self.device_id = answer[10:16]
        if state == 1:
            raise NotEnrolled(f"The kiosk at {self.name} has no identity yet.")
        if state:
            raise KioskBusy(f"The kiosk at {self.name} has no room for another session.")
        self._stream.reset(max(16, min(_GIVES, size)), max(1, min(_WINDOW, answer[8])), self.baud)

    def _versions(self, lowest: int, highest: int) -> None:
        """A kiosk that shares no version with us has said so."""
        if not self._up:
            self._end(mismatch(self.name, (lowest, highest)))

    async def _settle(self, wanted: Sequence[int]) -> None:
        """Agree on a rate; whoever uses the link hears of it if that ends it."""
        with contextlib.suppress(LinkError):
            await self._rates.settle(self._token, wanted)
        self._kick.set()

    # --- the line -----------------------------------------------------------------------------------

    def _now(self) -> int:
        return int((asyncio.get_running_loop().time() - self._began) * 1000) & _TICKS

    async def _send(self, payload: bytes, *, first: bool = False) -> None:
        # the zero ends whatever half a frame the line may hold
        await self.inner.send((b"\0" if first else b"") + wired(payload))

    async def _answer(self, kind: int, within_s: float) -> bytes | None:
        """The next answer of this kind to what was sent under our token."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._raise_if_over()
                    answer = await self._answers.get()
                    if answer and answer[0] == kind:
                        return answer
        except TimeoutError:
            self._raise_if_over()
            return None

    async def _read(self) -> None:
        try:
            while True:
                data = await self.inner.receive()
                before = self.dropped
                payloads = self._decoder.feed(data)
                for payload in payloads:
                    self._dispatch(payload)
                lower = self._rates.lower(len(payloads), self.dropped - before) if self._up else ()
                if lower:
                    self._rates.changing = True
                    self._tasks.append(
                        asyncio.create_task(self._settle(lower), name=f"slow down {self.name}")
                    )
                self._kick.set()
                self._readable.set()
                self._room.set()
        except LinkError as error:
            self._end(error)

    def _dispatch(self, payload: bytes) -> None:
        kind = payload[0]
        size = len(payload)
        if kind in _CONTROL:
            token = payload[2:6] if kind == OPENED else payload[1:5]
            if kind == OPENED and size >= 8 and not payload[1] and payload[4:8] == self._token:
                self._versions(payload[2], payload[3])
            elif token == self._token and size >= (16 if kind == OPENED else 9):
                self._offer(payload)
        elif kind == VERSION_1:
            self._older(payload)
        elif not self._up:
            return  # of an earlier opening
        elif kind in (DATA, PADDED, ACK, POKE):
            self._stream.take(payload, self._now())
        elif kind == WAIT and size >= 2:
            if self.on_wait is not None:
                self.on_wait(payload[1])
        elif kind == BYE and size >= 2:
            self._end(bye.error(payload[1], self.name))

    def _older(self, payload: bytes) -> None:
        """A kiosk of version 1 answers our hello of that version with the versions that it has."""
        try:
            message: Any = cbor.loads(memoryview(payload)[1:])
            lowest, highest = message[3][0]
        except (HubError, LookupError, TypeError, ValueError):
            return
        if isinstance(lowest, int) and isinstance(highest, int) and highest < VERSIONS[0]:
            self._versions(lowest, highest)

    async def _write(self) -> None:
        out = memoryview(bytearray(frames.ROOM + _TAKES + 16))
        at = frames.ROOM
        try:
            while True:
                self._kick.clear()
                size = 0 if self._rates.changing else self._stream.next(out, at, self._now())
                if size:
                    await self._send(bytes(out[at : at + size]))
                    continue
                if self._stream.dead:
                    self._end(LinkClosed(f"The kiosk at {self.name} does not answer any more."))
                    return
                if self._stream.idle:
                    self._still.set()
                due = -1 if self._rates.changing else self._stream.due_ms(self._now())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(due / 1000 if due >= 0 else None):
                        await self._kick.wait()
        except LinkError as error:
            self._end(error)

    async def _drained(self) -> None:
        """Wait until the kiosk has all that was written."""
        while not self._stream.idle and not self._stream.dead:
            self._still.clear()
            self._kick.set()
            await self._still.wait()

    def _end(self, error: SmilehubError, *, still: bool = True) -> None:
        if self._ended is None:
            self._ended = error
        if still:
            self._still.set()
        self._readable.set()
        self._room.set()
        self._offer(b"")

    def _offer(self, answer: bytes) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # nobody waits for so many
            self._answers.put_nowait(answer)

    def _raise_if_over(self) -> None:
        if self._ended is not None:
            self._fail(self._ended)

    def _fail(self, error: SmilehubError) -> NoReturn:
        raise error


def wired(payload: bytes) -> bytes:
    """The frame of a payload, as long as the longest of its size.

    How long COBS makes it depends on where its zeros are, which is chance once it is encrypted; the line's
    time is not to depend on it. A decoder passes over the zeros behind a frame.
    """
    size = len(payload)
    return bytes(frames.encode(payload)).ljust(size + 6 + (size + 4) // 254, b"\0")
