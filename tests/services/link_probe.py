"""LinkServer, Supervisor and Watchdog under plain MicroPython (see test_on_micropython); ends with OK."""

import asyncio
import io
import time

from journal_torture import Nor, Random

from hubcore import frames, requests
from kiosk.hub import KioskHub
from services.clock import Clock
from services.journal import Journal
from services.link import LinkServer
from services.supervisor import Supervisor
from services.watchdog import Watchdog

rnd = Random(11)


class Port(io.IOBase):
    """A UART whose far end is this script."""

    def __init__(self):
        self.incoming = b""
        self.sent = bytearray()
        self.log = []
        self.decoder = frames.Decoder()

    def init(self, txbuf):
        assert txbuf >= 2048

    def readinto(self, buf):
        n = min(len(buf), len(self.incoming))
        if not n:
            return None
        buf[:n] = self.incoming[:n]
        self.incoming = self.incoming[n:]
        return n

    def write(self, data):
        self.sent += data
        return len(data)

    def ioctl(self, request, arg):
        if request == 3:
            return (1 if self.incoming else 0) & arg
        return -1

    def collect(self):
        data, self.sent = bytes(self.sent), bytearray()
        for payload in self.decoder.feed(data):
            self.log.append(requests.unpack(payload))

    def replies(self, number, start=0):
        return [m for m in self.log[start:] if m[0] == requests.REPLY and m[1] == number]

    def notices(self, topic):
        return [m[2] for m in self.log if m[0] == requests.NOTICE and m[1] == topic]


async def until(port, true):
    """Wait for a condition, not for a time: the machine may be busy."""
    for _ in range(4000):
        port.collect()
        if true():
            return
        await asyncio.sleep_ms(5)
    raise AssertionError("it did not come")


def make(sectors=64):
    port = Port()
    hub = KioskHub(Journal(Nor(sectors)), Clock(), rnd=rnd.bytes)
    hub.start("power", "test")
    server = LinkServer(port, hub, (b"\1\2\3\4\5\6", "test", "kiosk", "K"), baud=2_000_000)
    return port, hub, server


async def ask(port, number, op, args):
    start = len(port.log)
    port.incoming += b"\0" + frames.encode(requests.pack_request(number, op, args))
    await until(port, lambda: [m for m in port.replies(number, start) if not m[4]])
    return port.replies(number, start)


async def one(port, number, op, args):
    replies = await ask(port, number, op, args)
    assert len(replies) == 1, replies
    return replies[0][2], replies[0][3]


async def conversation():
    port, hub, server = make()
    supervisor = Supervisor(hub)
    supervisor.start("link", server.run)
    await until(port, lambda: port.notices(requests.TOPIC_HEAD))
    assert port.notices(requests.TOPIC_HEAD) == [[hub.journal.id, hub.journal.next_seq]]
    status, hello = await one(port, 1, requests.HELLO, {0: [1, 9], 1: "probe"})
    assert status == 0 and hello[0] == 1 and hello[1] == b"\1\2\3\4\5\6" and hello[3] == hub.journal.next_seq
    status, span = await one(port, 2, requests.HELLO, {0: [7, 9], 1: "probe"})
    assert (status, span) == (requests.BAD_VERSION, {0: [1, 1]})
    status, done = await one(port, 3, requests.COMMAND, {0: ["desk", 1], 1: "day_open", 2: {}})
    assert status == 0 and done[1] is False
    again = await one(port, 4, requests.COMMAND, {0: ["desk", 1], 1: "day_open", 2: {}})
    assert again == (0, {0: done[0], 1: True, 2: {}}), again
    status, refused = await one(port, 5, requests.COMMAND, {0: ["desk", 2], 1: "call", 2: {"chair": "1"}})
    assert (
        status == requests.REFUSED and refused[1] == "chair_closed" and refused[2] == hub.journal.next_seq - 1
    )
    before = hub.journal.next_seq
    status, refused = await one(port, 6, requests.COMMAND, {0: ["desk", 2], 1: "call", 2: {"chair": "1"}})
    assert status == requests.REFUSED and refused[1] == "chair_closed" and hub.journal.next_seq == before
    # An emergency is told at once.
    hub.wish("checkin", {"need": "emergency", "lang": "en", "lane": "any", "pictogram": 1})
    await until(port, lambda: port.notices(requests.TOPIC_ALERT))
    alerts = port.notices(requests.TOPIC_ALERT)
    assert [a[1] for a in alerts] == ["emergency"] and alerts[0][3] >= 1, alerts
    # The clock, once.
    before = hub.journal.next_seq
    assert (await one(port, 7, requests.SET_CLOCK, {0: 1_777_000_000}))[0] == 0
    assert (await one(port, 8, requests.SET_CLOCK, {0: 1_777_000_000}))[0] == 0
    assert hub.journal.next_seq == before + 1 and hub.clock.utc_s() - 1_777_000_000 < 5
    status, state = await one(port, 9, requests.STATE, {})
    assert status == 0 and state[2] == hub.fold.digest() and state[5] == [hub.journal.used, hub.journal.total]
    # What is wrong is answered, or dropped and counted; the next request works.
    assert (await one(port, 10, 99, {}))[0] == requests.UNKNOWN_OP
    assert (await one(port, 11, requests.PULL, {0: b"12345678", 1: 1, 2: 5}))[0] == requests.OTHER_JOURNAL
    assert (await one(port, 12, requests.PULL, {0: b"1", 1: 1, 2: 5}))[0] == requests.BAD_REQUEST
    assert (await one(port, 13, requests.RECEIPT, {0: hub.journal.id, 1: 10_000}))[0] == requests.REFUSED
    port.incoming += rnd.bytes(3000)
    await until(port, lambda: server.dropped)
    assert (await one(port, 14, requests.STATE, {}))[0] == 0
    # Receipts are few.
    before = hub.journal.next_seq
    for n in range(5):
        status, _ = await one(
            port, 20 + n, requests.RECEIPT, {0: hub.journal.id, 1: hub.journal.next_seq - 1}
        )
        assert status == 0
    assert hub.journal.next_seq == before + 1, (before, hub.journal.next_seq)
    assert hub.journal.confirmed == before
    assert supervisor.restarts["link"] == 0 and hub.fold.faults == 1 + 1  # clock unknown, the absurd receipt
    return port, hub


