"""The store itself: one SQLite file, one writer, errors in the words of `smilehub.errors`."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

import sqlalchemy as sa

from smilehub.errors import RecordConflict, StoreMissing
from smilehub.store.commands import Commands
from smilehub.store.engine import check_file, identify, make_engine
from smilehub.store.faults import explain
from smilehub.store.lock import WriterLock
from smilehub.store.schema import (
    conflicts,
    journals,
    records,
)
from smilehub.trust.files import data_folder

_PAGE = 1000


def default_path() -> Path:
    """Where the store lives unless --store says otherwise: in the folder of Smilehub's data."""
    return data_folder() / "store.sqlite"


def utc_now() -> int:
    """UTC seconds of the laptop's clock."""
    return int(time.time())


class Row(NamedTuple):
    """A record as the store keeps it: its bytes, and the columns that people ask for."""

    seq: int
    kind: int
    boot: int
    uptime_ms: int
    clock_s: int | None
    raw: bytes


class Journal(NamedTuple):
    """A journal the store knows: ``held`` records from ``first`` to ``last``, ``confirmed`` to the kiosk."""

    journal_id: bytes
    device_id: bytes
    first_seen_s: int
    confirmed: int
    held: int
    first: int
    last: int


class Store:
    """Open one with ``Store.open``; it is a context manager.

    SQLite keeps a write-ahead log with full synchronisation: the receipt that follows a commit allows
    the kiosk to reuse its sectors, so a commit must outlive a power cut of the laptop; and those who
    read (`queue --offline`, other programs) never hold up a sync. Closing folds the log into the file.
    """

    def __init__(
        self, path: Path, engine: sa.Engine, lock: WriterLock | None, clock: Callable[[], int]
    ) -> None:
        self.path = path
        self._engine = engine
        self._lock = lock
        self._clock = clock
        self.commands = Commands(self._begin, clock)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        command: str = "smilehub",
        clock: Callable[[], int] = utc_now,
        rnd: Callable[[int], bytes] = os.urandom,
        write: bool = True,
    ) -> Self:
        """Open the store at ``path``; a writer makes it if it is not there.

        ``command`` is what a second writer is told about this one, ``clock`` gives UTC seconds, ``rnd`` the
        random bytes of a new store's issuer name. Raises the StoreErrors.
        """
        with explain(path):
            if not write:
                if not path.exists():
                    raise StoreMissing(f"There is no store at {path} yet.")
                check_file(path)
                return cls._checked(path, make_engine(path, write=False), None, clock, rnd)
            check_file(path)  # before anything is put beside it
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(path, command, clock)
            lock.acquire()
            try:
                return cls._checked(path, make_engine(path, write=True), lock, clock, rnd)
            except BaseException:
                lock.release()
                raise

    @staticmethod
    def writer(path: Path) -> str | None:
        """Who writes to the store at ``path`` now, in words, or None. Makes nothing. Raises a StoreError."""
        with explain(path):
            return WriterLock(path, "", utc_now).holder()

    @classmethod
    def _checked(
        cls,
        path: Path,
        engine: sa.Engine,
        lock: WriterLock | None,
        clock: Callable[[], int],
        rnd: Callable[[int], bytes],
    ) -> Self:
        try:
            with engine.begin() as connection:
                identify(connection, path, create=lock is not None, rnd=rnd)
            return cls(path, engine, lock, clock)
        except BaseException:
            engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others write."""
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    # --- records ------------------------------------------------------------------------------------

    def add_journal(self, journal_id: bytes, device_id: bytes) -> None:
        """Remember a journal; harmless when it is known."""
        with self._begin() as connection:
            known = sa.select(journals.c.journal_id).where(journals.c.journal_id == journal_id)
            if connection.execute(known).first() is None:
                connection.execute(
                    journals.insert().values(
                        journal_id=journal_id, device_id=device_id, first_seen_s=self._clock(), confirmed=0
                    )
                )

    def add(self, journal_id: bytes, rows: Sequence[Row]) -> int:
        """Keep ``rows`` (seq rising) in one transaction; returns how many were new.

        A row that is there already with the same bytes changes nothing. One with other bytes goes to
        the conflicts, nothing after it is stored, and RecordConflict is raised when all that is on disk.
        """
        if not rows:
            return 0
        with self._begin() as connection:
            span = sa.select(records.c.seq, records.c.raw).where(
                records.c.journal_id == journal_id, records.c.seq.between(rows[0].seq, rows[-1].seq)
            )
            held = {int(seq): bytes(raw) for seq, raw in connection.execute(span)}
            clash = next((row for row in rows if held.get(row.seq, row.raw) != row.raw), None)
            fresh = [row for row in rows if row.seq not in held and (clash is None or row.seq < clash.seq)]
            if fresh:
                connection.execute(
                    records.insert(), [{"journal_id": journal_id, **row._asdict()} for row in fresh]
                )
            if clash is not None:
                self._keep_conflict(connection, journal_id, clash)
        if clash is not None:
            raise RecordConflict(
                f"Record {clash.seq} of journal {journal_id.hex()} came with other bytes than those stored."
            )
        return len(fresh)

    def last_seq(self, journal_id: bytes, *, but: int | None = None) -> int:
        """The highest seq stored of a journal, leaving out records of kind ``but``; 0 if none."""
        query = sa.select(sa.func.max(records.c.seq)).where(records.c.journal_id == journal_id)
        if but is not None:
            query = query.where(records.c.kind != but)
        with self._begin() as connection:
            return int(connection.execute(query).scalar() or 0)

    def records(
        self, journal_id: bytes, first: int = 1, last: int | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """(seq, bytes) of a journal's records from ``first`` to ``last``, in order."""
        end = sys.maxsize if last is None else last
        # page by page, so that the caller may use the store between two records
        while True:
            query = (
                sa.select(records.c.seq, records.c.raw)
                .where(records.c.journal_id == journal_id, records.c.seq.between(first, end))
                .order_by(records.c.seq)
                .limit(_PAGE)
            )
            with self._begin() as connection:
                page = [(int(seq), bytes(raw)) for seq, raw in connection.execute(query)]
            yield from page
            if len(page) < _PAGE:
                return
            first = page[-1][0] + 1

    def newest(self, journal_id: bytes, kind: int, most: int) -> list[tuple[int, bytes]]:
        """(seq, bytes) of a journal's records of one kind, at most ``most``, the newest first."""
        query = (
            sa.select(records.c.seq, records.c.raw)
            .where(records.c.journal_id == journal_id, records.c.kind == kind)
            .order_by(records.c.seq.desc())
            .limit(most)
        )
        with self._begin() as connection:
            return [(int(seq), bytes(raw)) for seq, raw in connection.execute(query)]

    def journals(self) -> list[Journal]:
        """All journals the store knows, the one seen last coming last."""
        held = (
            sa.select(
                records.c.journal_id,
                sa.func.count().label("count"),
                sa.func.min(records.c.seq).label("first"),
                sa.func.max(records.c.seq).label("last"),
            )
            .group_by(records.c.journal_id)
            .subquery()
        )
        query = (
            sa.select(
                journals.c.journal_id,
                journals.c.device_id,
                journals.c.first_seen_s,
                journals.c.confirmed,
                sa.func.coalesce(held.c.count, 0),
                sa.func.coalesce(held.c.first, 0),
                sa.func.coalesce(held.c.last, 0),
            )
            .outerjoin_from(journals, held, journals.c.journal_id == held.c.journal_id)
            .order_by(journals.c.first_seen_s, journals.c.journal_id)
        )
        with self._begin() as connection:
            return [Journal(*row) for row in connection.execute(query)]

    def journal(self, journal_id: bytes) -> Journal | None:
        """One journal, if the store knows it."""
        return next((journal for journal in self.journals() if journal.journal_id == journal_id), None)

    def newest_journal(self, device_id: bytes) -> Journal | None:
        """The journal of a device that was seen first most recently, if any."""
        return next((one for one in reversed(self.journals()) if one.device_id == device_id), None)

    def conflicts(self, journal_id: bytes) -> list[tuple[int, bytes]]:
        """(seq, other bytes) of every conflict of a journal."""
        query = sa.select(conflicts.c.seq, conflicts.c.raw).where(conflicts.c.journal_id == journal_id)
        with self._begin() as connection:
            return [
                (int(seq), bytes(raw)) for seq, raw in connection.execute(query.order_by(conflicts.c.seq))
            ]

    def confirmed(self, journal_id: bytes, seq: int | None = None) -> int:
        """The highest seq for which the kiosk has had a receipt; with ``seq`` given, sets it first."""
        with self._begin() as connection:
            if seq is not None:
                connection.execute(
                    journals.update().where(journals.c.journal_id == journal_id).values(confirmed=seq)
                )
            query = sa.select(journals.c.confirmed).where(journals.c.journal_id == journal_id)
            return int(connection.execute(query).scalar() or 0)

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is sound."""
        with self._begin() as connection:
            lines = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        return [] if list(lines) == ["ok"] else [str(line) for line in lines]

    # ------------------------------------------------------------------------------------------------

    @contextmanager
    def _begin(self) -> Generator[sa.Connection]:
        with explain(self.path), self._engine.begin() as connection:
            yield connection

    def _keep_conflict(self, connection: sa.Connection, journal_id: bytes, row: Row) -> None:
        same = sa.select(conflicts.c.seq).where(
            conflicts.c.journal_id == journal_id, conflicts.c.seq == row.seq, conflicts.c.raw == row.raw
        )
        if connection.execute(same).first() is None:
            values = {"journal_id": journal_id, "seq": row.seq, "raw": row.raw, "seen_s": self._clock()}
            connection.execute(conflicts.insert().values(values))
