"""One connection in the air: its events, what waits at both ends, and when an end gives the other up."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from bumble.hci import Address, HCI_AclDataPacket
from bumble.ll import ControlPdu, TerminateInd

from smilehub.sim.radio.air import Air
from smilehub.sim.radio.conditions import exchange_us

TIMEOUT = 0x08
LOCAL_HOST = 0x16
NOT_ESTABLISHED = 0x3E
#: Length of a link layer control packet; they are all short.
_CONTROL_BYTES = 12
#: A connection that has not been answered for so many intervals never was one (Vol 6, Part B, 4.5.2).
_ESTABLISH_EVENTS = 6

Item = HCI_AclDataPacket | ControlPdu


class Node(Protocol):
    """A controller, as a connection sees it."""

    name: str
    #: Its antenna serves another connection's event until then (µs).
    busy_us: int

    @property
    def accepts(self) -> bool:
        """Whether its host has room for another packet."""
        ...

    def got_acl(self, handle: int, packet: HCI_AclDataPacket) -> None: ...
    def got_control(self, handle: int, packet: ControlPdu) -> None: ...
    def completed(self, handle: int) -> None: ...
    def updated(self, handle: int, interval: int, latency: int, timeout: int) -> None: ...
    def gone(self, handle: int, reason: int) -> None: ...


@dataclass
class End:
    """One end of a connection."""

    node: Node
    handle: int
    address: Address
    queue: deque[Item] = field(default_factory=deque[Item])
    heard_us: int = 0
    #: Payload bytes that this end has sent and the other has got.
    sent_bytes: int = 0
    there: bool = True


class AirLink:
    """A connection from its CONNECT_IND to the last end that notices its loss."""

    def __init__(self, air: Air, central: End, peripheral: End, interval_us: int, timeout_us: int) -> None:
        self._air = air
        self._kernel = air.kernel
        self.central = central
        self.peripheral = peripheral
        self.interval_us = interval_us
        self.timeout_us = timeout_us
        self._anchor_us = self._kernel.now_us() + min(2500, interval_us)
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.path = air.path(central.node.name, peripheral.node.name)
        central.heard_us = peripheral.heard_us = self._kernel.now_us()
        air.links.append(self)
        self.path_changed()

    # ---- what controllers do with it ----

    def put(self, handle: int, node: Node, item: Item) -> None:
        """Send, as soon as the air lets it."""
        end = self._end(node, handle)
        if end.there:
            end.queue.append(item)
            self._wake()

    def sends(self, sender: Address, receiver: Address, packet: ControlPdu) -> bool:
        """Take a control packet between these addresses; False if it is for another connection."""
        for end, other in ((self.central, self.peripheral), (self.peripheral, self.central)):
            if end.there and end.address == sender and other.address == receiver:
                end.queue.append(packet)
                self._wake()
                return True
        return False

    def waiting(self, node: Node, handle: int) -> int:
        """Packets that an end has not got rid of."""
        return len(self._end(node, handle).queue)

    def update(self, interval: int, latency: int, timeout: int) -> None:
        """Change the parameters six events from now, in units of 1.25 ms and 10 ms."""
        at = self._next() + _ESTABLISH_EVENTS * self.interval_us
        self._kernel.call_at_us(at, self._update, interval, latency, timeout)

    def leave(self, node: Node, handle: int) -> None:
        """An end is gone without a word (power off): the other finds out by itself."""
        end = self._end(node, handle)
        end.there = False
        end.queue.clear()
        self.path_changed()
        self._forget()

    def never_was(self) -> None:
        """The CONNECT_IND was lost: only the central believes in this connection, for a while."""
        self.peripheral.there = False
        at = self._kernel.now_us() + _ESTABLISH_EVENTS * self.interval_us
        self._kernel.call_at_us(at, self._drop, self.central, NOT_ESTABLISHED)

    def path_changed(self) -> None:
        """The path became better or worse."""
        now = self._kernel.now_us()
        if self._quiet:
            # So far every event took place, though none was played out.
            if self._watch is None:
                self.central.heard_us = self.peripheral.heard_us = now
                self._watch = self._kernel.call_at_us(now + self.timeout_us, self._silent)
            return
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.central.heard_us = self.peripheral.heard_us = now
        self._wake()

    def snap(self) -> None:
        """Both ends lose each other now, as after a supervision time-out."""
        for end in (self.central, self.peripheral):
            self._drop(end, TIMEOUT)

    # ---- connection events ----

    @property
    def _quiet(self) -> bool:
        return not (self.path.open and self.central.there and self.peripheral.there)

    def _end(self, node: Node, handle: int) -> End:
        central = self.central.node is node and self.central.handle == handle
        return self.central if central else self.peripheral

    def _next(self) -> int:
        now = self._kernel.now_us()
        if now < self._anchor_us:
            return self._anchor_us
        return self._anchor_us + ((now - self._anchor_us) // self.interval_us + 1) * self.interval_us

    def _wake(self) -> None:
        if self._timer is None and not self._quiet and (self._loaded() or self.path.loss):
            self._timer = self._kernel.call_at_us(self._next(), self._event)

    def _loaded(self) -> bool:
        central, peripheral = self.central, self.peripheral
        return bool(
            (central.queue and peripheral.node.accepts) or (peripheral.queue and central.node.accepts)
        )

    def _sharers(self) -> int:
        """Connections with something to send that share an antenna with this one, itself included."""
        nodes = (self.central.node, self.peripheral.node)
        others = [link for link in self._air.links if link is not self and link._loaded()]
        most = max(sum(node in (o.central.node, o.peripheral.node) for o in others) for node in nodes)
        return 1 + most

    def room(self) -> None:
        """An end's host has room again."""
        self._wake()

    def _event(self) -> None:
        self._timer = None
        if self._quiet:
            return
        now = self._kernel.now_us()
        central, peripheral = self.central, self.peripheral
        passed: list[tuple[End, End, Item]] = []
        # An end with several connections serves one after the other.
        begin = max(now, central.node.busy_us, peripheral.node.busy_us)
        count = 0
        spent = begin - now
        end_by = spent + self.interval_us // self._sharers()
        if spent >= self.interval_us:
            # It missed this one.
            self._wake()
            return
        self._air.counts.events += 1
        heard = [False, False]
        while count < self._air.timing.packets_per_event:
            down = central.queue[0] if central.queue and peripheral.node.accepts else None
            up = peripheral.queue[0] if peripheral.queue and central.node.accepts else None
            if count and down is None and up is None:
                break
            time = exchange_us(_length(down), _length(up))
            if count and spent + time > end_by:
                break
            spent += time
            count += 1
            if self._air.lost(self.path):
                break
            heard[1] = True
            if down is not None:
                passed.append((central, peripheral, central.queue.popleft()))
            if self._air.lost(self.path):
                break
            heard[0] = True
            if up is not None:
                passed.append((peripheral, central, peripheral.queue.popleft()))
        if heard[0]:
            central.heard_us = now
        if heard[1]:
            peripheral.heard_us = now
        central.node.busy_us = peripheral.node.busy_us = now + spent
        if passed:
            self._kernel.call_at_us(now + spent, self._deliver, passed)
        for end in (central, peripheral):
            if end.there and now - end.heard_us > self.timeout_us:
                self._drop(end, TIMEOUT)
        self._wake()

    def _deliver(self, passed: list[tuple[End, End, Item]]) -> None:
        for sender, receiver, item in passed:
            if isinstance(item, TerminateInd):
                self._drop(receiver, item.error_code)
                self._drop(sender, LOCAL_HOST)
                return
            if isinstance(item, ControlPdu):
                if receiver.there:
                    receiver.node.got_control(receiver.handle, item)
                continue
            self._air.counts.packets += 1
            self._air.counts.bytes += len(item.data)
            sender.sent_bytes += len(item.data)
            if sender.there:
                sender.node.completed(sender.handle)
            if receiver.there:
                receiver.node.got_acl(receiver.handle, item)
            for tap in self._air.taps:
                tap(sender.node.name, receiver.node.name, item.data)

    # ---- the end ----

    def _silent(self) -> None:
        self._watch = None
        if self._quiet:
            self.snap()

    def _update(self, interval: int, latency: int, timeout: int) -> None:
        if not (self.central.there and self.peripheral.there):
            return
        self._anchor_us = self._kernel.now_us()
        self.interval_us = interval * 1250
        self.timeout_us = timeout * 10_000
        for end in (self.central, self.peripheral):
            end.node.updated(end.handle, interval, latency, timeout)

    def _drop(self, end: End, reason: int) -> None:
        if end.there:
            end.there = False
            end.queue.clear()
            end.node.gone(end.handle, reason)
        self._forget()

    def _forget(self) -> None:
        if not self.central.there and not self.peripheral.there and self in self._air.links:
            self._air.links.remove(self)
            for timer in (self._timer, self._watch):
                if timer is not None:
                    timer.cancel()


def _length(item: Item | None) -> int:
    if item is None:
        return 0
    return len(item.data) if isinstance(item, HCI_AclDataPacket) else _CONTROL_BYTES
