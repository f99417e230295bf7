"""Error numbers that MicroPython's ``bluetooth`` raises, and the statuses in its events."""

from smilehub.sim.radio import att

ENOMEM = 12
EBUSY = 16
ENODEV = 19
EINVAL = 22
EOPNOTSUPP = 95
ENOTCONN = 107
EALREADY = 114

#: NimBLE's numbers: a base for errors of the attribute protocol, and two of its own.
_ATT_BASE = 0x100
_NIMBLE = {att.DISCONNECTED: 7, att.TIMED_OUT: 13}


def status(error: int) -> int:
    """What an event says of an error code of ``att``; 0 for none."""
    return 0 if not error else _NIMBLE.get(error, _ATT_BASE + error)
