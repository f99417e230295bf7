"""Opening the file: settings, and whether it is a store of a version that this program knows."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from smilehub.errors import StoreDamaged, StoreNewer
from smilehub.store.schema import APPLICATION_ID, VERSION, meta, metadata

_MAGIC = b"SQLite format 3\0"
_ANOTHER = "Name another store with --store."
_SET_ASIDE = "Name another store with --store; if this was one, set it aside and sync again into a new one."


def check_file(path: Path) -> None:
    """Raise StoreDamaged if it is no file, or no database; SQLite would take a short one for an empty one."""
    if path.is_dir():
        raise StoreDamaged(f"{path} is a folder, not a store.", hint=_ANOTHER)
    if path.exists() and not path.is_file():
        raise StoreDamaged(f"{path} is a device, not a store.", hint=_ANOTHER)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) not in (b"", _MAGIC):
                raise StoreDamaged(f"{path} is not a smilehub store.", hint=_SET_ASIDE)


def make_engine(path: Path, *, write: bool) -> sa.Engine:
    """An engine with one connection and the settings that `Store` explains."""
    uri = path.resolve().as_uri() + ("?mode=rwc" if write else "?mode=ro")
    if not write and not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists():
        # a write-ahead log needs its companion file even for reading; where none can be made, nobody writes
        uri += "&immutable=1"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=5.0, check_same_thread=False)
        if write:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    # connecting here and not by an address, which would decode the path a second time
    return sa.create_engine("sqlite://", creator=connect, poolclass=StaticPool)


def identify(connection: sa.Connection, path: Path, *, create: bool, rnd: Callable[[int], bytes]) -> None:
    """Check that the file is a store of this version; a writer turns an empty file into one."""
    mark = connection.exec_driver_sql("PRAGMA application_id").scalar()
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar() or 0)
    empty = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    if empty and version == 0 and create:
        metadata.create_all(connection)
        connection.execute(
            meta.insert(),
            [{"key": "schema", "value": str(VERSION)}, {"key": "issuer", "value": "L" + rnd(6).hex()}],
        )
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")
        return
    if mark != APPLICATION_ID:
        raise StoreDamaged(f"{path} is a database, but not a smilehub store.", hint=_ANOTHER)
    if version > VERSION:
        raise StoreNewer(
            f"The store {path} has format {version}, and this program knows formats up to {VERSION}."
        )
