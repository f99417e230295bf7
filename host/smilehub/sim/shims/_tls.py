# ruff: noqa: I001
"""``tls`` as a board has it: the interpreter's own, but a handshake takes a second of the board's time.

An ESP32-S3 blocks for about so long over its elliptic curve; here it takes 20 ms of no board's time.
"""

import tls as _native

import _sim
from tls import *

__name__ = "tls"
_HANDSHAKE_US = 1_000_000


class SSLContext:
    """The built-in type can have no subclass that passes attributes on."""

    def __init__(self, protocol):
        object.__setattr__(self, "_its", _native.SSLContext(protocol))

    def __getattr__(self, name):
        return getattr(self._its, name)

    def __setattr__(self, name, value):
        if name == "verify_callback":
            # It is called when all of the peer's is there, and most of the arithmetic begins.
            call = value

            def value(der, depth):
                if not depth:
                    _sim.advance(_HANDSHAKE_US)
                return call(der, depth)

        setattr(self._its, name, value)
