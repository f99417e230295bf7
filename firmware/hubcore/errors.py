"""What can go wrong in the core. What the user does next is said by who tells them: laptop and screens.

MicroPython knows no second native base class, so these derive from HubError alone, not also from ValueError.
"""


class HubError(Exception):
    """Base of all errors of the core."""


class CodecError(HubError):
    """Bytes that are not deterministic CBOR, or a value that CBOR of this dialect cannot hold."""


class RecordError(HubError):
    """A record whose envelope or fields break their limits, or that does not follow on the one before."""


class FrameError(HubError):
    """A payload that does not fit into a frame."""


class RequestError(HubError):
    """A message that is not a request, reply or notice; ``code`` is the status to answer with."""

    def __init__(self, sentence: str, code: int = 1):
        super().__init__(sentence)
        self.code = code


class Refused(HubError):
    """A wish that the state of the hub does not allow: ``reason`` is a short code, ``about`` its object.

    The words for it are on the laptop (smilehub.link.reasons) and in the screens' own strings.
    """

    def __init__(self, reason: str, about: str = ""):
        super().__init__(reason + ": " + about if about else reason)
        self.reason = reason
        self.about = about
