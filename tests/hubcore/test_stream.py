"""The stream: whatever the line does, all arrives once and in order, or the stream says that it is dead."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubcore import frames
from hubcore.stream import ACK, DATA, HEAD, PADDED, POKE, Stream

ROOM = 2048


class End(Stream):
    """A stream with what tests want to know of it."""

    @property
    def room(self) -> int:
        """Bytes that ``write`` would take now."""
        free = (self._window - self._tail + self._base) * self._send
        if self._sent < self._tail:
            free += self._send - self._sizes[(self._tail - 1) % self._window]
        return free

    @property
    def idle(self) -> bool:
        """Whether all that was written has arrived."""
        return self._base == self._tail


class Line:
    """Two streams and what is between them; ``lose`` and the like get a random number a frame."""

    def __init__(
        self,
        seed: int = 0,
        loss: float = 0.0,
        double: float = 0.0,
        late: float = 0.0,
        flip: float = 0.0,
        ends: tuple[End, End] | None = None,
        start_ms: int = 0,
    ) -> None:
        self.random = random.Random(seed)
        self.loss, self.double, self.late, self.flip = loss, double, late, flip
        self.ends = ends or (End(1024, 384, 4, 4), End(384, 1024, 4, 4))
        self.now = start_ms
        self.under_way: list[tuple[int, int, bytes]] = []
        self.count = 0
        self.seen: list[list[bytes]] = [[], []]
        self.decoders = [frames.Decoder(), frames.Decoder()]
        self.watch: Callable[[int, bytes], object] | None = None

    def step(self) -> None:
        """Everything due is sent, 5 ms pass, what has come is taken."""
        for i, end in enumerate(self.ends):
            out = memoryview(bytearray(ROOM))
            for _ in range(40):
                size = end.next(out, 3, self.now)
                if not size:
                    break
                self._send(i, bytes(out[3 : 3 + size]))
            else:
                raise AssertionError("a stream sends for ever")
        self.now += 5
        due = sorted(item for item in self.under_way if item[0] <= self.now)
        self.under_way = [item for item in self.under_way if item[0] > self.now]
        for _, _, packed in due:
            i, data = packed[0], packed[1:]
            for payload in self.decoders[i].feed(data):
                self.ends[1 - i].take(payload, self.now & 0x3FFFFFFF)

    def _send(self, i: int, payload: bytes) -> None:
        self.seen[i].append(payload)
        if self.watch:
            self.watch(i, payload)
        for _ in range(2 if self.random.random() < self.double else 1):
            if self.random.random() < self.loss:
                continue
            data = bytearray(frames.encode(payload))
            if self.random.random() < self.flip:
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            wait = self.random.randrange(5, 120) if self.random.random() < self.late else 0
            self.count += 1
            self.under_way.append((self.now + wait, self.count, bytes([i]) + data))


def carry(line: Line, sent: tuple[bytes, bytes], steps: int = 20_000, greed: float = 1.0) -> list[bytes]:
    """What arrives of ``sent`` at the other ends, in as many steps at most."""
    got = [bytearray(), bytearray()]
    at = [0, 0]
    for _ in range(steps):
        for i, end in enumerate(line.ends):
            part = sent[i][at[i] : at[i] + line.random.randrange(1, 3000)]
            room = end.room
            taken = end.write(part)
            assert taken == min(room, len(part))
            at[i] += taken
            if line.random.random() < greed:
                buf = bytearray(line.random.randrange(1, 2000))
                size = line.ends[1 - i].readinto(buf)
                got[i] += buf[:size]
        line.step()
        if all(len(got[i]) == len(sent[i]) and line.ends[i].idle for i in (0, 1)):
            break
    return [bytes(data) for data in got]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(0, 30_000),
    back=st.integers(0, 6_000),
    loss=st.floats(0, 0.3),
    double=st.floats(0, 0.3),
    late=st.floats(0, 0.3),
    flip=st.floats(0, 0.2),
    greed=st.floats(0.1, 1),
    quantum=st.sampled_from([0, 64, 256]),
    windows=st.tuples(*[st.integers(1, 16)] * 4),
    start=st.sampled_from([0, 2**30 - 300]),
)
def test_all_arrives_once_and_in_order(
    seed, size, back, loss, double, late, flip, greed, quantum, windows, start
):
    a, b, c, d = windows
    ends = End(1024, 384, a, b), End(384, 1024, c, d)
    for end, window in zip(ends, (min(a, d), min(c, b)), strict=True):
        end.reset(1024 if end is ends[0] else 384, window)
        end.quantum = quantum
    line = Line(seed, loss, double, late, flip, ends, start)
    rnd = random.Random(seed)
    sent = rnd.randbytes(size), rnd.randbytes(back)
    got = carry(line, sent, greed=greed)
    if any(end.dead for end in ends):
        assert loss + flip > 0.2, "dead on a line that carries"
        assert all(whole.startswith(part) for whole, part in zip(sent, got, strict=True))
    else:
        assert got == list(sent)


def number_of(payload: bytes) -> int:
    return payload[1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.3), late=st.floats(0, 0.2), greed=st.floats(0.02, 1))
def test_no_frame_is_sent_beyond_the_credit(seed, loss, late, greed):
    line = Line(seed, loss, late=late)
    limit = [4, 4]  # frames that each end may send, by what the other has told
    base = [0, 0]

    def watch(i: int, payload: bytes) -> None:
        if payload[0] == ACK:
            # What this end tells bounds the other; numbers are counted on from what was known.
            told = base[1 - i] + ((payload[1] - base[1 - i]) & 255)
            base[1 - i] = told
            limit[1 - i] = max(limit[1 - i], told + payload[4])
            assert payload[4] <= 4
        elif payload[0] in (DATA, PADDED):
            number = base[i] + ((payload[1] - base[i] + 128) & 255) - 128
            assert number < limit[i]

    line.watch = watch
    rnd = random.Random(seed)
    carry(line, (rnd.randbytes(20_000), rnd.randbytes(5_000)), 3000, greed)


def test_without_faults_nothing_is_sent_twice_and_frames_are_full():
    line = Line()
    data = random.Random(1).randbytes(100_000)
    assert carry(line, (data, b"")) == [data, b""]
    sizes = [len(p) - HEAD for p in line.seen[0] if p[0] == DATA]
    assert sum(sizes) == len(data)
    assert line.ends[0].resent == 0 and line.ends[1].received == len(sizes)
    assert len([size for size in sizes if size < 1022]) <= 2


def lossy(line: Line, lost: set[int]) -> None:
    """Lose the DATA frames sent as the so-manieth."""
    real = line._send
    count = 0

    def send(i: int, payload: bytes) -> None:
        nonlocal count
        if payload[0] == DATA:
            count += 1
            if count in lost:
                return
        real(i, payload)

    line._send = send  # type: ignore[method-assign]


@pytest.mark.parametrize("lost", [{1}, {2}, {2, 3}, {1, 3}, {2, 5}])
def test_a_hole_is_filled_at_once_and_only_the_hole(lost: set[int]):
    line = Line()
    lossy(line, lost)
    data = random.Random(1).randbytes(12_000)
    assert carry(line, (data, b"")) == [data, b""]
    assert line.ends[0].resent == len(lost)
    assert line.now < 600, "nobody waited for a time-out, which is more than a second"


def test_the_last_frame_lost_costs_one_time_out():
    line = Line()
    lossy(line, {1})
    assert carry(line, (b"x" * 10, b"")) == [b"x" * 10, b""]
    wait = 60 + 4 * 1024 * 30000 // 115200
    assert wait <= line.now <= wait + 30 and line.ends[0].resent == 1


def test_in_a_handshake_it_waits_two_seconds():
    line = Line()
    line.ends[0].quantum = 256
    lossy(line, {1})
    carry(line, (b"x" * 1022, b""))
    assert 2000 <= line.now <= 2030 and line.ends[0].resent == 1


def test_a_faster_line_waits_less():
    line = Line()
    line.ends[0].rate(921600)
    lossy(line, {1})
    carry(line, (b"x" * 10, b""))
    assert 60 + 4 * 1024 * 30000 // 921600 <= line.now <= 230


def test_dead_after_eight_time_outs():
    end = End(1024, 384, 4, 4)
    assert end.write(b"x" * 3000) == 3000
    out = memoryview(bytearray(ROOM))
    now = 0
    times = []
    while not end.dead:
        while end.next(out, 0, now):
            times.append(now)
        wait = end.due_ms(now)
        assert end.dead or wait > 0
        now += max(1, wait)
    assert len(times) == 2 + 7  # two full frames, the third waits; the first again seven times
    first = 60 + 4096 * 30000 // 115200
    assert times[2] == first and times[3] - times[2] == 2000 and first + 14_000 <= now <= first + 14_001
    assert (end.write(b"x"), end.next(out, 0, now), end.due_ms(now)) == (0, 0, -1)
    end.reset(1024, 4)
    assert not end.dead and end.idle and end.write(b"x") == 1


def test_without_credit_it_asks_for_ever_as_long_as_there_are_answers():
    line = Line()
    data = bytes(range(256)) * 60
    carry(line, (data, b""), 12_000, greed=0.0)  # a minute
    assert line.seen[0][-1] == bytes([POKE])
    assert not line.ends[0].dead
    assert sum(p[0] == DATA for p in line.seen[0]) == 4
    assert line.seen[0].count(bytes([POKE])) < 70
    assert line.ends[0].due_ms(line.now) > 0


def test_a_reader_that_comes_late_is_told_of_without_asking():
    line = Line()
    carry(line, (bytes(9000), b""), 40, greed=0.0)
    before = line.seen[0].count(bytes([POKE]))
    now = line.now
    assert line.ends[1].readinto(bytearray(4000)) == 4000
    for _ in range(5):
        line.step()
    assert line.now - now < 50 and line.seen[0].count(bytes([POKE])) == before
    assert sum(p[0] == DATA for p in line.seen[0]) > 4


def test_timers():
    end = End(1024, 384, 4, 4)
    out = memoryview(bytearray(ROOM))
    assert end.due_ms(5) == -1 and end.next(out, 0, 5) == 0
    end.write(b"abc")
    assert end.due_ms(5) == 0
    assert end.next(out, 0, 5) == 5 and bytes(out[:5]) == b"\x20\x00abc"
    wait = end.due_ms(5)
    assert wait == 60 + 4 * 1024 * 30000 // 115200
    assert end.due_ms(5 + wait - 1) == 1 and end.due_ms(5 + wait) == 0
    end.take(b"\x22\x01\x00\x00\x04", 100)
    assert end.due_ms(100) == -1 and end.idle


def test_frames_look_as_written_down():
    end = End(64, 64, 4, 4)
    out = memoryview(bytearray(ROOM))
    for number in (0, 2, 3):
        end.take(bytes([DATA, number]) + b"abc", 0)
    assert end.next(out, 0, 0) == 5 and bytes(out[:5]) == bytes([ACK, 1, 3, 0, 3])
    end.take(bytes([PADDED, 1]) + b"hello\0\0\x03", 0)
    assert end.next(out, 7, 0) == 5 and bytes(out[7:12]) == bytes([ACK, 4, 0, 0, 0])
    buf = bytearray(20)
    assert end.readinto(buf) == 14 and bytes(buf[:14]) == b"abc" + b"hello" + b"abcabc"
    assert end.next(out, 0, 0) == 5 and bytes(out[:5]) == bytes([ACK, 4, 0, 0, 4])
    end.take(b"\x24", 0)
    assert end.next(out, 0, 0) == 5 and out[0] == ACK
    assert end.next(out, 0, 0) == 0


@pytest.mark.parametrize(
    ("size", "kind", "length"), [(1, 0x21, 64), (63, 0x21, 64), (64, 0x20, 64), (65, 0x21, 98)]
)
def test_padding(size: int, kind: int, length: int):
    end = End(100, 100, 4, 4)
    other = End(100, 100, 4, 4)
    end.quantum = 64
    out = memoryview(bytearray(b"\xaa" * ROOM))
    end.write(b"x" * size)
    n = end.next(out, 0, 0)
    assert (out[0], n) == (kind, HEAD + length)
    other.take(bytes(out[:n]), 0)
    buf = bytearray(200)
    assert other.readinto(buf) == size and bytes(buf[:size]) == b"x" * size


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=60), st.integers(0, 400))
def test_any_payload_is_taken_or_ignored(payloads, size):
    end = End(66, 66, 4, 4)
    out = memoryview(bytearray(ROOM))
    end.write(bytes(size))
    for payload in payloads:
        for _ in range(9):
            if not end.next(out, 0, 0):
                break
        end.take(payload, 0)
        buf = bytearray(100)
        assert 0 <= end.readinto(buf) <= 100
        assert 0 <= end.room <= 256


def test_old_and_impossible_acknowledgements_change_nothing():
    end = End(66, 66, 4, 4)
    out = memoryview(bytearray(ROOM))
    end.write(bytes(256))
    while end.next(out, 0, 0):
        pass
    for number in (5, 100, 255):
        end.take(bytes([ACK, number, 255, 255, 16]), 0)
        assert not end.idle and end.room == 0 and end.due_ms(0) > 0
    end.take(bytes([ACK, 4, 0, 0, 4]), 0)
    assert end.idle
