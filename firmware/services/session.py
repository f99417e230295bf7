"""One secure session after another over a carrier: TLS, who the peer is, requests, and notices unasked."""

import asyncio
import gc
import time

from hubcore import requests
from hubcore.compat import const
from hubcore.errors import CodecError, HubError, Refused, RequestError
from services import answers
from tasks.forget import fetch, forget

_KEYS_MS = const(5000)  # so long after a key was pressed nobody is let in: a handshake blocks for a second
_WAIT_MS = const(2000)
_HANDSHAKE_MS = const(15_000)
_SILENT_MS = const(90_000)
_HEAD_MS = const(250)  # between two notices of the journal's head
_SAME_MS = const(60_000)
_ALERTS = const(8)
_WINDOW = const(1024)

_DONE = const(0)  # reasons of BYE, docs/link.md
_REFUSED = const(1)
_LATE = const(2)
_BROKEN = const(5)
_REVOKED = const(6)
_OTHER_HUB = const(7)
_BARE = const(8)

# What TLS says of a peer that it does not take; mbedtls/ssl.h, x509.h.
_WHY = {
    0x2700: (_OTHER_HUB, "wrong authority"),
    0x7480: (_BARE, "no certificate"),
    0x6E80: (_REFUSED, "old protocol"),
    0x6E00: (_REFUSED, "old protocol"),
    0x7780: (_OTHER_HUB, "wrong authority"),  # it does not take ours
}


class _Bye(Exception):
    """The session ends: ``args`` are the reason and, for a peer that is not let in, why not."""


class Gate:
    """What all sessions share: ``hub`` (kiosk.hub.KioskHub), ``scratch`` (3,840 bytes that others may use
    too), ``about`` (device id: bytes, firmware version, board, letter), and who is let in.

    ``identity`` is (authority, certificate, private key: DER, …) as services.identity has it, or None: nobody
    is. ``slot`` is the one that runs; ``log`` a services.log.Log; ``shed()`` frees memory before a handshake.
    ``pressed`` is the tick of the last key press; ``ways`` has the sessions by their carrier's way.
    """

    def __init__(self, hub, scratch, about: tuple, identity, slot: int = 0, log=None, shed=int):
        self.hub = hub
        self.window = memoryview(scratch)[:_WINDOW]  # for the journal to be read with
        self.out = memoryview(scratch)[_WINDOW:]
        self.about = about
        self.slot = slot
        self.log = log
        self.shed = shed
        self.ways = {}
        self.restarts = {}  # of the supervisor
        self.pressed = time.ticks_add(time.ticks_ms(), -_KEYS_MS)
        self.der = None  # the certificate of who shakes hands
        self._busy = None
        self._told = {}
        self.context = None
        if identity:
            import tls

            self.context = context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity[1], identity[2])
            context.load_verify_locations(identity[0])
            context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue] - the stubs lack it
            context.verify_callback = self._shown  # pyright: ignore[reportAttributeAccessIssue]
            context.set_ciphers(("TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",))

    def _shown(self, der, depth):
        if not depth:
            self.der = bytearray(der)  # what is handed in is gone afterwards
        return 0

    def refuse(self, why: str, way: str) -> None:
        """Record that somebody was not let in; once a minute for each reason."""
        now = time.ticks_ms()
        if why not in self._told or time.ticks_diff(now, self._told[why]) > _SAME_MS:
            self._told[why] = now
            self.hub.fault("link", "refused: " + why + ", " + way)

    def blocked(self, session) -> int:
        """For how many ms nobody may shake hands but who has begun; 0: now this session has."""
        left = _KEYS_MS - time.ticks_diff(time.ticks_ms(), self.pressed)
        if 0 < left <= _KEYS_MS:
            return min(left, _WAIT_MS)
        if self._busy is not session and self._busy:
            return _WAIT_MS
        self._busy = session
        return 0

    def leave(self, session) -> None:
        """This session has shaken hands, or will not."""
        if self._busy is session:
            self._busy = None
            self.der = None


