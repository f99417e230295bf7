"""machine.UART of the ESP32-S3 port: a receive ring of ``rxbuf`` bytes, a transmitter that takes its time."""

import _alarm
import _irq
import _pin
import _sim
import micropython
from _arg import MISSING, esp_error, fail, integer, invalid
from _uart_stream import FLUSH, Stream

_PORTS = micropython.const(3)
_CONSOLE = micropython.const(0)
_FIFO = micropython.const(128)
_DEFAULT_PINS = ((-1, -1), (10, 9), (17, 16))
_INV_RX = micropython.const(4)
_INV_CTS = micropython.const(8)
_INV_TX = micropython.const(32)
_INV_RTS = micropython.const(64)
_RX = micropython.const(1)
_IRQ_BREAK = micropython.const(16)
_IRQ_IDLE = micropython.const(0x1000)
_IDLE_MIN_US = micropython.const(500)

_spill = bytearray(64)
_by_id = [None] * _PORTS
_rings = [None] * _PORTS


@micropython.native
def _on_rx(a, b, t, n):
    ring = _rings[a]
    if ring is None:
        return
    # What does not fit is lost, as when the driver's ring is full.
    uart = _by_id[a]
    taken = ring.write(_sim.rx, n)
    if taken != n:
        uart._lost += n - taken
    trigger = uart._trigger
    if trigger:
        if trigger & _IRQ_IDLE:
            _alarm.set(uart._idle, t + uart._idle_us)
        if trigger & _RX:
            uart._flags = _RX
            _irq.fire(uart._handler, uart)


@micropython.native
def _on_break(a, b, t, n):
    uart = _by_id[a]
    if uart is not None and uart._trigger & _IRQ_BREAK:
        uart._flags = _IRQ_BREAK
        _irq.fire(uart._handler, uart)


_sim.on(_sim.EV_UART_RX, _on_rx)
_sim.on(_sim.EV_UART_BREAK, _on_break)


class _IRQ:
    def __init__(self, uart):
        self._uart = uart

    def flags(self):
        return self._uart._flags

    def trigger(self, trigger=MISSING):
        before = self._uart._trigger
        if trigger is not MISSING:
            self._uart._trigger = integer(trigger)
        return before

    def __call__(self):
        if self._uart._handler is not None:
            _irq.fire(self._uart._handler, self._uart)


