"""One writer at a time: a lock beside the store, with a note that says who holds it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from smilehub.errors import StoreBusy, StoreReadOnly


class WriterLock:
    """The right to write to the store at ``path``; the system takes it back when the process dies."""

    def __init__(self, path: Path, command: str, clock: Callable[[], int]) -> None:
        self._store = path
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._note = path.with_name(path.name + ".holder")
        self._command = command
        self._clock = clock

    def acquire(self) -> None:
        """Take the lock without waiting. Raises StoreBusy, which names the holder, or OSError."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            if not Path(self._lock.lock_file).exists():  # it could not even be made
                raise StoreReadOnly(f"Nothing can be written beside the store {self._store}.") from error
            raise StoreBusy(f"{self._holder()} is writing to the store {self._store}.") from error
        note = {"pid": os.getpid(), "command": self._command, "since": self._clock()}
        self._note.write_text(json.dumps(note) + "\n", encoding="utf-8")

    def holder(self) -> str | None:
        """Who has the lock now, in words; None if it is free. Nothing is made."""
        if not Path(self._lock.lock_file).exists():
            return None
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return self._holder()
        self._lock.release()
        return None

    def release(self) -> None:
        """Give the lock back; harmless when not held."""
        if self._lock.is_locked:
            self._note.unlink(missing_ok=True)
            self._lock.release()

    def _holder(self) -> str:
        """Who holds it, in words; the note may be missing for the moment between lock and note."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            since = _utc(int(note["since"]))
            return f"'{note['command']}' (process {note['pid']}, since {since})"
        except (OSError, ValueError, KeyError, TypeError):
            return "Another program"


def _utc(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
