"""A simulated board: power, resets, watchdog and clock; it wires the guest's pins and buses to the models
of its parts."""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from smilehub.sim.control import Cause, Event, Frame, Kind
from smilehub.sim.guest import Guest
from smilehub.sim.kernel import Kernel
from smilehub.sim.pipe import PipeConsole
from smilehub.sim.spec import BoardSpec
from smilehub.sim.wiring import Wiring

Handler = Callable[[Frame], "bytes | int | None"]

_TICKS_PERIOD_MS = 1 << 30
#: The ticks counter starts so long before it wraps: no program gets by without ``ticks_diff``.
_BEFORE_WRAP_MS = 60_000


class ConsolePort(Protocol):
    """What carries a board's stdin and stdout (sim/console.py in real time, sim/pipe.py in virtual)."""

    def stdio(self) -> tuple[int, int]: ...
    def started(self, pid: int) -> None: ...
    def booting(self) -> None: ...
    def kbd_intr(self, char: int) -> None: ...
    def ended(self, *, soft: bool) -> None: ...
    @property
    def raw(self) -> bool: ...
    def text(self) -> str: ...
    def type(self, data: bytes) -> None: ...
    def close(self) -> None: ...


@dataclass
class Stats:
    """What the board has counted since it was made."""

    spi_bytes: dict[int, int] = field(default_factory=dict[int, int])
    flash_ops: int = 0
    #: Messages of virtual guests by kind, waits included.
    messages: Counter[int] = field(default_factory=Counter[int])
    boots: int = 0
    resets: dict[Cause, int] = field(default_factory=dict[Cause, int])
    #: Most heap the firmware had in use, in bytes of this interpreter (only with ``measure``).
    heap_peak: int = 0
    #: Least heap it had in use at any wait since this was last set to None (only with ``measure``).
    heap_low: int | None = None
    #: Bytes of heap that the firmware was given at the last boot.
    heap_given: int = 0
    #: CPU time of all guests that have ended, ns.
    cpu_ns: int = 0


class BoardError(RuntimeError):
    """The board cannot go on; the message says why."""


