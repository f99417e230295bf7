"""The store: once each, one writer, numbers that outlive a crash, and every way a file can be wrong."""

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from smilehub.errors import (
    RecordConflict,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreMissing,
    StoreNewer,
    StoreReadOnly,
)
from smilehub.store.database import Row, Store, default_path

JOURNAL = b"journal1"


def rows(first: int, last: int, fill: bytes = b"x") -> list[Row]:
    return [Row(seq, 6, 1, seq * 10, None, fill * 60 + bytes([seq & 255])) for seq in range(first, last + 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces & signs?" / "store.sqlite"


def test_it_lives_where_the_keys_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SMILEHUB_HOME", str(tmp_path))
    assert default_path() == tmp_path / "store.sqlite"
    monkeypatch.delenv("SMILEHUB_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path() == tmp_path / "data" / "smilehub" / "store.sqlite"


def test_every_record_once(path: Path):
    with Store.open(path) as store:
        store.add_journal(JOURNAL, b"dev")
        assert store.add(JOURNAL, rows(1, 10)) == 10
        assert store.add(JOURNAL, rows(5, 12)) == 2
        assert [seq for seq, _ in store.records(JOURNAL)] == list(range(1, 13))
        assert store.last_seq(JOURNAL) == 12
        assert store.last_seq(b"journal2") == 0
    with sqlite3.connect(path) as db:
        names = [name for (name,) in db.execute("select name from sqlite_master where type='table'")]
        sizes = {name: db.execute(f'select count(*) from "{name}"').fetchone()[0] for name in names}
    assert max(sizes, key=sizes.__getitem__) == "records"


def test_many_pages_come_back_in_order(path: Path):
    with Store.open(path) as store:
        store.add(JOURNAL, rows(1, 2500))
        seen = 0
        for seq, raw in store.records(JOURNAL, 2, 2400):
            store.last_seq(JOURNAL)
            seen += 1
            assert (seq, raw) == (seen + 1, rows(seq, seq)[0].raw)
        assert seen == 2399


def test_a_conflict_keeps_both_and_stops(path: Path):
    with Store.open(path) as store:
        store.add(JOURNAL, rows(1, 5))
        for _ in range(2):
            with pytest.raises(RecordConflict, match="Record 5 of journal"):
                store.add(JOURNAL, rows(5, 8, b"y"))
        assert store.last_seq(JOURNAL) == 5
        assert dict(store.records(JOURNAL))[5] == rows(5, 5)[0].raw
        assert store.conflicts(JOURNAL) == [(5, rows(5, 5, b"y")[0].raw)]


def test_what_comes_before_a_conflict_is_stored(path: Path):
    with Store.open(path) as store:
        store.add(JOURNAL, rows(3, 3))
        with pytest.raises(RecordConflict):
            store.add(JOURNAL, [*rows(1, 2), *rows(3, 6, b"y")])
        assert [seq for seq, _ in store.records(JOURNAL)] == [1, 2, 3]


def test_counters_rise_across_restarts_and_issuers_differ(path: Path, tmp_path: Path):
    issued = []
    for name in ("call", "seated", "served"):
        with Store.open(path) as store:
            issuer = store.commands.issuer
            issued.append(store.commands.issue(b"dev", name, b""))
    assert issued == [(issuer, 1), (issuer, 2), (issuer, 3)]
    with Store.open(tmp_path / "other.sqlite") as other:
        assert other.commands.issuer != issuer
        assert len(other.commands.issuer) <= 16


def test_an_unanswered_command_given_again_keeps_its_number(path: Path):
    with Store.open(path) as store:
        issuer = store.commands.issuer
        assert store.commands.issue(b"dev", "call", b"1") == (issuer, 1)
    with Store.open(path) as store:
        assert store.commands.issue(b"dev", "call", b"1") == (issuer, 1)
        store.commands.settle((issuer, 1), "done", 9)
        assert store.commands.issue(b"dev", "call", b"1") == (issuer, 2)
        assert store.commands.issue(b"dev", "call", b"2") == (issuer, 3)
        assert store.commands.issue(b"dev", "call", b"1") == (issuer, 4), "another command came between"


def test_a_store_that_gets_another_certificate_begins_other_numbers_and_still_waits_for_the_old(path: Path):
    with Store.open(path) as store:
        before = store.commands.issue(b"dev", "call", b"1", b"\x41\x42\x43\x44xxxx")
        store.commands.settle(before, "done", 9)
        waits = store.commands.issue(b"dev", "call", b"2", b"\x41\x42\x43\x44xxxx")
    with Store.open(path) as store:
        other = store.commands.issue(b"dev", "call", b"2", b"\x51\x42\x43\x44xxxx")
        assert before == ("41424344" + store.commands.issuer[:8], 1)
        assert (waits, other) == ((before[0], 2), ("51424344" + store.commands.issuer[:8], 1))
        assert store.commands.unanswered() == {waits, other}
        store.commands.note(waits, "done", 12)
        assert store.commands.unanswered() == {other}


def test_the_second_writer_is_told_who_holds_it(path: Path):
    with Store.open(path, command="smilehub sync --watch", clock=lambda: 1_700_000_000):
        with pytest.raises(StoreBusy) as error:
            Store.open(path)
        assert f"'smilehub sync --watch' (process {os.getpid()}, since 2023-11-14 22:13:20 UTC)" in str(
            error.value
        )
        with Store.open(path, write=False) as reader:
            assert reader.journals() == []
    Store.open(path).close()


def test_a_killed_writer_leaves_the_store_free_and_whole(path: Path):
    script = (
        "import sys; sys.path[:0] = [sys.argv[2]]\n"
        "from pathlib import Path; from test_store import rows, JOURNAL\n"
        "from smilehub.store.database import Store\n"
        "store = Store.open(Path(sys.argv[1]), command='doomed'); n = 0\n"
        "while True:\n"
        "    store.add(JOURNAL, rows(n + 1, n + 50)); n += 50; print(n, flush=True)\n"
    )
    arguments = [sys.executable, "-c", script, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = 0
        while told < 300:
            told = int(process.stdout.readline())
        with pytest.raises(StoreBusy, match=f"'doomed' \\(process {process.pid}"):
            Store.open(path)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        told = int(rest[-1]) if rest else told
    with Store.open(path) as store:
        held = [seq for seq, _ in store.records(JOURNAL)]
        assert held == list(range(1, len(held) + 1))
        assert len(held) >= told
        assert store.check() == []


def test_a_garbled_note_still_makes_a_sentence(path: Path):
    with Store.open(path):
        path.with_name(path.name + ".holder").write_text("{")
        with pytest.raises(StoreBusy, match="Another program is writing"):
            Store.open(path)


def test_newer_store(path: Path):
    Store.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=7")
    for write in (True, False):
        with pytest.raises(StoreNewer, match="format 7, and this program knows formats up to 1"):
            Store.open(path, write=write)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one" * 20, b"x"])
def test_not_a_database(path: Path, content: bytes):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        Store.open(path)
    assert path.read_bytes() == content


def test_another_programs_database(path: Path):
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreDamaged, match="not a smilehub store"):
        Store.open(path)


def test_a_folder_or_a_file_in_the_way(tmp_path: Path):
    with pytest.raises(StoreDamaged, match="is a folder"):
        Store.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreDamaged, match="a part of that path is a file"):
        Store.open(tmp_path / "file" / "store.sqlite")


def test_damage_inside_is_found(path: Path):
    with Store.open(path) as store:
        store.add(JOURNAL, rows(1, 2000))
    data = bytearray(path.read_bytes())
    data[8192:40960] = os.urandom(32768)
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        with Store.open(path) as store:
            list(store.records(JOURNAL))
            assert store.check() == []


def test_missing_store_for_a_reader(path: Path):
    with pytest.raises(StoreMissing):
        Store.open(path, write=False)
    assert not path.parent.exists()


def test_full_disk_loses_nothing_that_was_stored(path: Path, monkeypatch: pytest.MonkeyPatch):
    connect = sqlite3.connect

    def small(*args, **options):
        connection = connect(*args, **options)
        connection.execute("PRAGMA max_page_count=20")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    stored = 0
    with Store.open(path) as store:
        with pytest.raises(StoreFull, match="is full"):
            for first in range(1, 5000, 50):
                store.add(JOURNAL, rows(first, first + 49))
                stored = first + 49
    assert stored > 0
    monkeypatch.undo()
    with Store.open(path) as store:
        assert [seq for seq, _ in store.records(JOURNAL)] == list(range(1, stored + 1))


def test_read_only_store(path: Path, monkeypatch: pytest.MonkeyPatch):
    Store.open(path).close()
    connect = sqlite3.connect

    def locked(*args, **options):
        connection = connect(*args, **options)
        connection.execute("PRAGMA query_only=1")  # what a read-only file answers, even to root
        return connection

    monkeypatch.setattr(sqlite3, "connect", locked)
    with Store.open(path) as store, pytest.raises(StoreReadOnly, match="may not be written"):
        store.add(JOURNAL, rows(1, 2))


def test_a_folder_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreReadOnly, match="or its folder may not be used"):
        Store.open(path)


def test_the_note_is_gone_after_closing(path: Path):
    with Store.open(path):
        note = json.loads(path.with_name("store.sqlite.holder").read_text())
        assert note["pid"] == os.getpid()
    assert not path.with_name("store.sqlite.holder").exists()
