"""The attribute protocol (Core 5.4, Vol 3, Part F) of a connection: a server's answers, a client's requests.

Every PDU is handled in the turn in which it arrives, so that a notification never overtakes an answer.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

DEFAULT_MTU = 23

ERROR_RSP = 0x01
MTU_REQ, MTU_RSP = 0x02, 0x03
FIND_INFO_REQ, FIND_INFO_RSP = 0x04, 0x05
FIND_VALUE_REQ, FIND_VALUE_RSP = 0x06, 0x07
READ_TYPE_REQ, READ_TYPE_RSP = 0x08, 0x09
READ_REQ, READ_RSP = 0x0A, 0x0B
READ_BLOB_REQ, READ_BLOB_RSP = 0x0C, 0x0D
READ_GROUP_REQ, READ_GROUP_RSP = 0x10, 0x11
WRITE_REQ, WRITE_RSP = 0x12, 0x13
PREPARE_REQ, PREPARE_RSP = 0x16, 0x17
EXECUTE_REQ, EXECUTE_RSP = 0x18, 0x19
NOTIFY = 0x1B
INDICATE, CONFIRM = 0x1D, 0x1E
WRITE_CMD = 0x52

INVALID_HANDLE = 0x01
READ_NOT_PERMITTED = 0x02
WRITE_NOT_PERMITTED = 0x03
INVALID_PDU = 0x04
INSUFFICIENT_AUTHENTICATION = 0x05
NOT_SUPPORTED = 0x06
INVALID_OFFSET = 0x07
PREPARE_QUEUE_FULL = 0x09
NOT_FOUND = 0x0A
INVALID_LENGTH = 0x0D

#: A request not answered in so long ends the bearer (3.3.3).
TRANSACTION_US = 30_000_000
#: What ``Result.error`` says beside the protocol's codes.
DISCONNECTED = -1
TIMED_OUT = -2

_LEAST = {MTU_RSP: 3, FIND_INFO_RSP: 2, READ_TYPE_RSP: 2, READ_GROUP_RSP: 2}

Answer = Callable[["Result"], None]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request: its PDU, or an error code."""

    pdu: bytes = b""
    error: int = 0


class Server(Protocol):
    """Who answers the requests that a bearer receives."""

    def request(self, bearer: Bearer, pdu: bytes) -> None:
        """Answer with ``bearer.respond``, now or later; the peer sends no other request before."""
        ...

    def confirmed(self, bearer: Bearer, handle: int, error: int) -> None:
        """An indication was confirmed, or failed."""
        ...


class Timers(Protocol):
    """What a bearer needs of the kernel."""

    def now_us(self) -> int: ...
    def call_at_us(self, at_us: int, callback: Callable[..., object], *args: object) -> Timer: ...


class Timer(Protocol):
    def cancel(self) -> None: ...


