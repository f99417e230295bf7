"""One secure session after another over a carrier: TLS, who the peer is, requests, and notices unasked."""

import asyncio
import gc
import time

from hubcore.compat import const
from hubcore.errors import HubError, Refused, RequestError
from hubcore.messages import Reader, message, parse
from services import telling
from tasks.forget import fetch, forget

_SILENT_MS = const(90_000)
_HEAD_MS = const(250)  # between two notices of the journal's head
_SAME_MS = const(60_000)
_PICTURE_MS = const(200)  # after a key moved
_ALERTS = const(8)
_WINDOW = const(1024)
_KEYS_MS = const(5000)  # so long after a key was pressed nobody shakes hands: it blocks for a second
_WAIT_MS = const(2000)
_LONGEST_MS = const(16_000)  # between handshakes that fail, of one way

_REQUEST = const(0)  # as in hubcore.requests, which is in memory only while a request is answered
_REPLY = const(1)
_REFUSED = const(4)
_JOURNAL_FULL = const(6)
_FAULT = const(7)
_MOST_UNDER_WAY = const(4)
_MOST_ASKED = const(1024)

_DONE = const(0)  # reasons of BYE, docs/link.md; and the status
_LATE = const(2)
_BROKEN = const(5)
_UNREAD = const(10)


class Bye(Exception):
    """The session ends: ``args`` are the reason and, for a peer that is not let in, why not."""


class Gate:
    """What all sessions share: ``hub`` (kiosk.hub.KioskHub), ``scratch`` (3,840 bytes that others may use
    too), ``about`` (device id: bytes, firmware version, board, letter), and who is let in.

    ``identity`` is (authority, certificate, private key: DER, …) as services.identity has it, or None: nobody
    is. ``slot`` is the one that runs; ``log`` a services.log.Log; ``ui.since`` the tick of the last key
    press, ``keypad.touched`` that at which a key last moved; ``shed()`` frees memory before a handshake.
    ``ways`` has the sessions by their carrier's way.
    """

    def __init__(self, hub, scratch, about: tuple, identity, slot: int, log, ui, keypad, shed):
        self.hub = hub
        self.window = memoryview(scratch)[:_WINDOW]  # for the journal to be read with
        self.out = memoryview(scratch)[_WINDOW:]
        self.about = about
        self.slot = slot
        self.log = log
        self.ui = ui
        self.keypad = keypad
        self.shed = shed
        self.ways = {}
        self.restarts = {}  # of the supervisor
        self.busy: "Session | None" = None  # who shakes hands
        self.next: "Session | None" = None  # and who does then
        self.der = None  # and with which certificate
        self._told = {}
        self.context = identity and fetch("services.door").context(self, identity)

    def shown(self, der, depth):
        """TLS shows a certificate that it has verified; depth 0: the peer's own."""
        if not depth:
            self.der = bytearray(der)  # what is handed in is gone afterwards
        return 0

    def refuse(self, why: str, way: str) -> None:
        """Record that somebody was not let in; once a minute for each reason."""
        now = time.ticks_ms()
        if why not in self._told or time.ticks_diff(now, self._told[why]) > _SAME_MS:
            self._told[why] = now
            self.hub.fault("link", "refused: " + why + ", " + way)


