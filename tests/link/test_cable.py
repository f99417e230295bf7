"""The cable against a kiosk's end in CPython: opening, every kind of trouble on the line, rates, silence."""

import asyncio
from collections.abc import Callable

import pytest
from cable_kiosk import DEVICE, CableKiosk, Line, chance
from hypothesis import given, settings
from hypothesis import strategies as st
from jumping import run

from hubcore import frames
from smilehub.errors import (
    KioskBusy,
    LinkClosed,
    NoAnswer,
    NotEnrolled,
    Revoked,
    SmilehubError,
    VersionMismatch,
)
from smilehub.link import bye
from smilehub.link.cable import CableTransport, wired

TEXT = bytes(range(256)) * 200


def token(n: int) -> bytes:
    return b"\x07\x00\x01\x02"[:n]


async def echoed(cable: CableTransport, data: bytes) -> bytes:
    """Send ``data`` and collect as much as was sent."""

    async def collect() -> bytes:
        got = b""
        while len(got) < len(data):
            got += await cable.receive()
        return got

    reading = asyncio.create_task(collect())
    await cable.send(data)
    return await reading


def test_bytes_come_back_in_order_and_the_end_is_said():
    kiosk = CableKiosk()

    async def work() -> bytes:
        cable = CableTransport(Line(kiosk), rnd=token)
        await cable.open()
        assert cable.device_id == DEVICE
        got = await echoed(cable, TEXT)
        await cable.close()
        await asyncio.sleep(0.1)
        return got

    assert run(work()) == TEXT
    assert kiosk.byes == [bye.DONE] and kiosk.openings == 1


@pytest.mark.parametrize("kind", ["loss", "flip", "twice", "late", "garbage", "cut"])
def test_trouble_on_the_line_costs_time_but_no_byte(kind: str):
    async def work() -> bytes:
        cable = CableTransport(Line(CableKiosk(), chance(1, **{kind: 0.12})))
        await cable.open()
        got = await echoed(cable, TEXT)
        await cable.close()
        return got

    assert run(work()) == TEXT


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.03), size=st.integers(0, 20_000))
def test_all_troubles_together(seed: int, share: float, size: int):
    data = (bytes(range(255, -1, -1)) * 80)[:size]
    kinds = dict.fromkeys(("loss", "flip", "twice", "late", "garbage", "cut"), share)

    async def work() -> bytes:
        cable = CableTransport(Line(CableKiosk(), chance(seed, **kinds)))
        await cable.open()
        got = await echoed(cable, data)
        await cable.close()
        return got

    assert run(work()) == data


@settings(max_examples=40, deadline=None)
@given(garbage=st.binary(max_size=3000))
def test_after_any_garbage_the_next_frame_counts(garbage: bytes):
    async def work() -> bytes:
        line = Line(CableKiosk())
        cable = CableTransport(line)
        line.kiosk.on_open = lambda: line.say(garbage)
        await cable.open()
        line.say(garbage + b"\0")
        got = await echoed(cable, b"hello")
        await cable.close()
        return got

    assert run(work()) == b"hello"


