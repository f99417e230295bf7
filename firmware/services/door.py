"""How somebody is let in: a cable's OPEN, the TLS handshake, whose certificate it is. In memory meanwhile."""

import time

from hubcore.asked import choose_version
from hubcore.compat import const
from hubcore.errors import RequestError
from hubcore.messages import VERSIONS, message, parse
from services.session import Bye

# As in hubcore.requests.
_REQUEST = const(0)
_REPLY = const(1)
_HELLO = const(1)
_BAD_VERSION = const(2)

_HANDSHAKE_MS = const(15_000)

_DONE = const(0)  # reasons of BYE, docs/link.md
_REFUSED = const(1)
_LATE = const(2)
_OTHER_HUB = const(7)
_BARE = const(8)
_WEAKER = const(9)

# What TLS says of a peer that it does not take; mbedtls/ssl.h, x509.h.
_WHY = {
    0x7480: (_BARE, "no certificate"),
    0x6E80: (_WEAKER, "old protocol"),
    0x6E00: (_WEAKER, "old protocol"),
    0x7780: (_OTHER_HUB, "wrong authority"),  # it does not take ours
}

_HELLO_1 = const(0x01)
_OPENED = const(0x11)
_GIVES = const(512)  # payload bytes of a frame to the laptop
_TAKES = const(128)
_WINDOW = const(4)


def context(gate, identity):
    """The kiosk's side of TLS 1.2 with one cipher, for peers of this hub."""
    import tls

    made = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(identity[1], identity[2])
    made.load_verify_locations(identity[0])
    made.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue] - the stubs lack it
    made.verify_callback = gate.shown  # pyright: ignore[reportAttributeAccessIssue]
    made.set_ciphers(("TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",))
    return made


async def enter(session, turn, buf) -> tuple:
    """Shake hands whenever ``session.calm``: (TLS socket, bytes that came in ``buf``).

    Raises services.session.Bye.
    """
    carrier, gate = session.carrier, session.gate
    sock = None
    began = time.ticks_ms()
    while True:
        since = time.ticks_ms()
        await session.calm(turn)
        began = time.ticks_add(began, time.ticks_diff(time.ticks_ms(), since))
        try:
            if not sock:
                gate.shed()
                carrier.handshaking(True)
                sock = gate.context.wrap_socket(carrier.peer, server_side=True, do_handshake_on_connect=False)
            n = sock.readinto(buf)
        except ValueError:
            raise Bye(_OTHER_HUB, "wrong authority") from None  # its certificate does not verify
        except OSError as error:
            raise Bye(*_WHY.get(-error.args[0], (_REFUSED,))) from None
        if n is not None:
            break
        left = _HANDSHAKE_MS - time.ticks_diff(time.ticks_ms(), began)
        if left <= 0:
            raise Bye(_LATE, "deadline")
        turn.rest()
        await carrier.wake.wait(left)
        turn.begin()
    if not n:
        raise Bye(_DONE)
    carrier.handshaking(False)
    return sock, n


def ask(cable, payload) -> None:
    """Somebody asks to be let in: OPEN."""
    token = payload[3:7]
    if choose_version(payload[1], payload[2]) is None:
        cable.say(bytes((_OPENED, 0) + VERSIONS) + token)
    elif not cable.ready:
        cable.say(bytes((_OPENED, VERSIONS[1])) + token + bytes((0, 0, 0, 1)) + cable.device)
    elif cable.held and (cable.ended or token != cable.token):
        cable.next = payload  # it waits for the one before to be gone
        if not cable.ended:
            cable.end()
    else:
        begin(cable, payload)


def begin(cable, payload) -> None:
    """Whoever sent this OPEN is let in, or told so again."""
    token = payload[3:7]
    version = choose_version(payload[1], payload[2])
    if cable.ended or token != cable.token:
        cable.token = token
        most = min(_GIVES, max(16, payload[7] | payload[8] << 8))
        cable.stream.reset(most, min(_WINDOW, max(1, payload[9])), cable.baud)
        cable.control.clear()
        cable.held = True
        cable.ended = False
        cable.opened += 1
        cable.wake.set()
    takes = bytes((_TAKES & 255, _TAKES >> 8, _WINDOW, 0))
    cable.say(bytes((_OPENED, version)) + token + takes + cable.device)


def older(cable, payload) -> None:
    """A laptop of version 1 says hello: it is told in its own words which versions there are."""
    try:
        kind, number, op = parse(payload[1:])[:3]
    except RequestError:
        return
    if kind == _REQUEST and op == _HELLO:
        status = _BAD_VERSION, {0: list(VERSIONS)}
        answer = message((_REPLY, number) + status + (False,))
        cable.say(bytes((_HELLO_1,)) + answer[2:])
