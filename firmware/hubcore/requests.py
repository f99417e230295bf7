"""The numbers of requests, replies and notices on the link, and their messages (hubcore.messages).

A message is a CBOR array with its length before it; see docs/link.md. The kiosk never loads this module: its
own have those numbers that they need folded in (tests/hubcore/test_requests.py compares them).
"""

from hubcore.asked import (
    ROLES,
    choose_version,
    parse_command,
    parse_hello,
    parse_pull,
    parse_receipt,
    parse_set_clock,
)
from hubcore.messages import VERSIONS, Reader, message, parse

__all__ = (
    "ROLES",
    "VERSIONS",
    "Reader",
    "choose_version",
    "message",
    "parse",
    "parse_command",
    "parse_hello",
    "parse_pull",
    "parse_receipt",
    "parse_set_clock",
)

REQUEST = 0
REPLY = 1
NOTICE = 2

HELLO = 1
PULL = 2
COMMAND = 3
RECEIPT = 4
STATE = 5
SET_CLOCK = 6
CANCEL = 7
HEALTH = 8
LOGS = 9
CONFIG_GET = 10
CONFIG_SET = 11
FILE_LIST = 12
FILE_READ = 13
FILE_WRITE = 14
FILE_REMOVE = 15
REVOKE = 16

DONE = 0
BAD_REQUEST = 1  # result: {0: sentence}
BAD_VERSION = 2  # result: {0: [lowest, highest]}
UNKNOWN_OP = 3  # result: {0: sentence}
REFUSED = 4  # result: {0: reason for a log, 1: reason code, 2: seq of the command_done, 3: what it is about}
OTHER_JOURNAL = 5  # result: {0: sentence, 1: journal id here}
JOURNAL_FULL = 6  # result: as of REFUSED
FAULT = 7  # result: {0: sentence}; the kiosk could not do it
FORBIDDEN = 8  # result: {0: sentence}; not with this role
CANCELLED = 9  # result: {}
LATE = 10  # result: {}; the deadline passed before it was begun
BUSY = 11  # result: {0: sentence}; too many requests are under way

MOST_UNDER_WAY = 4
MOST_ASKED = 1024  # bytes of a message to the kiosk, without its length
MOST_SAID = 3800  # and of one to the laptop

TOPIC_HEAD = 1  # value: [journal id, next seq]
TOPIC_ALERT = 2  # value: {0: seq, 1: why, 2: label or null, 3: level; level 0 when acknowledged}
