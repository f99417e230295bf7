"""Whose orders a kiosk takes them for, and how many it writes down of a laptop that never stops."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_rig import DEVICE, HUB, LAPTOP, Desk, Wire

from hubcore import records, requests
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.store.database import Store
from smilehub.sync.desk import Desk as FrontDesk
from smilehub.sync.syncer import Syncer
from smilehub.trust.authority import Authority

NOW = 1_800_000_000
EVIL = HUB.issue_person("laptop", "gone bad")
MOST = 2**32 - 1


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    assert "Traceback" not in desk.board.console_text(), desk.board.console_text()
    desk.close()


def by_cable(desk: Desk) -> KioskClient:
    cable = CableTransport(Wire(desk.port), rates=())
    return KioskClient(SecureTransport(cable, LAPTOP, expect_device=DEVICE))


def test_no_laptop_can_use_up_anothers_numbers(desk: Desk, tmp_path: Path) -> None:
    async def work() -> None:
        with Store.open(tmp_path / "store.sqlite") as store:
            name = store.commands.issuer_under(LAPTOP.serial)
            async with by_cable(desk) as client:
                assert not (await FrontDesk(client, store).command("day_open", {})).already
            async with desk.talk(EVIL, rates=()) as talk:
                for issuer in (name, name[8:], name[:8], store.commands.issuer, ""):
                    wish = {0: [issuer, MOST], 1: "full_today", 2: {"full": True}}
                    await talk.done(requests.COMMAND, wish)
            async with by_cable(desk) as client:
                done = await FrontDesk(client, store).command("full_today", {"full": False})
                assert not done.already and done.seq
                await Syncer(client, store, lambda: NOW).run()
            (journal,) = store.journals()
            held = [records.decode(raw) for _, raw in store.records(journal.journal_id)]
            issuers = Counter(record.body["cmd"][0][:8] for record in held if "cmd" in record.body)
            assert issuers[LAPTOP.serial[:4].hex()] == 2 and set(issuers) == {
                LAPTOP.serial[:4].hex(),
                EVIL.serial[:4].hex(),
            }

    desk.run(work)


def test_what_a_sync_shows_of_a_command_without_an_answer_is_only_ones_own(
    desk: Desk, tmp_path: Path
) -> None:
    async def work() -> None:
        with Store.open(tmp_path / "store.sqlite") as store:
            mine = store.commands.issue(DEVICE, "full_today", b"", LAPTOP.serial)
            async with desk.talk(EVIL, rates=()) as talk:
                await talk.done(requests.COMMAND, {0: ["any", 1], 1: "day_open", 2: {}})
                wish = {0: [mine[0][8:], mine[1]], 1: "full_today", 2: {"full": True}}
                await talk.done(requests.COMMAND, wish)
            async with by_cable(desk) as client:
                await Syncer(client, store, lambda: NOW).run()
                assert store.commands.unanswered() == {mine}
                await client.command("full_today", {"full": True}, (mine[0][8:], mine[1]))
                await Syncer(client, store, lambda: NOW).run()
                assert store.commands.unanswered() == set()

    desk.run(work)


def test_a_laptop_that_never_stops_fills_no_journal(desk: Desk) -> None:
    """Refusals, clocks, and receipts for records that were never written."""

    async def work() -> None:
        async with desk.talk(EVIL, rates=()) as talk:
            hello = await talk.hello()
            first = hello[3]
            said: Counter[int] = Counter()
            for n in range(300):
                wish = {0: ["flood", n], 1: "call", 2: {"chair": "9"}}
                said[(await talk.ask(requests.COMMAND, wish))[0]] += 1
                said[(await talk.ask(requests.SET_CLOCK, {0: NOW + 1000 * (n % 2)}))[0]] += 1
                await talk.ask(requests.RECEIPT, {0: hello[2], 1: first + 1000 + n})
            assert said[requests.BUSY] > 300, said
            written = (await talk.hello())[3] - first
            assert written < 260, written
        async with by_cable(desk) as client:
            began = asyncio.get_running_loop().time()
            await client.hello()
            assert not (await client.command("day_open", {}, ("good", 1))).already
            assert asyncio.get_running_loop().time() - began < 6
        await asyncio.sleep(600)
        async with by_cable(desk) as client:
            before = (await client.hello()).next_seq
            for n in range(100):
                await client.command("full_today", {"full": bool(n % 2)}, ("good", n + 2))
            assert (await client.hello()).next_seq - before == 100

    desk.run(work)


def test_no_two_certificates_of_a_hub_begin_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter([b"\x41\x00\x00\x00" + bytes([n]) * 4 for n in (1, 2, 3)] + [b"\x42" + bytes(7)])
    hub = Authority.from_seed(1)
    monkeypatch.setattr("smilehub.trust.certificates.new_serial", lambda rnd: next(given))
    first, second = hub.issue_person("laptop", "one"), hub.issue_person("laptop", "two")
    assert (first.serial[:4], second.serial[:4]) == (b"\x41\0\0\0", b"\x42\0\0\0")
