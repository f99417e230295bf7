"""The front desk's acts from the laptop: each reaches the kiosk, becomes a record, and says what it did."""

import asyncio
import os
import pty
import re
from pathlib import Path

import pytest
from peer import Peer, PtyKiosk
from test_commands import PROGRAM, Run, environment, smilehub, with_kiosk

from hubcore import records
from smilehub.cli._wish import ARROWS, arrows
from smilehub.cli.desk_checkin import languages
from smilehub.store.database import Store

SAID = {"need": "toothache", "lane": "adult", "lang": "en", "pictogram": 1}


def kinds(peer: Peer) -> list[str | None]:
    return [records.decode(raw).kind for raw in peer.raws]


def body(peer: Peer) -> dict:
    return records.decode(peer.raws[-1]).body


class Desk:
    """The program at one peer, with a store of its own."""

    def __init__(self, tmp_path: Path, kiosk: PtyKiosk):
        self.tmp_path = tmp_path
        self.kiosk = kiosk
        self.store = tmp_path / "store.sqlite"

    async def run(self, *args: str) -> Run:
        return await smilehub(self.tmp_path, *args, "--store", str(self.store), "--port", self.kiosk.path)

    async def ok(self, *args: str) -> Run:
        ran = await self.run(*args)
        assert ran.code == 0, (args, ran.err, ran.out)
        return ran


@pytest.fixture
def peer() -> Peer:
    peer = Peer()
    peer.wish("day_open", {})
    peer.wish("chair_open", {"chair": "1", "lanes": ["adult"]})
    return peer


def a_ticket(peer: Peer, **more) -> str:
    peer.wish("checkin", SAID | more)
    return body(peer)["label"]


