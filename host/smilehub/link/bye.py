"""Why a kiosk ends a carrier (BYE, docs/link.md), as the error that says what to do."""

from collections.abc import Callable

from smilehub.errors import (
    Downgraded,
    HandshakeFailed,
    HandshakeLate,
    LinkClosed,
    NoCertificate,
    NotEnrolled,
    Revoked,
    SmilehubError,
    WrongAuthority,
)

DONE, REFUSED, LATE, REPLACED, NOT_ENROLLED, BROKEN, REVOKED, OTHER_HUB, BARE, WEAKER, UNREAD = range(11)

_WORDS: dict[int, tuple[Callable[[str], SmilehubError], str]] = {
    DONE: (LinkClosed, "The kiosk at {} ended the session."),
    REFUSED: (HandshakeFailed, "The kiosk at {} broke the handshake off."),
    LATE: (HandshakeLate, "The kiosk at {} gave the session up: it heard too little in time."),
    REPLACED: (LinkClosed, "Another program talks to the kiosk at {} now."),
    NOT_ENROLLED: (NotEnrolled, "The kiosk at {} has no identity yet."),
    BROKEN: (LinkClosed, "The kiosk at {} has lost the thread, perhaps by a restart."),
    REVOKED: (Revoked, "The kiosk at {} knows that this laptop's certificate is withdrawn."),
    OTHER_HUB: (WrongAuthority, "The kiosk at {} belongs to another hub than this laptop."),
    BARE: (NoCertificate, "The kiosk at {} saw no certificate of this laptop."),
    # an older kiosk says REFUSED for it, which may be anything
    WEAKER: (Downgraded, "The kiosk at {} and this laptop have no TLS version and cipher in common."),
    UNREAD: (LinkClosed, "The kiosk at {} gave the session up: nobody here took its answers in time."),
}


def error(reason: int, where: str) -> SmilehubError:
    """The error for a BYE's reason; one that is not known yet is an ended session."""
    kind, words = _WORDS.get(reason, _WORDS[DONE])
    return kind(words.format(where))
