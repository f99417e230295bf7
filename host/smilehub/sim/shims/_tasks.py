"""``_asyncio``: the tasks and queues of asyncio's core, on the board's ticks.

The built-in module reads the host's clock and orders keys by the Unix port's period of ticks, so it cannot
serve here. A queue is a
list sorted by time, first come first among equals; nothing in it allocates.
"""

from time import ticks_diff, ticks_ms


class TaskQueue:
    """Tasks in the order of their times."""

    def __init__(self):
        self._head = None

    def peek(self):
        """The first task, or None."""
        return self._head

    def push(self, task, key=None):
        """Put a task in: for now, or for the time ``key``."""
        if key is None:
            key = ticks_ms()
        task.data = None
        task.ph_key = key
        at = self._head
        if at is None or ticks_diff(key, at.ph_key) < 0:
            task.next = at
            self._head = task
            return
        while at.next is not None and ticks_diff(key, at.next.ph_key) >= 0:
            at = at.next
        task.next = at.next
        at.next = task

    def pop(self):
        """Take the first task out. IndexError if there is none."""
        task = self._head
        if task is None:
            raise IndexError("empty heap")
        self._head = task.next
        task.next = None
        return task

    def remove(self, task):
        """Take a task out, wherever it is."""
        at = self._head
        if at is task:
            self._head = task.next
        else:
            while at is not None and at.next is not task:
                at = at.next
            if at is not None:
                at.next = task.next
        task.next = None


class Task:
    """A coroutine that runs by itself.

    ``state``: True runs and nobody waits for it; a TaskQueue: these wait; None: done, not yet awaited;
    False: done.
    ``data``: what it waits on, or the exception to throw into it, or (done) its outcome.
    """

    def __init__(self, coro, core=None):
        global _core
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0
        self.next = None
        if core is not None:
            _core = core

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif type(self.state) is not TaskQueue:
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        current = _core["cur_task"]
        self.state.push(current)
        current.data = self

    def done(self):
        """Whether it has ended."""
        return not self.state

    def cancel(self):
        """Throw CancelledError into it at its next turn. False if it has ended."""
        if not self.state:
            return False
        if self is _core["cur_task"]:
            raise RuntimeError("can't cancel self")
        # The task at the end of the chain of waits is the one to wake.
        while isinstance(self.data, Task):
            self = self.data
        queue = _core["_task_queue"]
        if hasattr(self.data, "remove"):
            self.data.remove(self)
            queue.push(self)
        elif ticks_diff(self.ph_key, ticks_ms()) > 0:
            queue.remove(self)
            queue.push(self)
        self.data = _core["CancelledError"]
        return True


_core = None
