"""The session: TLS 1.2 with a certificate on both sides, over any reliable transport (docs/link.md)."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from smilehub.errors import (
    Downgraded,
    HandshakeFailed,
    HandshakeLate,
    KeysDamaged,
    KioskBusy,
    LinkClosed,
    NoCertificate,
    Revoked,
    SmilehubError,
    TrustError,
    WrongAuthority,
    WrongPeer,
)
from smilehub.link.transport import Transport
from smilehub.trust import certificates
from smilehub.trust.identity import Identity

CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"
DEADLINE_S = 20.0  # for a handshake; what the kiosk asks us to wait does not count
PATIENCE_S = 300.0  # for people at the kiosk's keys

_RECORD = 16384
_LAST_WORD_S = 0.5
_NO_CHECK_TIME = (
    0x200000  # X509_V_FLAG_NO_CHECK_TIME: certificates end by lists, and laptops' clocks go wrong
)
_OTHER_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE
_CERTIFICATE_REQUEST = 13  # RFC 5246, 7.4
_WEAKER = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "WRONG_SSL_VERSION", "CIPHER_RETURNED", "WRONG_CURVE")
_ALERTS: tuple[tuple[str, type[Exception], str], ...] = (
    ("UNKNOWN_CA", WrongAuthority, "The kiosk at {} belongs to another hub than this laptop."),
    ("CERTIFICATE_REVOKED", Revoked, "The kiosk at {} knows that this laptop's certificate is withdrawn."),
    ("BAD_CERTIFICATE", WrongAuthority, "The kiosk at {} does not accept this laptop's certificate."),
    ("UNSUPPORTED_CERTIFICATE", WrongAuthority, "The kiosk at {} does not accept this laptop's certificate."),
    ("NO_CERTIFICATE", NoCertificate, "The kiosk at {} saw no certificate of this laptop."),
    ("CERTIFICATE_REQUIRED", NoCertificate, "The kiosk at {} saw no certificate of this laptop."),
)


@runtime_checkable
class Patient(Protocol):
    """A carrier that pads a handshake's flights, and passes on that the kiosk asks us to wait."""

    on_wait: Callable[[int], None] | None

    def handshaking(self, lasts: bool) -> None:
        """Whether a handshake is under way."""
        ...


