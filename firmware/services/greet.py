"""What the radio needs only when it starts and when somebody connects."""

import os
from binascii import hexlify

import bluetooth

from hubcore.compat import const
from services.codes import hmac

# docs/link.md, Air
_CHALLENGE = const(0x30)
_VERSION = const(2)
_ID = "-7d2c-4a5e-9f3a-5d1e54f1e1b0"

_WRITE = const(0x0C)  # with and without response
_NOTIFY = const(0x10)
_MTU = const(247)
_VALUE = const(244)


def start(radio, irq):
    """The radio, switched on, with the service registered. Raises OSError or MemoryError."""
    ble = bluetooth.BLE()
    ble.active(True)
    ble.irq(irq)
    ble.config(mtu=_MTU)
    service = bluetooth.UUID("5b1e0001" + _ID)
    name = b"SH-" + hexlify(radio.device[-3:])
    ble.config(gap_name=name)
    tables = (bluetooth.UUID("5b1e0002" + _ID), _WRITE), (bluetooth.UUID("5b1e0003" + _ID), _NOTIFY)
    ((radio.rx, radio.tx),) = ble.gatts_register_services(((service, tables),))
    ble.gatts_set_buffer(radio.rx, _VALUE)
    # Flags, and under 0xFFFF (no company's number) the device's id; and for those who ask (Core Supplement,
    # part A): the service, and the name.
    radio.payload = radio.payload or b"\x02\x01\x06\x09\xff\xff\xff" + radio.device
    radio.answer = b"\x11\x07" + bytes(service) + bytes((len(name) + 1, 9)) + name
    return ble


def challenge() -> bytes:
    """A value CHALLENGE with a fresh nonce."""
    return bytes((_CHALLENGE, _VERSION, _VERSION)) + os.urandom(16)


def proved(radio, asked: bytes, proof: bytes) -> bool:
    """Whether a value PROOF answers the challenge ``asked``."""
    return proof[1:] == bytes((_VERSION,)) + hmac(radio.hub_key, b"air", asked[3:], radio.device)[:16]