@dataclass
class Bearer:
    """One connection's attribute channel.

    ``transmit`` sends a PDU. ``preferred_mtu`` is what this side offers. ``notified(handle, value,
    indicated)`` gets what the peer's server sends.
    """

    transmit: Callable[[bytes], None]
    timers: Timers
    server: Server | None = None
    preferred_mtu: int = 517
    mtu: int = DEFAULT_MTU
    encrypted: bool = False
    authenticated: bool = False
    notified: Callable[[int, bytes, bool], None] = lambda _handle, _value, _indicated: None
    mtu_changed: Callable[[int], None] = lambda _: None
    #: What its owner calls the connection.
    tag: int = 0xFFFF
    #: Client characteristic configurations by the handle of their descriptor.
    configured: dict[int, int] = field(default_factory=dict[int, int])
    #: Prepared writes: handle, offset, value.
    prepared: list[tuple[int, int, bytes]] = field(default_factory=list[tuple[int, int, bytes]])
    alive: bool = True
    _requests: deque[tuple[bytes, Answer]] = field(default_factory=deque[tuple[bytes, Answer]])
    _current: Answer | None = None
    _current_op: int = 0
    _indications: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    _indicated: int | None = None
    _timer: Timer | None = None
    _indication_timer: Timer | None = None

    # ---- both ----

    def receive(self, pdu: bytes) -> None:
        """A PDU arrived."""
        if not pdu or not self.alive:
            return
        op = pdu[0]
        if op in (NOTIFY, INDICATE):
            if len(pdu) < 3:
                return
            handle = pdu[1] | pdu[2] << 8
            if op == INDICATE:
                self.transmit(bytes([CONFIRM]))
            self.notified(handle, pdu[3:], op == INDICATE)
        elif op == CONFIRM:
            self._confirm(0)
        elif op == MTU_REQ and len(pdu) == 3:
            self.transmit(struct.pack("<BH", MTU_RSP, self.preferred_mtu))
            self._agree(pdu[1] | pdu[2] << 8)
        elif op & 1:
            self._answered(pdu)
        elif self.server is not None:
            self.server.request(self, pdu)
        elif op != WRITE_CMD:
            self.fail(op, 0, NOT_SUPPORTED)

    def end(self) -> None:
        """The connection is gone: whoever waits learns it."""
        self._end(DISCONNECTED)

    def hush(self) -> None:
        """Tell this side's owner nothing any more."""
        self.server = None
        self.notified = lambda _handle, _value, _indicated: None
        self.mtu_changed = lambda _: None
        self._requests.clear()
        self._current = None

    def _end(self, error: int) -> None:
        if not self.alive:
            return
        self.alive = False
        for timer in (self._timer, self._indication_timer):
            if timer is not None:
                timer.cancel()
        waiting = [self._current] if self._current is not None else []
        waiting += [answer for _, answer in self._requests]
        self._current = None
        self._requests.clear()
        for answer in waiting:
            answer(Result(error=error))
        if self._indicated is not None:
            self._indications.appendleft((self._indicated, b""))
            self._indicated = None
        if self.server is not None:
            for handle, _ in self._indications:
                self.server.confirmed(self, handle, error)
        self._indications.clear()

    def _agree(self, theirs: int) -> None:
        self.mtu = max(DEFAULT_MTU, min(theirs, self.preferred_mtu))
        self.mtu_changed(self.mtu)

    # ---- the client's side ----

    def ask(self, pdu: bytes, answer: Answer) -> None:
        """Send a request, when those before it have been answered."""
        if not self.alive:
            answer(Result(error=DISCONNECTED))
            return
        self._requests.append((pdu, answer))
        self._next()

    def exchange_mtu(self, answer: Answer) -> None:
        """Offer this side's MTU; the answer's PDU is empty, the result is in ``mtu``."""

        def agreed(result: Result) -> None:
            if not result.error:
                self._agree(result.pdu[1] | result.pdu[2] << 8)
            answer(result)

        self.ask(struct.pack("<BH", MTU_REQ, self.preferred_mtu), agreed)

    def command(self, handle: int, value: bytes) -> None:
        """Write without response; what exceeds the MTU is cut off."""
        self.transmit((struct.pack("<BH", WRITE_CMD, handle) + value)[: self.mtu])

    def _next(self) -> None:
        if self._current is None and self._requests:
            pdu, self._current = self._requests.popleft()
            self._current_op = pdu[0]
            self._timer = self.timers.call_at_us(self.timers.now_us() + TRANSACTION_US, self._end, TIMED_OUT)
            self.transmit(pdu)

    def _answered(self, pdu: bytes) -> None:
        answer = self._current
        if answer is None:
            return
        if pdu[0] == ERROR_RSP and len(pdu) == 5 and pdu[1] == self._current_op:
            result = Result(pdu, pdu[4] or 0xFF)
        elif pdu[0] == self._current_op + 1:
            # An answer without what every such answer has would only confuse who asked.
            short = len(pdu) < _LEAST.get(pdu[0], 1)
            result = Result(pdu, INVALID_PDU if short else 0)
        else:
            return
        self._current = None
        if self._timer is not None:
            self._timer.cancel()
        answer(result)
        self._next()

    # ---- the server's side ----

    def respond(self, pdu: bytes) -> None:
        """Answer the peer's request."""
        if self.alive:
            self.transmit(pdu)

    def fail(self, op: int, handle: int, error: int) -> None:
        """Answer with an error."""
        self.respond(struct.pack("<BBHB", ERROR_RSP, op, handle, error))

    def notify(self, handle: int, value: bytes) -> None:
        """Send a notification, cut to the MTU."""
        if self.alive:
            self.transmit((struct.pack("<BH", NOTIFY, handle) + value)[: self.mtu])

    def indicate(self, handle: int, value: bytes) -> None:
        """Send an indication when those before it are confirmed; the server hears of its end."""
        self._indications.append((handle, value))
        self._next_indication()

    def _next_indication(self) -> None:
        if self._indicated is None and self._indications and self.alive:
            self._indicated, value = self._indications.popleft()
            self._indication_timer = self.timers.call_at_us(
                self.timers.now_us() + TRANSACTION_US, self._end, TIMED_OUT
            )
            self.transmit((struct.pack("<BH", INDICATE, self._indicated) + value)[: self.mtu])

    def _confirm(self, error: int) -> None:
        handle, self._indicated = self._indicated, None
        if handle is None:
            return
        if self._indication_timer is not None:
            self._indication_timer.cancel()
        if self.server is not None:
            self.server.confirmed(self, handle, error)
        self._next_indication()
