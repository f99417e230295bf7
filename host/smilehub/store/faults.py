"""SQLite's and the system's complaints as the errors of the store."""

import errno
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import exc

from smilehub.errors import SmilehubError, StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def explain(path: Path) -> Generator[None]:
    """Turn what goes wrong with the store at ``path`` inside the block into a StoreError."""
    try:
        yield
    except SmilehubError:
        raise
    except exc.DBAPIError as error:
        raise _database(path, error.orig) from error
    except sqlite3.Error as error:
        raise _database(path, error) from error
    except OSError as error:
        raise _system(path, error) from error


def _database(path: Path, error: BaseException | None) -> SmilehubError:
    # the low byte is the primary result code (sqlite.org/rescode.html)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"The disk with the store {path} is full.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return StoreReadOnly(f"The store {path} may not be written.")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreReadOnly(f"The store {path} cannot be opened for writing.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"Another program is using the store {path}.")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreDamaged(f"{path} is not a smilehub store.")
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreDamaged(f"The store {path} is damaged.")
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"The disk with the store {path} reported an error.",
            hint="Check the disk and its free space; the kiosk keeps everything until then.",
        )
    return StoreDamaged(f"The store {path} cannot be read: {error}.")


def _system(path: Path, error: OSError) -> StoreError:
    if error.errno in _FULL:
        return StoreFull(f"The disk with the store {path} is full.")
    if error.errno in _FORBIDDEN:
        return StoreReadOnly(f"The store {path} or its folder may not be used by this account.")
    if isinstance(error, (NotADirectoryError, FileExistsError)):
        return StoreDamaged(f"The store cannot be at {path}: a part of that path is a file.")
    return StoreError(
        f"The store {path} cannot be opened: {os.strerror(error.errno or 0)}.",
        hint="Name another store with --store.",
    )
