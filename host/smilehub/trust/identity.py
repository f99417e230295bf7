"""What one computer or kiosk has to show: its certificate and key, the authority it trusts, the hub's key."""

import hashlib
import ssl
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hubcore import cbor
from hubcore.errors import HubError
from smilehub.errors import KeysDamaged, NoIdentity
from smilehub.trust import certificates, files

#: What a person's computer may be: a laptop syncs, calls and configures; a technician sees logs and files.
LAPTOP, TECHNICIAN = ROLES = ("laptop", "technician")
_MAGIC = b"SHID"
_HEAD = struct.Struct("<4sIH")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """One computer's identity. All but ``role`` and ``name`` are DER or keys; no secret shows in its repr.

    ``revoked``: serials that had been taken back when this was issued.
    """

    cert: bytes = field(repr=False)
    key: bytes = field(repr=False)
    authority: bytes = field(repr=False)
    hub_key: bytes = field(repr=False)
    role: str
    name: str
    revoked: frozenset[bytes] = frozenset()

    @classmethod
    def load(cls, folder: Path | None = None, role: str | None = None) -> Self:
        """This laptop's identity; without ``role`` whichever it has, a laptop's before a technician's.

        Raises NoIdentity, KeysDamaged, KeysExposed, KeysUnreadable.
        """
        folder = files.trust_folder() if folder is None else folder
        for one in (role,) if role else ROLES:
            data = files.read(folder / one)
            if data is not None:
                return cls.decode(data)
        raise NoIdentity("This laptop does not belong to a hub yet.")

    def save(self, folder: Path | None = None) -> None:
        """Make this the laptop's identity of its role. Raises KeysExposed, KeysUnreadable."""
        files.write((files.trust_folder() if folder is None else folder) / self.role, self.encode())

    def encode(self) -> bytes:
        """As a file holds it, and what an invitation holds under its passphrase."""
        return cbor.dumps(
            {
                0: _VERSION,
                1: self.role,
                2: self.name,
                3: self.authority,
                4: self.cert,
                5: self.key,
                6: self.hub_key,
                7: sorted(self.revoked),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse. Raises KeysDamaged."""
        try:
            fields: Any = cbor.loads(data)
            if fields[0] != _VERSION:
                raise KeysDamaged("This identity was made by a newer version of this program.")
            authority, cert, key, hub_key = (_bytes(fields[i]) for i in (3, 4, 5, 6))
            made = cls(
                cert,
                key,
                authority,
                hub_key,
                str(fields[1]),
                str(fields[2]),
                frozenset(_bytes(serial) for serial in fields[7]),
            )
        except (HubError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, KeysDamaged):
                raise
            raise KeysDamaged("This laptop's identity is damaged.") from None
        if made.role not in ROLES or certificates.common_name(cert) != f"{made.role}-{made.name}":
            raise KeysDamaged("This laptop's identity and its certificate do not fit together.")
        certificates.key_from_der(key)
        return made

    @property
    def serial(self) -> bytes:
        """Its certificate's serial number."""
        return certificates.serial_of(self.cert)

    @property
    def hub(self) -> str:
        """The hub's id."""
        return certificates.hub_of(self.authority)

    def install(self, context: ssl.SSLContext) -> None:
        """Let ``context`` show this identity and trust its authority, and nobody else."""
        context.load_verify_locations(cadata=self.authority)
        pem = ssl.DER_cert_to_PEM_cert(self.cert).encode() + _key_pem(self.key)
        with files.passed(pem) as path:
            context.load_cert_chain(path)

    device_of = staticmethod(certificates.device_of)


@dataclass(frozen=True, slots=True)
class KioskIdentity:
    """What a kiosk keeps in its partition ``keys`` (docs/trust.md)."""

    authority: bytes = field(repr=False)
    cert: bytes = field(repr=False)
    key: bytes = field(repr=False)
    hub_key: bytes = field(repr=False)
    list_key: bytes = field(repr=False)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """What a sector holds; what lies behind the identity in it does not count. Raises KeysDamaged."""
        try:
            magic, _, size = _HEAD.unpack_from(data)
            end = _HEAD.size + size
            if magic == _MAGIC and zlib.crc32(data[:end]) == int.from_bytes(data[end : end + 4], "little"):
                fields: Any = cbor.loads(data[_HEAD.size : end])
                return cls(*(_bytes(fields[i]) for i in range(5)))
        except (HubError, LookupError, TypeError, struct.error):
            pass
        raise KeysDamaged("There is no identity of a kiosk.")

    @property
    def blob(self) -> bytes:
        """For sector 4 of a flash that has none; a kiosk that stores it gives it the next generation."""
        return self.numbered(1)

    def numbered(self, generation: int) -> bytes:
        """The same under another generation."""
        body = cbor.dumps(dict(enumerate(self._parts())))
        data = _HEAD.pack(_MAGIC, generation, len(body)) + body
        return data + struct.pack("<I", zlib.crc32(data))

    @property
    def digest(self) -> str:
        """SHA-256 over all its parts, in hex: it shows what a kiosk has stored, and tells nothing of it."""
        return hashlib.sha256(b"".join(self._parts())).hexdigest()

    @property
    def device_id(self) -> bytes:
        """Of the kiosk it was issued to."""
        return certificates.device_of(self.cert)

    def _parts(self) -> Iterable[bytes]:
        return self.authority, self.cert, self.key, self.hub_key, self.list_key


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _key_pem(der: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificates.key_from_der(der).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
