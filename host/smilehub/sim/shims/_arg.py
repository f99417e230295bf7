"""How the ESP32 port reads arguments: integers, buffers, pins that must exist, and its error codes.

Like the port's own, what reads a buffer's bytes takes none of the firmware's heap.
"""

import micropython
import uctypes

MISSING = object()
"""Stands for an argument that was not given where None means something."""


_OCTETS = b"Bb\x01"  # the last is a bytearray's


def integer(value):
    """An int as ``mp_obj_get_int`` takes it. Raises TypeError with the port's words."""
    kind = type(value)
    if kind is int:
        return value
    if kind is bool:
        return int(value)
    raise TypeError("can't convert %s to int" % kind.__name__)


@micropython.viper
def _typecode(view: int) -> int:
    """The struct code of a memoryview's items, from py/objarray.h: after a pointer to its type."""
    at = ptr8(view)  # noqa: F821
    return at[8] & 0x7F


def octets(buf):
    """The bytes of anything with the buffer protocol, copied only if its items are wider than a byte."""
    kind = type(buf)
    if kind is bytes or kind is bytearray:
        return buf
    if kind is memoryview:
        return buf if _typecode(id(buf)) in _OCTETS else bytes(buf)
    if kind is str:
        return buf.encode()
    return octets(memoryview(buf))


def writable(buf):
    """A buffer to read into. Raises TypeError for one that can't be written, as the port does."""
    kind = type(buf)
    if kind is bytearray:
        return buf
    if kind is bytes or kind is str:
        raise TypeError("object with buffer protocol required")
    if kind is memoryview:
        octet = octets(buf)
        if octet is not buf:
            return uctypes.bytearray_at(uctypes.addressof(buf), len(octet))
        return buf
    return writable(memoryview(buf))


def esp_error(code, name):
    """The OSError the port makes of an ESP-IDF error (``check_esp_err``)."""
    return OSError(-code, name)


def fail():
    """ESP_FAIL, which the UART driver answers when it is not installed."""
    return esp_error(-1, "ESP_FAIL")


def invalid():
    """ESP_ERR_INVALID_ARG."""
    return esp_error(0x102, "ESP_ERR_INVALID_ARG")
