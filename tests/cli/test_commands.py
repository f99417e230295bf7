"""The program as people and scripts run it: a process of its own on a real pseudo-terminal."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import rich_click as click
from peer import Peer, PtyKiosk, authority, papers, reply

from hubcore import frames, requests
from smilehub.cli import _app
from smilehub.store.database import Store
from smilehub.trust.authority import Authority

PROGRAM = [sys.executable, "-m", "smilehub.cli"]


class Run:
    """What a finished command left behind."""

    def __init__(self, code: int, out: bytes, err: bytes):
        self.code = code
        self.out = out.decode()
        self.err = err.decode()
        self.lines = [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


def environment(tmp_path: Path, ports: str = "") -> dict[str, str]:
    papers().save(tmp_path / "home" / "trust")
    home = {"XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path), "SMILEHUB_HOME": str(tmp_path / "home")}
    return os.environ | home | {"SMILEHUB_PORTS": ports}


async def smilehub(tmp_path: Path, *args: str, ports: str = "") -> Run:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *args,
        env=environment(tmp_path, ports),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Run(process.returncode, out, err)


def with_kiosk(peer: Peer, work: Callable[[PtyKiosk], Awaitable[None]], **options: object) -> None:
    async def _work() -> None:
        async with PtyKiosk(peer, **options) as kiosk:  # type: ignore[arg-type]
            await work(kiosk)

    asyncio.run(_work())


def held(path: Path, peer: Peer) -> list[bytes]:
    with Store.open(path) as store:
        return [raw for _, raw in store.records(peer.journal_id)]


def test_a_day_at_the_desk(tmp_path: Path):
    peer = Peer()
    store = str(tmp_path / "day.sqlite")

    async def work(kiosk: PtyKiosk) -> None:
        async def ok(*args: str) -> Run:
            ran = await smilehub(tmp_path, *args, "--store", store, ports=kiosk.path)
            assert ran.code == 0, ran.err
            return ran

        assert (await ok("day", "open")).out == "The day is open.\n"
        assert (await ok("chair", "open", "1", "--lane", "adult")).out == "Chair 1 is open.\n"
        for _ in range(3):
            peer.wish("checkin", {"need": "toothache", "lane": "adult", "lang": "en", "pictogram": 1})
        called = (await ok("call", "1", "--json")).lines[0]
        ticket = called["result"]["ticket"]
        assert called["command"] == "call" and not called["already_done"]
        assert (await ok("recall", ticket.lower())).out == f"{ticket} is called once more.\n"
        await ok("seated", ticket)
        now = (await ok("queue", "--json")).lines[0]
        assert now["counts"]["waiting"] == 2
        assert now["chairs"] == [
            {
                "chair": "1",
                "open": True,
                "paused": False,
                "lanes": ["adult"],
                "ticket": ticket,
                "state": "seated",
            }
        ]
        assert "2 waiting" in (await ok("queue", "--offline")).out
        await ok("served", ticket)
        await ok("undo", "1", "--why", "not finished")
        await ok("served", ticket)
        second = (await ok("call", "1", "--json")).lines[0]["result"]["ticket"]
        await ok("no-show", second)
        third = (await ok("call", "1", "--json")).lines[0]["result"]["ticket"]
        await ok("left", third)
        peer.wish("alert_raise", {"why": "help"})
        await ok("alert", "ack")
        await ok("chair", "close", "1")
        await ok("day", "close")
        report = (await ok("verify", "--json")).lines[0]
        assert report["ok"] and report["agrees"] and report["records"] == peer.next_seq - 1
        await ok("verify", "--offline")

    with_kiosk(peer, work)
    names = [name for name, _ in peer.commands]
    assert names == [
        "day_open", "chair_open", "call", "recall", "seated", "served", "undo", "served",
        "call", "no_show", "call", "left", "alert_ack", "chair_close", "day_close",
    ]  # fmt: skip
    assert peer.hub.counts["served"] == peer.hub.counts["absent"] == peer.hub.counts["left"] == 1
    assert held(Path(store), peer) == peer.raws


def test_sync_in_words_and_in_json(tmp_path: Path):
    peer = Peer()
    peer.busy_day(150)

    async def work(kiosk: PtyKiosk) -> None:
        ran = await smilehub(tmp_path, "sync", "--port", kiosk.path)
        assert (ran.code, ran.err) == (0, "")
        assert f"this laptop holds {peer.next_seq - 1}." in ran.out
        again = await smilehub(tmp_path, "sync", "--json", ports=kiosk.path)
        assert [line["event"] for line in again.lines] == ["connected", "synced"]
        assert again.lines[-1]["new"] == 0
        assert len(again.out.splitlines()) == 2, "nothing but JSON lines"

    with_kiosk(peer, work)
    assert held(tmp_path / "home" / "store.sqlite", peer) == peer.raws


def test_a_killed_sync_continues_where_it_stopped(tmp_path: Path):
    peer = Peer()
    peer.chunk = 4
    peer.busy_day(250)
    store = tmp_path / "store.sqlite"

    async def work(kiosk: PtyKiosk) -> None:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "sync", "--json", "--store", str(store), "--port", kiosk.path,
            env=environment(tmp_path), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        line: dict[str, object] = {}
        while line.get("event") != "stored":
            line = json.loads(await process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        await process.wait()
        part = held(store, peer)
        assert 0 < len(part) < len(peer.raws)
        assert part == peer.raws[: len(part)]
        kiosk.pause_s = 0
        ran = await smilehub(tmp_path, "sync", "--json", "--store", str(store), "--port", kiosk.path)
        assert ran.code == 0, ran.out
        assert ran.lines[-1]["new"] == peer.next_seq - 1 - len(part)

    with_kiosk(peer, work, pause_s=0.004)
    assert held(store, peer) == peer.raws


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_watch_follows_and_ends_with_a_word(tmp_path: Path, number: signal.Signals, code: int):
    peer = Peer()
    store = tmp_path / "store.sqlite"

    async def work(kiosk: PtyKiosk) -> None:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "sync", "--watch", "--json", "--store", str(store), "--port", kiosk.path,
            env=environment(tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        line: dict[str, object] = {}
        while line.get("event") != "synced":
            line = json.loads(await process.stdout.readline())
        peer.write("fault", {"task": "x", "error": "news"})
        kiosk.end.say(peer.head())
        while line.get("event") != "stored":
            line = json.loads(await process.stdout.readline())
        assert line["last"] == peer.next_seq - 1
        busy = await smilehub(tmp_path, "sync", "--store", str(store), "--port", kiosk.path)
        assert busy.code == 7 and "in use" in busy.err and f"process {process.pid}" in busy.err
        async with PtyKiosk(Peer(seed=9)) as other:
            ran = await smilehub(tmp_path, "sync", "--store", str(store), "--port", other.path)
        assert ran.code == 20 and f"process {process.pid}" in ran.err and "sync --watch" in ran.err
        process.send_signal(number)
        assert await process.wait() == code
        assert (await process.stderr.read()).decode().endswith("Stopped.\n")

    with_kiosk(peer, work)


def test_who_lost_the_answer_gives_the_same_wish_again_under_the_same_number(tmp_path: Path):
    peer = Peer()
    honest = peer.command

    async def work(kiosk: PtyKiosk) -> None:
        def forgetful(*wish: Any) -> bytes:
            honest(*wish)
            kiosk.end.kiosk.hang_up(0)
            return b""

        peer.command = forgetful  # type: ignore[method-assign]
        ran = await smilehub(tmp_path, "day", "open", "--port", kiosk.path)
        assert ran.code == 8 and "very same command again" in ran.err
        peer.command = honest  # type: ignore[method-assign]
        ran = await smilehub(tmp_path, "day", "open", "--json", "--port", kiosk.path)
        assert ran.code == 0, ran.out
        assert ran.lines[0]["already_done"]

    with_kiosk(peer, work)
    assert peer.commands == [("day_open", {})]


def test_garbage_before_every_frame_is_skipped(tmp_path: Path):
    peer = Peer()
    peer.busy_day(5)

    async def work(kiosk: PtyKiosk) -> None:
        kiosk.garbage = b"\0" + bytes(range(1, 256)) * 6 + b"\0" + frames.encode(b"\x01\xff") + b"\x07\x07\0"
        ran = await smilehub(tmp_path, "sync", "--port", kiosk.path, "--store", str(tmp_path / "s"))
        assert ran.code == 0, ran.err

    with_kiosk(peer, work)
    assert held(tmp_path / "s", peer) == peer.raws


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["sync"], 3),
        (["call", "1", "--port", "./no-such-port"], 5),
        (["sync", "--port", "/dev/null"], 5),
        (["call"], 2),
        (["chair", "open", "1", "--lane", "bridge"], 2),
        (["nonsense"], 2),
        (["queue", "--offline"], 25),
        (["verify", "--offline"], 25),
    ],
)
def test_bad_input_is_one_sentence_and_a_documented_code(tmp_path: Path, args: list[str], code: int):
    plain = asyncio.run(smilehub(tmp_path, *args))
    assert plain.code == code
    assert plain.out == ""
    assert "Traceback" not in plain.err
    assert 1 <= len(plain.err.splitlines()) <= 2
    if code == 2:
        return
    scripted = asyncio.run(smilehub(tmp_path, *args, "--json"))
    error = scripted.lines[0]["error"]
    assert (scripted.code, error["exit_code"]) == (code, code)
    assert error["message"] == plain.err.splitlines()[0]
    assert not list(tmp_path.rglob("store.sqlite")), "a failed command makes no store"


def test_a_kiosk_of_another_version(tmp_path: Path):
    async def work(kiosk: PtyKiosk) -> None:
        ran = await smilehub(tmp_path, "sync", "--port", kiosk.path)
        assert ran.code == 11
        assert "speaks protocol version 7 to 9, this program 2." in ran.err
        assert "Update smilehub" in ran.err

    with_kiosk(Peer(versions=(7, 9)), work)


def test_a_refusal_says_why_and_what_next(tmp_path: Path):
    async def work(kiosk: PtyKiosk) -> None:
        ran = await smilehub(tmp_path, "call", "1", "--port", kiosk.path)
        assert ran.code == 12
        assert ran.err == "The day is closed.\nOpen it with `smilehub day open`.\n"

    with_kiosk(Peer(), work)


def test_two_boards_are_listed_and_none_is_touched(tmp_path: Path):
    first, second = Peer(seed=1), Peer(seed=2)
    first.busy_day(10)

    async def work(kiosk: PtyKiosk) -> None:
        async with PtyKiosk(second) as other:
            ports = os.pathsep.join([kiosk.path, other.path])
            ran = await smilehub(tmp_path, "day", "open", ports=ports)
            assert ran.code == 4
            assert kiosk.path in ran.err and other.path in ran.err
            listed = await smilehub(tmp_path, "devices", "--json", ports=ports)
            assert {line["device_id"]: line["unsynced"] for line in listed.lines} == {
                first.device_id.hex(): first.next_seq - 1,
                second.device_id.hex(): 1,
            }
            assert {line["way"] for line in listed.lines} == {"cable"}
            table = await smilehub(tmp_path, "devices", "--list", ports=ports)
            assert kiosk.path in table.out and table.code == 0
            assert first.device_id.hex() not in table.out, "nobody was asked"

    with_kiosk(first, work)
    assert first.commands == second.commands == []


def test_a_sync_brings_the_records_of_all_kiosks_on_cables(tmp_path: Path):
    first, second = Peer(seed=1), Peer(seed=2)
    for peer in (first, second):
        peer.busy_day(20)

    async def work(kiosk: PtyKiosk) -> None:
        async with PtyKiosk(second) as other:
            ports = os.pathsep.join([kiosk.path, other.path])
            ran = await smilehub(tmp_path, "sync", "--json", "--store", str(tmp_path / "s"), ports=ports)
            assert ran.code == 0, ran.out
            listed = await smilehub(
                tmp_path, "devices", "--json", "--store", str(tmp_path / "s"), ports=ports
            )
            assert [line["unsynced"] for line in listed.lines] == [0, 0]
            other.mute = True
            ran = await smilehub(tmp_path, "sync", "--store", str(tmp_path / "s"), ports=ports)
            assert ran.code == 9 and other.path in ran.err
            assert "0 new records; " in ran.out, "the other kiosk was asked all the same"

    with_kiosk(first, work)
    assert held(tmp_path / "s", first) == first.raws
    assert held(tmp_path / "s", second) == second.raws


@pytest.mark.parametrize("how", [["sync"], ["sync", "--port"], ["queue"], ["verify"]])
def test_what_fetches_records_on_the_authoritys_laptop_brings_the_revocation_list(
    tmp_path: Path, how: list[str]
):
    peer = Peer()
    backup = authority().export("correct horse battery staple", cost=4)
    hub = Authority.import_(tmp_path / "home" / "trust", backup, "correct horse battery staple")
    hub.revoke(hub.issue_person("laptop", "thief").serial)
    lists: list[bytes] = []
    plain = peer.answer

    def answer(number: int, op: int, args: dict[int, Any]) -> list[bytes]:
        if op != requests.REVOKE:
            return plain(number, op, args)
        lists.append(args[0])
        return [reply(number, requests.DONE, {})]

    peer.answer = answer  # type: ignore[method-assign]

    async def work(kiosk: PtyKiosk) -> None:
        for said in ("knows now whose identities were taken back", ""):
            port = [kiosk.path] if "--port" in how else []
            ran = await smilehub(tmp_path, *how, *port, ports=kiosk.path)
            assert ran.code == 0, ran.err
            assert said in ran.out or how[0] != "sync"

    with_kiosk(peer, work)
    assert lists == [hub.list_for(peer.device_id)]


def test_a_watch_finds_the_kiosks_by_itself(tmp_path: Path):
    first, second = Peer(seed=1), Peer(seed=2)

    async def work(kiosk: PtyKiosk) -> None:
        async with PtyKiosk(second, state=1) as bare:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, "sync", "--watch", "--json", "--store", str(tmp_path / "s"),
                env=environment(tmp_path, os.pathsep.join([kiosk.path, bare.path])),
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            seen: dict[str, dict[str, object]] = {}
            while not {"synced", "silent"} <= set(seen):
                line = json.loads(await process.stdout.readline())
                seen[line["event"]] = line
            assert seen["silent"]["port"] == bare.path and "no identity" in str(seen["silent"]["message"])
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 143

    with_kiosk(first, work)
    assert held(tmp_path / "s", first) == first.raws


def test_health_settings_and_logs(tmp_path: Path):
    peer = Peer()

    async def work(kiosk: PtyKiosk) -> None:
        ran = await smilehub(tmp_path, "health", ports=kiosk.path)
        assert ran.code == 0 and "CR2032" in ran.out and "50,000 bytes" in ran.out
        ran = await smilehub(tmp_path, "health", "--json", ports=kiosk.path)
        assert ran.lines[0]["troubles"][0]["task"] == "clock"
        ran = await smilehub(tmp_path, "config", "name", "Front", ports=kiosk.path)
        assert ran.code == 0 and "Front" in ran.out and peer.config == {"name": "Front"}
        ran = await smilehub(tmp_path, "logs", ports=kiosk.path)
        assert ran.code == 39 and "technician" in ran.err and "hub invite" in ran.err
        authority().issue_person("technician", "bench").save(tmp_path / "home" / "trust")
        ran = await smilehub(tmp_path, "logs", ports=kiosk.path)
        assert ran.code == 39
        peer.role = "technician"
        ran = await smilehub(tmp_path, "logs", ports=kiosk.path)
        assert (ran.code, ran.out) == (0, "hello\n")

    with_kiosk(peer, work)


def test_a_kiosk_of_another_hub_and_a_laptop_of_none(tmp_path: Path):
    async def work(kiosk: PtyKiosk) -> None:
        env = environment(tmp_path, kiosk.path)
        Authority.from_seed("others").issue_person("laptop", "tests").save(tmp_path / "home" / "trust")
        for expected, said in ((42, "belongs to another hub"), (47, "does not belong to a hub yet")):
            process = await asyncio.create_subprocess_exec(
                *PROGRAM, "sync", env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            _, err = await process.communicate()
            assert process.returncode == expected and said in err.decode()
            (tmp_path / "home" / "trust" / "laptop").unlink(missing_ok=True)

    with_kiosk(Peer(), work)


def test_store_errors_at_the_command_line(tmp_path: Path):
    (tmp_path / "text").write_text("not a database, certainly")

    async def work(kiosk: PtyKiosk) -> None:
        ran = await smilehub(tmp_path, "sync", "--port", kiosk.path, "--store", str(tmp_path / "text"))
        assert ran.code == 24 and "is not a smilehub store" in ran.err
        ran = await smilehub(tmp_path, "sync", "--port", kiosk.path, "--store", "/proc/none/store")
        assert ran.code in (20, 22) and "Traceback" not in ran.err

    with_kiosk(Peer(), work)


def test_debug_shows_where(tmp_path: Path):
    ran = asyncio.run(smilehub(tmp_path, "sync", "--port", "./none", "--debug"))
    assert ran.code == 5
    assert "Traceback" in ran.err and "There is no port ./none." in ran.err


def test_a_reader_that_goes_away(tmp_path: Path):
    command = " ".join([*PROGRAM, "--help"])
    for _ in range(2):
        ran = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | true"],
            env=environment(tmp_path),
            capture_output=True,
        )
        assert b"Traceback" not in ran.stderr and b"Exception" not in ran.stderr
        assert ran.returncode in (0, 141)


@pytest.mark.parametrize("name", sorted(set(_app._Commands.lazy) - {"sim", "demo"}))
def test_every_command_has_help_with_an_example_and_json(name: str):
    group = _app.app
    assert isinstance(group, _app._Commands)
    command = group.load(name)
    for leaf in leaves(command):
        assert "smilehub " in (leaf.help or "").partition("\b")[2], leaf.name
        assert any("--json" in option.opts for option in leaf.params), leaf.name
        assert leaf.callback is not None


def leaves(command: click.Command) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return [command]
    return [leaf for inner in command.commands.values() for leaf in leaves(inner)]


def test_ctrl_c_while_it_is_still_starting_is_no_fault(tmp_path: Path):
    (tmp_path / "rich_click.py").write_text("raise KeyboardInterrupt\n")
    own = environment(tmp_path)
    own["PYTHONPATH"] = os.pathsep.join([str(tmp_path), own.get("PYTHONPATH", "")])
    ran = subprocess.run([*PROGRAM, "queue"], env=own, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (130, "Stopped.\n")


def test_the_overview_imports_nothing_heavy(tmp_path: Path):
    script = (
        "import sys, smilehub.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'sqlalchemy', 'serial', 'asyncio', 'filelock', 'hubcore', 'smilehub.sim'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment(tmp_path), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    for name in _app._Commands.lazy:
        assert name in ran.stdout
