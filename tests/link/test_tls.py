"""The session against a CPython server: who gets in, who does not and why, cuts and silences."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hubs import TlsServer, hub, kiosk, laptop, server_context
from jumping import run

from smilehub.errors import (
    Downgraded,
    HandshakeFailed,
    HandshakeLate,
    KioskBusy,
    LinkClosed,
    NoCertificate,
    Revoked,
    SmilehubError,
    WrongAuthority,
    WrongPeer,
)
from smilehub.link import bye
from smilehub.link.tls import SecureTransport
from smilehub.trust import certificates
from smilehub.trust.identity import Identity

DEVICE = bytes.fromhex("0a0b0c0d0e0f")


class Line:
    """A reliable carrier that ends in a TlsServer; by flight it may be cut, go silent or say BYE."""

    name = "line"
    mtu = 1024

    def __init__(self, server: TlsServer, at: int = -1, what: str = "") -> None:
        self.server = server
        self.on_wait: Callable[[int], None] | None = None
        self.flights = 0
        self.padding: list[bool] = []
        self.opened = False
        self.held: list[bytes] | None = None
        self._at, self._what = at, what
        self._queue: asyncio.Queue[bytes | SmilehubError] = asyncio.Queue()

    def handshaking(self, lasts: bool) -> None:
        self.padding.append(lasts)

    async def open(self) -> None:
        self.opened = True

    async def close(self) -> None:
        self.opened = False

    def say(self, data: bytes | SmilehubError) -> None:
        if data:
            self._queue.put_nowait(data)

    async def send(self, data: bytes) -> None:
        if self.held is not None:
            self.held.append(data)
            return
        if self._event():
            return
        answer = self.server.feed(data)
        if not self._event():
            for at in range(0, len(answer), 500):
                self.say(answer[at : at + 500])

    async def receive(self) -> bytes:
        data = await self._queue.get()
        if isinstance(data, SmilehubError):
            raise data
        return data

    def _event(self) -> bool:
        self.flights += 1
        if self._what == "silent" and self.flights > self._at:
            return True
        if self._what == "cut" and self.flights == self._at + 1:
            self.say(LinkClosed("cut"))
            return True
        return False


def echo(data: bytes) -> bytes:
    return b"<" + data + b">"


def talk(line: Line, papers: Identity | None = None, **options) -> tuple[bytes, bytes]:
    """Open, say hello, and what came back; and the device id."""

    async def work() -> tuple[bytes, bytes]:
        session = SecureTransport(line, papers or laptop(), **options)
        await session.open()
        await session.send(b"hello")
        data = await session.receive()
        while not data.endswith(b">"):
            data += await session.receive()
        device = session.device_id
        await session.close()
        return data, device

    return run(work())


def good(**options) -> TlsServer:
    return TlsServer(server_context(kiosk(DEVICE), **options), echo)


def test_both_sides_know_each_other():
    line = Line(good())
    assert talk(line, expect_device=DEVICE) == (b"<hello>", DEVICE)
    assert line.server.tls.version() == "TLSv1.2"
    cipher = line.server.tls.cipher()
    assert cipher is not None and cipher[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    peer = line.server.tls.getpeercert()
    assert peer is not None and (("commonName", "laptop-test"),) in peer["subject"]  # type: ignore[operator]
    assert line.padding == [True, False] and not line.opened


def test_much_goes_through_in_both_directions():
    async def work() -> bytes:
        session = SecureTransport(Line(good()), laptop())
        await session.open()
        await session.send(bytes(100_000))
        got = b""
        while got.count(b"\0") < 100_000:
            got += await session.receive()
        return got

    assert run(work()).replace(b"<", b"").replace(b">", b"") == bytes(100_000)


def test_another_hubs_kiosk_is_not_let_in():
    line = Line(TlsServer(server_context(kiosk(DEVICE, 2)), echo))
    with pytest.raises(WrongAuthority, match="another hub") as error:
        talk(line)
    assert "hub import" in error.value.hint
    assert not line.opened
    assert line.server.error is not None and "UNKNOWN_CA" in str(line.server.error), "the kiosk hears why"


def test_a_kiosk_that_does_not_let_us_in_says_why():
    stranger = hub(2).papers("laptop-stranger")
    with pytest.raises(WrongAuthority):
        talk(Line(good()), replace(stranger, authority=laptop().authority))


def test_a_laptop_that_poses_as_a_kiosk_is_not_one():
    posing = hub().papers("laptop-evil")
    with pytest.raises(WrongPeer, match="not a kiosk's"):
        talk(Line(TlsServer(server_context(posing), echo)))
    for name in ("laptop-evil", "kiosk-", "kiosk-xyz"):
        papers = hub().papers(name, ExtendedKeyUsageOID.SERVER_AUTH)
        with pytest.raises(WrongPeer, match="no kiosk"):
            talk(Line(TlsServer(server_context(papers), echo)))


def test_another_kiosk_of_the_same_hub_is_not_the_one_meant():
    with pytest.raises(WrongPeer, match="not ffffffffffff"):
        talk(Line(good()), expect_device=b"\xff" * 6)


def test_a_kiosk_whose_identity_was_taken_back_is_refused():
    gone = frozenset([certificates.serial_of(kiosk(DEVICE).cert)])
    with pytest.raises(WrongPeer, match="taken back"):
        talk(Line(good()), replace(laptop(), revoked=gone))


def test_what_the_kiosk_says_counts_more_than_its_alert():
    line = Line(good())
    stranger = replace(hub(2).papers("laptop-stranger"), authority=laptop().authority)
    honest = line.send

    async def send(data: bytes) -> None:
        await honest(data)
        if line.server.error:
            line.say(bye.error(bye.REVOKED, "line"))

    line.send = send  # type: ignore[method-assign]
    with pytest.raises(Revoked):
        talk(line, stranger)


def test_a_kiosk_that_does_not_ask_who_we_are_is_refused():
    with pytest.raises(Downgraded, match="did not ask"):
        talk(Line(good(ask=False)))


def test_a_certificate_that_the_kiosk_does_not_see(monkeypatch: pytest.MonkeyPatch):
    line = Line(good())
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", lambda *_: None)
    with pytest.raises(NoCertificate):
        talk(line)


@pytest.mark.parametrize(
    ("reason", "error", "word"),
    [
        (bye.REVOKED, Revoked, "withdrawn"),
        (bye.OTHER_HUB, WrongAuthority, "another hub"),
        (bye.BARE, NoCertificate, "no certificate"),
        (bye.REFUSED, HandshakeFailed, "broke"),
        (bye.LATE, HandshakeLate, "in time"),
        (bye.DONE, LinkClosed, "ended"),
        (77, LinkClosed, "ended"),
    ],
)
def test_what_a_kiosk_says_at_the_end_is_told_apart(reason: int, error: type[SmilehubError], word: str):
    line = Line(good(), 2, "silent")
    line.say(bye.error(reason, "line"))
    with pytest.raises(error, match=word):
        talk(line)
    assert not line.opened


def test_a_revoked_laptop_learns_it_after_the_handshake():
    line = Line(good())

    async def work() -> None:
        session = SecureTransport(line, laptop())
        await session.open()
        line.say(bye.error(bye.REVOKED, "line"))
        await session.receive()

    with pytest.raises(Revoked):
        run(work())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("how", ["TLSv1_1", "TLSv1_3", "cipher"])
def test_a_weaker_or_another_protocol_is_refused(how: str):
    context = server_context(kiosk(DEVICE))
    if how == "cipher":
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    else:
        version = ssl.TLSVersion[how]
        if version < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = version
            context.maximum_version = version
        else:
            context.maximum_version = version
            context.minimum_version = version
    with pytest.raises(Downgraded, match=r"TLS 1\.2"):
        talk(Line(TlsServer(context, echo)))


@pytest.mark.parametrize("flight", range(4))
def test_a_cut_in_any_flight_is_a_closed_link(flight: int):
    line = Line(good(), flight, "cut")
    with pytest.raises(LinkClosed, match="cut"):
        talk(line)
    assert not line.opened


@pytest.mark.parametrize("flight", range(4))
def test_a_silent_kiosk_is_given_up_at_the_deadline(flight: int):
    async def work() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(HandshakeLate):
            await SecureTransport(Line(good(), flight, "silent"), laptop(), deadline_s=7.0).open()
        return loop.time() - began

    assert run(work()) == pytest.approx(7.0)


def test_a_kiosk_that_asks_us_to_wait_is_waited_for_but_not_for_ever():
    heard: list[int] = []

    async def work(seconds: float) -> float:
        line = Line(good())
        line.held = []
        session = SecureTransport(line, laptop(), deadline_s=7.0, patience_s=100.0, on_wait=heard.append)
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def keys() -> None:
            while loop.time() < began + seconds:
                assert line.on_wait is not None
                line.on_wait(2)
                await asyncio.sleep(2)
            held, line.held = line.held, None
            await line.send(b"".join(held or []))

        opening = asyncio.create_task(session.open())
        await asyncio.sleep(0)
        task = asyncio.create_task(keys())
        try:
            await opening
        finally:
            task.cancel()
        return loop.time() - began

    assert run(work(40)) == pytest.approx(40, abs=1)
    assert heard == [2] * 20
    with pytest.raises(KioskBusy, match="keys"):
        run(work(1000))


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 100, b"HTTP/1.1 400 Bad\r\n\r\n", bytes(range(256)), b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"],
)
def test_garbage_in_the_handshake_fails_in_words(garbage: bytes):
    line = Line(good(), 0, "silent")
    line.say(garbage)
    with pytest.raises(SmilehubError) as error:
        talk(line)
    assert error.value.hint and isinstance(error.value, (HandshakeFailed, HandshakeLate, Downgraded))


def test_a_changed_byte_ends_the_session():
    line = Line(good())

    async def work() -> None:
        session = SecureTransport(line, laptop())
        await session.open()
        line.server.write(b"secret")
        record = bytearray(line.server.take())
        record[-1] ^= 1
        line.say(bytes(record))
        await session.receive()

    with pytest.raises(LinkClosed, match="damaged"):
        run(work())


def test_the_end_of_a_session_is_said():
    line = Line(good())

    async def work() -> None:
        session = SecureTransport(line, laptop())
        await session.open()
        with pytest.raises(ssl.SSLWantReadError):
            line.server.tls.unwrap()
        line.say(line.server.take())
        await session.receive()

    with pytest.raises(LinkClosed, match="ended the session"):
        run(work())


def test_no_key_is_left_where_others_can_read_it(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    talk(Line(good()))
    assert list(tmp_path.iterdir()) == []
