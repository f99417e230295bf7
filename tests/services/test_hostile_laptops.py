"""Laptops gone bad on the cable, before and after the handshake: the next one is served all the same."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from link_rig import DEVICE, HUB, LAPTOP, TECHNICIAN, Desk, Talk

from hubcore import cbor, frames, records, requests
from services.session import Session
from smilehub.errors import LinkError, SmilehubError
from smilehub.link import tls as laptop_tls

OPEN, OPENED, RATE, PROBE, DATA, PADDED, ACK, POKE, BYE = 0x10, 0x11, 0x12, 0x14, 0x20, 0x21, 0x22, 0x24, 0x26


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def opening(token: bytes, size: int = 1024, window: int = 4, versions: tuple[int, int] = (2, 2)) -> bytes:
    return bytes((OPEN, *versions)) + token + size.to_bytes(2, "little") + bytes((window,))


def on_wire(*payloads: bytes) -> bytes:
    return b"\0" + b"".join(frames.encode(payload) for payload in payloads)


def message(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big") + payload


async def served(desk: Desk) -> dict[int, Any]:
    """What a good laptop hears of the kiosk's health within half a minute; no task of it has died."""
    async with asyncio.timeout(30), desk.talk(rates=()) as talk:
        await talk.hello()
        health = await talk.done(requests.HEALTH)
        assert not any(health[7].values()), health[7]
        return health


async def faults(talk: Talk) -> list[str]:
    hello = await talk.hello()
    held = [records.decode(raw) for _, raw in await talk.pull(hello[2])]
    return [r.body["error"] for r in held if r.kind == "fault" and r.body["task"] == "link"]


class Door:
    """A carrier at which somebody has come and gone before the session had its turn."""

    way = "cable"
    ended = held = True

    def __init__(self) -> None:
        self.wake = self

    async def wait(self) -> None:
        await asyncio.sleep(0)

    def hang_up(self, reason: int = 0) -> None:
        self.held = False


def test_who_comes_and_goes_in_one_breath_does_not_leave_the_door_locked() -> None:
    async def work() -> None:
        door, hub = Door(), SimpleNamespace(listeners=[])
        gate: Any = SimpleNamespace(ways={}, hub=hub, keypad=None)
        serving = asyncio.create_task(Session(door, gate).run(SimpleNamespace(rest=lambda: None)))
        await asyncio.sleep(0)
        serving.cancel()
        assert not door.held

    asyncio.run(work())


def first_flight() -> bytes:
    sent, got = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        laptop_tls.context(LAPTOP).wrap_bio(got, sent, server_side=False).do_handshake()
    return sent.read()


