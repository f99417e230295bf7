"""Waiting for a call, a deadline or input without making anything: asyncio's wait_for takes two tasks each
time, its streams 3 kB."""

import asyncio
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue] - the stubs lack it


class Wake:
    """What one task waits on: ``set()`` ends the wait, now or the next one. Not for interrupts."""

    def __init__(self):
        self._event = asyncio.Event()
        self._sleeper = None  # the task, while it waits with a deadline

    def set(self) -> None:
        self._event.set()
        task = self._sleeper
        if task is not None:
            # As asyncio's own Task.cancel() ends a sleep.
            self._sleeper = None
            queue = core._task_queue
            queue.remove(task)
            queue.push(task)

    async def wait(self, timeout_ms=None) -> None:
        """Until it is set, or until so many ms (less than six days) have passed; then it is clear again."""
        if timeout_ms is None:
            await self._event.wait()
        elif not self._event.is_set():
            self._sleeper = asyncio.current_task()
            try:
                await asyncio.sleep_ms(timeout_ms)
            finally:
                self._sleeper = None
        self._event.clear()


def readable(stream):
    """Await it: until there is something to read, as asyncio's own streams wait."""
    yield core._io_queue.queue_read(stream)
