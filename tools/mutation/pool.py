"""Runs jobs in forked copies of this process, a few at a time, and hands on what they say."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Say = Callable[[Any], None]
"""Sends one value that JSON can carry to the process that made the copy."""
Job = Callable[[Say], None]


@dataclass(frozen=True)
class Died:
    """A copy ended without having finished its job: by a signal, or by an exception (`why`)."""

    why: str


def pool(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, Any]]:
    """(number of the job, what it said) as it comes; last of a job that did not finish: (number, Died)."""
    waiting = list(range(len(jobs)))[::-1]
    running: dict[int, tuple[int, int, bytearray]] = {}  # descriptor -> job, process, bytes so far
    gc.collect()
    gc.freeze()  # so that a collection in a copy does not touch, and so copy, every page
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                number = waiting.pop()
                fd, pid = _fork(jobs[number])
                running[fd] = (number, pid, bytearray())
            for fd in select.select(list(running), [], [])[0]:
                number, pid, text = running[fd]
                data = os.read(fd, 1 << 16)
                text += data
                *lines, rest = bytes(text).split(b"\n")
                text[:] = rest
                for line in lines:
                    yield number, json.loads(line)
                if not data:
                    del running[fd]
                    os.close(fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    if status:
                        yield number, Died(bytes(text).decode() or f"signal {-status}")
    finally:
        gc.unfreeze()
        for fd, (_, pid, _) in running.items():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(fd)


def _fork(job: Job) -> tuple[int, int]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return reading, pid
    code = 1
    try:
        os.close(reading)

        def say(value: Any) -> None:
            os.write(writing, json.dumps(value).encode() + b"\n")

        job(say)
        code = 0
    except BaseException:  # noqa: BLE001 - told to the process that waits for it
        os.write(writing, traceback.format_exc().encode().replace(b"\n", b"\r"))
    finally:
        os._exit(code)
