"""A reference kiosk for tests: docs/formats.md spoken from memory by hubcore alone, over any byte stream."""

import asyncio
import os
import random
import tty
from collections.abc import Callable

from hubcore import frames, records, requests
from hubcore.classes import SAID, class_of
from hubcore.desk import decide, refusal
from hubcore.errors import Refused
from hubcore.fold import Hub
from smilehub.errors import LinkClosed

RED = {said for said in SAID if class_of(said) == 0}


class Peer:
    """Answers frames with frames, without I/O. ``raws`` is the journal; tests may reach into everything."""

    def __init__(
        self, *, seed: int = 1, versions: tuple[int, int] = (1, 1), clock_s: int | None = 1_700_000_000
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
        self.decoder = frames.Decoder()
        self.outbox: list[bytes] = []
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
        return frames.encode(requests.pack_notice(requests.TOPIC_HEAD, [self.journal_id, self.next_seq]))

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that answer what ``data`` completes."""
        for payload in self.decoder.feed(data):
            message = requests.unpack(payload)
            for reply in self.answer(*message[1:]):
                self.outbox.append(frames.encode(reply))
        out, self.outbox = self.outbox, []
        return out

    def answer(self, number: int, op: int, args: dict) -> list[bytes]:
        if op == requests.HELLO:
            low, high, _ = requests.parse_hello(args)
            version = min(high, self.versions[1])
            if version < max(low, self.versions[0]):
                return [requests.pack_reply(number, requests.BAD_VERSION, {0: list(self.versions)})]
            return [requests.pack_reply(number, 0, self.hello(version))]
        if op == requests.PULL:
            return self.pull(number, *requests.parse_pull(args))
        if op == requests.COMMAND:
            return [self.command(number, *requests.parse_command(args))]
        if op == requests.RECEIPT:
            journal_id, seq = requests.parse_receipt(args)
            self.receipts.append(seq)
            self.write("receipt", {"journal": journal_id, "seq": seq})
            return [requests.pack_reply(number, 0, {})]
        if op == requests.STATE:
            result = {
                0: self.journal_id,
                1: self.next_seq,
                2: self.hub.digest(),
                3: self.hub.counts,
                4: 0,
                5: [0, 9],
            }
            return [requests.pack_reply(number, 0, result)]
        if op == requests.SET_CLOCK:
            self.clock_s = requests.parse_set_clock(args)
            self.write("clock_set", {"utc": self.clock_s, "source": "laptop"})
            return [requests.pack_reply(number, 0, {})]
        return [requests.pack_reply(number, requests.UNKNOWN_OP, {0: "unknown"})]

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
        }

    def pull(self, number: int, journal_id: bytes, first: int, most: int) -> list[bytes]:
        if journal_id != self.journal_id:
            return [requests.pack_reply(number, requests.OTHER_JOURNAL, {0: "other", 1: self.journal_id})]
        seq = max(first, self.first_seq)
        replies: list[bytes] = []
        end = min(self.next_seq, seq + most)
        while seq < end:
            run = self.raws[seq - self.first_seq : min(end, seq + self.chunk) - self.first_seq]
            while sum(map(len, run)) > 900:
                run.pop()
            replies.append(requests.pack_reply(number, 0, [seq, run], True))
            seq += len(run)
        replies.append(requests.pack_reply(number, 0, [seq, []], False))
        return replies

    def command(self, number: int, cmd: tuple[str, int], name: str, args: dict) -> bytes:
        if self.hub.done(*cmd):
            return requests.pack_reply(number, 0, {0: self.hub.issuer_seq.get(cmd[0], 0), 1: True, 2: {}})
        if name == "staff_list":
            return requests.pack_reply(number, 0, {0: 0, 1: False, 2: {"staff": sorted(self.pins)}})
        code = self.code() if name in ("checkin", "promise") and args["need"] not in RED else None
        try:
            seq = (
                self.staff(name, args, cmd)
                if name.startswith("staff_")
                else self.wish(name, args if code is None else args | {"code": code.encode()}, cmd)
            )
        except Refused as refused:
            self.write(*refusal(name, refused, cmd))
            return requests.pack_reply(
                number, requests.REFUSED, {0: str(refused), 1: refused.reason, 3: refused.about}
            )
        self.commands.append((name, args))
        body = records.decode(self.raws[seq - self.first_seq]).body
        fields = (("ticket", "label"), ("others", "others"), ("chair", "chair"))
        result = {k: body[f] for k, f in fields if f in body} | ({"code": code} if code else {})
        return requests.pack_reply(number, 0, {0: seq, 1: False, 2: result})


class Noise:
    """What a line does to the n-th frame: nothing, or one of these by a plan that hypothesis draws."""

    KINDS = ("loss", "flip", "twice", "garbage", "cut")

    def __init__(self, plan: dict[int, str] | None = None):
        self.plan = plan or {}
        self.count = 0

    def pass_on(self, frame: bytes) -> list[bytes]:
        kind = self.plan.get(self.count)
        self.count += 1
        if kind == "loss":
            return []
        if kind == "flip":
            return [bytes([frame[0] ^ 0x10]) + frame[1:]]
        if kind == "twice":
            return [frame, frame]
        if kind == "garbage":
            return [b"\xff\x13\x07", frame]
        if kind == "cut":
            return [b""]
        return [frame]


class MemoryTransport:
    """A transport that ends in a Peer in the same process, over a noisy line; "cut" ends the connection."""

    name = "memory"
    mtu = 1024

    def __init__(self, peer: Peer, noise: Noise | None = None, on_frame: Callable[[int], None] | None = None):
        self.peer = peer
        self.noise = noise or Noise()
        self.on_frame = on_frame
        self.frames_in = 0
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._open = False

    async def open(self) -> None:
        self._queue = asyncio.Queue()
        self._open = True

    async def close(self) -> None:
        self._open = False
        self._queue.put_nowait(b"")

    def say(self, data: bytes) -> None:
        """Bytes from the kiosk, unasked."""
        self._queue.put_nowait(data)

    async def send(self, data: bytes) -> None:
        if not self._open:
            raise LinkClosed("closed")
        for sent in self.noise.pass_on(data):
            if sent == b"":
                await self.close()
                raise LinkClosed("cut")
            for frame in self.peer.feed(sent):
                for part in self.noise.pass_on(frame):
                    self._queue.put_nowait(part)

    async def receive(self) -> bytes:
        if not self._open and self._queue.empty():
            raise LinkClosed("closed")
        data = await self._queue.get()
        if data == b"":
            self._open = False
            raise LinkClosed("The connection at memory ended: cut.")
        self.frames_in += 1
        if self.on_frame:
            self.on_frame(self.frames_in)
        return data


class PtyKiosk:
    """A Peer behind a real pseudo-terminal, served by the running loop."""

    def __init__(self, peer: Peer, *, pause_s: float = 0.0, mute: bool = False):
        self.peer = peer
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

    async def _serve(self) -> None:
        while True:
            await self._ready(asyncio.get_running_loop().add_reader, asyncio.get_running_loop().remove_reader)
            data = os.read(self._fd, 4096)
            if self.mute:
                continue
            for frame in self.peer.feed(data):
                await self.write(self.garbage + frame)
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)

    async def write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                await self._ready(
                    asyncio.get_running_loop().add_writer, asyncio.get_running_loop().remove_writer
                )

    async def _ready(self, add, remove) -> None:
        ready = asyncio.Event()
        add(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._fd)
