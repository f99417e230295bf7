"""Talking to a kiosk: requests with ids, deadlines and bounded repeats over a lossy transport."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Self

from hubcore import frames, requests
from hubcore.errors import HubError
from smilehub.errors import (
    JournalFull,
    KioskFault,
    KioskRefused,
    LinkError,
    NoAnswer,
    ProtocolError,
    VersionMismatch,
)
from smilehub.link import messages, reasons
from smilehub.link.fetch import Fetch
from smilehub.link.messages import Done, Hello, Notice, State
from smilehub.link.transport import Transport

VERSIONS: tuple[int, int] = requests.VERSIONS

_IDS = 0xFFFF  # request ids wrap here
_NOTICES = 64  # kept for a slow reader; the oldest go first, and a pull makes up for them

_Reply = tuple[int, Any, bool]


class KioskClient:
    """One conversation with one kiosk; ``async with`` opens and closes the transport.

    Every request is idempotent, so a lost request or answer is repeated: ``attempts`` times, the first after
    ``timeout`` seconds, each later one after twice as long. Time is the running loop's. ``first_id`` lets
    a program choose ids that an earlier one's late answers cannot be mistaken for.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        name: str = "laptop",
        versions: tuple[int, int] = VERSIONS,
        first_id: int = 1,
        timeout: float = 1.5,
        attempts: int = 5,
    ) -> None:
        self.transport = transport
        self.name = name
        self.versions = versions
        self.unreadable = 0
        self._timeout = timeout
        self._attempts = attempts
        self._next_id = first_id % _IDS
        self._decoder = frames.Decoder()
        self._calls: dict[int, asyncio.Queue[tuple[int, _Reply]]] = {}
        self._notices: deque[Notice] = deque(maxlen=_NOTICES)
        self._news = asyncio.Event()
        self._ended: LinkError | None = None
        self._over = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.transport.open()
        self._reader = asyncio.create_task(self._read(), name=f"read {self.transport.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.transport.close()

    @property
    def dropped(self) -> int:
        """Frames that arrived damaged since the beginning."""
        return int(self._decoder.dropped) + self.unreadable

    # --- requests -----------------------------------------------------------------------------------

    async def hello(self) -> Hello:
        """Greet and agree on a version. Raises VersionMismatch, ProtocolError or a LinkError."""
        status, result = await self._ask(requests.HELLO, {0: list(self.versions), 1: self.name})
        if status == requests.BAD_VERSION:
            raise self._mismatch(result.get(0) if isinstance(result, Mapping) else None)
        answer = messages.hello(self._good("hello", status, result))
        if not self.versions[0] <= answer.version <= self.versions[1]:
            raise self._mismatch([answer.version, answer.version])
        return answer

    async def state(self) -> State:
        """The kiosk's own digest, counts and faults."""
        return messages.state(self._good("state", *await self._ask(requests.STATE, {})))

    async def receipt(self, journal_id: bytes, seq: int) -> None:
        """Tell the kiosk that everything up to ``seq`` is on this laptop's disk."""
        self._good("receipt", *await self._ask(requests.RECEIPT, {0: journal_id, 1: seq}))

    async def set_clock(self, utc_s: int) -> None:
        """Give the kiosk the time."""
        self._good("set_clock", *await self._ask(requests.SET_CLOCK, {0: utc_s}))

    async def command(self, name: str, args: Mapping[str, Any], cmd: tuple[str, int]) -> Done:
        """Have a wish carried out once, however often it has to be sent. Raises KioskRefused."""
        wish = {0: list(cmd), 1: name, 2: dict(args)}
        status, result = await self._ask(requests.COMMAND, wish)
        return messages.done(self._good(name, status, result))

    async def pull(
        self,
        journal_id: bytes,
        from_seq: int,
        limit: int | None,
        on_chunk: Callable[[int, Sequence[bytes]], None],
        on_gap: Callable[[int, int], None] | None = None,
    ) -> int:
        """Fetch records from ``from_seq`` on, up to the journal's end or ``limit``; returns the next seq.

        ``on_chunk(first seq, records)`` gets every record once, in order, without gaps; what was lost on
        the way is asked for again. ``on_gap(first, last)`` hears of records that the kiosk itself no longer
        has; without it that is an error. Raises a LinkError when repeating does not help, ProtocolError,
        KioskRefused.
        """
        fetch = Fetch(from_seq, None if limit is None else from_seq + limit, on_chunk)
        answers: asyncio.Queue[tuple[int, _Reply]] = asyncio.Queue()
        asked: list[int] = []
        fruitless = 0
        try:
            while (count := fetch.wanted()) > 0:
                before = fetch.next_seq
                number = self._open_call(answers)
                asked.append(number)
                pause = self._timeout * (2 if fruitless else 1)
                if await self._stream(number, answers, {0: journal_id, 1: before, 2: count}, fetch, pause):
                    break
                fruitless = 0 if fetch.next_seq > before else fruitless + 1
                if fruitless >= self._attempts:
                    if on_gap is None or not fetch.holes:
                        raise self._silence()
                    # asked for again and again, the kiosk answers with what comes after: it has lost these
                    on_gap(*fetch.skip())
                    fruitless = 0
        finally:
            for number in asked:
                self._calls.pop(number, None)
        return fetch.next_seq

    # --- notices ------------------------------------------------------------------------------------

    async def notices(self) -> AsyncGenerator[Notice]:
        """What the kiosk says unasked, until the link ends (then raises why)."""
        while True:
            yield await self.next_notice()

    async def next_notice(self) -> Notice:
        """The oldest notice not yet taken. Raises the LinkError that ended the link."""
        while not self._notices:
            self._raise_if_over()
            self._news.clear()
            await self._news.wait()
        return self._notices.popleft()

    def pending_notices(self) -> list[Notice]:
        """All notices not yet taken, without waiting."""
        taken = list(self._notices)
        self._notices.clear()
        return taken

    # ------------------------------------------------------------------------------------------------

    async def _ask(self, op: int, args: Mapping[int, Any]) -> tuple[int, Any]:
        """One request, one answer: (status, result)."""
        answers: asyncio.Queue[tuple[int, _Reply]] = asyncio.Queue()
        number = self._open_call(answers)
        try:
            for attempt in range(self._attempts):
                try:
                    async with asyncio.timeout(self._timeout * (2 if attempt else 1)):
                        await self._send(requests.pack_request(number, op, dict(args)))
                        _, (status, result, _) = await self._until_over(answers)
                        return status, result
                except TimeoutError:
                    self._raise_if_over()
            raise self._silence()
        finally:
            self._calls.pop(number, None)

    async def _stream(
        self,
        number: int,
        answers: asyncio.Queue[tuple[int, _Reply]],
        args: Mapping[int, Any],
        fetch: Fetch,
        pause: float,
    ) -> bool:
        """One pull; True when it reached the journal's end. A pause in the stream ends it with False."""
        received = 0
        try:
            async with asyncio.timeout(pause) as deadline:
                await self._send(requests.pack_request(number, requests.PULL, dict(args)))
                while True:
                    source, (status, result, more) = await self._until_over(answers)
                    if source == number or status == 0:
                        first, raws = messages.chunk(self._good("pull", status, result))
                        received += len(raws)
                        fetch.take(first, raws)
                        if source == number and not more:
                            return not fetch.holes and fetch.next_seq == first and received < args[2]
                    deadline.reschedule(asyncio.get_running_loop().time() + pause)
        except TimeoutError:
            self._raise_if_over()
            return False

    def _open_call(self, answers: asyncio.Queue[tuple[int, _Reply]]) -> int:
        number = self._next_id
        self._next_id = (number + 1) % _IDS
        self._calls[number] = answers
        return number

    async def _send(self, payload: bytes) -> None:
        # the zero ends whatever half a frame the line may hold
        await self.transport.send(b"\0" + frames.encode(payload))

    async def _until_over(self, answers: asyncio.Queue[tuple[int, _Reply]]) -> tuple[int, _Reply]:
        """The next answer, or the end of the link, whichever comes first."""
        if answers.empty():
            self._raise_if_over()
        answer = await answers.get()
        if answer[0] < 0:
            self._raise_if_over()
        return answer

    async def _read(self) -> None:
        try:
            while True:
                for payload in self._decoder.feed(await self.transport.receive()):
                    self._dispatch(payload)
        except LinkError as error:
            self._ended = error
            self._news.set()
            for answers in set(self._calls.values()):
                answers.put_nowait((-1, (0, None, False)))

    def _dispatch(self, payload: bytes) -> None:
        """A whole frame's content: to the request it answers, or to those who listen; otherwise counted."""
        try:
            message = requests.unpack(payload)
        except HubError:
            self.unreadable += 1
            return
        if message[0] == requests.REPLY:
            _, number, status, result, more = message
            if number in self._calls:
                self._calls[number].put_nowait((number, (status, result, bool(more))))
        elif message[0] == requests.NOTICE:
            self._notices.append(messages.notice(message[1], message[2]))
            self._news.set()

    def _raise_if_over(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _silence(self) -> NoAnswer:
        damaged = f" ({self.dropped} damaged frames arrived)" if self.dropped else ""
        return NoAnswer(f"No kiosk answers at {self.transport.name}{damaged}.")

    def _good(self, what: str, status: int, result: Any) -> Any:
        """The result of a request that went well; anything else is an error in words."""
        if status == 0:
            return result
        said = _text(result, 0)
        reason = _text(result, 1)
        hint = None
        if status in (requests.REFUSED, requests.JOURNAL_FULL):
            said, hint = reasons.words(reason, _about(result), said)
        if status == requests.JOURNAL_FULL or (status == requests.REFUSED and reason == "journal_full"):
            raise JournalFull(_sentence(said or "the kiosk's journal is full"))
        if status == requests.REFUSED:
            raise KioskRefused(_sentence(said or "the kiosk refused"), reason=reason, hint=hint)
        if status == requests.FAULT:
            raise KioskFault(
                _sentence(f"The kiosk could not carry out '{what}': {said or 'it gives no reason'}")
            )
        known = reasons.STATUSES[status] if status < len(reasons.STATUSES) else f"status {status}"
        raise ProtocolError(
            _sentence(f"The kiosk does not accept '{what}' ({known}): {said or 'no reason given'}")
        )

    def _mismatch(self, theirs: Any) -> VersionMismatch:
        low, high = self.versions
        ours = str(low) if low == high else f"{low} to {high}"
        pair = theirs if isinstance(theirs, (list, tuple)) and len(theirs) == 2 else ("?", "?")
        kiosk = str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} to {pair[1]}"
        older = isinstance(pair[1], int) and pair[1] < low
        return VersionMismatch(
            f"The kiosk at {self.transport.name} speaks protocol version {kiosk}, this program {ours}.",
            hint="Update the kiosk's firmware." if older else "Update smilehub on this laptop.",
        )


def _text(result: Any, key: int) -> str:
    value = result.get(key) if isinstance(result, Mapping) else None
    return value if isinstance(value, str) else ""


def _about(result: Any) -> str | None:
    """What a refusal is about; None where an older kiosk does not tell."""
    return _text(result, 3) if isinstance(result, Mapping) and 3 in result else None


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
