"""The host's side of a board's UARTs: bytes take their time on the wire, in both directions."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from smilehub.sim.control import MAX_EVENT, Event, Frame, Kind
from smilehub.sim.linkport import LinkPort, PtyLink
from smilehub.sim.spec import BoardSpec, UartSpec

#: Bytes that came within so much time are handed over together.
CHUNK_NS = 1_000_000
#: A receiver reads garbage when its rate is off by more than this (a tenth bit in a character's ten).
_TOLERANCE = 0.03
_GARBLED = bytes((b * 7 + 0x5B) & 0xFF | 0x80 for b in range(256))


class Clock(Protocol):
    """What a pacer needs of the kernel."""

    def now_us(self) -> int: ...
    def call_at_us(self, at_us: int, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle: ...


@dataclass(slots=True)
class _Burst:
    start_ns: int
    byte_ns: int
    data: bytes
    sent: int = 0

    def end_ns(self, count: int) -> int:
        return self.start_ns + count * self.byte_ns


class Pacer:
    """One direction of a line. ``sink`` gets bytes within a millisecond of their last bit."""

    def __init__(self, clock: Clock, sink: Callable[[bytes], None], *, baud: int, bits: int = 10) -> None:
        self._clock = clock
        self._sink = sink
        self._bursts: deque[_Burst] = deque()
        self._free_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self._byte_ns = bits * 1_000_000_000 // baud
        #: Bytes that wait or are on the wire.
        self.pending = 0
        #: Bytes that have passed.
        self.passed = 0
        #: Called whenever some have passed.
        self.on_passed: Callable[[], None] | None = None

    def rate(self, baud: int, bits: int) -> None:
        """Bits per second, and bits of a character with start, parity and stop; for bytes put from now on."""
        self._byte_ns = bits * 1_000_000_000 // baud

    def put(self, data: bytes, at_us: int) -> None:
        """Send ``data``, from ``at_us`` on or when the line is free."""
        if not data:
            return
        start = max(self._free_ns, at_us * 1000)
        self._bursts.append(_Burst(start, self._byte_ns, bytes(data)))
        self._free_ns = start + len(data) * self._byte_ns
        self.pending += len(data)
        if self._timer is None:
            self._plan()

    def clear(self) -> None:
        """Forget what has not passed yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._bursts.clear()
        self.pending = 0
        self._free_ns = 0

    def _plan(self) -> None:
        first = self._bursts[0]
        at = first.end_ns(first.sent + 1)
        limit = at + CHUNK_NS - first.byte_ns
        for burst in self._bursts:
            count = min(len(burst.data), (limit - burst.start_ns) // burst.byte_ns)
            if count <= burst.sent:
                break
            at = burst.end_ns(count)
            if count < len(burst.data):
                break
        self._timer = self._clock.call_at_us(-(-at // 1000), self._pass, at)

    def _pass(self, planned_ns: int) -> None:
        # In real time this is late, and more has passed.
        now = max(planned_ns, self._clock.now_us() * 1000)
        passed: list[bytes] = []
        while self._bursts:
            burst = self._bursts[0]
            count = min(len(burst.data), (now - burst.start_ns) // burst.byte_ns)
            if count <= burst.sent:
                break
            passed.append(burst.data[burst.sent : count])
            burst.sent = count
            if count < len(burst.data):
                break
            self._bursts.popleft()
        data = b"".join(passed)
        self.pending -= len(data)
        self.passed += len(data)
        self._timer = None
        if self._bursts:
            self._plan()
        if data:
            self._sink(data)
            if self.on_passed is not None:
                self.on_passed()


class UartPort:
    """A line of the connector: pins of board.toml on one side, what is plugged in on the other.

    The guest reaches it by whichever UART it has put on those pins. ``deliver(uart, data)`` hands it bytes.
    """

    def __init__(self, clock: Clock, spec: UartSpec, deliver: Callable[[int, bytes], None]) -> None:
        self._clock = clock
        self._deliver = deliver
        self.spec = spec
        self.to_board = Pacer(clock, self._reached_board, baud=spec.baud)
        self.to_outside = Pacer(clock, self._reached_outside, baud=spec.baud)
        #: Who takes the board's bytes.
        self.far: Callable[[bytes], None] | None = None
        #: Bytes sent to the board while no UART listened on the pin.
        self.unheard = 0
        #: Breaks the board sent.
        self.breaks = 0
        #: Bits per second of what is plugged in.
        self.far_baud = spec.baud
        self._sender: int | None = None
        self._receiver: int | None = None
        self._sends = self._receives = spec.baud

    def send(self, data: bytes) -> None:
        """Bytes from outside, from now on."""
        self.to_board.put(data, self._clock.now_us())

    def set_baud(self, baud: int = 0) -> None:
        """What is plugged in sends and receives at another rate from now on; 0: at the connector's own."""
        self.far_baud = baud or self.spec.baud
        self.to_board.rate(self.far_baud, 10)

    def _garbled(self, baud: int) -> bool:
        return abs(baud - self.far_baud) > self.far_baud * _TOLERANCE

    # ---- the guest's side ----

    def configure(self, uart: int, baud: int, settings: Mapping[str, int]) -> None:
        """A UART of the guest was set up (baud 0: switched off)."""
        bits = 1 + settings["bits"] + (1 if settings["parity"] else 0) + settings["stop"]
        if baud and settings["tx"] == self.spec.tx:
            self._sender = uart
            self._sends = baud
            self.to_outside.rate(baud, bits)
        elif self._sender == uart:
            self._sender = None
        if baud and settings["rx"] == self.spec.rx:
            self._receiver = uart
            self._receives = baud
            self.to_board.rate(self.far_baud, bits)
        elif self._receiver == uart:
            self._receiver = None

    def from_guest(self, uart: int, data: bytes, t_us: int) -> None:
        """The guest sends on a UART."""
        if uart == self._sender:
            self.to_outside.put(data, t_us)

    def break_from_guest(self, uart: int) -> None:
        """The guest holds the line low."""
        if uart == self._sender:
            self.breaks += 1

    def reset(self) -> None:
        """The chip was reset or lost its power: what its transmitter held is lost, and no UART listens."""
        self.to_outside.clear()
        self._sender = self._receiver = None

    def _reached_board(self, data: bytes) -> None:
        if self._receiver is None:
            self.unheard += len(data)
            return
        if self._garbled(self._receives):
            data = data.translate(_GARBLED)
        for at in range(0, len(data), MAX_EVENT):
            self._deliver(self._receiver, data[at : at + MAX_EVENT])

    def _reached_outside(self, data: bytes) -> None:
        if self.far is not None:
            self.far(data.translate(_GARBLED) if self._garbled(self._sends) else data)


class _Kernel(Clock, Protocol):
    @property
    def simulated(self) -> bool: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...


class UartHost(Protocol):
    """What the UARTs need of their board."""

    @property
    def kernel(self) -> _Kernel: ...
    @property
    def spec(self) -> BoardSpec: ...
    @property
    def on_power(self) -> list[Callable[[bool], None]]: ...
    def on(self, kind: Kind, handler: Callable[[Frame], bytes | int | None]) -> None: ...
    def event(self, kind: Event, a: int, b: int = 0, payload: bytes = b"") -> None: ...


class Uarts:
    """All lines of a board but the console's, each ending in a port of its own: ``links["link"]``."""

    def __init__(self, board: UartHost) -> None:
        self._board = board
        self.ports: dict[str, UartPort] = {}
        #: In virtual time LinkPorts, in real time PtyLinks, by the name of the [uart.NAME] table.
        self.links: dict[str, LinkPort | PtyLink] = {}
        kernel = board.kernel
        for spec in board.spec.uarts.values():
            if spec.id == 0:
                continue
            port = UartPort(kernel, spec, self._deliver)
            self.ports[spec.name] = port
            self.links[spec.name] = (
                LinkPort(port, name=f"{board.spec.id}.{spec.name}")
                if kernel.simulated
                else PtyLink(port, kernel.loop)
            )
        board.on(Kind.UART_CONFIG, self._config)
        board.on(Kind.UART_TX, self._tx)
        board.on(Kind.UART_BREAK, self._break)
        board.on_power.append(self._power)

    def close(self) -> None:
        """Take the pseudo-terminals away."""
        for link in self.links.values():
            if isinstance(link, PtyLink):
                link.shut()

    def _deliver(self, uart: int, data: bytes) -> None:
        self._board.event(Event.UART_RX, uart, 0, data)

    def _config(self, frame: Frame) -> None:
        settings = json.loads(frame.payload)
        for port in self.ports.values():
            port.configure(frame.a, frame.b, settings)

    def _tx(self, frame: Frame) -> None:
        for port in self.ports.values():
            port.from_guest(frame.a, frame.payload, frame.t_us)

    def _break(self, frame: Frame) -> None:
        for port in self.ports.values():
            port.break_from_guest(frame.a)

    def _power(self, on: bool) -> None:
        for port in self.ports.values():
            port.reset()