class Stranger:
    """Anything that a computer without a certificate may put on the line, by a seed."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.tokens = [self.rnd.randbytes(4) for _ in range(2)]
        self.hello = first_flight()

    def says(self) -> bytes:
        rnd, some = self.rnd, self.rnd.randbytes
        token = rnd.choice(self.tokens)
        sizes, windows = (0, 1, 2, 3, 16, 256, 65535), (0, 1, 4, 16, 255)
        rates = (0, 9600, 115200, 230400, 921600, 2**30, 2**32 - 1)
        kind = rnd.randrange(10)
        if kind == 0:
            return some(rnd.randrange(800))
        if kind == 1:
            return on_wire(bytes((rnd.choice((DATA, PADDED)),)) + some(rnd.randrange(1, 255)))
        if kind == 2:
            credit = rnd.choice((0, 255))
            return on_wire(*[bytes((ACK,)) + some(3) + bytes((credit,)) for _ in range(rnd.randrange(50))])
        if kind == 3:
            return on_wire(
                *[opening(some(4), rnd.choice(sizes), rnd.choice(windows)) for _ in range(rnd.randrange(30))]
            )
        if kind == 4:
            return on_wire(bytes((RATE,)) + token + rnd.choice(rates).to_bytes(4, "little"))
        if kind == 5:
            return on_wire(*[bytes((PROBE,)) + token + some(rnd.randrange(4, 200)) for _ in range(30)])
        if kind == 6:
            hellos = (cbor.dumps([0, 7, 1, {0: [1, 1]}]), b"\x9b" + b"\xff" * 8, b"\x80" * 99, some(20))
            return on_wire(b"\x01" + rnd.choice(hellos)) + b"\x01" * rnd.randrange(3000)
        if kind == 7:
            data = self.hello[: rnd.randrange(len(self.hello))] + some(rnd.randrange(40))
            step = rnd.choice((20, 100, 254))
            parts = [bytes((DATA, at & 255)) + data[at : at + step] for at in range(0, len(data), step)]
            return on_wire(opening(token), *parts)
        if kind == 8:
            return on_wire(opening(token, versions=rnd.choice(((0, 0), (3, 9), (1, 255), (9, 2)))))
        return on_wire(*[bytes((rnd.randrange(256),)) + some(rnd.randrange(252)) for _ in range(9)])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_before_a_handshake_the_next_laptop_is_served(desk: Desk, seed: int) -> None:
    stranger = Stranger(seed)
    rnd = stranger.rnd

    async def work() -> None:
        before = after = await served(desk)
        for _ in range(8):
            await desk.port.open()
            for _ in range(rnd.randrange(2, 16)):
                await desk.port.send(stranger.says())
                if rnd.random() < 0.5:
                    await asyncio.sleep(rnd.choice((0.001, 0.1, 0.5, 3, 16)))
                if rnd.random() < 0.1:
                    desk.port.set_baud(rnd.choice((9600, 115200, 921600)))
            await desk.port.close()
            after = await served(desk)
        assert abs(after[3] - before[3]) < 2048, "bytes of heap free"
        async with desk.talk(rates=()) as talk:
            assert set(await faults(talk)) <= {"refused: deadline, cable", "refused: old protocol, cable"}

    desk.run(work)


def test_a_flood_of_openings_does_not_take_the_kiosks_time(desk: Desk) -> None:
    async def work() -> None:
        port = desk.port
        await port.open()
        for number in range(300):
            await port.send(on_wire(opening(number.to_bytes(4, "big"), versions=(3, 9))))
            await port.send(on_wire(b"\x01" + cbor.dumps([0, 7, 1, {0: [1, 1]}])))
        await asyncio.sleep(2)
        answers = frames.Decoder().feed(await port.receive())
        assert 3 <= sum(payload[0] in (0x01, OPENED) for payload in answers) <= 12, "in 1 s"
        await port.close()
        await served(desk)

    desk.run(work)


def test_a_rate_is_kept_over_silence_after_damage(desk: Desk) -> None:
    """One damaged frame, seconds of silence, and a frame in two reads are no noise that lasts."""

    async def work() -> None:
        port = desk.port
        await port.open()
        await port.send(on_wire(opening(b"aaaa")))
        await asyncio.sleep(0.5)
        await port.send(on_wire(bytes((RATE,)) + b"aaaa" + (921600).to_bytes(4, "little")))
        await asyncio.sleep(0.2)
        port.set_baud(921600)
        probe = on_wire(bytes((PROBE,)) + b"aaaa" + bytes(range(32)))
        await port.send(probe)
        await port.send(on_wire(b"damaged")[:-3] + b"\0")
        await asyncio.sleep(4)
        await port.receive()
        await port.send(probe[:20])
        await asyncio.sleep(0.05)
        await port.send(probe[20:])
        await asyncio.sleep(0.2)
        assert b"\x15aaaa" + bytes(range(32)) in frames.Decoder().feed(await port.receive())

    desk.run(work)


#: Messages that are none, or more than memory holds, and what they take.
BOMBS = (
    message(b"\x99\x03\xf0" + b"\x80" * 1008),  # a thousand empty arrays
    message(b"\x84\x00\x01\x08\xa1\x00\x99\x03\xf0" + b"\xa0" * 1008),  # and maps
    message(b"\x98\xf8" + b"\xa1\x00\x80" * 248),
    message(b"\x81" * 400),
    b"\x04\x01" + bytes(1025),  # a byte longer than allowed
    b"\xff\xff",
    b"\0\0",
)


def test_messages_that_memory_does_not_hold_end_the_session_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tight=True)

    async def work() -> None:
        before = await served(desk)
        for bomb in BOMBS:
            with contextlib.suppress(SmilehubError):
                async with asyncio.timeout(30), desk.talk(rates=()) as talk:
                    await talk.hello()
                    await talk.secure.send(bomb)
                    await talk.reply(1)
        after = await served(desk)
        assert abs(after[3] - before[3]) < 2048
        async with desk.talk(rates=()) as talk:
            await talk.command("day_open", 1)
            assert all("MemoryError" in error for error in await faults(talk))

    try:
        desk.run(work)
    finally:
        desk.close()


def test_who_asks_and_never_reads_is_held_back_and_sent_away(desk: Desk) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with desk.talk(rates=()) as talk:
            began, said = loop.time(), 0
            with pytest.raises(LinkError, match="nobody here took its answers"):
                async with asyncio.timeout(300):
                    while said < 1000:
                        await talk.say(requests.STATE, {})
                        said += 1
            assert said < 200 and 80 < loop.time() - began < 120
        await served(desk)

    desk.run(work)


def hostile(rnd: random.Random, depth: int = 0) -> Any:
    some: list[Any] = [
        None,
        True,
        0,
        -1,
        2**30,
        2**32 - 1,
        2**63,
        2**64 - 1,
        -(2**63),
        "",
        "x" * 200,
        "/",
        "/other/a",
    ]
    some += ["/other/../boot.py", "//", "/keys", "tz", "rate", "\0", b"", bytes(8), b"SHRL" + bytes(70)]
    if depth < 3:
        some.append([hostile(rnd, depth + 1) for _ in range(rnd.randrange(4))])
        some.append({key: hostile(rnd, depth + 1) for key in range(rnd.randrange(4))})
    return rnd.choice(some)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_laptop_or_technician_asks_is_answered_and_the_next_is_served(
    desk: Desk, seed: int
) -> None:
    rnd = random.Random(seed)
    wishes = ("day_open", "checkin", "promise", "call", "undo", "staff_set", "full_today", "alert_ack")
    names = ("need", "lane", "lang", "ticket", "chair", "code", "pin", "staff", "full", "by", "promise")

    def request(journal: bytes) -> tuple[int, dict[int, Any], tuple[int, ...]]:
        op = rnd.randrange(20)
        args = {key: hostile(rnd) for key in range(rnd.randrange(4))}
        if op == requests.COMMAND:
            named = {name: hostile(rnd) for name in rnd.sample(names, 4)}
            args = {0: ["test", rnd.randrange(2**32)], 1: rnd.choice(wishes), 2: named}
        elif op == requests.PULL:
            args = {0: journal, 1: rnd.choice((0, 1, 2**30, 2**32 - 1)), 2: rnd.choice((0, 9, 2**32 - 1))}
        elif op == requests.RECEIPT:
            args = {0: journal, 1: rnd.choice((0, 1, 9999, 2**32 - 1))}
        elif op == requests.CANCEL:
            args = {0: rnd.choice((0, 1, 65535, None, True, 2**64 - 1))}
        return op, args, rnd.choice(((), (), (0,), (2**29,), (2**32 - 1,)))

    async def work() -> None:
        for who in (LAPTOP, TECHNICIAN, LAPTOP):
            async with desk.talk(who, rates=()) as talk:
                journal = (await talk.hello())[2]
                for _ in range(60):
                    op, args, more = request(journal)
                    async with asyncio.timeout(20):
                        number = await talk.say(op, args, *more)
                        while (reply := await talk.reply(number))[2]:
                            pass
                        assert reply[0] <= requests.BUSY
        await served(desk)
        async with desk.talk(rates=()) as talk:
            assert not await faults(talk)

    desk.run(work)


def test_no_clock_that_a_laptop_gives_keeps_the_kiosk_from_its_work(desk: Desk) -> None:
    """What a record's clock holds has an end: it must not be reached by setting it."""

    async def work() -> None:
        async with desk.talk(rates=()) as talk:
            assert (await talk.ask(requests.SET_CLOCK, {0: 2**35}))[0] == requests.BAD_REQUEST
            for counter, utc in enumerate((2**35 - 1, 0, 1_800_000_000, 5), 1):
                await talk.done(requests.SET_CLOCK, {0: utc})
                await asyncio.sleep(2)
                if counter == 1:
                    await talk.command("day_open", 1)
                await talk.command("full_today", counter + 10, full=bool(counter % 2))
            hello = await talk.hello()
            held = await talk.pull(hello[2])
            assert [seq for seq, _ in held] == list(range(1, hello[3]))

    desk.run(work)


