"""Authorities for tests that sign anything, in good order or not, and a kiosk's end of TLS in CPython."""

import datetime
import functools
import ssl
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smilehub.link.tls import CIPHER
from smilehub.trust.identity import Identity

FROM = datetime.datetime(2000, 1, 1)
TO = datetime.datetime(9999, 12, 31, 23, 59, 59)


class Hub:
    """An authority that signs what tests need, in good order or not."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._issued = 0
        self._key = ec.derive_private_key(1_000_003 * seed + 7, ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Smilehub hub {seed:08x}")])
        self.cert = self._sign(self._name, self._key.public_key(), [x509.BasicConstraints(True, 0)])

    def papers(self, name: str, usage: x509.ObjectIdentifier | None = None) -> Identity:
        """An identity with this CN; kiosks are servers, all else clients unless ``usage`` says so."""
        self._issued += 1
        key = ec.derive_private_key(self.seed * 1009 + self._issued + 99, ec.SECP256R1())
        server = name.startswith("kiosk-")
        usage = usage or (ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert = self._sign(
            subject, key.public_key(), [x509.BasicConstraints(False, None), x509.ExtendedKeyUsage([usage])]
        )
        return Identity(_der(cert), _key_der(key), _der(self.cert), bytes(32), "laptop", name)

    def _sign(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, extensions: list
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            self._name, subject, public, self.seed * 100 + self._issued + 1, FROM, TO
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self._key, hashes.SHA256())


@functools.cache
def hub(seed: int = 1) -> Hub:
    return Hub(seed)


@functools.cache
def laptop(seed: int = 1) -> Identity:
    return hub(seed).papers("laptop-test")


@functools.cache
def kiosk(device_id: bytes, seed: int = 1) -> Identity:
    return hub(seed).papers("kiosk-" + device_id.hex())


def server_context(papers: Identity, *, ask: bool = True) -> ssl.SSLContext:
    """As the firmware's: TLS 1.2, one cipher, a client's certificate required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHER)
    context.verify_mode = ssl.CERT_REQUIRED if ask else ssl.CERT_NONE
    papers.install(context)
    return context


class TlsServer:
    """The kiosk's end of a session, without I/O: ciphertext in and out, plain bytes to ``on_bytes``."""

    def __init__(self, context: ssl.SSLContext, on_bytes: Callable[[bytes], bytes]) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)
        self.on_bytes = on_bytes
        self.ready = False
        self.error: ssl.SSLError | None = None

    def feed(self, data: bytes) -> bytes:
        """What to send back; ``error`` is set once it has given up."""
        self._in.write(data)
        try:
            if not self.ready:
                self.tls.do_handshake()
                self.ready = True
            while True:
                plain = self.tls.read(65536)
                if not plain:
                    break
                self.write(self.on_bytes(plain))
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error
        return self._out.read()

    def write(self, data: bytes) -> None:
        """Plain bytes to the laptop, in the next ``feed`` or ``take``."""
        if data:
            self.tls.write(data)

    def take(self) -> bytes:
        return self._out.read()


def _der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.DER)


def _key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