class UART(Stream):
    INV_TX = _INV_TX
    INV_RX = _INV_RX
    INV_RTS = _INV_RTS
    INV_CTS = _INV_CTS
    RTS = 1
    CTS = 2
    IRQ_RX = _RX
    IRQ_RXIDLE = _IRQ_IDLE
    IRQ_BREAK = _IRQ_BREAK

    def __new__(cls, id, *args, **kwargs):
        id = integer(id)
        if not 0 <= id < _PORTS:
            raise ValueError("UART(%d) does not exist" % id)
        uart = _by_id[id]
        if uart is None:
            uart = object.__new__(cls)
            uart._id = id
            uart._ring = None
            uart._handler = None
            uart._irq = None
            uart._trigger = 0
            uart._flags = 0
            uart._baud = 115200
            uart._free = 0
            uart._lost = 0
            uart._idle = _alarm.Alarm(uart._on_idle)
            uart._idle_us = 0
            uart._defaults()
        return uart

    def __init__(self, id, *args, **kwargs):
        self.init(*args, **kwargs)
        _by_id[self._id] = self

    def _defaults(self):
        self._bits = 8
        self._parity = 0
        self._stop = 1
        self._rts = self._cts = -1
        self._txbuf = self._rxbuf = 256
        self._timeout = self._timeout_char = 0
        self._invert = self._flow = 0
        self._tx, self._rx = _DEFAULT_PINS[self._id]

    def init(
        self,
        baudrate=0,
        bits=0,
        parity=MISSING,
        stop=0,
        *,
        tx=MISSING,
        rx=MISSING,
        rts=MISSING,
        cts=MISSING,
        txbuf=-1,
        rxbuf=-1,
        timeout=-1,
        timeout_char=-1,
        invert=-1,
        flow=-1,
    ):
        console = self._id == _CONSOLE
        if self._ring is None:
            self._defaults()
        else:
            self._drain(1_000_000)
        txbuf = integer(txbuf)
        rxbuf = integer(rxbuf)
        if (txbuf >= 0 and txbuf != self._txbuf) or (rxbuf >= 0 and rxbuf != self._rxbuf):
            if console:
                raise ValueError("REPL UART buffer size is fixed")
            if self._ring is not None:
                self.deinit()
            self._txbuf = self._txbuf if txbuf < 0 else txbuf & 0xFFFF
            self._rxbuf = self._rxbuf if rxbuf < 0 else rxbuf & 0xFFFF
        if not console and self._ring is None:
            # The driver wants more room than the hardware's FIFO, or, to send, none.
            if self._rxbuf <= _FIFO or 0 < self._txbuf <= _FIFO:
                raise fail()
            self._ring = _rings[self._id] = micropython.RingIO(self._rxbuf)
        baudrate = integer(baudrate)
        if baudrate > 0:
            if baudrate > 5_000_000:
                raise invalid()
            self._baud = baudrate
        self._tx = self._line(tx, self._tx)
        self._rx = self._line(rx, self._rx)
        self._rts = self._line(rts, self._rts)
        self._cts = self._line(cts, self._cts)
        bits = integer(bits)
        if bits and not 5 <= bits <= 8:
            raise ValueError("invalid data bits")
        self._bits = bits or self._bits
        if parity is not MISSING:
            self._parity = 0 if parity is None else (1 if integer(parity) & 1 else 2)
        stop = integer(stop)
        if stop not in (0, 1, 2):
            raise ValueError("invalid stop bits")
        self._stop = stop or self._stop
        if integer(timeout) != -1:
            self._timeout = timeout & 0xFFFF
        if integer(timeout_char) != -1:
            self._timeout_char = timeout_char & 0xFFFF
        if integer(invert) != -1:
            if invert & ~(_INV_TX | _INV_RX | _INV_RTS | _INV_CTS):
                raise ValueError("invalid inversion mask")
            self._invert = invert
        if integer(flow) != -1:
            if flow & ~3:
                raise ValueError("invalid flow control mask")
            self._flow = flow
        if not console:
            # Input from before is discarded.
            while self._ring.readinto(_spill):
                pass
            self._tell(self._baud)

    @staticmethod
    def _line(pin, before):
        if pin is MISSING:
            return before
        if type(pin) is int and pin == -1:
            return -1
        return _pin.number(pin)

    def _tell(self, baud):
        _sim.post(
            _sim.UART_CONFIG,
            self._id,
            baud,
            '{"bits":%d,"parity":%d,"stop":%d,"tx":%d,"rx":%d,"rts":%d,"cts":%d,"invert":%d,"flow":%d}'
            % (
                self._bits,
                self._parity,
                self._stop,
                self._tx,
                self._rx,
                self._rts,
                self._cts,
                self._invert,
                self._flow,
            ),
        )
        _sim.stir()

    def deinit(self):
        if self._id == _CONSOLE:
            return
        self._live()
        _alarm.clear(self._idle)
        self._ring = _rings[self._id] = None
        self._tell(0)

    def any(self):
        ring = self._live()
        _sim.advance(2)
        return ring.any()

    def txdone(self):
        self._live()
        _sim.advance(2)
        return self._free // 1000 <= _sim.now()

    def flush(self):
        self.ioctl(FLUSH, 0)

    def sendbreak(self):
        self._live()
        if not self._drain(1_000_000):
            raise esp_error(0x107, "ESP_ERR_TIMEOUT")
        _sim.post(_sim.UART_BREAK, self._id, 0)
        _sim.advance(13_000_000 // self._baud)
        self._free = _sim.now() * 1000

    def irq(self, handler=MISSING, trigger=0, hard=False):
        if self._id == _CONSOLE:
            raise ValueError("REPL UART does not support IRQs")
        if self._irq is None:
            self._irq = _IRQ(self)
        if handler is MISSING and not trigger and not hard:
            return self._irq
        if handler is MISSING:
            handler = None
        if handler is not None and not callable(handler):
            raise ValueError("handler must be None or callable")
        trigger = integer(trigger)
        wrong = trigger & ~(_RX | _IRQ_IDLE | _IRQ_BREAK)
        if wrong:
            raise ValueError("trigger 0x%04x unsupported" % wrong)
        if hard:
            raise ValueError("hard IRQ is not supported")
        _alarm.clear(self._idle)
        self._handler = handler
        self._trigger = 0 if handler is None else trigger
        # Two characters of silence; the driver's timer looks twice.
        period = max(self._wire_ns(2) // 1000, _IDLE_MIN_US)
        self._idle_us = 2 * period
        return self._irq

    @micropython.native
    def _on_idle(self, now):
        self._flags = _IRQ_IDLE
        _irq.fire(self._handler, self)

    def __repr__(self):
        text = "UART(%d, baudrate=%d, bits=%d, parity=%s, stop=%d, tx=%d, rx=%d, rts=%d, cts=%d, " % (
            self._id,
            self._baud,
            self._bits,
            ("None", "1", "0")[self._parity],
            self._stop,
            self._tx,
            self._rx,
            self._rts,
            self._cts,
        )
        text += "txbuf=%d, rxbuf=%d, timeout=%d, timeout_char=%d, irq=%d" % (
            self._txbuf,
            self._rxbuf,
            self._timeout,
            self._timeout_char,
            self._trigger,
        )
        inverted = [
            name
            for name, bit in (
                ("INV_TX", _INV_TX),
                ("INV_RX", _INV_RX),
                ("INV_RTS", _INV_RTS),
                ("INV_CTS", _INV_CTS),
            )
            if self._invert & bit
        ]
        if inverted:
            text += ", invert=" + "|".join(inverted)
        if self._flow:
            text += ", flow=" + ("", "RTS", "CTS", "RTS|CTS")[self._flow]
        return text + ")"
