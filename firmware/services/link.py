"""The kiosk's end of the link: answers the laptop's requests over a UART, one task, bounded memory."""

import asyncio
import time

from hubcore import frames, requests
from hubcore.compat import const
from hubcore.errors import FrameError, HubError, Refused, RequestError
from tasks.wake import Wake, readable

_TXBUF = const(2048)
_READ = const(256)
_OUT = const(1600)
_ASKED = const(512)  # a request's payload, at most
_MOST = const(1040)  # bytes of a reply's frame
_CHUNK = const(1000)  # record bytes a reply carries, at most
_RUN = const(23)  # records a reply carries: as many as the short form of a CBOR array counts
_HEAD_MS = const(250)  # between two notices of the journal's head
_ANSWERS = const(8)


class LinkServer:
    """Serves ``hub`` (kiosk.hub.KioskHub) on a ``machine.UART`` of ``baud`` bits a second.

    Its receive buffer must hold what arrives while a sector is erased: 518 bytes in 45 ms at 115200 baud.
    ``out``, 1,600 bytes, is filled and sent in one go: others may use it too. ``about`` is (device id: bytes,
    firmware version, board, letter), by default this board's. ``run(turn)`` is the task. A pull is streamed
    between other answers; a newer pull or hello ends it.
    """

    def __init__(self, uart, hub, about: tuple | None = None, baud: int = 115200, out=None):
        self._uart = uart
        self._hub = hub
        self._about = about or _this_board()
        self._baud = baud
        self._room = _TXBUF * 10_000 // baud  # ms of sending that the transmitter's buffer holds
        self._window = bytearray(1024)  # of the journal, as the pull reads it
        self._out = memoryview(bytearray(_OUT) if out is None else out)[:_OUT]
        self._input = bytearray(_READ)
        self._decoder = frames.Decoder(_ASKED)
        self._answers = []
        self._pull = None
        self._wake = Wake()
        self._news = True
        self._alerts = []
        self._head_at = -_HEAD_MS
        self._empty_at = time.ticks_ms()  # when the transmitter will have sent all it was given
        self._rest = 0  # what rounding to ms left over
        self.requests = 0
        hub.listeners.append(self._heard)
        uart.init(txbuf=_TXBUF)  # two replies: the next is made while one is sent

    @property
    def dropped(self) -> int:
        """Frames that did not decode since the start."""
        return self._decoder.dropped

    async def run(self, turn) -> None:
        """Serve for ever."""
        self._answers.clear()
        self._pull = None
        writer = asyncio.create_task(self._write_all())
        try:
            await self._read_all(turn)
        finally:
            writer.cancel()

    # Incoming

    async def _read_all(self, turn):
        view = memoryview(self._input)
        while True:
            turn.rest()
            await readable(self._uart)  # pyright: ignore - MicroPython awaits a generator
            n = self._uart.readinto(self._input)
            turn.begin()
            for payload in self._decoder.feed(view[:n]) if n else ():
                while len(self._answers) >= _ANSWERS:  # a flood of requests waits; its excess bytes are lost
                    turn.begin()
                    await asyncio.sleep_ms(50)
                self._serve(payload)
            self._wake.set()

    def _serve(self, payload):
        try:
            message = requests.unpack(payload)
            if message[0] != requests.REQUEST:
                return
        except RequestError:
            self._decoder.dropped += 1  # not a request: there is no id to answer to
            return
        _, number, op, args = message
        self.requests += 1
        try:
            status, result = self._answer(number, op, args)
        except RequestError as error:
            status, result = error.code, {0: str(error)}
        except Refused as refused:
            full = refused.reason == "journal_full"
            status = requests.JOURNAL_FULL if full else requests.REFUSED
            result = {0: str(refused), 1: refused.reason, 2: getattr(refused, "seq", 0), 3: refused.about}
        except HubError as error:
            status, result = requests.FAULT, {0: str(error)}
        except Exception as error:  # noqa: BLE001 - one bad request must not end the link for all that follow
            self._hub.fault("link", error)
            status, result = requests.FAULT, {0: "The kiosk failed at this request."}
        if status is not None:
            self._answers.append(requests.pack_reply(number, status, result))

    def _answer(self, number, op, args):
        # (status, result), or (None, None) for what is streamed.
        hub = self._hub
        journal = hub.journal
        if op == requests.HELLO:
            return self._hello(args)
        if op == requests.PULL:
            ident, first, most = requests.parse_pull(args)
            if ident != journal.id:
                return self._other_journal()
            self._pull = _Pull(journal, number, first, most, self._window)
            return None, None
        if op == requests.COMMAND:
            cmd, name, named = requests.parse_command(args)
            result = hub.wish(name, named, cmd)
            return requests.DONE, {0: result.pop("seq"), 1: result.pop("already"), 2: result}
        if op == requests.RECEIPT:
            ident, seq = requests.parse_receipt(args)
            if ident != journal.id:
                return self._other_journal()
            hub.receipt(seq)
            return requests.DONE, {}
        if op == requests.STATE:
            fold = hub.fold
            room = [journal.used, journal.total]
            state = {
                0: journal.id,
                1: journal.next_seq,
                2: fold.digest(),
                3: fold.counts,
                4: fold.faults,
                5: room,
            }
            return requests.DONE, state
        if op == requests.SET_CLOCK:
            hub.set_clock(requests.parse_set_clock(args))
            return requests.DONE, {}
        return requests.UNKNOWN_OP, {0: "This kiosk does not know request " + str(op) + "."}

    def _hello(self, args):
        lowest, highest, _ = requests.parse_hello(args)
        version = requests.choose_version(lowest, highest)
        if version is None:
            return requests.BAD_VERSION, {0: list(requests.VERSIONS)}
        self._pull = None
        journal, clock = self._hub.journal, self._hub.clock
        device, firmware, board, letter = self._about
        return requests.DONE, {
            0: version,
            1: device,
            2: journal.id,
            3: journal.next_seq,
            4: journal.first_seq,
            5: "kiosk",
            6: firmware,
            7: board,
            8: letter,
            9: journal.boot,
            10: clock.uptime_ms(),
            11: clock.utc_s(),
        }

    def _other_journal(self):
        return requests.OTHER_JOURNAL, {0: "This kiosk has another journal.", 1: self._hub.journal.id}

    # Outgoing

    def _heard(self, record):
        self._news = True
        if record.kind in ("checkin", "alert_raised", "alert_acknowledged", "class_changed"):
            self._alerts.append(record)
            if len(self._alerts) > _ANSWERS:
                self._alerts.pop(0)
        self._wake.set()

    async def _write_all(self):
        self._uart.write(b"\0")  # ends what a reset may have left half sent
        while True:
            try:
                await self._write_next()
            except Exception as error:  # noqa: BLE001 - the link must outlive whatever one answer runs into
                self._pull = None
                self._hub.fault("link", error)
                await asyncio.sleep_ms(_HEAD_MS)

    async def _write_next(self):
        # Answers first, then alerts, the pull under way, the journal's head; or wait for any of them.
        if self._answers:
            await self._send(self._answers.pop(0))
        elif self._alerts:
            notice = self._alert(self._alerts.pop(0))
            if notice:
                await self._send(notice)
        elif self._pull:
            pull = self._pull
            # The reply is made once there is room for the largest: meanwhile others use the buffer.
            await self._room_for(_MOST)
            if pull is not self._pull:
                return
            size = pull.fill(self._out)
            if pull.over:
                self._pull = None
            self._write(pull.at, size)
            await asyncio.sleep_ms(0)
        elif self._news:
            wait = self._head_at + _HEAD_MS - self._hub.clock.uptime_ms()
            if wait > 0:
                await self._wake.wait(wait)
                return
            self._news = False
            self._head_at = self._hub.clock.uptime_ms()
            journal = self._hub.journal
            await self._send(requests.pack_notice(requests.TOPIC_HEAD, [journal.id, journal.next_seq]))
        else:
            await self._wake.wait()

    def _alert(self, record):
        # The notice of an alert raised or acknowledged by this record, or None.
        body = record.body
        if record.kind == "alert_acknowledged":
            value = {0: body["alert"], 1: "", 2: None, 3: 0}
        else:
            alert = self._hub.fold.alerts.get(record.seq)
            if alert is None:
                return None
            value = {0: record.seq, 1: alert.why, 2: alert.label, 3: alert.level(self._hub.now_ms())}
        return requests.pack_notice(requests.TOPIC_ALERT, value)

    async def _send(self, payload):
        size = len(payload)
        if size > frames.MAX_PAYLOAD:
            raise FrameError("an answer of " + str(size) + " bytes is too long")
        await self._room_for(size + frames.ROOM + 6)
        self._out[frames.ROOM : frames.ROOM + size] = payload
        self._write(frames.ROOM, size)
        await asyncio.sleep_ms(0)

    async def _room_for(self, size):
        # An ESP32 says that it can be written to even when a write would block everything, so time decides:
        # what was given to the transmitter leaves it at the line's rate.
        while True:
            need = self._busy() + size * 10_000 // self._baud
            if need <= self._room:
                return
            await asyncio.sleep_ms(need - self._room)

    def _busy(self):
        # For how many ms the transmitter has something to send.
        busy = time.ticks_diff(self._empty_at, time.ticks_ms())
        return busy if 0 <= busy <= 2 * self._room else 0  # idle; after days the difference may be anything

    def _write(self, at, size):
        # Frames the payload at this place of the buffer, and gives it to the transmitter.
        size = frames.encode_in(self._out, at, size)
        bits = size * 10_000 + self._rest
        self._rest = bits % self._baud
        self._empty_at = time.ticks_add(time.ticks_ms(), self._busy() + bits // self._baud)
        self._uart.write(self._out[:size])


class _Pull:
    """One pull under way: fills reply after reply straight from the journal."""

    def __init__(self, journal, number, first, most, window):
        self._journal = journal
        self._number = number
        self._next = first
        self._left = most
        self._reader = journal.read_from(first, window)
        self._held = None  # a record that did not fit into the last reply
        self.at = 0
        self.over = False

    def fill(self, buf) -> int:
        """Put the next reply's payload into ``buf``, from ``at`` on; its length. ``over``: it is the last."""
        start = 32
        at = start
        count = 0
        first = self._next
        while self._left > 0 and count < _RUN:
            if self._held is None:
                self._held = next(self._reader, None)
                if self._held is None:
                    break
            seq, view = self._held
            if seq != self._next:
                if count:
                    break
                self._next = first = seq  # what lies before is not readable: an empty run says so
                break
            size = len(view)
            if at - start + size > _CHUNK and count:
                break
            at = _bytes_head(buf, at, size)
            buf[at : at + size] = view
            at += size
            count += 1
            self._next += 1
            self._left -= 1
            self._held = None
        self.over = not count and self._held is None
        # The head is written so that it ends where the records begin.
        head = bytearray(16)
        head[0] = requests.FRAME_MESSAGE
        head[1] = 0x85
        head[2] = requests.REPLY
        n = _number(head, 3, self._number)
        head[n] = requests.DONE
        head[n + 1] = 0x82
        n = _number(head, n + 2, first)
        head[n] = 0x80 | count
        n += 1
        buf[at] = 0xF4 if self.over else 0xF5
        at += 1
        self.at = start - n
        buf[self.at : start] = head[:n]
        return at - self.at


def _this_board():
    import boardcfg
    from machine import unique_id

    return unique_id(), boardcfg.VERSION, boardcfg.BOARD_ID, boardcfg.LETTER


def _bytes_head(buf, at, n):
    if n < 24:
        buf[at] = 0x40 | n
        return at + 1
    if n < 256:
        buf[at] = 0x58
        buf[at + 1] = n
        return at + 2
    buf[at] = 0x59
    buf[at + 1] = n >> 8
    buf[at + 2] = n & 255
    return at + 3


def _number(buf, at, n):
    # A CBOR unsigned integer below 2^32, in its shortest form.
    if n < 24:
        buf[at] = n
        return at + 1
    size = 1 if n < 256 else 2 if n < 65536 else 4
    buf[at] = 0x18 if size == 1 else 0x19 if size == 2 else 0x1A
    buf[at + 1 : at + 1 + size] = n.to_bytes(size, "big")
    return at + 1 + size
