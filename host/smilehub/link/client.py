"""Talking to a kiosk over a session: requests with ids and deadlines, replies as they come, notices."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any, Self

from hubcore import requests
from hubcore.errors import HubError
from smilehub.errors import LinkClosed, NoAnswer, ProtocolError, SmilehubError, WrongPeer
from smilehub.link import answers, messages
from smilehub.link.messages import Done, Health, Hello, Log, Notice, State
from smilehub.link.transport import Transport
from smilehub.link.versions import VERSIONS, mismatch

_IDS = 0xFFFF  # request ids wrap here
_NOTICES = 64  # kept for a slow reader; the oldest go first, and a pull makes up for them
_AHEAD = 8  # replies to one request that wait to be read, before nothing more is read from the session
_OUTBOX = 8
_LONGEST = 0xFFFF  # bytes of a message that we take
_ALL = 0xFFFFFFFF
_AGAIN_S = 0.2
_LARGEST_FILE = 1 << 24  # a kiosk's whole flash
_MOST_ENTRIES = 1_000
_FILE_PART = 768  # bytes of a file in one request: it takes 1,024 with its path

_Reply = tuple[int, Any, bool]


class _Call:
    """The replies to one request, at most so many ahead of who reads them."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.over = False  # the last reply has come
        self._replies: deque[_Reply] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._closed = False

    async def put(self, reply: _Reply) -> None:
        while len(self._replies) >= _AHEAD and not self._closed:
            self._room.clear()
            await self._room.wait()
        self._replies.append(reply)
        self._news.set()

    async def get(self, raise_if_over: Callable[[], None]) -> _Reply:
        while not self._replies:
            raise_if_over()
            self._news.clear()
            await self._news.wait()
        reply = self._replies.popleft()
        self.over = not reply[2]
        self._room.set()
        return reply

    def stir(self) -> None:
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self._room.set()