def test_a_file_is_written_without_holes(desk: Desk) -> None:
    """To fill one with zeros would keep the kiosk from its visitors for minutes."""

    async def work() -> None:
        async with desk.talk(TECHNICIAN, rates=()) as talk:
            await talk.done(requests.FILE_WRITE, {0: "/other/a", 1: 0, 2: b"x"})
            for at in (2, 2**20, 2**29):
                status, _ = await talk.ask(requests.FILE_WRITE, {0: "/other/a", 1: at, 2: b"x"})
                assert status == requests.BAD_REQUEST
            assert await talk.done(requests.FILE_WRITE, {0: "/other/a", 1: 1, 2: b"y"}) == {0: 2}

    desk.run(work)


def test_many_visits_leave_the_heap_as_it_was(desk: Desk) -> None:
    async def work() -> None:
        before = (await served(desk))[3]
        for visit in range(30):
            with contextlib.suppress(SmilehubError):
                async with desk.talk(TECHNICIAN if visit % 2 else LAPTOP, rates=()) as talk:
                    await talk.hello()
                    if visit % 3:
                        desk.port.disconnect()
            desk.port.disconnect()
            desk.port.reconnect()
        assert abs((await served(desk))[3] - before) < 1024

    desk.run(work)


def test_no_code_no_pin_and_no_key_is_in_a_record_or_in_what_the_kiosk_prints(desk: Desk) -> None:
    pins = ("udybud", "dbyyub", "udyb", "uuddlrlr", "xxxxxx")

    async def work() -> None:
        async with desk.talk(rates=()) as talk:
            journal = (await talk.hello())[2]
            await talk.command("day_open", 1)
            secrets: list[Any] = []
            for counter, pin in enumerate(pins, 2):
                wish = {0: ["desk", counter], 1: "staff_set", 2: {"staff": "ana", "pin": pin}}
                status, _ = await talk.ask(requests.COMMAND, wish)
                secrets.append(pin)
                assert status == (requests.DONE if len(pin) == 6 and "x" not in pin else requests.REFUSED)
            visitor = {"need": "urgent", "lang": "en", "lane": "any", "pictogram": 1}
            for counter in range(10, 14):
                secrets.append((await talk.command("checkin", counter, **visitor))[2]["code"])
            for wish in ({}, {"code": secrets[-1]}, {"need": "urgent", "code": secrets[-1]}):
                await talk.ask(requests.COMMAND, {0: ["desk", 20], 1: "checkin", 2: wish})
            await talk.ask(requests.REVOKE, {0: HUB.hub_key})
            told = b"".join(raw for _, raw in await talk.pull(journal))
            told += repr(await talk.done(requests.HEALTH)).encode()
        kiosk = HUB.issue_kiosk(DEVICE)
        for secret in (*[secret.encode() for secret in secrets], HUB.hub_key, kiosk.key):
            for form in (secret, secret.hex().encode(), repr(secret)[2:-1].encode()):
                assert form not in told + desk.board.console_text().encode()

    desk.run(work)