class Session:
    """Serves whoever comes over ``carrier`` (services.cable.Cable, services.radio.Radio), one after another.

    ``role`` and ``serial`` are those of the peer's certificate, None while there is none; ``pull`` is what
    services.answers keeps of a pull under way; with ``reason`` set the session ends with this BYE.
    """

    def __init__(self, carrier, gate: Gate):
        self.carrier = carrier
        self.gate = gate
        self.role = self.serial = self.pull = self.rest = self.reason = self.tls = None
        self._reader = None  # there while somebody is served
        self._answers = []
        self._alerts = []
        self._news = False
        self.refused = self.owed = 0
        self._pause = self._failed = 0  # no handshake for so many ms after the last that failed, and its tick
        gate.ways[carrier.way] = self
        carrier.keypad = gate.keypad
        gate.hub.listeners.append(self._heard)

    async def run(self, turn) -> None:
        """Serve for ever."""
        carrier = self.carrier
        gate = self.gate
        while True:
            turn.rest()
            while carrier.ended:
                carrier.hang_up()  # who came and went before this task had its turn
                await carrier.wake.wait()
            turn.begin()
            reason = _BROKEN
            try:
                await self.calm(turn)
                self._reader = Reader(_MOST_ASKED)
                door = fetch("services.door")
                forget("services.door", "hubcore.asked")
                self.tls, n = await door.enter(self, turn, self._reader.space())
                door = None
                gc.collect()
                self.serial, self.role = fetch("services.identity").known(self)
                self._heed(n)
                await self._serve(turn)
            except Bye as bye:
                door = None
                reason = bye.args[0]
                if len(bye.args) > 1:
                    self.refused += 1
                    gate.refuse(bye.args[1], carrier.way)
            except (OSError, RequestError):
                pass  # it has lost the thread: the peer begins anew
            except Exception as error:  # noqa: BLE001 - the link must outlive whatever one peer runs into
                gate.hub.fault("link", error)
            finally:
                if gate.busy is self:
                    gate.busy = gate.der = None
                if gate.next is self:
                    gate.next = None
                self._failed = time.ticks_ms()
                self._pause = 0 if self.role else min(self._pause * 2 + 500, _LONGEST_MS)
                carrier.handshaking(False)
                carrier.hang_up(reason)
                self.role = self.serial = self.pull = self.rest = self.reason = self.tls = self._reader = None
                self._answers.clear()
                self._alerts.clear()
                gc.collect()

    async def calm(self, turn) -> None:
        """Until this session may shake hands: none within 5 s of a key press, one at a time, and after one
        that failed the other way first.

        Raises Bye when its peer has gone meanwhile.
        """
        carrier, gate = self.carrier, self.gate
        while True:
            now = time.ticks_ms()
            blocked = _KEYS_MS - time.ticks_diff(now, gate.ui.since)
            if not 0 < blocked <= _KEYS_MS:
                if gate.busy is self:
                    return
                blocked = self._pause - time.ticks_diff(now, self._failed)
                if not 0 < blocked <= self._pause:
                    gate.next = gate.next or self
                    if not gate.busy and gate.next is self:
                        break
                    blocked = _WAIT_MS
            carrier.wait(_WAIT_MS // 1000 + 1)
            turn.rest()
            await asyncio.sleep_ms(min(blocked, _WAIT_MS))
            turn.begin()
            if carrier.ended:
                raise Bye(_DONE)
        gate.busy = self
        gate.next = None

    async def _serve(self, turn):
        carrier, gate, tls = self.carrier, self.gate, self.tls
        self._news = True
        heard = told = time.ticks_ms()
        left = None  # what TLS has yet to hand over: it only looks at the size
        while True:
            if self.reason is not None:
                raise Bye(self.reason)
            now = time.ticks_ms()
            wait = _SILENT_MS - time.ticks_diff(now, heard)
            if wait <= 0:
                raise Bye(_LATE if left is None else _UNREAD)
            moved = False
            if left is None:
                if self._answers and not self.rest:
                    left = self._answers.pop(0)
                elif self._alerts and not self.rest:
                    left = telling.alert(gate.hub, self._alerts.pop(0))
                    moved = True
                elif self.pull or self.rest:
                    pause = _PICTURE_MS - time.ticks_diff(now, gate.keypad.touched)
                    if 0 < pause <= _PICTURE_MS:
                        wait = min(wait, pause)  # somebody waits for a picture
                    else:
                        left = telling.run(self)
                        moved = True
                    heard = now  # who takes records need say nothing
                elif self._news:
                    pause = _HEAD_MS - time.ticks_diff(now, told)
                    if pause > 0:
                        wait = min(wait, pause)
                    else:
                        self._news = False
                        told = now
                        left = telling.head(gate.hub.journal)
            if left is not None:
                n = tls.write(left)  # of a long one the first part, as a record of its own
                if n is not None:
                    left = left[n:] if n < len(left) else None
                    moved = True
            if len(self._answers) < _MOST_UNDER_WAY:
                n = tls.readinto(self._reader.space())
                if n == 0:
                    raise Bye(_DONE)
                if n:
                    self._heed(n)
                    heard = now
                    moved = True
            if moved:
                await asyncio.sleep_ms(0)
            else:
                turn.rest()
                await carrier.wake.wait(wait)
            turn.begin()

    def _heed(self, n):
        # So many bytes have come; answer the request that they may have completed.
        payload = self._reader.filled(n)
        if payload is None:
            return
        parts = parse(payload)
        if parts[0] != _REQUEST:
            return
        _, number, op, args, deadline = parts
        hub = self.gate.hub
        try:
            answers = fetch("services.answers")
            status, result = answers.answer(self, number, op, args, deadline)
            answers = forget("services.answers", "hubcore.asked")
            if result and status is None:
                result = result[0](*result[1:])
                status = _DONE
                if isinstance(result, dict) and "already" in result:
                    result = {0: result.pop("seq"), 1: result.pop("already"), 2: result}
                elif isinstance(result, bool):
                    result = {}
        except RequestError as error:
            status, result = error.code, {0: str(error)}
        except Refused as refused:
            full = refused.reason == "journal_full"
            status = _JOURNAL_FULL if full else _REFUSED
            result = {0: str(refused), 1: refused.reason, 2: getattr(refused, "seq", 0), 3: refused.about}
        except HubError as error:
            status, result = _FAULT, {0: str(error)}
        except Exception as error:  # noqa: BLE001 - one bad request must not end the session
            hub.fault("link", error)
            status, result = _FAULT, {0: "The kiosk failed at this request."}
        if status is not None:
            self.reply(number, status, result)

    def rare(self, op: int, args: dict):
        """What services.rare answers."""
        try:
            return fetch("services.rare").answer(self, op, args)
        finally:
            forget("services.rare")

    def reply(self, number: int, status: int, result) -> None:
        """Have this said, after what is to be said already."""
        self._answers.append(message((_REPLY, number, status, result, False)))

    def end(self, reason: int) -> None:
        """Have the session end with this BYE."""
        self.reason = reason
        self.carrier.wake.set()

    def _heard(self, record):
        if not self.role:
            return
        self._news = True
        if record.kind in ("checkin", "alert_raised", "alert_acknowledged", "class_changed"):
            self._alerts.append(record)
            if len(self._alerts) > _ALERTS:
                self._alerts.pop(0)
        self.carrier.wake.set()
