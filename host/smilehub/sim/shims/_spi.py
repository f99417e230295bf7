"""machine.SPI (SPI2 and SPI3) and machine.SoftSPI of the ESP32-S3 port.

A bus is known to the host by its id; a software bus by 128 plus the number of its clock pin.
"""

import _pin
import _sim
import micropython
from _arg import MISSING, integer, octets, writable

_APB = micropython.const(80_000_000)
_SOFT = micropython.const(128)
# sck, mosi, miso of SPI(1) (IO_MUX) and SPI(2), as the port has them.
_DEFAULT_PINS = ((12, 11, 13), (36, 35, 37))


def actual_clock(hz):
    """What the divider (pre 1–16, n 2–64) can make of ``hz`` from 80 MHz (``spi_get_actual_clock``)."""
    if hz > _APB // 4 * 3:
        return _APB
    best = -1
    clock = 0
    for n in range(2, 65):
        pre = (_APB // n + hz // 2) // hz
        pre = min(max(pre, 1), 16)
        got = _APB // (pre * n)
        error = abs(got - hz)
        if best < 0 or error <= best:
            best = error
            clock = got
    return clock


class _Bus:
    MSB = 0
    LSB = 1

    def _setup(self, bus):
        self._bus = bus
        self._left = 0
        _sim.post(
            _sim.SPI_CONFIG,
            bus,
            self._baudrate,
            bytes((self._polarity, self._phase, self._bits & 0xFF, self._firstbit)),
        )

    def _pass(self, n):
        # The wire's time; what is less than a microsecond is kept for the next transfer.
        left = self._left + n * 8_000_000
        us = left // self._baudrate
        self._left = left - us * self._baudrate
        _sim.advance(us)

    def _check(self, n):
        return n

    def write(self, buf):
        buf = octets(buf)
        n = self._check(len(buf))
        if n:
            _sim.post(_sim.SPI_WRITE, self._bus, 0, buf if n == len(buf) else buf[:n])
            self._pass(n)

    @micropython.native
    def _transfer(self, out, into):
        n = self._check(len(out))
        if not n:
            return
        whole = n == len(out)
        self._pass(n)
        _sim.ask_into(_sim.SPI_XFER, self._bus, 0, out if whole else out[:n], into)

    def read(self, nbytes, write=0):
        buf = bytearray(integer(nbytes))
        self.readinto(buf, write)
        return bytes(buf)

    @micropython.native
    def readinto(self, buf, write=0):
        buf = writable(buf)
        write = integer(write) & 0xFF
        for i in range(len(buf)):
            buf[i] = write
        self._transfer(buf, buf)

    def write_readinto(self, write_buf, read_buf):
        out = octets(write_buf)
        into = writable(read_buf)
        if len(out) != len(into):
            raise ValueError("buffers must be the same length")
        self._transfer(out, into)

    def _pins(self):
        return "sck=%d, mosi=%d, miso=%d" % (self._sck, self._mosi, self._miso)


class SPI(_Bus):
    _objects = {}

    def __new__(cls, id=MISSING, *args, **kwargs):
        if id is MISSING:
            raise TypeError("'id' argument required")
        id = integer(id)
        if id == -1:
            # Software SPI by its old name.
            return SoftSPI(*args, **kwargs)
        if id not in (1, 2):
            raise ValueError("SPI(%d) doesn't exist" % id)
        spi = cls._objects.get(id)
        if spi is None:
            spi = object.__new__(cls)
            spi._id = id
            spi._state = 0
            cls._objects[id] = spi
        return spi

    def __init__(
        self,
        id,
        baudrate=-1,
        *,
        polarity=-1,
        phase=-1,
        bits=-1,
        firstbit=-1,
        sck=MISSING,
        mosi=MISSING,
        miso=MISSING,
    ):
        if self._state == 0:
            self._baudrate = self._polarity = self._phase = self._bits = self._firstbit = -2
            self._sck = self._mosi = self._miso = -2
        pins = _DEFAULT_PINS[self._id - 1]
        self._configure(
            500000 if baudrate == -1 else baudrate,
            0 if polarity == -1 else polarity,
            0 if phase == -1 else phase,
            8 if bits == -1 else bits,
            0 if firstbit == -1 else firstbit,
            _line(sck, pins[0]),
            _line(mosi, pins[1]),
            _line(miso, pins[2]),
        )

    def init(
        self,
        baudrate=-1,
        *,
        polarity=-1,
        phase=-1,
        bits=-1,
        firstbit=-1,
        sck=MISSING,
        mosi=MISSING,
        miso=MISSING,
    ):
        self._configure(
            baudrate,
            polarity,
            phase,
            bits,
            firstbit,
            _line(sck, self._sck),
            _line(mosi, self._mosi),
            _line(miso, self._miso),
        )

    def _configure(self, baudrate, polarity, phase, bits, firstbit, sck, mosi, miso):
        baudrate = integer(baudrate)
        if baudrate == -1:
            baudrate = self._baudrate
        elif baudrate <= 0:
            raise ValueError("invalid configuration")
        else:
            baudrate = actual_clock(baudrate)
        bits = integer(bits)
        if bits != -1 and bits <= 0:
            raise ValueError("invalid bits")
        polarity = self._polarity if polarity == -1 else integer(polarity) & 0xFF
        phase = self._phase if phase == -1 else integer(phase) & 0xFF
        bits = self._bits if bits == -1 else bits & 0xFF
        firstbit = self._firstbit if firstbit == -1 else integer(firstbit) & 0xFF
        before = (self._baudrate, self._polarity, self._phase, self._bits, self._firstbit)
        same = before == (baudrate, polarity, phase, bits, firstbit)
        if self._state == 1 and same and (self._sck, self._mosi, self._miso) == (sck, mosi, miso):
            return
        self._baudrate = baudrate
        self._polarity = polarity
        self._phase = phase
        self._bits = bits
        self._firstbit = firstbit
        self._sck = sck
        self._mosi = mosi
        self._miso = miso
        self._state = 1
        self._setup(self._id)

    def deinit(self):
        if self._state == 1:
            self._state = 2
            for n in (self._miso, self._mosi, self._sck):
                if n >= 0:
                    _pin.configure(n, _pin.Pin.IN)

    def _check(self, n):
        if self._state == 2:
            raise OSError("transfer on deinitialized SPI")
        # Whole words only, as the driver sends them.
        bits = n * 8 // self._bits * self._bits
        if not bits:
            raise ValueError("buffer too short")
        return (bits + 7) // 8

    def __repr__(self):
        return "SPI(id=%d, baudrate=%d, polarity=%d, phase=%d, bits=%d, firstbit=%d, %s)" % (
            self._id,
            self._baudrate,
            self._polarity,
            self._phase,
            self._bits,
            self._firstbit,
            self._pins(),
        )


def _line(pin, default):
    if pin is MISSING:
        return default
    if pin is None:
        return -1
    return _pin.number(pin)


class SoftSPI(_Bus):
    def __init__(
        self,
        baudrate=500000,
        *,
        polarity=0,
        phase=0,
        bits=8,
        firstbit=0,
        sck=MISSING,
        mosi=MISSING,
        miso=MISSING,
    ):
        self._baudrate = self._bit_rate(baudrate)
        self._polarity = integer(polarity)
        self._phase = integer(phase)
        if integer(bits) != 8:
            raise ValueError("bits must be 8")
        self._bits = 8
        self._firstbit = integer(firstbit)
        if sck is MISSING or mosi is MISSING or miso is MISSING:
            raise ValueError("must specify all of sck/mosi/miso")
        self._place(sck, mosi, miso)

    def init(
        self,
        baudrate=-1,
        polarity=-1,
        phase=-1,
        *,
        firstbit=-1,
        sck=MISSING,
        mosi=MISSING,
        miso=MISSING,
    ):
        if baudrate != -1:
            self._baudrate = self._bit_rate(baudrate)
        if polarity != -1:
            self._polarity = integer(polarity)
        if phase != -1:
            self._phase = integer(phase)
        if firstbit != -1:
            self._firstbit = integer(firstbit)
        self._place(
            self._sck if sck is MISSING else sck,
            self._mosi if mosi is MISSING else mosi,
            self._miso if miso is MISSING else miso,
        )

    def deinit(self):
        pass

    @staticmethod
    def _bit_rate(baudrate):
        baudrate = integer(baudrate)
        if baudrate <= 0:
            raise ZeroDivisionError("divide by zero")
        # Half a bit is a whole number of microseconds, rounded up.
        return 500000 // ((500000 + baudrate - 1) // baudrate)

    def _place(self, sck, mosi, miso):
        self._sck = _pin.number(sck)
        self._mosi = _pin.number(mosi)
        self._miso = _pin.number(miso)
        _pin.configure(self._sck, _pin.Pin.OUT)
        _pin.configure(self._mosi, _pin.Pin.OUT)
        _pin.configure(self._miso, _pin.Pin.IN)
        self._setup(_SOFT + self._sck)

    def __repr__(self):
        return "SoftSPI(baudrate=%d, polarity=%d, phase=%d, firstbit=%d, %s)" % (
            self._baudrate,
            self._polarity,
            self._phase,
            self._firstbit,
            self._pins(),
        )
