"""machine.I2C (two controllers) and machine.SoftI2C of the ESP32-S3 port.

A bus is known to the host by its id; a software bus by 128 plus the number of its clock pin.
"""

import errno

import _pin
import _sim
import micropython
from _arg import MISSING, integer, octets, writable

_SOFT = micropython.const(128)
# scl, sda
_DEFAULT_PINS = (9, 8)


class _Bus:
    def _setup(self, bus):
        self._bus = bus
        _sim.post(_sim.I2C_CONFIG, bus, self._freq)

    def _pass(self, n):
        # Start, address and n bytes of nine bits each, stop.
        _sim.advance((2 + 9 * (n + 1)) * 1_000_000 // self._freq)

    def _write(self, addr, buf, stop=True):
        """Bytes acknowledged. Raises OSError(ENODEV) when nobody answers."""
        self._pass(len(buf))
        _sim.ask(_sim.I2C_WRITE, self._bus, integer(addr) & 0x7F | (1 if stop else 0) << 16, buf)
        return len(buf)

    def _read(self, addr, into, stop=True):
        self._pass(len(into))
        if len(into):
            _sim.ask_into(_sim.I2C_READ, self._bus, integer(addr) & 0x7F | len(into) << 16, None, into)

    def scan(self):
        found = []
        for addr in range(0x08, 0x78):
            try:
                self._write(addr, b"")
            except OSError:
                continue
            found.append(addr)
        return found

    def readfrom(self, addr, nbytes, stop=True):
        buf = bytearray(integer(nbytes))
        self._read(addr, buf, stop)
        return bytes(buf)

    def readfrom_into(self, addr, buf, stop=True):
        self._read(addr, writable(buf), stop)

    def writeto(self, addr, buf, stop=True):
        return self._write(addr, octets(buf), stop)

    def writevto(self, addr, vector, stop=True):
        if type(vector) not in (list, tuple):
            raise TypeError("object '%s' isn't a tuple or list" % type(vector).__name__)
        return self._write(addr, b"".join([bytes(octets(part)) for part in vector]), stop)

    @staticmethod
    def _memory(memaddr, addrsize):
        addrsize = integer(addrsize)
        if addrsize & 7 or not 0 <= addrsize <= 32:
            raise ValueError("invalid addrsize")
        memaddr = integer(memaddr)
        return bytes([memaddr >> shift & 0xFF for shift in range(addrsize - 8, -8, -8)])

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(integer(nbytes))
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self._write(addr, self._memory(memaddr, addrsize), False)
        self._read(addr, writable(buf))

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._write(addr, self._memory(memaddr, addrsize) + bytes(octets(buf)))


class I2C(_Bus):
    _objects = {}

    def __new__(cls, id=0, *args, **kwargs):
        id = integer(id)
        if id == -1:
            return SoftI2C(*args, **kwargs)
        if id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)
        i2c = cls._objects.get(id)
        if i2c is None:
            i2c = object.__new__(cls)
            i2c._id = id
            i2c._scl, i2c._sda = _DEFAULT_PINS
            i2c._freq = 400000
            i2c._timeout = 50000
            cls._objects[id] = i2c
        return i2c

    def __init__(self, id=0, *, scl=MISSING, sda=MISSING, freq=-1, timeout=-1):
        if scl is not MISSING:
            self._scl = _pin.number(scl)
        if sda is not MISSING:
            self._sda = _pin.number(sda)
        if integer(freq) != -1:
            if not 0 < freq <= 1_000_000:
                raise ValueError("invalid freq")
            self._freq = freq
        if integer(timeout) != -1:
            self._timeout = timeout
        self._setup(self._id)

    def _unsupported(self, *args):
        raise OSError("I2C operation not supported")

    # The ESP32's controller has none of the primitive operations.
    init = start = stop = readinto = write = _unsupported

    def deinit(self):
        pass

    def __repr__(self):
        return "I2C(%d, scl=%d, sda=%d, freq=%d, timeout=%d)" % (
            self._id,
            self._scl,
            self._sda,
            self._freq,
            self._timeout,
        )


class SoftI2C(_Bus):
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        self.init(scl, sda, freq=freq, timeout=timeout)

    def init(self, scl, sda, *, freq=400000, timeout=50000):
        self._scl = _pin.number(scl)
        self._sda = _pin.number(sda)
        self._timeout = integer(timeout)
        if integer(freq) <= 0:
            raise ZeroDivisionError("divide by zero")
        # Half a bit is a whole number of microseconds, at least one.
        self._freq = 500000 // max(500000 // freq, 1)
        for n in (self._scl, self._sda):
            _pin.write(n, 1)
            _pin.configure(n, _pin.Pin.OPEN_DRAIN)
        self._setup(_SOFT + self._scl)
        self._addr = -1

    def deinit(self):
        pass

    # Primitive operations: the address is the first byte after a start.

    def start(self):
        self._flush(False)
        self._out = bytearray()
        self._addr = -2

    def stop(self):
        self._flush(True)
        self._addr = -1

    def write(self, buf):
        buf = octets(buf)
        if self._addr == -1:
            # No start: nobody listens.
            return 0
        first = 0
        if self._addr == -2 and len(buf):
            self._addr = buf[0]
            first = 1
            if self._addr & 1:
                return 1
            try:
                self._write(self._addr >> 1, b"", False)
            except OSError:
                self._addr = -1
                return 0
        self._out += bytes(buf)[first:]
        return len(buf)

    def readinto(self, buf, nack=True):
        if self._addr < 0 or not self._addr & 1:
            raise OSError(errno.ENODEV)
        self._read(self._addr >> 1, writable(buf))

    def _flush(self, stop):
        if self._addr >= 0 and not self._addr & 1:
            self._write(self._addr >> 1, self._out, stop)

    def __repr__(self):
        return "SoftI2C(scl=%d, sda=%d, freq=%d)" % (self._scl, self._sda, self._freq)
