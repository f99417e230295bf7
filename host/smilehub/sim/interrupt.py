"""Ctrl-C for a guest process: whether its interrupt character is set, and a SIGINT that cannot kill it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

#: The guest stops within microseconds; a busy machine may take longer.
_STOP_SECONDS = 0.05


def catches_interrupt(pid: int) -> bool | None:
    """Whether the process handles SIGINT, which MicroPython does exactly while its interrupt character is 3.

    (`mp_hal_set_interrupt_char` sets the handler before code runs and takes it away before the next prompt.
    The terminal's ISIG says the same but for the raw-paste mode, which leaves it cleared while code runs.)
    None where the system does not tell, or the process is gone.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(b"SigCgt:"):
            return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
    return None


def interrupt(pid: int) -> bool:
    """Send SIGINT if, and only if, the guest catches it. Returns whether it was sent.

    Between a look and a kill the guest may reach its prompt, where SIGINT would end it. So it is stopped
    first, looked at, and let go. Raises nothing when the process is gone.
    """
    try:
        if not sys.platform.startswith("linux"):
            os.kill(pid, signal.SIGINT)
            return True
        if not catches_interrupt(pid):
            return False
        os.kill(pid, signal.SIGSTOP)
        try:
            _await_stop(pid)
            if not catches_interrupt(pid):
                return False
            os.kill(pid, signal.SIGINT)
            return True
        finally:
            os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return False


def _await_stop(pid: int) -> None:
    end = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            return
        if state in (b"T", b"Z", b"X"):
            return
        time.sleep(0.0002)
