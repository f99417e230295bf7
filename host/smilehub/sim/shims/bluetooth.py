"""``bluetooth`` of MicroPython's ESP32 port, on the simulated radio (sim/radio/board_radio.py).

The host has the stack; here are the values of the attributes and the handler of events. Events wait in a ring
outside the firmware's heap, and one scheduled call takes them out, as the port calls its handler: one after
the other, whatever the program is doing.
"""

import array
import struct
import sys
from _uuid import UUID

import _alarm
import _flash
import _native
import _sim
import micropython

FLAG_BROADCAST = 0x0001
FLAG_READ = 0x0002
FLAG_WRITE_NO_RESPONSE = 0x0004
FLAG_WRITE = 0x0008
FLAG_NOTIFY = 0x0010
FLAG_INDICATE = 0x0020
FLAG_AUTHENTICATED_SIGNED_WRITE = 0x0040
FLAG_AUX_WRITE = 0x0100
FLAG_READ_ENCRYPTED = 0x0200
FLAG_READ_AUTHENTICATED = 0x0400
FLAG_READ_AUTHORIZED = 0x0800
FLAG_WRITE_ENCRYPTED = 0x1000
FLAG_WRITE_AUTHENTICATED = 0x2000
FLAG_WRITE_AUTHORIZED = 0x4000

_ACTIVE = micropython.const(1)
_CONFIGURE = micropython.const(2)
_CONFIG = micropython.const(3)
_ADVERTISE = micropython.const(4)
_REGISTER = micropython.const(6)
_SCAN = micropython.const(7)
_CONNECT = micropython.const(9)
_DISCONNECT = micropython.const(11)
_NOTIFY = micropython.const(12)
_UPDATED = micropython.const(14)
_PAIR = micropython.const(15)
_PASSKEY = micropython.const(16)
_SERVICES = micropython.const(17)
_CHARACTERISTICS = micropython.const(18)
_DESCRIPTORS = micropython.const(19)
_READ = micropython.const(20)
_WRITE = micropython.const(21)
_MTU = micropython.const(22)
_NO_DURATION = micropython.const(-2)
_READY = micropython.const(100)
_ENOTCONN = micropython.const(107)
_EINVAL = micropython.const(22)
_DEFAULT_LENGTH = micropython.const(20)
# Handing a packet to the stack takes time: who tries again and again meets the moment when there is room.
_CALL_US = micropython.const(100)

_ring = micropython.RingIO(16384)
# An event in the ring: its number and length, its numbers, its bytes. Storing in an array never allocates.
_head = array.array("l", (0, 0))
_data = bytearray(4096)
# A pump is scheduled; the radio is active; bytes taken out of the ring but not yet reported.
_state = [False, False, 0]
_schedule = _native.micropython.schedule


class _Value:
    def __init__(self):
        self.room = _DEFAULT_LENGTH
        self.append = False
        self.data = b""


_values = {}
_singleton = [None]
_handler = [None]


def _uuid(value):
    if not isinstance(value, UUID):
        raise TypeError("UUID")
    return value._bytes


def _octets(data):
    return data.encode() if isinstance(data, str) else data


