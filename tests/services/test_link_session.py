"""The kiosk's end of the link on a simulated board; the laptop's shipping transports at the other end."""

import asyncio
import dataclasses
import random
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_rig import DEVICE, HUB, LAPTOP, TECHNICIAN, TOML, Desk, Talk

from hubcore import cbor, frames, records, requests
from smilehub.errors import (
    Downgraded,
    NoCertificate,
    NotEnrolled,
    Revoked,
    SmilehubError,
    WrongAuthority,
)
from smilehub.link import tls as laptop_tls
from smilehub.trust.authority import Authority

OTHER = Authority.from_seed(8).issue_person("laptop", "elsewhere")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


async def faults(talk: Talk) -> list[str]:
    """What the kiosk has recorded of the link."""
    hello = await talk.hello()
    held = [records.decode(raw) for _, raw in await talk.pull(hello[2])]
    return [r.body["error"] for r in held if r.kind == "fault" and r.body["task"] == "link"]


def test_what_each_role_may_ask(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk() as talk:
            hello = await talk.hello()
            assert (hello[0], hello[5], hello[13]) == (2, "kiosk", "laptop")
            assert hello[12] == [op for op in range(1, 17) if op not in (9, 12, 13, 14, 15)]
            day = await talk.command("day_open", 1)
            assert await talk.command("day_open", 1) == {0: day[0], 1: True, 2: {}}
            status, said = await talk.ask(requests.COMMAND, {0: ["desk", 2], 1: "call", 2: {"chair": "1"}})
            assert (status, said[1]) == (requests.REFUSED, "chair_closed")
            for op in (requests.LOGS, requests.FILE_LIST, requests.FILE_READ):
                assert (await talk.ask(op, {0: "/"}))[0] == requests.FORBIDDEN
            for op in (0, 17, 99, 65535):
                assert (await talk.ask(op))[0] == requests.UNKNOWN_OP
            wrong = {0: b"12345678", 1: 1, 2: 5}
            assert (await talk.ask(requests.PULL, wrong))[0] == requests.OTHER_JOURNAL
            assert (await talk.ask(requests.PULL, {0: b"1"}))[0] == requests.BAD_REQUEST
            far = {0: hello[2], 1: 10_000}
            assert (await talk.ask(requests.RECEIPT, far))[0] == requests.REFUSED
            assert await talk.done(requests.SET_CLOCK, {0: 1_777_000_000}) == {}
            state = await talk.done(requests.STATE)
            assert state[0] == hello[2] and len(state[2]) == 32
            assert (await talk.ask(requests.HELLO, {0: [3, 9], 1: "later"})) == (
                requests.BAD_VERSION,
                {0: [2, 2]},
            )
        async with desk.talk(TECHNICIAN) as talk:
            assert (await talk.hello())[13] == "technician"
            command = {0: ["tina", 1], 1: "day_close", 2: {"rest": "left"}}
            for op, args in ((requests.COMMAND, command), (requests.PULL, {}), (requests.CONFIG_SET, {})):
                assert (await talk.ask(op, args))[0] == requests.FORBIDDEN

    desk.run(work)


def test_health_log_settings_and_files(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk() as talk:
            assert await talk.done(requests.CONFIG_GET) == {
                "radio": "1",
                "rate": "921600",
                "tz": "UTC0",
            }
            for name, value in (("tz", "CET-1"), ("rate", "230400")):
                await talk.done(requests.CONFIG_SET, {0: name, 1: value})
            for name, value in (("tz", "nowhere?"), ("rate", "1"), ("radio", 1), ("pin", "1"), (5, "1")):
                status, said = await talk.ask(requests.CONFIG_SET, {0: name, 1: value})
                assert status == requests.REFUSED and said[1] in ("bad_setting", "unknown_setting")
        desk.board.power_cut()
        await desk.power_on()
        data = random.Random(1).randbytes(9000)
        async with desk.talk(TECHNICIAN) as talk:
            assert desk.cable is not None and desk.cable.baud == 230400
            kept = await talk.done(requests.CONFIG_GET)
            assert (kept["tz"], kept["rate"]) == ("CET-1", "230400")
            health = await talk.done(requests.HEALTH)
            assert health[2] == [2, 2] and health[3] > 5000 and health[6]["cable"]["rate"] == 230400
            log = await talk.done(requests.LOGS)
            assert log[2] == log[0] + len(log[1]) and len(log[1]) <= 512
            assert (await talk.done(requests.LOGS, {0: log[2]}))[1] == b""
            names = {name for name, _ in await talk.done(requests.FILE_LIST, {0: "/"})}
            assert {"boot.py", "main.py", "app"} <= names
            boot = await talk.done(requests.FILE_READ, {0: "/boot.py", 1: 0, 2: 30})
            assert boot[0].startswith(b'"""Chooses the application') and boot[1] > 1000
            for at in range(0, len(data), 900):
                sized = await talk.done(
                    requests.FILE_WRITE, {0: "/other/a/b.bin", 1: at, 2: data[at : at + 900]}
                )
            assert sized == {0: len(data)}
            got = b""
            while len(got) < len(data):
                got += (await talk.done(requests.FILE_READ, {0: "/other/a/b.bin", 1: len(got), 2: 1024}))[0]
            assert got == data
            assert await talk.done(requests.FILE_LIST, {0: "/other/a"}) == [["b.bin", 9000]]
            assert await talk.done(requests.FILE_REMOVE, {0: "/other/a/b.bin"}) == {}
            assert (await talk.ask(requests.FILE_READ, {0: "/other/a/b.bin"}))[0] == requests.FAULT
            for path in ("/boot.py", "/app/kiosk/app.mpy", "/extra", "/otherwise"):
                status, said = await talk.ask(requests.FILE_WRITE, {0: path, 1: 0, 2: b"x"})
                assert (status, said[1]) == (requests.REFUSED, "read_only")
            for path in ("boot.py", "/other/../boot.py", 5, "/" + "x" * 200):
                assert (await talk.ask(requests.FILE_WRITE, {0: path, 1: 0, 2: b"x"}))[
                    0
                ] == requests.BAD_REQUEST
            assert (await talk.done(requests.HEALTH))[6]["cable"]["dropped"] == 0, "the UART overflowed"

    desk.run(work)


def test_a_pull_can_be_limited_cancelled_late_and_takes_turns_with_others(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk(rates=()) as talk:
            hello = await talk.hello()
            await talk.command("day_open", 1)
            for n in range(120):
                await talk.command("full_today", n + 2, full=bool(n % 2))
            journal = hello[2]
            held = await talk.pull(journal)
            assert [seq for seq, _ in held] == list(range(1, len(held) + 1)) and len(held) > 120
            assert [records.decode(raw).seq for _, raw in held] == [seq for seq, _ in held]
            assert await talk.pull(journal, 7, 3) == held[6:9]
            pull = {0: journal, 1: 1, 2: 10_000}
            # Another answer comes in between; a cancelled pull says so, a newer one ends it, a late one too.
            number = await talk.say(requests.PULL, pull)
            assert (await talk.reply(number))[0] == requests.DONE
            assert (await talk.ask(requests.STATE))[0] == requests.DONE
            assert await talk.ask(requests.CANCEL, {0: number}) == (requests.DONE, {})
            number = await talk.say(requests.PULL, pull)
            newer = await talk.say(requests.PULL, pull | {2: 1})
            seen = [await talk.hear()]
            while seen[-1][1] != newer or seen[-1][-1]:
                seen.append(await talk.hear())
            assert (requests.REPLY, number, requests.CANCELLED, {}, False) in seen
            assert [m[3][0] for m in seen if m[:2] == (requests.REPLY, newer)] == [1, 2]
            late = await talk.say(requests.PULL, pull, 0)
            assert await talk.reply(late) == (requests.LATE, {}, False)
            assert (await talk.ask(requests.STATE))[0] == requests.DONE

    desk.run(work)


class Bare:
    """A laptop without a certificate."""

    cert = key = b""
    authority = LAPTOP.authority


def test_who_is_not_let_in_is_told_apart_and_recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = laptop_tls.context

    def context(identity: object) -> ssl.SSLContext:
        if not isinstance(identity, Bare):
            return made(identity)  # type: ignore[arg-type]
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        plain.check_hostname = False
        plain.maximum_version = ssl.TLSVersion.TLSv1_2
        plain.set_ciphers(laptop_tls.CIPHER)
        plain.load_verify_locations(cadata=Bare.authority)
        return plain

    monkeypatch.setattr(laptop_tls, "context", context)
    forged = dataclasses.replace(OTHER, authority=LAPTOP.authority)
    thief = HUB.issue_person("laptop", "thief")
    HUB.revoke(thief.serial)
    list_ = HUB.list_for(DEVICE)

    async def work() -> None:
        assert isinstance(await desk.refused(forged), WrongAuthority)
        assert isinstance(await desk.refused(OTHER), WrongAuthority)
        assert isinstance(await desk.refused(Bare()), NoCertificate)
        with monkeypatch.context() as patch:
            patch.setattr(laptop_tls, "CIPHER", "ECDHE-ECDSA-AES256-GCM-SHA384")
            assert isinstance(await desk.refused(), Downgraded)
        async with desk.talk(thief) as talk:
            await talk.hello()
            bad = list_[:-1] + bytes([list_[-1] ^ 1])
            assert (await talk.ask(requests.REVOKE, {0: bad}))[1][1] == "bad_list"
            with pytest.raises(Revoked):
                await talk.ask(requests.REVOKE, {0: list_})
                await talk.ask(requests.STATE)
        assert isinstance(await desk.refused(thief), Revoked)
        async with desk.talk() as talk:
            told = await faults(talk)
            assert sorted(told) == [
                "refused: no certificate, cable",
                "refused: old protocol, cable",
                "refused: revoked, cable",
                "refused: wrong authority, cable",
            ]

    desk.run(work)


def test_a_kiosk_without_identity_says_so_and_one_of_version_1_gets_its_answer(tmp_path: Path) -> None:
    desk = Desk(tmp_path, identity=False)

    async def work() -> None:
        assert isinstance(await desk.refused(), NotEnrolled)
        port = desk.port
        await port.open()
        await asyncio.sleep(0.3)  # it answers four times a second
        await port.send(frames.encode(b"\x01" + cbor.dumps([0, 77, 1, {0: [1, 1], 1: "old"}])))
        await asyncio.sleep(0.3)
        await port.send(frames.encode(b"\x10\x07\x09abcd\x00\x04\x04"))
        await asyncio.sleep(1)
        got = frames.Decoder().feed(await port.receive())
        assert b"\x01" + cbor.dumps([1, 77, 2, {0: [2, 2]}, False]) in got
        assert b"\x11\x00\x02\x02abcd" in got
        await port.close()

    try:
        desk.run(work)
    finally:
        desk.close()


def test_silent_peers_and_floods_are_outlived(desk: Desk) -> None:
    async def work() -> None:
        port = desk.port
        await asyncio.sleep(6)
        await port.open()
        began = desk.kernel.now_us()
        await port.send(frames.encode(b"\x10\x02\x02abcd\x00\x04\x04"))
        got: list[bytes] = []
        decoder = frames.Decoder()
        while not any(payload[0] == 0x26 for payload in got):
            got += decoder.feed(await port.receive())
        assert b"\x26\x02" in got and 14 < (desk.kernel.now_us() - began) / 1e6 < 18
        rnd = random.Random(3)
        for _ in range(40):
            await port.send(rnd.randbytes(700))
            kind = rnd.choice((0x10, 0x12, 0x14, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 1))
            await port.send(b"\0" + frames.encode(bytes([kind]) + rnd.randbytes(rnd.randrange(1, 40))))
        await port.close()
        await asyncio.sleep(20)
        async with desk.talk() as talk:
            assert "refused: deadline, cable" in await faults(talk)
            # A garbled session ends, and nothing but it.
            assert talk.secure.carrier is desk.cable
            await talk.secure.carrier.send(b"\x17\x03\x03\x00\x20" + rnd.randbytes(32))
            with pytest.raises(SmilehubError):
                await talk.ask(requests.STATE)
        async with desk.talk() as talk:
            assert (await talk.done(requests.HEALTH))[7] == dict.fromkeys((await talk.done(8))[7], 0)

    desk.run(work)


def test_a_handshake_waits_while_somebody_presses_keys(desk: Desk) -> None:
    waits: list[int] = []

    async def work() -> None:
        await asyncio.sleep(10)
        began = desk.kernel.now_us()
        pressing = asyncio.create_task(press())
        async with desk.talk(on_wait=waits.append) as talk:
            await talk.hello()
        took = (desk.kernel.now_us() - began) / 1e6
        await pressing
        assert took > 12 and 3 <= len(waits) <= 10 and set(waits) == {3}

    async def press() -> None:
        for _ in range(4):
            desk.board.keys.press("down")
            await asyncio.sleep(3)

    desk.run(work)


def test_rates_go_up_and_find_back(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk() as talk:
            await talk.hello()
            assert desk.cable is not None and desk.cable.baud == 921600
            before = await talk.done(requests.HEALTH)
            assert before[6]["cable"]["rate"] == 921600 and before[6]["cable"]["dropped"] == 0
        # The kiosk is back at the first rate for the next, also when the last has just gone.
        async with desk.talk(rates=()) as talk:
            await talk.hello()
        async with desk.talk() as talk:
            await talk.hello()
            desk.port.disconnect()
        desk.port.reconnect()
        await asyncio.sleep(1)
        async with desk.talk(rates=()) as talk:
            await talk.hello()
        await asyncio.sleep(1)
        async with desk.talk(rates=()) as talk:
            await talk.hello()
            assert desk.cable.baud == 115200

    desk.run(work)


@pytest.mark.parametrize("trouble", ["noise", "bursts", "stalls"])
def test_a_sync_over_a_bad_line_loses_and_doubles_nothing(desk: Desk, trouble: str) -> None:
    async def annoy() -> None:
        port = desk.port
        while True:
            await asyncio.sleep(1)
            if trouble == "bursts":
                port.to_laptop.drop = 300
                port.to_board.loss = 1.0
                await asyncio.sleep(300 / 11520)
                port.to_board.loss = 0.0
            elif trouble == "stalls":
                port.stall(0.4)

    async def work() -> None:
        async with desk.talk(rates=()) as talk:
            hello = await talk.hello()
            await talk.command("day_open", 1)
            for n in range(150):
                await talk.command("full_today", n + 2, full=bool(n % 2))
            want = await talk.pull(hello[2])
            if trouble == "noise":
                desk.port.to_laptop.noise = desk.port.to_board.noise = 1e-4
            annoying = asyncio.create_task(annoy())
            for _ in range(6):
                assert await talk.pull(hello[2]) == want
            annoying.cancel()
            cable = (await talk.done(requests.HEALTH))[6]["cable"]
            assert trouble == "stalls" or cable["resent"] > 0

    desk.run(work)


@pytest.mark.parametrize("small", [False, True])
def test_the_receiver_holds_what_comes_while_flash_is_erased(tmp_path: Path, small: bool) -> None:
    # At 921600 a sector's 45 ms bring four times the ring; what is not acknowledged must fit it. A ring that
    # is too small shows that this is seen.
    toml = TOML
    if small:
        toml = tmp_path / "board.toml"
        toml.write_text(TOML.read_text().replace("rxbuf = 1024", "rxbuf = 384"))
    desk = Desk(tmp_path, toml=toml)

    async def work() -> None:
        async with desk.talk(TECHNICIAN) as talk:
            assert desk.cable is not None and desk.cable.baud == 921600
            block = random.Random(1).randbytes(900)
            erased = desk.board.stats.flash_ops
            asked = [
                await talk.say(requests.FILE_WRITE, {0: f"/other/{n}.bin", 1: 0, 2: block}) for n in range(24)
            ]
            for number in asked:
                assert (await talk.reply(number))[0] == requests.DONE
            assert desk.board.stats.flash_ops - erased > 50
            cable = (await talk.done(requests.HEALTH))[6]["cable"]
            assert (cable["dropped"] > 0) == small
            read = await talk.done(requests.FILE_READ, {0: "/other/23.bin", 1: 0, 2: 1024})
            assert read == {0: block, 1: 900}

    try:
        desk.run(work)
    finally:
        desk.close()


def test_what_comes_amid_a_long_reply_waits_for_its_end(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk(rates=()) as talk:
            hello = await talk.hello()
            await talk.command("day_open", 1)
            for n in range(150):
                await talk.command("full_today", n + 2, full=bool(n % 2))
            want = dict(await talk.pull(hello[2]))
            ended: list[int] = []
            for late in range(0, 600, 60):
                number = await talk.say(requests.PULL, {0: hello[2], 1: 1, 2: 1000})
                await asyncio.sleep(late / 1000)
                asked = await talk.say(requests.STATE, {})
                cancel = await talk.say(requests.CANCEL, {0: number})
                seq, missing = 1, {number, asked, cancel}
                while missing:
                    message = await talk.hear()
                    if message[0] != requests.REPLY:
                        continue
                    _, answers, status, result, more = message
                    if answers == number and status == requests.DONE:
                        run = result[1]
                        while run:
                            assert run.startswith(want[seq])
                            run = run[len(want[seq]) :]
                            seq += 1
                    elif answers != number:
                        assert status == requests.DONE
                    if not more:
                        missing.remove(answers)
                        ended += [status] * (answers == number)
            assert set(ended) == {requests.CANCELLED}

    desk.run(work)


def test_a_second_laptop_on_the_line_replaces_the_first(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk(rates=()) as first:
            await first.hello()
            await desk.port.close()  # its program was killed
            await asyncio.sleep(0.1)
            async with desk.talk(LAPTOP, rates=()) as second:
                assert (await second.hello())[13] == "laptop"
            with pytest.raises(SmilehubError):
                await first.ask(requests.STATE)

    desk.run(work)