class Board:
    """One board. ``flash`` is its flash file, which is all that survives ``power_cut``.

    ``heap_bytes``: what the firmware sees free, in this interpreter's bytes; None: twice the spec's limit.
    ``measure`` records the heap's peak at the cost of more collections.
    """

    def __init__(
        self,
        kernel: Kernel,
        spec: BoardSpec,
        flash: Path,
        *,
        seed: int = 0,
        heap_bytes: int | None = None,
        console: ConsolePort | None = None,
        measure: bool = False,
    ) -> None:
        self.kernel = kernel
        self.spec = spec
        self.flash = flash
        self.seed = seed
        self.heap_bytes = 2 * spec.heap_limit if heap_bytes is None else heap_bytes
        self.measure = measure
        self.stats = Stats()
        self.random = random.Random(f"board {seed}")
        self.guest: Guest | None = None
        self.cause = Cause.POWER
        #: What went wrong for good, if anything.
        self.failure: BaseException | None = None
        self.console: ConsolePort = console if console is not None else PipeConsole(kernel, self._typed)
        #: Called after every reset or power-on, and when the board loses power.
        self.on_power: list[Callable[[bool], None]] = []
        #: Called when the guest ends: True by a soft reset, False at once.
        self.on_stop: list[Callable[[bool], None]] = []
        self._handlers: dict[int, Handler] = {}
        self._rtc_us = 0
        self._rtc_memory = b""
        self._ticks_us = 0
        self._cut: tuple[int, float] | None = None
        self._ended = asyncio.Event()
        self._booted = False
        self._greeted = False
        self._wdt: asyncio.TimerHandle | None = None
        self._failed_starts = 0
        self._wire_handlers()
        self._wiring = Wiring(self, spec.parts)

    # ---- for people and tests ----

    def part(self, name: str) -> Any:
        """The model of a table of board.toml. Raises KeyError."""
        return self._wiring.parts[name]

    @property
    def keys(self) -> Keys:
        """The keys, by the names of their tables."""
        return Keys(self)

    @property
    def powered(self) -> bool:
        return self.guest is not None

    @property
    def booted(self) -> bool:
        """Whether the guest has come to its boot.py since the last reset."""
        return self._booted

    async def power_on(self, cause: Cause = Cause.POWER) -> None:
        """Switch on. Raises BoardError if it is on."""
        if self.guest is not None:
            raise BoardError("the board is on already")
        now = self.kernel.now_us()
        if cause == Cause.POWER:
            self._rtc_us = -now
            self._rtc_memory = b""
        self.failure = None
        self._wiring.power(True)
        self._hard_boot(cause)
        await asyncio.sleep(0)

    def power_cut(self) -> None:
        """Take the power away at once."""
        self._stop(soft=False)
        self._lose_power()

    def arm_cut(self, flash_op: int, tear: float = 0.5) -> None:
        """Fail the power in the ``flash_op``-th flash operation from now (1: the next), after the share
        ``tear`` of it.

        Armed while off, it counts from power-on.
        """
        if flash_op < 1 or not 0 <= tear <= 1:
            raise ValueError("flash_op from 1 on, tear from 0 to 1")
        if self.guest is None or not self._greeted:
            self._cut = (flash_op, tear)
        else:
            self.guest.send(Event.ARM_CUT, round(tear * 255), flash_op)

    def reset(self) -> None:
        """Press the reset button."""
        self._restart(Cause.HARD)

    def console_text(self) -> str:
        """What the board printed."""
        return self.console.text()

    def console_write(self, data: bytes) -> None:
        """Type into the console."""
        self.console.type(data)

    async def off(self) -> None:
        """Wait until the board has no power (an armed cut happened)."""
        while self.guest is not None:
            await self._ended.wait()

    async def idle(self, for_us: int = 1_000_000) -> None:
        """Wait until the guest waits with nothing of its own to do for ``for_us`` (virtual), or the board
        is off."""
        while (guest := self.guest) is not None:
            due = guest.due_us()
            if self._booted and guest.waiting and (due is None or due - self.kernel.now_us() >= for_us):
                return
            await asyncio.sleep(0.001)
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Power off and give up the console."""
        self.power_cut()
        self.console.close()

    # ---- for the parts of the simulator ----

    def on(self, kind: Kind, handler: Handler) -> None:
        """Give messages of a kind to ``handler``: a request's is answered with its bytes or an errno."""
        self._handlers[kind] = handler

    def event(self, kind: Event, a: int, b: int = 0, payload: bytes = b"") -> None:
        """Let the guest know something, now; nothing if the board is off."""
        if self.guest is not None:
            self.guest.send(kind, a, b, payload)

    def drive(self, pin: int, level: int) -> None:
        """Something outside sets an input pin now."""
        self._wiring.drive(pin, level)

    def cpu_ns(self) -> int:
        """CPU time of the guest's process since the board was made, ns."""
        return self.stats.cpu_ns + (self.guest.cpu_ns() if self.guest is not None else 0)

    # ---- boot, reset, end ----

    def _hard_boot(self, cause: Cause) -> None:
        self._ticks_us = (_TICKS_PERIOD_MS - _BEFORE_WRAP_MS) * 1000 - self.kernel.now_us()
        self._boot(cause)

    def _boot(self, cause: Cause) -> None:
        self.cause = cause
        self._booted = False
        self._greeted = False
        self._ended.clear()
        self.stats.boots += 1
        self.stats.resets[cause] = self.stats.resets.get(cause, 0) + 1
        stdio = self.console.stdio()
        flash = os.open(self.flash, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.guest = Guest(
                self.kernel,
                flash=flash,
                stdio=stdio,
                heap_bytes=self.heap_bytes,
                on_frame=self._frame,
                messages=self.stats.messages,
                on_end=self._guest_ended,
                on_quiet=self.console.text,
                # An armed watchdog will end what hangs.
                on_hang=lambda: self._wdt is not None,
            )
        finally:
            os.close(flash)
            for fd in set(stdio):
                os.close(fd)
        self.console.started(self.guest.pid)
        for tell in self.on_power:
            tell(True)

    def _stop(self, *, soft: bool) -> None:
        """End the guest, whatever it does."""
        if self._wdt is not None:
            self._wdt.cancel()
            self._wdt = None
        guest, self.guest = self.guest, None
        if guest is not None:
            if not guest.ended:
                self.stats.cpu_ns += guest.cpu_ns()
            guest.kill()
            for tell in self.on_stop:
                tell(soft)
            self.console.ended(soft=soft)
        self._ended.set()

    def _lose_power(self) -> None:
        self._cut = None
        self._wiring.power(False)
        for tell in self.on_power:
            tell(False)

    def _restart(self, cause: Cause) -> None:
        if self.guest is None:
            return
        soft = cause == Cause.SOFT
        self._stop(soft=soft)
        if soft:
            self._boot(cause)
        else:
            self._hard_boot(cause)

    def _guest_ended(self, guest: Guest) -> None:
        """The process is gone by itself: Ctrl-D at the prompt, or a crash."""
        if guest is not self.guest:
            return
        booted = self._booted
        self._failed_starts = 0 if booted else self._failed_starts + 1
        self._stop(soft=True)
        if booted:
            self._boot(Cause.SOFT)
        elif self._failed_starts < 3:
            self._boot(self.cause)
        else:
            # Something is wrong with the launcher or the interpreter: no further tries.
            self._give_up("the interpreter ended before it booted")

    def _give_up(self, why: str) -> None:
        self._stop(soft=False)
        self.failure = BoardError(f"{why}: {self.console_text()[-1500:]}")
        self._lose_power()

    # ---- messages ----

    def _frame(self, frame: Frame) -> bytes | int | None:
        handler = self._handlers.get(frame.kind)
        if handler is None:
            return 38 if frame.asks else None  # ENOSYS
        return handler(frame)

    def _wire_handlers(self) -> None:
        self.on(Kind.HELLO, self._hello)
        self.on(Kind.BOOTED, self._on_booted)
        self.on(Kind.WDT, self._feed)
        self.on(Kind.RESET, self._reset_asked)
        self.on(Kind.CUT, self._cut_happened)
        self.on(Kind.KBD_INTR, lambda f: self.console.kbd_intr(f.b))
        self.on(Kind.FLASH_BUSY, self._flash_busy)
        self.on(Kind.MEASURE, self._measured)
        self.on(Kind.RTC_SET, self._rtc_set)
        self.on(Kind.RTC_GET, lambda _: struct.pack("<q", self._rtc_us))
        self.on(Kind.RTC_MEMORY, self._keep_rtc_memory)
        self.on(Kind.BLE, self._first_ble)

    def _hello(self, _: Frame) -> bytes:
        seed = random.Random(f"{self.seed} {self.stats.boots}").getrandbits(30)
        settings = {
            "virtual": self.kernel.simulated,
            "heap": self.heap_bytes,
            "measure": self.measure,
            "seed": seed if self.kernel.simulated else random.SystemRandom().getrandbits(30),
            "cause": int(self.cause),
            "raw": self.console.raw,
            "rtc_us": self._rtc_us,
            "rtc_memory": self._rtc_memory.hex(),
            "ticks_us": self._ticks_us,
            "board": self.spec.id,
            "machine": f"Smilehub {self.spec.id} (simulated) with {self.spec.chip.upper()}",
            "flash": self.spec.flash_bytes,
            "unique_id": device_id(self.seed).hex(),
            "cut": [self._cut[0], round(self._cut[1] * 255)] if self._cut else None,
        }
        self._cut = None
        self._greeted = True
        return json.dumps(settings).encode()

    def _on_booted(self, frame: Frame) -> None:
        if frame.a == 0:
            self._booted = True
            self._failed_starts = 0
            self.stats.heap_given = frame.b
            self.console.booting()
        elif frame.a == 2:
            self._give_up("the launcher failed")

    def _first_ble(self, frame: Frame) -> bytes | int | None:
        # Nobody gave this board a radio: it is alone in the air. Bumble is only loaded for those who radio.
        from smilehub.sim.radio import Radio

        Radio(self.kernel, seed=self.seed).board(self)
        return self._frame(frame)

    def _feed(self, frame: Frame) -> None:
        if self._wdt is not None:
            self._wdt.cancel()
        self._wdt = self.kernel.call_at_us(frame.t_us + frame.b, self._restart, Cause.WDT)

    def _reset_asked(self, frame: Frame) -> None:
        cause = Cause(frame.a)
        if cause == Cause.DEEPSLEEP:
            self._sleep_deeply(frame.b)
        else:
            # After the messages before it: the loop may be inside one of them now.
            self._restart(cause)

    def _sleep_deeply(self, us: int) -> None:
        self._stop(soft=False)
        if us > 0:
            self.kernel.call_at_us(self.kernel.now_us() + us, self._wake)

    def _wake(self) -> None:
        if self.guest is None:
            self._hard_boot(Cause.DEEPSLEEP)

    def _cut_happened(self, frame: Frame) -> None:
        self.power_cut()

    def _flash_busy(self, frame: Frame) -> None:
        if frame.a == 0:
            self.stats.flash_ops += 1
        elif frame.a == 1:
            self.stats.flash_ops += frame.b // 700

    def _measured(self, frame: Frame) -> None:
        if frame.a == 0:
            self.stats.heap_peak = max(self.stats.heap_peak, frame.b)
        elif self.stats.heap_low is None or frame.b < self.stats.heap_low:
            self.stats.heap_low = frame.b

    def _rtc_set(self, frame: Frame) -> None:
        self._rtc_us = frame.b

    def _keep_rtc_memory(self, frame: Frame) -> None:
        self._rtc_memory = frame.payload

    def _typed(self) -> None:
        if self.guest is not None:
            self.guest.console_input()


class Keys:
    """Presses a board's keys."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def press(self, name: str, hold_ms: int = 80) -> int:
        """Press key ``name`` and let go after ``hold_ms``. Returns when the last edge falls, µs of the
        kernel."""
        return self._key(name).press(self._board.kernel.now_us(), hold_ms)

    def down(self, name: str) -> int:
        """Press and keep pressed."""
        return self._key(name).down(self._board.kernel.now_us())

    def up(self, name: str) -> int:
        """Let go."""
        return self._key(name).up(self._board.kernel.now_us())

    def stick(self, name: str) -> int:
        """Jam the key: its contacts stay closed until `free`."""
        return self._key(name).stick(self._board.kernel.now_us())

    def free(self, name: str) -> int:
        """Loosen a jammed key."""
        return self._key(name).free(self._board.kernel.now_us())

    def _key(self, name: str) -> Any:
        return self._board.part(f"keys.{name}")


def device_id(seed: int) -> bytes:
    """The id, 6 bytes, burnt into the chip of the board with this seed."""
    return random.Random(f"id {seed}").randbytes(6)