class SecureTransport:
    """A transport over another, with the kiosk as TLS server.

    ``identity`` may be a function that gives it once it is needed. ``expect_device``: the only device id (6
    bytes) that is let in. ``on_wait`` hears for how many seconds the kiosk asks for patience, because
    somebody is at its keys.
    """

    def __init__(
        self,
        carrier: Transport,
        identity: Identity | Callable[[], Identity],
        *,
        expect_device: bytes | None = None,
        deadline_s: float = DEADLINE_S,
        patience_s: float = PATIENCE_S,
        on_wait: Callable[[int], None] | None = None,
    ) -> None:
        self.carrier = carrier
        #: The device id in the certificate of the kiosk, once open.
        self.device_id = b""
        #: The serial number of that certificate.
        self.peer_serial = b""
        self._load = identity if callable(identity) else lambda: identity
        self._expect = expect_device
        self._deadline_s = deadline_s
        self._patience_s = patience_s
        self._on_wait = on_wait
        self._tls: ssl.SSLObject | None = None
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._sending = asyncio.Lock()
        self._limit: asyncio.Timeout | None = None
        self._give_up_at = 0.0
        self._waited = False

    @property
    def name(self) -> str:
        """What the carrier is called."""
        return self.carrier.name

    @property
    def own_serial(self) -> bytes:
        """The serial number of the certificate that this laptop shows, open or not. Raises what loads it."""
        return self._load().serial

    @property
    def mtu(self) -> int:
        """Bytes of one TLS record."""
        return _RECORD

    async def open(self) -> None:
        """Connect the carrier and shake hands.

        Raises what the carrier raises; a TrustError that says which side does not let the other in;
        HandshakeLate, HandshakeFailed, KioskBusy.
        """
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._waited = False
        loop = asyncio.get_running_loop()
        patient = self.carrier if isinstance(self.carrier, Patient) else None
        if patient is not None:
            patient.on_wait = self._asked_to_wait
        try:
            await self.carrier.open()
            if patient is not None:
                patient.handshaking(True)
            self._give_up_at = loop.time() + self._patience_s
            async with asyncio.timeout(self._deadline_s) as self._limit:
                await self._handshake()
        except TimeoutError as error:
            await self.close()
            if self._limit is None or not self._limit.expired():
                raise
            if self._waited and loop.time() >= self._give_up_at:
                raise KioskBusy(
                    f"Somebody has been at the keys of the kiosk at {self.name} all the time."
                ) from None
            raise HandshakeLate(f"The kiosk at {self.name} did not finish the handshake in time.") from error
        except BaseException:
            await self.close()
            raise
        finally:
            self._limit = None
            if patient is not None:
                patient.handshaking(False)

    async def close(self) -> None:
        """End the session and the carrier; harmless when there is none."""
        tls, self._tls = self._tls, None
        if tls is not None and tls.version() is not None:
            with contextlib.suppress(ssl.SSLError):
                tls.unwrap()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._flush()
        await self.carrier.close()

    async def send(self, data: bytes) -> None:
        """Hand over all of ``data``. Raises LinkClosed, or what ended the carrier."""
        view = memoryview(data)
        while view:
            if self._tls is None:
                raise LinkClosed(f"The session at {self.name} is not open.")
            try:
                view = view[self._tls.write(view[:_RECORD]) :]
            except ssl.SSLError as error:
                raise self._broken(error) from error
            await self._flush()

    async def receive(self) -> bytes:
        """At least one byte. Raises LinkClosed after the last, or what ended the carrier."""
        while True:
            if self._tls is None:
                raise LinkClosed(f"The session at {self.name} is not open.")
            try:
                data = self._tls.read(_RECORD)
            except ssl.SSLWantReadError:
                self._in.write(await self.carrier.receive())
                continue
            except ssl.SSLError as error:
                raise self._broken(error) from error
            if data:
                return data
            raise LinkClosed(f"The kiosk at {self.name} ended the session.")

    # ------------------------------------------------------------------------------------------------

    async def _handshake(self) -> None:
        identity = self._load()
        tls = context(identity).wrap_bio(self._in, self._out, server_side=False)
        asked = _Asked()
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self.carrier.receive()
                asked.feed(data)
                self._in.write(data)
            except ssl.SSLError as error:
                with contextlib.suppress(OSError):
                    await self._flush()  # the alert: the kiosk records why
                raise await self._last_word() or self._refused(error, asked.certificate) from error
        await self._flush()
        if not asked.certificate:
            raise Downgraded(f"What answers at {self.name} did not ask who this laptop is.")
        self.device_id = self._who(tls, identity.revoked)
        self._tls = tls

    def _who(self, tls: ssl.SSLObject, revoked: frozenset[bytes]) -> bytes:
        """The device id that the kiosk's certificate names. Raises WrongPeer."""
        cert = tls.getpeercert(binary_form=True) or b""
        try:
            device_id = certificates.device_of(cert)
        except KeysDamaged as error:
            raise WrongPeer(f"What answers at {self.name} is no kiosk.") from error
        self.peer_serial = certificates.serial_of(cert)
        if self.peer_serial in revoked:
            raise WrongPeer(
                f"The identity of kiosk {device_id.hex()} at {self.name} has been taken back.",
                hint="If the kiosk is yours, give it a new one: `smilehub enroll --console PORT`.",
            )
        if self._expect is not None and device_id != self._expect:
            raise WrongPeer(f"At {self.name} is kiosk {device_id.hex()}, not {self._expect.hex()}.")
        return device_id

    async def _flush(self) -> None:
        async with self._sending:
            if self._out.pending:
                await self.carrier.send(self._out.read())

    async def _last_word(self) -> TrustError | None:
        """Why the kiosk hangs up, if it says so within a moment: it knows better than an alert tells."""
        try:
            async with asyncio.timeout(_LAST_WORD_S):
                while True:
                    await self.carrier.receive()
        except TrustError as said:
            return said
        except (SmilehubError, TimeoutError):
            return None

    def _asked_to_wait(self, seconds: int) -> None:
        self._waited = True
        if self._limit is not None and not self._limit.expired():
            until = asyncio.get_running_loop().time() + seconds + self._deadline_s
            self._limit.reschedule(min(until, self._give_up_at))
        if self._on_wait is not None:
            self._on_wait(seconds)

    def _refused(self, error: ssl.SSLError, asked: bool) -> Exception:
        """Why the handshake failed, told apart by what OpenSSL says."""
        where = self.name
        if isinstance(error, ssl.SSLCertVerificationError):
            if error.verify_code == _OTHER_PURPOSE:
                return WrongPeer(f"What answers at {where} has a certificate of this hub, but not a kiosk's.")
            return WrongAuthority(f"The kiosk at {where} belongs to another hub than this laptop.")
        said = error.reason or ""
        if any(weak in said for weak in _WEAKER):
            return Downgraded(f"What answers at {where} does not speak TLS 1.2 with {CIPHER}.")
        for alert, kind, words in _ALERTS:
            if alert in said:
                return kind(words.format(where))
        if "HANDSHAKE_FAILURE" in said:
            # before it has asked for our certificate it is about ciphers, after that about ours
            if not asked:
                return Downgraded(f"What answers at {where} does not speak TLS 1.2 with {CIPHER}.")
            return NoCertificate(f"The kiosk at {where} saw no certificate of this laptop.")
        return HandshakeFailed(
            f"The handshake with the kiosk at {where} failed: {said or type(error).__name__}."
        )

    def _broken(self, error: ssl.SSLError) -> LinkClosed:
        if isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)):
            return LinkClosed(f"The kiosk at {self.name} ended the session.")
        return LinkClosed(f"The session with the kiosk at {self.name} is damaged: {error.reason}.")


class _Asked:
    """Reads along in a server's first flight, which is not encrypted, whether it asks for a certificate."""

    def __init__(self) -> None:
        self.certificate = False
        self._records = bytearray()
        self._messages = bytearray()
        self._over = False

    def feed(self, data: bytes) -> None:
        """Bytes from the kiosk."""
        if self._over:
            return
        self._records += data
        while len(self._records) >= 5:
            end = 5 + int.from_bytes(self._records[3:5], "big")
            if self._records[0] != 22:  # after the handshake's own records come encrypted ones
                self._over = True
                return
            if len(self._records) < end:
                return
            self._messages += self._records[5:end]
            del self._records[:end]
        while len(self._messages) >= 4:
            end = 4 + int.from_bytes(self._messages[1:4], "big")
            if len(self._messages) < end:
                return
            self.certificate |= self._messages[0] == _CERTIFICATE_REQUEST
            del self._messages[:end]


def context(identity: Identity) -> ssl.SSLContext:
    """TLS 1.2 with one cipher, our certificate and trust in our hub's authority alone."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False  # the certificate names a device, which `_who` compares
    made.verify_mode = ssl.CERT_REQUIRED
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHER)
    made.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    made.verify_flags |= _NO_CHECK_TIME
    identity.install(made)
    return made
