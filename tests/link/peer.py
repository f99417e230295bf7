"""A reference kiosk for tests: docs/link.md spoken from memory, over a plain stream, or TLS and the cable."""

import asyncio
import functools
import os
import random
import tty

from cable_kiosk import CableKiosk
from hubs import TlsServer, server_context

from hubcore import records, requests
from hubcore.classes import SAID, class_of
from hubcore.desk import decide, refusal
from hubcore.errors import Refused
from hubcore.fold import Hub
from smilehub.errors import LinkClosed
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity

RED = {said for said in SAID if class_of(said) == 0}


class Peer:
    """Answers messages with messages, without I/O. ``raws`` is the journal; tests may reach into it."""

    def __init__(
        self, *, seed: int = 1, versions: tuple[int, int] = (2, 2), clock_s: int | None = 1_700_000_000
    ):
        self.rng = random.Random(seed)
        self.journal_id = self.rng.randbytes(8)
        self.device_id = self.rng.randbytes(6)
        self.versions = versions
        self.raws: list[bytes] = []
        self.first_seq = 1
        self.uptime_ms = 0
        self.clock_s = clock_s
        self.hub = Hub()
        self.commands: list[tuple[str, dict]] = []
        self.pins: dict[str, str] = {}
        self.receipts: list[int] = []
        self.chunk = 8
        self.reader = requests.Reader(requests.MOST_ASKED)
        self.config = {"name": "Kiosk"}
        self.log = b"hello\n"
        self.files: dict[str, bytes] = {}
        self.role = "laptop"
        self.cancelled: list[int] = []
        self.asked: list[tuple] = []
        self.write("boot", {"cause": "power", "firmware": "test"})

    @property
    def next_seq(self) -> int:
        return self.first_seq + len(self.raws)

    def write(self, kind: str, fields: dict) -> int:
        code, body = records.build(kind, fields)
        return self.write_raw(code, body)

    def write_raw(self, code: int, body: dict) -> int:
        self.uptime_ms += 1000
        seq = self.next_seq
        raw = records.encode(code, seq, 1, self.uptime_ms, self.clock_s, body)
        self.raws.append(raw)
        self.hub.apply(self.journal_id, records.decode(raw))
        return seq

    def wish(self, name: str, args: dict, cmd=None) -> int:
        now = self.hub.now_ms(1, self.uptime_ms)
        return self.write(*decide(self.hub, name, args, now, self.rng.randbytes, cmd))

    def busy_day(self, visitors: int) -> None:
        """A day's records: check-ins, calls, seats and ends at two chairs."""
        self.wish("day_open", {})
        for chair in ("1", "2"):
            self.wish("chair_open", {"chair": chair, "lanes": []})
        for n in range(visitors):
            need = self.rng.choice(["toothache", "checkup", "bleeding"])
            self.wish("checkin", {"need": need, "lane": "adult", "lang": "en", "pictogram": n % 8})
            if n % 2 or len(self.hub.visits) > 30:  # a kiosk holds no more than 40 visits at a time
                label = records.decode(self.raws[self.wish("call", {"chair": "1"}) - self.first_seq]).body[
                    "label"
                ]
                self.wish("seated", {"ticket": label})
                self.wish("served", {"ticket": label})

    def head(self) -> bytes:
        return requests.message((requests.NOTICE, requests.TOPIC_HEAD, [self.journal_id, self.next_seq]))

    def begin(self) -> None:
        """A new session."""
        self.reader.clear()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that answer what ``data`` completes."""
        out: list[bytes] = []
        while data:
            space = self.reader.space()
            size = min(len(space), len(data))
            space[:size] = data[:size]
            data = data[size:]
            payload = self.reader.filled(size)
            if payload is not None:
                message = requests.parse(payload)
                self.asked.append(message)
                out += self.answer(*message[1:4])
        return out

    def answer(self, number: int, op: int, args: dict) -> list[bytes]:
        if op == requests.HELLO:
            low, high, _ = requests.parse_hello(args)
            version = min(high, self.versions[1])
            if version < max(low, self.versions[0]):
                return [reply(number, requests.BAD_VERSION, {0: list(self.versions)})]
            return [reply(number, 0, self.hello(version))]
        if op == requests.PULL:
            return self.pull(number, *requests.parse_pull(args))
        if op == requests.COMMAND:
            return [self.command(number, *requests.parse_command(args))]
        if op == requests.RECEIPT:
            journal_id, seq = requests.parse_receipt(args)
            self.receipts.append(seq)
            self.write("receipt", {"journal": journal_id, "seq": seq})
            return [reply(number, 0, {})]
        if op == requests.STATE:
            result = {
                0: self.journal_id,
                1: self.next_seq,
                2: self.hub.digest(),
                3: self.hub.counts,
                4: 0,
                5: [0, 9],
            }
            return [reply(number, 0, result)]
        if op == requests.SET_CLOCK:
            self.clock_s = requests.parse_set_clock(args)
            self.write("clock_set", {"utc": self.clock_s, "source": "laptop"})
            return [reply(number, 0, {})]
        if op == requests.CANCEL:
            self.cancelled.append(args[0])
            return [reply(number, 0, {})]
        if not requests.ROLES[self.role] >> op & 1:
            return [reply(number, requests.FORBIDDEN, {0: "not with this role"})]
        if op == requests.HEALTH:
            health = {0: ["clock"], 1: "test", 3: 50_000, 4: [3, 9], 5: 77, 6: {"resent": 1}, 7: {}}
            return [reply(number, 0, health)]
        if op == requests.LOGS:
            start = max(args[0], 0)
            return [reply(number, 0, {0: start, 1: self.log[start:], 2: len(self.log)})]
        if op in (requests.FILE_LIST, requests.FILE_READ, requests.FILE_WRITE, requests.FILE_REMOVE):
            return [reply(number, 0, self.file(op, args[0], args))]
        if op == requests.CONFIG_GET:
            return [reply(number, 0, self.config)]
        if op == requests.CONFIG_SET:
            self.config[args[0]] = args[1]
            return [reply(number, 0, {})]
        return [reply(number, requests.UNKNOWN_OP, {0: "unknown"})]

    def file(self, op: int, path: str, args: dict):
        if op == requests.FILE_LIST:
            names = sorted(name for name in self.files if name.startswith(path))
            return [[name, len(self.files[name])] for name in names[args[1] :][:2]]
        if op == requests.FILE_READ:
            return {0: self.files[path][args[1] :][:700], 1: len(self.files[path])}
        if op == requests.FILE_WRITE:
            self.files[path] = self.files.get(path, b"")[: args[1]] + args[2]
            return {0: len(self.files[path])}
        del self.files[path]
        return {}

    def code(self) -> str:
        return "".join(self.rng.choice("udyb") for _ in range(8))

    def staff(self, name: str, args: dict, cmd) -> int:
        if name == "staff_set":
            self.pins[args["staff"]] = args["pin"]
            return self.write("staff_set", {"staff": args["staff"], "cmd": list(cmd)})
        if self.pins.pop(args["staff"], None) is None:
            raise Refused("unknown_staff", args["staff"])
        return self.write("staff_removed", {"staff": args["staff"], "cmd": list(cmd)})

    def hello(self, version: int) -> dict:
        return {
            0: version,
            1: self.device_id,
            2: self.journal_id,
            3: self.next_seq,
            4: self.first_seq,
            5: "kiosk",
            6: "test",
            7: "none",
            8: "K",
            9: 1,
            10: self.uptime_ms,
            11: self.clock_s,
            12: list(range(1, 17)),
            13: self.role,
        }

    def pull(self, number: int, journal_id: bytes, first: int, most: int) -> list[bytes]:
        if journal_id != self.journal_id:
            return [reply(number, requests.OTHER_JOURNAL, {0: "other", 1: self.journal_id})]
        seq = max(first, self.first_seq)
        replies: list[bytes] = []
        end = min(self.next_seq, seq + most)
        while seq < end:
            run = self.raws[seq - self.first_seq : min(end, seq + self.chunk) - self.first_seq]
            while sum(map(len, run)) > 1900:
                run.pop()
            replies.append(reply(number, 0, [seq, b"".join(run)], True))
            seq += len(run)
        replies.append(reply(number, 0, [seq, b""], False))
        return replies

    def command(self, number: int, cmd: tuple[str, int], name: str, args: dict) -> bytes:
        if self.hub.done(*cmd):
            return reply(number, 0, {0: self.hub.issuer_seq.get(cmd[0], 0), 1: True, 2: {}})
        if name == "staff_list":
            return reply(number, 0, {0: 0, 1: False, 2: {"staff": sorted(self.pins)}})
        code = self.code() if name in ("checkin", "promise") and args["need"] not in RED else None
        try:
            seq = (
                self.staff(name, args, cmd)
                if name.startswith("staff_")
                else self.wish(name, args if code is None else args | {"code": code.encode()}, cmd)
            )
        except Refused as refused:
            self.write(*refusal(name, refused, cmd))
            return reply(number, requests.REFUSED, {0: str(refused), 1: refused.reason, 3: refused.about})
        self.commands.append((name, args))
        body = records.decode(self.raws[seq - self.first_seq]).body
        fields = (("ticket", "label"), ("others", "others"), ("chair", "chair"))
        result = {k: body[f] for k, f in fields if f in body} | ({"code": code} if code else {})
        return reply(number, 0, {0: seq, 1: False, 2: result})


def reply(number: int, status: int, result, more: bool = False) -> bytes:
    return requests.message((requests.REPLY, number, status, result, more))


class Noise:
    """What becomes of the n-th message, in either direction: it arrives, or by a plan that hypothesis draws
    it is lost with all that follow ("hush"), or the connection ends there ("cut")."""

    def __init__(self, plan: dict[int, str] | None = None):
        self.plan = plan or {}
        self.count = 0

    def next(self) -> str:
        self.count += 1
        return self.plan.get(self.count - 1, "")


class MemoryTransport:
    """A reliable transport that ends in a Peer in the same process, until a plan ends it."""

    name = "memory"
    mtu = 1024

    def __init__(self, peer: Peer, noise: Noise | None = None):
        self.peer = peer
        self.noise = noise or Noise()
        self.device_id = peer.device_id
        self.silent = False
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._open = False

    async def open(self) -> None:
        self._queue = asyncio.Queue()
        self.peer.begin()
        self._open, self.silent = True, False

    async def close(self) -> None:
        self._open = False
        self._queue.put_nowait(b"")

    def say(self, data: bytes) -> None:
        """Bytes from the kiosk, unasked."""
        self._queue.put_nowait(data)

    async def send(self, data: bytes) -> None:
        if not self._open:
            raise LinkClosed("closed")
        if await self._passes():
            for message in self.peer.feed(data):
                if not await self._passes():
                    break
                self._queue.put_nowait(message)

    async def _passes(self) -> bool:
        what = self.noise.next()
        if what == "cut":
            await self.close()
            raise LinkClosed("cut")
        self.silent = self.silent or what == "hush"
        return not self.silent

    async def receive(self) -> bytes:
        if not self._open and self._queue.empty():
            raise LinkClosed("closed")
        data = await self._queue.get()
        if data == b"":
            self._open = False
            raise LinkClosed("The connection at memory ended: cut.")
        return data


@functools.cache
def authority() -> Authority:
    """The hub of the kiosks here, always the same."""
    return Authority.from_seed("tests")


@functools.cache
def papers() -> Identity:
    """A laptop of that hub."""
    return authority().issue_person("laptop", "tests")


class KioskEnd:
    """A Peer behind TLS and the cable's framing: bytes of the line in, bytes out."""

    def __init__(self, peer: Peer, **cable):
        self.peer = peer
        self.kiosk = CableKiosk(self._plain, device_id=peer.device_id, **cable)
        self.kiosk.on_open = self._opened
        issued = authority().issue_kiosk(peer.device_id)
        identity = Identity(issued.cert, issued.key, issued.authority, issued.hub_key, "laptop", "")
        self._context = server_context(identity)
        self.tls = TlsServer(self._context, self._answer)

    def say(self, message: bytes) -> None:
        """A message to the laptop, unasked."""
        self.tls.write(message)
        self.kiosk.unsent += self.tls.take()

    def _opened(self) -> None:
        self.peer.begin()
        self.tls = TlsServer(self._context, self._answer)

    def _plain(self, data: bytes) -> bytes:
        return self.tls.feed(data)

    def _answer(self, data: bytes) -> bytes:
        return b"".join(self.peer.feed(data))