async def pulls(port, hub):
    journal = hub.journal
    for n in range(200):
        visitor = {"need": "urgent", "lang": "en", "lane": "any", "pictogram": n % 8}
        hub.wish("left", {"ticket": hub.wish("checkin", visitor)["ticket"]})
    want = [bytes(view) for _, view in journal.read_from(1, bytearray(2048))]
    hits = len(want) // 3
    got = []
    replies = await ask(port, 40, requests.PULL, {0: journal.id, 1: 1, 2: 100_000})
    for reply in replies:
        assert reply[2] == 0 and reply[3][0] == len(got) + 1, reply[3][0]
        assert reply[4] is (reply is not replies[-1])
        got += reply[3][1]
    assert got == want, (len(got), len(want))
    assert replies[-1][3] == [len(want) + 1, []]
    assert len(replies) < len(want) / 8
    # A limit; another answer in between; a newer pull ends an older one.
    replies = await ask(port, 41, requests.PULL, {0: journal.id, 1: hits, 2: 3})
    assert [len(r[3][1]) for r in replies] == [3, 0]
    request = requests.pack_request(42, requests.PULL, {0: journal.id, 1: 1, 2: 100_000})
    state = requests.pack_request(43, requests.STATE, {})
    newer = requests.pack_request(44, requests.PULL, {0: journal.id, 1: 5, 2: 1})
    port.incoming += frames.encode(request)
    await until(port, lambda: port.replies(42))
    port.incoming += frames.encode(state)
    await until(port, lambda: port.replies(43))
    port.incoming += frames.encode(newer)
    await until(port, lambda: len(port.replies(44)) == 2)
    assert len(port.replies(42)) < len(want) // 8 and port.replies(42)[-1][4] is True
    assert port.replies(44)[0][3] == [5, [want[4]]]
    # What is lost on the kiosk is said: an empty run with more to come.
    at = journal._part.data.find(want[hits])
    journal._part.data[at + 3] ^= 0xFF
    replies = await ask(port, 45, requests.PULL, {0: journal.id, 1: hits, 2: 3})
    runs = [(r[3][0], len(r[3][1]), r[4]) for r in replies]
    assert runs == [(hits, 1, True), (hits + 2, 0, True), (hits + 2, 2, True), (hits + 4, 0, False)], runs
    hub.idle()
    assert hub.fold.faults == 3
    hub.idle()
    assert hub.fold.faults == 3


async def supervision():
    port, hub, _ = make()

    class Timer:
        made = []
        fed = 0

        def __init__(self, number, timeout):
            Timer.made.append(timeout)

        def feed(self):
            Timer.fed += 1

    class Manual:
        t = 0

    hub.clock = Clock(lambda: Manual.t, lambda a, b: a - b)
    supervisor = Supervisor(hub, Watchdog(Timer))
    runs = []

    async def dies(turn):
        runs.append(1)
        raise ValueError("on purpose")

    async def sticks(turn):
        turn.begin()
        while True:
            await asyncio.sleep_ms(1000)

    async def rests(turn):
        turn.begin()
        turn.rest()
        while True:
            await asyncio.sleep_ms(1000)

    supervisor.start("dies", dies)
    supervisor.start("rests", rests)
    await until(port, lambda: len(runs) == 1)
    Manual.t = 10_000_000
    assert supervisor.house() and not Timer.made, "no watchdog before a day is open"
    assert hub.fold.faults == 1 and len(runs) == 1
    hub.wish("day_open", {})
    supervisor.house()
    assert Timer.made == [8000] and Timer.fed == 2
    supervisor.start("sticks", sticks)
    await until(port, lambda: len(runs) == 2)
    assert supervisor.restarts["dies"] == 2
    fed = Timer.fed
    assert supervisor.house() and Timer.fed == fed + 1
    Manual.t += 7000
    assert not supervisor.house() and Timer.fed == fed + 1, "a stuck task must not be fed over"
    hub.wish("day_close", {})
    supervisor.house()
    assert Timer.made == [8000, 86_400_000]


async def main():
    port, hub = await conversation()
    await pulls(port, hub)
    await supervision()


started = time.ticks_ms()
asyncio.run(main())
print("OK", time.ticks_diff(time.ticks_ms(), started), "ms")
