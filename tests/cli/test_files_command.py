"""`smilehub files`: listed, fetched, brought, gone on with; and what a kiosk says no to, in words."""

import asyncio
from pathlib import Path

import pytest
from jumping import run
from peer import MemoryTransport, Peer, PtyKiosk, authority, reply
from test_commands import smilehub, with_kiosk

from hubcore import requests
from smilehub.errors import KioskFault, LinkClosed
from smilehub.link.client import KioskClient
from smilehub.sync import files
from smilehub.ui import Quiet

ROOM = 4000


class Shelf(Peer):
    """A kiosk with files as services.files has them: /other alone is written to, and it has little room."""

    def __init__(self) -> None:
        super().__init__()
        self.role = "technician"
        self.sent = 0
        self.cut_after = 1 << 30
        self.files = {"/app/main.py": b"run()\n"}

    def answer(self, number: int, op: int, args: dict) -> list[bytes]:
        path = args.get(0)
        writes = op in (requests.FILE_WRITE, requests.FILE_REMOVE)
        if writes and not path.startswith("/other/"):
            return [reply(number, requests.REFUSED, {0: "read_only", 1: "read_only", 2: 0, 3: path})]
        if op in (requests.FILE_READ, requests.FILE_REMOVE) and path not in self.files:
            return [self.no(number, path, "[Errno 2] ENOENT")]
        if op == requests.FILE_WRITE:
            self.sent += len(args[2])
            if self.sent > self.cut_after:
                raise LinkClosed("cut")
            if args[1] + len(args[2]) > ROOM:
                return [self.no(number, path, "28")]
            held = self.files.get(path, b"") if args[1] else b""
            self.files[path] = held[: args[1]] + args[2] + held[args[1] + len(args[2]) :]
            return [reply(number, 0, {0: len(self.files[path])})]
        return super().answer(number, op, args)

    def no(self, number: int, path: str, why: str) -> bytes:
        return reply(number, requests.FAULT, {0: f"The kiosk cannot: {path}: {why}"})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def put(shelf: Shelf, data: bytes) -> int:
    async def work() -> int:
        async with KioskClient(MemoryTransport(shelf), timeout=1.0) as client:
            return await files.put(client, "/other/a", data, Quiet())

    return run(work())


OLD = bytes(range(250)) * 12


@pytest.mark.parametrize(
    ("held", "wanted", "sent"),
    [
        (None, OLD, 3000),
        (None, b"", 0),
        (b"", b"", 0),
        (b"", OLD, 3000),
        (OLD, OLD, 0),
        (OLD, b"", 0),
        (OLD[:1500], OLD, 1500),
        (OLD[:1500] + b"?" + OLD[1501:], OLD, 1500),
        (b"?" + OLD[1:], OLD, 3000),
        (OLD + b"?", OLD, 3000),
        (OLD, OLD[:10], 10),
    ],
)
def test_only_what_the_kiosk_lacks_is_sent(shelf: Shelf, held: bytes | None, wanted: bytes, sent: int):
    if held is not None:
        shelf.files["/other/a"] = held
    assert put(shelf, wanted) == sent == shelf.sent
    assert shelf.files["/other/a"] == wanted


def test_a_file_that_is_cut_anywhere_goes_on(shelf: Shelf):
    for _ in range(5):
        shelf.cut_after = shelf.sent + 800
        try:
            sent = put(shelf, OLD)
            break
        except LinkClosed:
            continue
    else:
        raise AssertionError("never arrived")
    assert shelf.files["/other/a"] == OLD and sent < len(OLD)


def test_no_room_is_a_fault_with_words(shelf: Shelf):
    with pytest.raises(KioskFault, match="no room for /other/a") as caught:
        put(shelf, bytes(5000))
    assert "smilehub files remove" in caught.value.hint


def test_files_at_the_command_line(tmp_path: Path, shelf: Shelf):
    authority().issue_person("technician", "files").save(tmp_path / "home" / "trust")
    (tmp_path / "notes").write_bytes(OLD)

    async def work(kiosk: PtyKiosk) -> None:
        async def ran(*args: str, code: int = 0) -> str:
            done = await smilehub(tmp_path, "files", *args, ports=kiosk.path)
            assert done.code == code, done.out + done.err
            return done.out if not code else done.err

        async def lines(*args: str) -> list:
            return (await smilehub(tmp_path, "files", *args, "--json", ports=kiosk.path)).lines

        notes = str(tmp_path / "notes")
        assert "holds the 3,000 bytes" in await ran("put", notes, "/other/")
        assert (await lines("put", notes, "/other/notes"))[0]["sent"] == 0
        assert "3,000" in await ran("list", "/other/")
        assert await lines("list", "/other") == [{"name": "/other/notes", "bytes": 3000}]
        back = str(tmp_path / "back")
        await ran("get", "/other/notes", back)
        assert Path(back).read_bytes() == OLD
        assert "there already" in await ran("get", "/other/notes", back, code=2), "nothing is overwritten"
        assert "only below /other" in (await ran("put", notes, "/app/main.py", code=12)).lower()
        assert "keeps that as it is" in await ran("remove", "/app/main.py", code=12)
        await ran("remove", "/other/notes")
        assert "There is no /other/notes" in await ran("remove", "/other/notes", code=19)
        assert "files list" in await ran("get", "/other/notes", str(tmp_path / "none"), code=19)
        assert not (tmp_path / "none").exists()
        for bad in ("notes", "/../x", "/" + "x" * 200):
            await ran("list", bad, code=2)
        await ran("put", str(tmp_path / "missing"), "/other/x", code=2)

    with_kiosk(shelf, work)


def test_files_are_a_technicians(tmp_path: Path, shelf: Shelf):
    async def work() -> None:
        async with PtyKiosk(shelf) as kiosk:
            done = await smilehub(tmp_path, "files", "list", "--json", ports=kiosk.path)
            error = done.lines[0]["error"]
            assert (done.code, error["code"]) == (39, "role_forbidden")
            assert "smilehub hub accept" in error["hint"]

    asyncio.run(work())