def test_acts_on_a_ticket_say_what_becomes_of_the_time_waited(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        ticket = a_ticket(peer)
        arrival = peer.hub.visits[ticket].arrival
        peer.wish("call", {"chair": "1"})
        for args, kind, said in [
            (("requeue", ticket.lower(), "--why", "X-ray"), "requeued", "keeps all of the waiting time"),
            (("transfer", ticket, "child"), "transferred", "keeps all of the waiting time"),
            (
                ("class", ticket, "non-urgent", "--why", "seen"),
                "class_changed",
                "for all of the waiting time",
            ),
            (("consent", "give", ticket, "teaching"), "consent_given", "consents to: teaching"),
            (("consent", "withdraw", ticket, "teaching"), "consent_withdrawn", "no longer consents"),
            (("undo",), "corrected", "waiting time is as if it had not been done"),
        ]:
            ran = await desk.ok("desk", *args, "--who", "Ana")
            assert said in ran.out, ran.out
            assert kinds(peer)[-1] == kind
            assert body(peer)["who"] == "Ana"
            assert peer.hub.visits[ticket].arrival == arrival
        assert (await desk.ok("desk", "defer", ticket)).out.startswith(f"{ticket} comes tomorrow")
        assert ticket in peer.hub.promises

    with_kiosk(peer, work)


def test_a_class_needs_a_reason(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        ran = await Desk(tmp_path, kiosk).run("desk", "class", a_ticket(peer), "urgent")
        assert ran.code == 2 and "--why" in ran.err

    with_kiosk(peer, work)
    assert "class_changed" not in kinds(peer)


def test_a_family_leaves_together(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        first = a_ticket(peer, size=3)
        others = body(peer)["others"]
        left = await Desk(tmp_path, kiosk).ok("left", first, "--family")
        assert left.out == f"Left: {' and '.join([first, *others])}.\n"
        assert not peer.hub.visits

    with_kiosk(peer, work)


def test_chairs_and_the_day(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        assert "calls nobody" in (await desk.ok("desk", "pause", "1")).out
        assert peer.hub.chairs["1"].paused
        refused = await desk.run("call", "1")
        assert refused.code == 12
        queue = await desk.ok("queue")
        assert re.search(r"^1 +adult +– +free, paused$", queue.out, re.M), queue.out
        await desk.ok("desk", "unpause", "1")
        assert not peer.hub.chairs["1"].paused
        await desk.ok("desk", "full", "on")
        assert peer.hub.full
        await desk.ok("desk", "full", "off")
        assert not peer.hub.full
        await desk.ok("desk", "lift")
        assert kinds(peer)[-1] == "code_lifted"
        ticket = a_ticket(peer)
        await desk.ok("desk", "chair", "close", "1")
        closed = await desk.ok("desk", "day", "close", "--rest", "left")
        assert "noted as left" in closed.out
        assert ticket not in peer.hub.promises and peer.hub.counts["left"] == 1

    with_kiosk(peer, work)


def test_alerts_are_listed_with_their_level(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        assert (await desk.ok("alert", "list")).out == "No alert stands.\n"
        peer.wish("alert_raise", {"why": "help"})
        number = peer.next_seq - 1
        peer.uptime_ms += 61_000
        ticket = a_ticket(peer, need="injury")
        listed = (await desk.ok("alert", "list", "--json")).lines[0]["alerts"]
        assert [(a["alert"], a["why"], a["ticket"], a["level"]) for a in listed] == [
            (number, "help", None, 2),
            (number + 1, "emergency", ticket, 1),
        ]
        queue = await desk.ok("queue")
        assert f"ALERT {number}: help (level 2, escalated)" in queue.out
        assert f"ALERT {number + 1}: emergency for {ticket} (level 1)" in queue.out
        await desk.ok("alert", "ack", str(number))
        assert list(peer.hub.alerts) == [number + 1]

    with_kiosk(peer, work)


def test_a_pin_is_shown_once_and_kept_nowhere(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        assert "Nobody" in (await desk.ok("desk", "staff", "list")).out
        first = await desk.ok("desk", "staff", "set", "Ana")
        assert " ".join(ARROWS[press] for press in peer.pins["Ana"]) in first.out
        assert arrows(peer.pins["Ana"])[1] in first.out
        drawn = peer.pins["Ana"]
        given = (await desk.ok("staff", "set", "Ben", "--pin", "udybud", "--json")).lines[0]
        assert given["pin"] == peer.pins["Ben"] == "udybud"
        assert given["pin_words"] == "up, down, yes, back, up, down"
        assert (await desk.ok("desk", "staff", "list")).out == "Ana\nBen\n"
        await desk.ok("desk", "staff", "remove", "Ben")
        assert (await desk.run("desk", "staff", "remove", "Ben")).code == 12
        for args in (("Ana", "--pin", "udyx"), ("A b",), ("Ángela",), ("A" * 13,)):
            assert (await desk.run("desk", "staff", "set", *args)).code == 2
        whole = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite*"))
        assert b"udybud" not in whole and drawn.encode() not in whole
        with Store.open(desk.store) as store:
            assert store.commands.unanswered() == set()

    with_kiosk(peer, work)


def test_a_check_in_by_options(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        assert (await desk.run("desk", "check-in")).code == 2
        one = await desk.ok("desk", "check-in", "--need", "swelling", "--lang", "fr", "--for", "2",
                            "--lane", "child", "--consent", "study")  # fmt: skip
        visits = sorted(peer.hub.visits.values(), key=lambda visit: visit.seq)
        assert [(v.lang, v.lane, v.need, v.consents) for v in visits] == [
            ("fr", "child", "urgent", ("study",))
        ] * 2
        record = next(r for r in map(records.decode, peer.raws) if r.kind == "checkin")
        assert (record.body["by"], record.body["said"]) == ("staff", "swelling")
        labels = [record.body["label"], *record.body["others"]]
        assert " and ".join(labels) in one.out
        presses = record.body["code"].decode()
        signs, words = arrows(presses)
        assert f"{signs}\nIn words: {words}\n" in one.out
        assert "Place 1. Can't tell yet." in one.out
        told = (await desk.ok("desk", "check-in", "--need", "checkup", "--json")).lines[0]
        assert told["place"] == 3 and len(told["code"]) == 8 and told["estimate_min"] is None
        assert told["pictogram"] != visits[0].pictogram, "a picture that nobody has"
        help_now = await desk.ok("desk", "check-in", "--need", "breathing")
        assert "Call an ambulance now." in help_now.out and "Code" not in help_now.out
        assert (await desk.run("desk", "check-in", "--need", "checkup", "--lang", "xx")).code == 2

    with_kiosk(peer, work)


def test_full_today_means_tomorrow_first(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        await desk.ok("desk", "full", "on")
        assert (await desk.run("desk", "check-in", "--need", "toothache")).code == 12
        promised = (await desk.ok("desk", "check-in", "--need", "toothache", "--tomorrow", "--json")).lines[0]
        (label,) = promised["tickets"]
        assert re.search(rf"^{label} +tomorrow ", (await desk.ok("queue")).out, re.M)
        await desk.ok("day", "close")
        assert (await desk.run("desk", "check-in", "--promise", label)).code == 12
        await desk.ok("day", "open")
        assert re.search(rf"^{label} +today ", (await desk.ok("queue", "--offline")).out + "\n", re.M) is None
        assert re.search(rf"^{label} +today ", (await desk.ok("queue")).out, re.M)
        kept = (await desk.ok("desk", "check-in", "--promise", label.lower(), "--json")).lines[0]
        assert kept["tickets"] == [label] and peer.hub.visits[label].arrival == 0
        assert (await desk.run("desk", "check-in", "--promise", "K10")).code == 2

    with_kiosk(peer, work)


def test_a_check_in_asks_on_a_terminal(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        store = str(tmp_path / "s.sqlite")
        command = [*PROGRAM, "desk", "check-in", "--port", kiosk.path, "--store", store]
        master, slave = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *command, env=environment(tmp_path), stdin=slave, stdout=asyncio.subprocess.PIPE
        )
        os.close(slave)
        # Spanish; toothache; no red flag; a child; two; the second picture; teaching yes, study no
        spanish = list(languages()).index("es") + 1
        os.write(master, f"{spanish}\n1\n1\n3\n2\n2\ny\n\n".encode())
        out, _ = await process.communicate()
        os.close(master)
        assert process.returncode == 0, out.decode()
        assert "Español" in out.decode() and "Is one of these true now?" in out.decode()

    with_kiosk(peer, work)
    (first, second) = peer.hub.visits.values()
    for visit in (first, second):
        assert (visit.lang, visit.lane, visit.need, visit.pictogram) == ("es", "child", "urgent", "fish")
        assert visit.consents == ("teaching",)


def test_troubles_come_in_plain_words_with_what_to_do(tmp_path: Path, peer: Peer):
    async def work(kiosk: PtyKiosk) -> None:
        desk = Desk(tmp_path, kiosk)
        peer.write("fault", {"task": "panel", "error": "no answer"})
        first = await desk.ok("sync")
        assert "The kiosk's screen does not answer. Check in by `smilehub desk check-in`" in first.err
        assert (await desk.ok("sync")).err == ""
        queue = await desk.ok("queue")
        assert "TROUBLE panel: The kiosk's screen does not answer." in queue.out
        for _ in range(5):
            peer.wish("code_miss", {})
        assert "Codes are not taken for 10 min" in (await desk.ok("queue")).out

    with_kiosk(peer, work)


def test_a_new_journal_is_said(tmp_path: Path, peer: Peer):
    wiped = Peer(seed=5)
    wiped.device_id = peer.device_id

    async def work(kiosk: PtyKiosk) -> None:
        await Desk(tmp_path, kiosk).ok("sync")
        async with PtyKiosk(wiped) as after:
            ran = await Desk(tmp_path, after).ok("sync")
            assert "This kiosk has begun a new journal: its flash was wiped." in ran.err

    with_kiosk(peer, work)


def test_arrows_have_words():
    assert arrows("udyb") == ("▲ ▼ ✓ ◀", "up, down, yes, back")