class KioskClient:
    """One conversation with one kiosk; ``async with`` opens and closes the transport, which must be reliable.

    A request has ``timeout`` seconds, which the kiosk is told; who gives up earlier cancels it there. At most
    four are under way, the rest wait. Nothing is repeated: when the link ends, so does the conversation, and
    who needs the answer asks again in the next. Time is the running loop's.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        name: str = "laptop",
        versions: tuple[int, int] = VERSIONS,
        timeout: float = 10.0,
    ) -> None:
        self.transport = transport
        self.name = name
        self.versions = versions
        #: What the kiosk answered to the newest greeting.
        self.greeting: Hello | None = None
        #: Messages that were none.
        self.unreadable = 0
        self._timeout = timeout
        self._next_id = 1
        self._calls: dict[int, _Call] = {}
        self._slots = asyncio.Semaphore(requests.MOST_UNDER_WAY)
        self._one_pull = asyncio.Lock()
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(_OUTBOX)
        self._notices: deque[Notice] = deque(maxlen=_NOTICES)
        self._news = asyncio.Event()
        self._ended: SmilehubError | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.transport.open()
        self._tasks = [self._start(self._read(), "read"), self._start(self._write(), "write")]
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.transport.close()

    # --- requests -----------------------------------------------------------------------------------

    async def hello(self) -> Hello:
        """Greet and agree on a version. Ends a pull; waits for one under way here.

        Raises VersionMismatch, WrongPeer, ProtocolError or a LinkError.
        """
        async with self._one_pull:
            status, result = await self._ask(requests.HELLO, {0: list(self.versions), 1: self.name})
        if status == requests.BAD_VERSION:
            raise mismatch(self.transport.name, answers.under(result, 0), self.versions)
        answer = messages.hello(self._good("hello", status, result))
        if not self.versions[0] <= answer.version <= self.versions[1]:
            raise mismatch(self.transport.name, [answer.version, answer.version], self.versions)
        shown: bytes = getattr(self.transport, "device_id", b"")
        if shown and shown != answer.device_id:
            raise WrongPeer(
                f"The kiosk at {self.transport.name} calls itself {answer.device_id.hex()}, "
                f"but shows the certificate of {shown.hex()}."
            )
        self.greeting = answer
        return answer

    async def state(self) -> State:
        """The kiosk's own digest, counts and faults."""
        return messages.state(await self._done("state", requests.STATE, {}))

    async def receipt(self, journal_id: bytes, seq: int) -> None:
        """Tell the kiosk that everything up to ``seq`` is on this laptop's disk."""
        await self._done("receipt", requests.RECEIPT, {0: journal_id, 1: seq})

    async def set_clock(self, utc_s: int) -> None:
        """Give the kiosk the time."""
        await self._done("set_clock", requests.SET_CLOCK, {0: utc_s})

    async def command(self, name: str, args: Mapping[str, Any], cmd: tuple[str, int]) -> Done:
        """Have a wish carried out, once for the same ``cmd``, however often given. Raises KioskRefused."""
        return messages.done(await self._done(name, requests.COMMAND, {0: list(cmd), 1: name, 2: dict(args)}))

    async def health(self) -> Health:
        """How the kiosk is: troubles that stand, versions, memory, link."""
        return messages.health(await self._done("health", requests.HEALTH, {}))

    async def logs(self, since: int = 0) -> Log:
        """The text that the kiosk has printed, from byte ``since`` on or as far back as it has it.

        Raises RoleForbidden if this laptop is not a technician's.
        """
        return messages.log(await self._done("logs", requests.LOGS, {0: since}))

    async def config(self) -> dict[str, Any]:
        """All settings by name."""
        return messages.names(await self._done("configuration", requests.CONFIG_GET, {}))

    async def configure(self, name: str, value: Any) -> None:
        """Change one setting. Raises KioskRefused."""
        await self._done("configuration", requests.CONFIG_SET, {0: name, 1: value})

    async def files(self, folder: str) -> list[tuple[str, int | None]]:
        """What a folder of the kiosk holds: (name, bytes; None for a folder). Files are technicians'."""
        found: list[tuple[str, int | None]] = []
        while True:
            args = {0: folder, 1: len(found)}
            more = messages.entries(await self._done("files", requests.FILE_LIST, args))
            found += more
            if not more:
                return found
            if len(found) > _MOST_ENTRIES:
                raise ProtocolError("The kiosk's answer is not what a folder holds: it has no end.")

    async def read_file(self, path: str) -> bytes:
        """All of a file of the kiosk. Raises KioskFault if there is none."""
        data = b""
        while True:
            part, size = await self.read_part(path, len(data))
            data += part
            if len(data) >= size or not part:
                return data

    async def read_part(self, path: str, at: int) -> tuple[bytes, int]:
        """Some bytes of a file from the one at ``at`` on, and how many the whole has. Raises KioskFault."""
        part, size = messages.part(await self._done("files", requests.FILE_READ, {0: path, 1: at}))
        if size > _LARGEST_FILE or (part and at + len(part) > size):
            raise ProtocolError("The kiosk's answer is not part of a file that it could hold.")
        return part, size

    async def write_file(self, path: str, data: bytes) -> None:
        """Make a file of the kiosk, or change it whole; only where nothing runs from. Raises KioskRefused."""
        at = await self.write_part(path, 0, data)
        while at < len(data):
            at = await self.write_part(path, at, data)

    async def write_part(self, path: str, at: int, data: bytes) -> int:
        """As much of ``data`` from ``at`` on as one request takes; returns where the next part begins.

        At 0 the file is begun anew. Raises KioskRefused, KioskFault.
        """
        part = data[at : at + _FILE_PART]
        await self._done("files", requests.FILE_WRITE, {0: path, 1: at, 2: part})
        return at + len(part)

    async def remove_file(self, path: str) -> None:
        """Remove a file of the kiosk. Raises KioskRefused, KioskFault."""
        await self._done("files", requests.FILE_REMOVE, {0: path})

    async def revoke(self, revoked: bytes) -> None:
        """Give the kiosk a newer revocation list. Raises KioskRefused if it is not newer or not its hub's."""
        await self._done("revoke", requests.REVOKE, {0: revoked})

    async def pull(
        self,
        journal_id: bytes,
        from_seq: int,
        limit: int | None,
        on_chunk: Callable[[int, Sequence[bytes]], None],
        on_gap: Callable[[int, int], None] | None = None,
    ) -> int:
        """Fetch records from ``from_seq`` on, up to the journal's end or ``limit``; returns the next seq.

        ``on_chunk(first seq, records)`` gets every record once, in order; ``on_gap(first, last)`` hears of
        records that the kiosk no longer has; without it that is a ProtocolError. ``timeout`` counts from one
        reply to the next. Raises a LinkError, ProtocolError, KioskRefused.
        """
        next_seq = from_seq
        end = _ALL if limit is None else from_seq + limit
        args = {0: journal_id, 1: from_seq, 2: end - from_seq}
        async with self._one_pull, self._slots:
            with self._opened() as call:
                await self._within(self._send_request(call, requests.PULL, args, None))
                while not call.over:
                    status, result, _ = await self._within(call.get(self._raise_if_over))
                    first, raws = messages.chunk(self._good("pull", status, result))
                    if first > next_seq:
                        if on_gap is None:
                            raise ProtocolError(f"The kiosk left out records {next_seq} to {first - 1}.")
                        on_gap(next_seq, first - 1)
                    elif first < next_seq or first + len(raws) > end:
                        raise ProtocolError(f"The kiosk sent record {first}, where {next_seq} was next.")
                    next_seq = first + len(raws)
                    if raws:
                        on_chunk(first, raws)
        return next_seq

    # --- notices ------------------------------------------------------------------------------------

    async def notices(self) -> AsyncGenerator[Notice]:
        """What the kiosk says unasked, until the link ends (then raises why)."""
        while True:
            yield await self.next_notice()

    async def next_notice(self) -> Notice:
        """The oldest notice not yet taken. Raises what ended the link."""
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

    async def _done(self, what: str, op: int, args: Mapping[int, Any]) -> Any:
        """The result of a request that went well."""
        return self._good(what, *await self._ask(op, args))

    async def _ask(self, op: int, args: Mapping[int, Any]) -> tuple[int, Any]:
        """One request, one answer: (status, result)."""
        return await self._within(self._ask_until_free(op, args))

    async def _ask_until_free(self, op: int, args: Mapping[int, Any]) -> tuple[int, Any]:
        until = asyncio.get_running_loop().time() + self._timeout
        while True:
            async with self._slots:
                with self._opened() as call:
                    left = max(1, int((until - asyncio.get_running_loop().time()) * 1000))
                    await self._send_request(call, op, args, left)
                    status, result, _ = await call.get(self._raise_if_over)
                    call.over = True
            if status != requests.BUSY:
                return status, result
            await asyncio.sleep(_AGAIN_S)  # another session's requests are under way

    async def _within(self, work: Coroutine[Any, Any, Any]) -> Any:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            self._raise_if_over()
            raise NoAnswer(f"The kiosk at {self.transport.name} does not answer in time.") from None

    @contextlib.contextmanager
    def _opened(self) -> Generator[_Call]:
        """A request's place among those under way; the kiosk is told if its answer is no longer wanted."""
        number = self._next_id
        self._next_id = (number + 1) % _IDS
        call = self._calls[number] = _Call(number)
        try:
            yield call
        finally:
            del self._calls[number]
            call.close()
            if not call.over and self._ended is None:
                number = self._next_id
                self._next_id = (number + 1) % _IDS
                message = requests.message((requests.REQUEST, number, requests.CANCEL, {0: call.number}))
                with contextlib.suppress(asyncio.QueueFull):
                    self._outbox.put_nowait(message)

    async def _send_request(self, call: _Call, op: int, args: Mapping[int, Any], left_ms: int | None) -> None:
        self._raise_if_over()
        parts = (requests.REQUEST, call.number, op, dict(args))
        await self._outbox.put(requests.message(parts if left_ms is None else (*parts, left_ms)))
        self._raise_if_over()

    def _start(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=f"{what} {self.transport.name}")

    async def _write(self) -> None:
        """Whole messages, one after the other, so that who gives up never leaves half of one."""
        try:
            while True:
                await self.transport.send(await self._outbox.get())
        except SmilehubError as error:
            self._end(error)

    async def _read(self) -> None:
        reader = requests.Reader(_LONGEST)
        try:
            while True:
                data = memoryview(await self.transport.receive())
                while data:
                    space = reader.space()
                    size = min(len(space), len(data))
                    space[:size] = data[:size]
                    data = data[size:]
                    payload = reader.filled(size)
                    if payload is not None:
                        await self._dispatch(payload)
        except HubError as error:
            self._end(ProtocolError(f"What the kiosk sends is no message: {error}."))
        except SmilehubError as error:
            await self._salvage(reader)
            self._end(error)

    async def _salvage(self, reader: requests.Reader) -> None:
        """Records of a reply that the link's end cut off: each came whole and authenticated, so none of them
        is asked for again."""
        space = reader.space()
        cut = messages.begun(bytes(memoryview(space.obj)[: -len(space)]))
        call = self._calls.get(cut[0]) if cut else None
        if cut and call:
            await call.put((requests.DONE, cut[1:], True))

    async def _dispatch(self, payload: bytes | bytearray | memoryview) -> None:
        """A message: to the request it answers, or to those who listen; what is none is counted."""
        try:
            message: tuple[Any, ...] = requests.parse(payload)
        except HubError:
            self.unreadable += 1
            return
        if message[0] == requests.REPLY:
            _, number, status, result, more = message
            call = self._calls.get(number)
            if call is not None:
                await call.put((status, result, bool(more)))
        elif message[0] == requests.NOTICE:
            self._notices.append(messages.notice(message[1], message[2]))
            self._news.set()

    def _end(self, error: SmilehubError) -> None:
        if self._ended is None:
            self._ended = error
        self._news.set()
        for call in self._calls.values():
            call.stir()
        while not self._outbox.empty():  # whoever waits to send has to learn it
            self._outbox.get_nowait()

    def _raise_if_over(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _good(self, what: str, status: int, result: Any) -> Any:
        if status == requests.CANCELLED:
            raise LinkClosed(f"The kiosk at {self.transport.name} broke '{what}' off for a newer request.")
        return answers.good(what, status, result)
