"""P-256 keys and X.509 certificates (RFC 5280) of a hub: how they are made, and what stands in them."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smilehub.errors import KeysDamaged

#: Gives that many random bytes.
Random = Callable[[int], bytes]

#: A kiosk's clock may be wrong, so no certificate depends on it (RFC 5280, 4.1.2.5): lists take them back.
NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SERIAL_BYTES = 8

# The order of P-256's group (SEC 2, 2.4.2).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_KIOSK = "kiosk-"


def new_key(rnd: Random) -> ec.EllipticCurvePrivateKey:
    """A private key from 40 random bytes (FIPS 186-5, A.2.1: more bits than the order has, then reduced)."""
    return ec.derive_private_key(int.from_bytes(rnd(40)) % (_ORDER - 1) + 1, ec.SECP256R1())


def new_serial(rnd: Random) -> bytes:
    """Eight random bytes that are a positive integer of exactly that length in DER."""
    raw = rnd(SERIAL_BYTES)
    return bytes([raw[0] & 0x3F | 0x40]) + raw[1:]


def key_to_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key as SEC 1 has it (RFC 5915), which mbedTLS reads."""
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def key_from_der(der: bytes) -> ec.EllipticCurvePrivateKey:
    """The inverse. Raises KeysDamaged, which says nothing of the bytes."""
    try:
        key = serialization.load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeysDamaged("A private key is damaged.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeysDamaged("A private key is not of the curve P-256.")
    return key


def authority(key: ec.EllipticCurvePrivateKey, serial: bytes) -> bytes:
    """The self-signed certificate of a hub's authority, DER; the hub's id is taken from its public key."""
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hub = hashlib.sha256(spki).hexdigest()[:8]
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, hub),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Smilehub hub {hub}"),
        ]
    )
    builder = _builder(name, name, key.public_key(), serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return _signed(builder, key)


def issue(
    ca_der: bytes,
    ca_key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    common_name: str,
    serial: bytes,
) -> bytes:
    """A certificate, DER, for a kiosk (a server) or a person's computer (a client), as the name says."""
    issuer = parse(ca_der)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, hub_of(ca_der)),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    use = (
        ExtendedKeyUsageOID.SERVER_AUTH if common_name.startswith(_KIOSK) else ExtendedKeyUsageOID.CLIENT_AUTH
    )
    builder = _builder(issuer.subject, subject, public, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    return _signed(builder, ca_key)


def parse(der: bytes) -> x509.Certificate:
    """A certificate from DER. Raises KeysDamaged."""
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise KeysDamaged("A certificate is damaged.") from error


def serial_of(der: bytes) -> bytes:
    """A certificate's serial number, 8 bytes. Raises KeysDamaged."""
    try:
        return parse(der).serial_number.to_bytes(SERIAL_BYTES)
    except OverflowError as error:
        raise KeysDamaged("A certificate's serial number is not one of a hub's.") from error


def common_name(der: bytes) -> str:
    """To whom it is issued: "kiosk-…", "laptop-…", "technician-…", or an authority. Raises KeysDamaged."""
    return _one(der, NameOID.COMMON_NAME)


def hub_of(der: bytes) -> str:
    """The id of the hub that a certificate belongs to, 8 hex digits. Raises KeysDamaged."""
    return _one(der, NameOID.ORGANIZATION_NAME)


def kiosk_name(device_id: bytes) -> str:
    """The common name of a kiosk's certificate."""
    return _KIOSK + device_id.hex()


def device_of(der: bytes) -> bytes:
    """The device id that a kiosk's certificate names. Raises KeysDamaged if it is not a kiosk's."""
    name = common_name(der)
    try:
        if (
            name.startswith(_KIOSK)
            and name == kiosk_name(device := bytes.fromhex(name[len(_KIOSK) :]))
            and device
        ):
            return device
    except ValueError:
        pass
    raise KeysDamaged("This certificate is not a kiosk's.")


def _one(der: bytes, oid: x509.ObjectIdentifier) -> str:
    try:
        found = parse(der).subject.get_attributes_for_oid(oid)
    except (ValueError, TypeError) as error:  # names are read when they are asked for
        raise KeysDamaged("A certificate is damaged.") from error
    if len(found) != 1:
        raise KeysDamaged("A certificate does not name what it belongs to.")
    return str(found[0].value)


def _builder(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey, serial: bytes
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=public,
        serial_number=int.from_bytes(serial),
        not_valid_before=NOT_BEFORE,
        not_valid_after=NOT_AFTER,
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    # Deterministic (RFC 6979): the same seed gives the same certificates, and no signature depends on a weak
    # moment of the random source.
    cert = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    return cert.public_bytes(serialization.Encoding.DER)