def opened(kiosk: CableKiosk, **options) -> float:
    """Opening it, and how long that took."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        cable = CableTransport(Line(kiosk, **options))
        await cable.open()
        await cable.close()
        return loop.time() - began

    return run(work())


@pytest.mark.parametrize(
    ("kiosk", "error", "said"),
    [
        (lambda: CableKiosk(state=1), NotEnrolled, "no identity"),
        (lambda: CableKiosk(state=2), KioskBusy, "no room"),
        (lambda: CableKiosk(version=1), VersionMismatch, "protocol version 1, this program 2"),
        (lambda: CableKiosk(version=3), VersionMismatch, "protocol version 3, this program 2"),
    ],
)
def test_a_kiosk_that_cannot_serve_us_says_why(
    kiosk: Callable[[], CableKiosk], error: type[SmilehubError], said: str
):
    with pytest.raises(error, match=said) as raised:
        opened(kiosk())
    if error is VersionMismatch:
        assert ("firmware" in raised.value.hint) == ("version 1" in raised.value.message)


def test_silence_is_given_up_after_a_bounded_time():
    kiosk = CableKiosk()
    kiosk.mute = True

    async def work() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(NoAnswer, match="No kiosk answers at line"):
            await CableTransport(Line(kiosk)).open()
        return loop.time() - began

    assert run(work()) < 10


def test_an_opening_gets_through_a_bad_line_and_ignores_an_earlier_one():
    kiosk = CableKiosk()
    opened(kiosk, fault=chance(3, loss=0.5))
    kiosk.unsent = b"left over"
    kiosk.token = b"old!"

    async def work() -> bytes:
        line = Line(kiosk)
        line.say(wired(b"\x20\x00stale data") + wired(b"\x26\x06") + wired(b"\x11\x02old!" + bytes(10)))
        cable = CableTransport(line)
        await cable.open()
        return await echoed(cable, b"new")

    assert run(work()) == b"new"


def test_a_kiosk_that_falls_silent_ends_the_link():
    kiosk = CableKiosk()

    async def work() -> float:
        cable = CableTransport(Line(kiosk))
        await cable.open()
        kiosk.mute = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        await cable.send(b"anybody?")
        with pytest.raises(LinkClosed, match="does not answer"):
            await cable.receive()
        with pytest.raises(LinkClosed):
            await cable.send(b"anybody?")
        await cable.close()
        return loop.time() - began

    assert 3 < run(work()) < 15


def test_a_kiosk_that_takes_nothing_holds_the_sender_back():
    kiosk = CableKiosk()
    read = kiosk.stream.readinto
    kiosk.stream.readinto = lambda buf: 0  # type: ignore[method-assign]

    async def work() -> None:
        line = Line(kiosk)
        cable = CableTransport(line)
        await cable.open()
        sending = asyncio.create_task(cable.send(bytes(100_000)))
        await asyncio.sleep(20)
        assert not sending.done(), "no credit, but alive"
        assert kiosk.stream.received <= 4 and len(line.sent) < 20_000
        kiosk.stream.readinto = read  # type: ignore[method-assign]
        kiosk.on_bytes = lambda data: b""
        line.poke()
        await sending
        await cable.close()

    run(work())


def test_a_reader_that_takes_nothing_holds_the_kiosk_back():
    kiosk = CableKiosk(lambda _: bytes(100_000))

    async def work() -> int:
        cable = CableTransport(Line(kiosk))
        await cable.open()
        await cable.send(b"go")
        await asyncio.sleep(30)
        held = len(kiosk.unsent)
        got = 0
        while got < 100_000:
            got += len(await cable.receive())
        await cable.close()
        return held

    assert run(work()) > 90_000


def test_what_the_kiosk_says_reaches_the_reader_after_the_data():
    kiosk = CableKiosk()

    async def work() -> None:
        line = Line(kiosk)
        cable = CableTransport(line)
        waits: list[int] = []
        cable.on_wait = waits.append
        await cable.open()
        await cable.send(b"data")
        await asyncio.sleep(1)
        line.say(kiosk.say(0x25, 2) + kiosk.say(0x26, bye.REVOKED))
        await asyncio.sleep(0.1)
        assert await cable.receive() == b"data"
        assert waits == [2]
        with pytest.raises(Revoked):
            await cable.receive()
        await cable.close()

    run(work())
    assert kiosk.byes == [], "who has hung up is not called after"


def test_a_pulled_cable_reaches_whoever_waits():
    async def work() -> None:
        line = Line(CableKiosk())
        cable = CableTransport(line)
        await cable.open()
        reading = asyncio.create_task(cable.receive())
        await asyncio.sleep(1)
        await line.close()
        with pytest.raises(LinkClosed):
            await reading
        await cable.close()

    run(work())


# --- rates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serves", "holds", "ends"),
    [
        ((115200, 230400, 460800, 921600), (115200, 230400, 460800, 921600), 921600),
        ((115200, 230400, 460800, 921600), (115200, 230400), 230400),
        ((115200, 460800), (115200, 230400, 460800, 921600), 460800),
        ((115200,), (115200,), 115200),
    ],
)
def test_the_best_rate_that_holds_is_taken(serves: tuple[int, ...], holds: tuple[int, ...], ends: int):
    kiosk = CableKiosk(serves=serves)

    async def work() -> int:
        line = Line(kiosk, has_rates=True, holds=holds)
        cable = CableTransport(line)
        await cable.open()
        assert cable.baud == line.baud == kiosk.baud
        assert await echoed(cable, TEXT) == TEXT
        await cable.close()
        return cable.baud

    assert run(work()) == ends


def test_a_rate_that_turns_bad_is_left_and_nothing_is_lost():
    kiosk = CableKiosk()
    noise = chance(5, flip=0.25)

    async def work() -> int:
        line = Line(kiosk, has_rates=True)
        line.fault = lambda n, frame, up: noise(n, frame, up) if line.baud > 300_000 and n > 40 else [frame]
        cable = CableTransport(line)
        await cable.open()
        assert cable.baud == 921600
        assert await echoed(cable, TEXT) == TEXT
        await cable.close()
        return cable.baud

    assert run(work()) < 300_000


def test_a_kiosk_left_at_a_high_rate_is_found():
    kiosk = CableKiosk()
    kiosk.baud = 921600

    async def work() -> None:
        line = Line(kiosk, has_rates=True)
        kiosk.heard_at = 10**9
        cable = CableTransport(line)
        await cable.open()
        assert await echoed(cable, b"hello") == b"hello"
        await cable.close()

    run(work())


def test_a_line_without_rates_is_not_asked_to_change():
    line = Line(CableKiosk())

    async def work() -> None:
        cable = CableTransport(line)
        await cable.open()
        await cable.close()

    run(work())
    assert line.bauds == []


@settings(max_examples=60, deadline=None)
@given(payload=st.binary(min_size=1, max_size=1024))
def test_a_frames_length_tells_nothing_of_its_content(payload: bytes):
    frame = wired(payload)
    assert len(frame) == len(wired(b"\xff" * len(payload))) == len(wired(bytes(len(payload))))
    assert frames.Decoder().feed(frame + wired(b"next")) == [payload, b"next"]
