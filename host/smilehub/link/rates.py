"""The rate of a cable: raised as far as it holds, and lowered when too many frames arrive damaged."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, runtime_checkable

from smilehub.link.transport import Transport

FIRST = 115200
HIGHER = (921600, 460800, 230400)

RATE, RATED, PROBE, ECHO = 0x12, 0x13, 0x14, 0x15

_ANSWER_S = 0.5
_ASKED = 3
_ECHOES, _ECHO_S, _SETTLE_S = 3, 0.3, 0.03
_FALLBACK_S = 0.7  # a kiosk that hears nothing good at a new rate is back at the first after 0.5 s
_PROBE = bytes((0x00, 0x55, 0xAA, 0xFF, 0x00, 0x01, 0x80, 0x7F)) * 4
_SAMPLE, _TOO_MANY = 64, 6  # frames looked at, and how many of them may be damaged


@runtime_checkable
class Rated(Protocol):
    """A line whose rate can be changed, if ``has_rates``."""

    @property
    def has_rates(self) -> bool: ...

    def set_baud(self, baud: int) -> None:
        """Change the rate, both ways, for all that is sent and received from now on."""
        ...


class Rates:
    """The rate of ``inner``, if it has any. ``send(payload)`` sends a frame; ``answer(kind, seconds)`` gives
    the next one of a kind, or None; ``changed(baud)`` hears of each change."""

    def __init__(
        self,
        inner: Transport,
        send: Callable[[bytes], Awaitable[None]],
        answer: Callable[[int, float], Awaitable[bytes | None]],
        changed: Callable[[int], None],
    ) -> None:
        #: Bits a second now.
        self.baud = FIRST
        #: Whether both ends are about to change: nothing else must be sent.
        self.changing = False
        self._inner = inner
        self._send = send
        self._answer = answer
        self._changed = changed
        self._sample: deque[bool] = deque(maxlen=_SAMPLE)

    def begin(self) -> None:
        """The line was opened: it is at the first rate."""
        self.baud = FIRST
        self.changing = False
        self._sample.clear()

    @property
    def there(self) -> bool:
        """Whether the open line has rates at all."""
        return isinstance(self._inner, Rated) and self._inner.has_rates

    def set(self, baud: int) -> None:
        """Change this end, if it can be."""
        if self.baud != baud and isinstance(self._inner, Rated) and self._inner.has_rates:
            self._inner.set_baud(baud)
            self.baud = baud
            self._changed(baud)

    async def settle(self, token: bytes, rates: Sequence[int]) -> None:
        """Agree with the kiosk on the first of these rates that holds; else on the lowest of all."""
        self.changing = True
        try:
            for baud in rates:
                if await self._change(token, baud):
                    return
        finally:
            self.changing = False
            self._sample.clear()

    def lower(self, good: int, bad: int) -> Sequence[int]:
        """The rates to go down to, once too many of the newest frames were bad; so many more have come."""
        self._sample.extend([True] * bad + [False] * good)
        if self.changing or self.baud == FIRST or sum(self._sample) <= _TOO_MANY:
            return ()
        return [rate for rate in (*HIGHER, FIRST) if rate < self.baud]

    async def _change(self, token: bytes, baud: int) -> bool:
        """Whether the line works at this rate; if not, both ends are where they were, or at the first."""
        answer = None
        for _ in range(_ASKED):
            await self._send(bytes((RATE,)) + token + baud.to_bytes(4, "little"))
            answer = await self._answer(RATED, _ANSWER_S)
            if answer is not None:
                break
        if answer is not None:
            if int.from_bytes(answer[5:9], "little") != baud:
                return False  # it stays where it is
            self.set(baud)
            if await self._probed(token):
                return True
        # without an answer nobody knows whether the kiosk has changed: it finds back by itself
        self.set(FIRST)
        await asyncio.sleep(_FALLBACK_S)
        return False

    async def _probed(self, token: bytes) -> bool:
        echoes = 0
        for _ in range(_ECHOES):
            # the kiosk changes a moment after its answer has left it
            await asyncio.sleep(_SETTLE_S)
            await self._send(bytes((PROBE,)) + token + _PROBE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ECHO_S):
                while echoes < _ECHOES - 1:
                    answer = await self._answer(ECHO, _ECHO_S)
                    echoes += answer is not None and answer[5:] == _PROBE
        return echoes >= _ECHOES - 1