class Session:
    """Serves whoever comes over ``carrier`` (services.cable.Cable, services.radio.Radio), one after another.

    ``role`` and ``serial`` are those of the peer's certificate, None while there is none; ``pull`` is what
    services.answers keeps of a pull under way; with ``reason`` set the session ends with this BYE.
    """

    def __init__(self, carrier, gate: Gate):
        self.carrier = carrier
        self.gate = gate
        self.role = self.serial = self.pull = self.reason = self._tls = None
        self._reader = requests.Reader(requests.MOST_ASKED)
        self._answers = []
        self._alerts = []
        self._news = False
        self.refused = 0
        gate.ways[carrier.way] = self
        gate.hub.listeners.append(self._heard)

    async def run(self, turn) -> None:
        """Serve for ever."""
        carrier = self.carrier
        gate = self.gate
        while True:
            turn.rest()
            while carrier.ended:
                await carrier.wake.wait()
            turn.begin()
            reason = _BROKEN
            try:
                await self._open(turn)
                await self._serve(turn)
            except _Bye as bye:
                reason = bye.args[0]
                if len(bye.args) > 1:
                    self.refused += 1
                    gate.refuse(bye.args[1], carrier.way)
            except (OSError, RequestError):
                pass  # it has lost the thread: the peer begins anew
            except Exception as error:  # noqa: BLE001 - the link must outlive whatever one peer runs into
                gate.hub.fault("link", error)
            finally:
                gate.leave(self)
                carrier.handshaking(False)
                carrier.hang_up(reason)
                self.role = self.serial = self.pull = self.reason = self._tls = None
                self._answers.clear()
                self._alerts.clear()
                gc.collect()

    async def _open(self, turn):
        # Shake hands, and find out who that is.
        carrier, gate = self.carrier, self.gate
        self._reader.clear()
        began = time.ticks_ms()
        while True:
            blocked = gate.blocked(self)
            if blocked:
                carrier.wait(_WAIT_MS // 1000 + 1)
                turn.rest()
                await asyncio.sleep_ms(blocked)
                turn.begin()
                if carrier.ended:
                    raise _Bye(_DONE)
                began = time.ticks_add(began, blocked)
                continue
            if not self._tls:
                gate.shed()
                carrier.handshaking(True)
                self._tls = gate.context.wrap_socket(carrier, server_side=True, do_handshake_on_connect=False)
            try:
                n = self._tls.readinto(self._reader.space())
            except OSError as error:
                raise _Bye(*_WHY.get(-error.args[0], (_REFUSED,))) from None
            if n is not None:
                break
            left = _HANDSHAKE_MS - time.ticks_diff(time.ticks_ms(), began)
            if left <= 0:
                raise _Bye(_LATE, "deadline")
            turn.rest()
            await carrier.wake.wait(left)
            turn.begin()
        carrier.handshaking(False)
        identity = fetch("services.identity")
        try:
            self.serial, name = identity.peer(gate.der)
            revoked = identity.revoked(gate.hub.keys, self.serial)
        except CodecError:
            raise _Bye(_OTHER_HUB, "wrong authority") from None
        finally:
            gate.leave(self)
            forget("services.identity")
        if revoked:
            raise _Bye(_REVOKED, "revoked")
        self.role = name.split("-")[0]
        if self.role not in requests.ROLES:
            raise _Bye(_OTHER_HUB, "wrong authority")
        self._heed(n)

    async def _serve(self, turn):
        carrier, gate, tls = self.carrier, self.gate, self._tls
        self._news = True
        heard = told = time.ticks_ms()
        left = None  # what TLS has yet to hand over: it only looks at the size
        while True:
            if self.reason is not None:
                raise _Bye(self.reason)
            now = time.ticks_ms()
            wait = _SILENT_MS - time.ticks_diff(now, heard)
            if wait <= 0:
                raise _Bye(_LATE)
            moved = False
            if left is None:
                if self._answers:
                    left = self._answers.pop(0)
                elif self._alerts:
                    left = answers.alert(gate.hub, self._alerts.pop(0))
                elif self.pull:
                    left = answers.run(self)
                elif self._news:
                    pause = _HEAD_MS - time.ticks_diff(now, told)
                    if pause > 0:
                        wait = min(wait, pause)
                    else:
                        self._news = False
                        told = now
                        left = answers.head(gate.hub.journal)
            if left is not None and tls.write(left) is not None:
                left = None
                moved = True
            if len(self._answers) < requests.MOST_UNDER_WAY:
                n = tls.readinto(self._reader.space())
                if n == 0:
                    raise _Bye(_DONE)
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
        message = requests.parse(payload)
        if message[0] != requests.REQUEST:
            return
        _, number, op, args, deadline = message
        hub = self.gate.hub
        try:
            status, result = answers.answer(self, number, op, args, deadline)
        except RequestError as error:
            status, result = error.code, {0: str(error)}
        except Refused as refused:
            full = refused.reason == "journal_full"
            status = requests.JOURNAL_FULL if full else requests.REFUSED
            result = {0: str(refused), 1: refused.reason, 2: getattr(refused, "seq", 0), 3: refused.about}
        except HubError as error:
            status, result = requests.FAULT, {0: str(error)}
        except Exception as error:  # noqa: BLE001 - one bad request must not end the session
            hub.fault("link", error)
            status, result = requests.FAULT, {0: "The kiosk failed at this request."}
        if status is not None:
            self.reply(number, status, result)

    def reply(self, number: int, status: int, result) -> None:
        """Have this said, after what is to be said already."""
        self._answers.append(requests.message((requests.REPLY, number, status, result, False)))

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