class BLE:
    """The radio; there is one."""

    def __new__(cls):
        if _singleton[0] is None:
            _singleton[0] = object.__new__(cls)
        return _singleton[0]

    def active(self, on=None):
        if on is not None:
            _state[1] = False
            _values.clear()
            _sim.ask(_sim.BLE, _ACTIVE, 1 if on else 0)
            if on:
                # The stack starts meanwhile.
                while not _state[1]:
                    _sim.wait(-1)
        return _state[1]

    def config(self, *args, **kwargs):
        if not kwargs:
            if len(args) != 1:
                raise TypeError("must query one param")
            name = args[0]
            if name not in ("mac", "mtu", "gap_name"):
                raise ValueError("unknown config param")
            value = _sim.ask(_sim.BLE, _CONFIG, 0, name)
            if name == "mac":
                return value[0], bytes(value[1:])
            return struct.unpack("<H", value)[0] if name == "mtu" else bytes(value)
        if args:
            raise TypeError("can't specify pos and kw args")
        for name, value in kwargs.items():
            if name not in ("gap_name", "mtu", "addr_mode", "bond", "mitm", "io", "le_secure"):
                # A port that calls the handler at once has no rxbuf.
                raise ValueError("unknown config param")
            if name == "gap_name":
                value = '"' + "".join("\\u%04x" % c for c in bytes(_octets(value))) + '"'
            else:
                value = str(int(value))
            _sim.ask(_sim.BLE, _CONFIGURE, 0, '{"' + name + '":' + value + "}")
        return None

    def irq(self, handler):
        if handler is not None and not callable(handler):
            raise ValueError("invalid handler")
        _handler[0] = handler

    # ---- GAP ----

    def gap_advertise(self, interval_us=500000, adv_data=None, *, resp_data=None, connectable=True):
        if interval_us is None:
            _sim.ask(_sim.BLE, _ADVERTISE, -1)
            return
        out = bytearray(2)
        at = 0
        for data in (adv_data, resp_data):
            if data is None:
                out[at] = 255
            else:
                data = _octets(data)
                out[at] = min(len(data), 254)
                out.extend(data)
            at += 1
        _sim.ask(_sim.BLE, _ADVERTISE, interval_us | (1 << 40 if connectable else 0), out)

    def gap_scan(self, duration_ms=0, interval_us=1280000, window_us=11250, active=False):
        if duration_ms is None:
            duration_ms = _NO_DURATION
        _sim.ask(_sim.BLE, _SCAN, 0, struct.pack("<iiiB", duration_ms, interval_us, window_us, bool(active)))

    def gap_connect(self, addr_type, addr=None, scan_duration_ms=None, min_us=None, max_us=None):
        if addr_type is None:
            data = struct.pack("<B6siii", 0, b"", _NO_DURATION, 0, 0)
        else:
            if addr is None:
                raise TypeError("invalid addr")
            addr = bytes(addr)
            if len(addr) != 6:
                raise ValueError("invalid addr")
            if scan_duration_ms is None:
                scan_duration_ms = 2000
            data = struct.pack("<B6siii", addr_type, addr, scan_duration_ms, min_us or 0, max_us or 0)
        _sim.ask(_sim.BLE, _CONNECT, 0, data)

    def gap_disconnect(self, conn_handle):
        try:
            _sim.ask(_sim.BLE, _DISCONNECT, conn_handle)
        except OSError as error:
            if error.errno == _ENOTCONN:
                return False
            raise
        return True

    def gap_pair(self, conn_handle):
        _sim.ask(_sim.BLE, _PAIR, conn_handle)

    def gap_passkey(self, conn_handle, action, passkey):
        _sim.ask(_sim.BLE, _PASSKEY, conn_handle | action << 16 | passkey << 32)

    # ---- GATT server ----

    def gatts_register_services(self, services):
        out = bytearray()
        shape = []
        for uuid, characteristics in services:
            _put(out, uuid)
            out.extend(struct.pack("<H", len(characteristics)))
            n = 0
            for characteristic in characteristics:
                if not 2 <= len(characteristic) <= 3:
                    raise ValueError("invalid characteristic tuple")
                _put(out, characteristic[0])
                descriptors = characteristic[2] if len(characteristic) == 3 else ()
                out.extend(struct.pack("<HH", characteristic[1], len(descriptors)))
                for uuid, flags in descriptors:
                    _put(out, uuid)
                    out.extend(struct.pack("<H", flags))
                n += 1 + len(descriptors)
            shape.append(n)
        got = _sim.ask(_sim.BLE, _REGISTER, 0, out)
        _values.clear()
        handles = struct.unpack("<%dH" % (len(got) // 2), got)
        for handle in handles:
            _values[handle] = _Value()
        result = []
        at = 0
        for n in shape:
            result.append(handles[at : at + n])
            at += n
        return tuple(result)

    def gatts_read(self, value_handle):
        value = _value(value_handle)
        data = bytes(value.data)
        if value.append:
            value.data = b""
        return data

    def gatts_write(self, value_handle, data, send_update=False):
        value = _value(value_handle)
        data = bytes(_octets(data))
        value.data = data
        # A local write makes more room for remote ones.
        value.room = max(value.room, len(data))
        if send_update:
            _sim.ask(_sim.BLE, _UPDATED, value_handle, data)
        return len(data)

    def gatts_notify(self, conn_handle, value_handle, data=None):
        self._send(conn_handle | value_handle << 16, value_handle, data)

    def gatts_indicate(self, conn_handle, value_handle, data=None):
        self._send(conn_handle | value_handle << 16 | 1 << 32, value_handle, data)

    def _send(self, numbers, value_handle, data):
        data = _value(value_handle).data if data is None else _octets(data)
        _sim.advance(_CALL_US)
        _sim.ask_into(_sim.BLE, _NOTIFY, numbers, data, _spare)

    def gatts_set_buffer(self, value_handle, len, append=False):
        value = _value(value_handle)
        value.room = len
        value.append = append
        value.data = b""

    # ---- GATT client ----

    def gattc_discover_services(self, conn_handle, uuid=None):
        _sim.ask(_sim.BLE, _SERVICES, conn_handle, b"" if uuid is None else _uuid(uuid))

    def gattc_discover_characteristics(self, conn_handle, start_handle, end_handle, uuid=None):
        numbers = conn_handle | start_handle << 16 | end_handle << 32
        _sim.ask(_sim.BLE, _CHARACTERISTICS, numbers, b"" if uuid is None else _uuid(uuid))

    def gattc_discover_descriptors(self, conn_handle, start_handle, end_handle):
        _sim.ask(_sim.BLE, _DESCRIPTORS, conn_handle | start_handle << 16 | end_handle << 32)

    def gattc_read(self, conn_handle, value_handle):
        _sim.ask(_sim.BLE, _READ, conn_handle | value_handle << 16)

    def gattc_write(self, conn_handle, value_handle, data, mode=0):
        _sim.advance(_CALL_US)
        _sim.ask(_sim.BLE, _WRITE, conn_handle | value_handle << 16 | mode << 32, _octets(data))

    def gattc_exchange_mtu(self, conn_handle):
        _sim.ask(_sim.BLE, _MTU, conn_handle)


_spare = bytearray(1)


def _put(out, uuid):
    uuid = _uuid(uuid)
    out.append(len(uuid))
    out.extend(uuid)


def _value(handle):
    if not _state[1]:
        raise OSError(19)
    value = _values.get(handle)
    if value is None:
        raise OSError(_EINVAL)
    return value


@micropython.native
def _on_event(a, b, t, n):
    # What the host sends before it is told of room fits the ring (board_radio.py, _UNDERWAY).
    _ring.write(_sim.rx, n)
    _arm()


@micropython.native
def _arm():
    if not _state[0]:
        try:
            _schedule(_pump, None)
            _state[0] = True
        except RuntimeError:
            # The queue is full: again in a moment.
            _alarm.set(_again, _sim.now() + 200)


@micropython.native
def _retry(now):
    if _ring.any():
        _arm()


_again = _alarm.Alarm(_retry)


def _pump(_):
    _state[0] = False
    if _flash.held():
        # This runs in the middle of a file system's work, where the handler might want it too.
        _flash.after[0] = _arm
        return
    taken = 0
    while _ring.any():
        _ring.readinto(_head)
        n = _head[0] >> 8
        if n:
            _ring.readinto(_data, n)
        taken += 16 + n
        try:
            _event(_head[0] & 0xFF, _head[1], n)
        except MemoryError as error:
            _failed(error)
    if taken:
        _sim.post(_sim.BLE_ANSWER, 0, taken)


def _event(event, b, n):
    conn = b & 0xFFFF
    handle = b >> 16 & 0xFFFF
    token = b >> 32 & 0xFFFFFFFF
    if event == 3:
        _write(handle, n)
        _call(event, (conn, handle))
        if token:
            _sim.post(_sim.BLE_ANSWER, 1, token)
    elif event == 4:
        refused = _call(event, (conn, handle))
        value = _values.get(handle)
        if value is None:
            refused = 0x0A
        if isinstance(refused, int) and refused:
            _sim.post(_sim.BLE_ANSWER, 1, token | (int(refused) & 0xFF) << 32)
        else:
            _sim.post(_sim.BLE_ANSWER, 1, token, value.data)
    elif event in (1, 2, 7, 8):
        _call(event, (conn, handle, memoryview(_data)[:6]))
    elif event == 5:
        rssi = b >> 16 & 0xFF
        view = memoryview(_data)
        _call(event, (b & 0xFF, view[:6], b >> 8 & 0xFF, rssi - 256 if rssi > 127 else rssi, view[6:n]))
    elif event == _READY:
        _state[1] = True
    elif event == 6:
        _call(event, ())
    elif event == 9:
        _call(event, (conn, handle, token & 0xFFFF, UUID(memoryview(_data)[:n])))
    elif event in (10, 12, 14, 21):
        _call(event, (conn, handle))
    elif event == 11:
        _call(event, (conn, handle, token & 0xFFFF, token >> 16 & 0xFF, UUID(memoryview(_data)[:n])))
    elif event == 13:
        _call(event, (conn, handle, UUID(memoryview(_data)[:n])))
    elif event in (15, 18, 19):
        _call(event, (conn, handle, memoryview(_data)[:n]))
    elif event in (16, 17, 20, 31):
        _call(event, (conn, handle, token))
    elif event == 27:
        _call(event, struct.unpack("<HHHHH", _data))
    elif event == 28:
        _call(event, (conn, handle & 1, handle >> 1 & 1, handle >> 2 & 1, handle >> 8))

    elif event == 29:
        value = _call(event, (conn, 0, memoryview(_data)[:n]))
        if value is None:
            _sim.post(_sim.BLE_ANSWER, 1, token | 1 << 32)
        else:
            _sim.post(_sim.BLE_ANSWER, 1, token, bytes(value))
    elif event == 30:
        # A length of 0xFFFF: it is to be forgotten.
        view = memoryview(_data)
        _call(event, (conn, view[:handle], None if token == 0xFFFF else view[handle:n]))


def _write(handle, n):
    value = _values.get(handle)
    if value is None:
        return
    if value.append:
        value.data = (value.data + memoryview(_data)[:n])[: value.room]
    else:
        value.data = bytes(memoryview(_data)[: min(n, value.room)])


def _call(event, data):
    handler = _handler[0]
    if handler is None:
        return None
    try:
        return handler(event, data)
    except Exception as error:  # noqa: BLE001 - whatever the firmware raised
        _failed(error)
        return None


def _failed(error):
    """Print it, as the port does, and call the handler no more."""
    print("Unhandled exception in IRQ callback handler")
    sys.print_exception(error)
    _handler[0] = None


_sim.on(_sim.EV_BLE, _on_event)