class PtyKiosk:
    """A kiosk's cable behind a pseudo-terminal, served by the running loop; ``pause_s`` between frames."""

    def __init__(self, peer: Peer, *, pause_s: float = 0.0, mute: bool = False, **cable):
        self.peer = peer
        self.end = KioskEnd(peer, **cable)
        self.pause_s = pause_s
        self.mute = mute
        self.garbage = b""
        self.path = ""
        self._fd = -1
        self._slave = -1
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "PtyKiosk":
        self._fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._slave)
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    async def vanish(self) -> None:
        """The cable comes out."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            os.close(self._fd)
            os.close(self._slave)

    async def say(self, message: bytes) -> None:
        """A message to the laptop, unasked."""
        self.end.say(message)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            kiosk = self.end.kiosk
            try:
                async with asyncio.timeout(0.02):
                    await self._ready(loop.add_reader, loop.remove_reader)
                data = os.read(self._fd, 4096)
            except TimeoutError:
                data = b""
            if self.mute:
                continue
            now = int(loop.time() * 1000)
            for frame in kiosk.feed(data, now) if data else kiosk.poll(now):
                await self.write_raw(self.garbage + frame)
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)

    async def write_raw(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                await self._ready(loop.add_writer, loop.remove_writer)

    async def _ready(self, add, remove) -> None:
        ready = asyncio.Event()
        add(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._fd)
