"""Files under a passphrase: scrypt (RFC 7914) and AES-256-GCM, for backups and invitations."""

import os
import struct
import unicodedata
import zlib
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from smilehub.errors import SealedDamaged, UsageError, WrongPassphrase

BACKUP = 1
INVITATION = 2
#: scrypt's N is 2 to this: half a second and 128 MiB on a laptop, for each guess too.
COST = 17
LEAST = 10

_MAGIC = b"SHSF"
_VERSION = 1
_HEAD = struct.Struct("<4sBBBBB16s12s")  # magic, version, kind, log2 of N, r, p, salt, nonce
_TAG = 16
_MOST_COST = 20
_NAMES = {BACKUP: "a backup of a hub", INVITATION: "an invitation"}
_READERS = {BACKUP: "smilehub hub import", INVITATION: "smilehub hub accept"}


def seal(
    kind: int,
    data: bytes,
    passphrase: str,
    *,
    rnd: Callable[[int], bytes] = os.urandom,
    cost: int | None = None,
) -> bytes:
    """``data`` as a file that only the passphrase opens. Raises UsageError for one that is too short."""
    check_passphrase(passphrase)
    head = _HEAD.pack(_MAGIC, _VERSION, kind, COST if cost is None else cost, 8, 1, rnd(16), rnd(12))
    sealed = head + AESGCM(_key(passphrase, head)).encrypt(head[-12:], data, head)
    return sealed + struct.pack("<I", zlib.crc32(sealed))


def unseal(kind: int, data: bytes, passphrase: str) -> bytes:
    """The inverse. Raises SealedDamaged (by the checksum, before a passphrase is tried), WrongPassphrase."""
    check(kind, data)
    head, body = data[: _HEAD.size], data[_HEAD.size : -4]
    try:
        return AESGCM(_key(passphrase, head)).decrypt(head[-12:], body, head)
    except InvalidTag:
        raise WrongPassphrase("This passphrase does not open the file.") from None


def check_passphrase(passphrase: str) -> None:
    """Raise UsageError for one that is too short."""
    if len(passphrase) < LEAST:
        raise UsageError(
            f"This passphrase is too short: it needs at least {LEAST} characters.",
            hint="Four or five words that nobody would guess are good, and easy to write down.",
        )


def check(kind: int, data: bytes) -> None:
    """Raise SealedDamaged unless this is a whole file of that kind."""
    if len(data) < _HEAD.size + _TAG + 4 or data[:4] != _MAGIC:
        raise SealedDamaged(f"This file is not {_NAMES[kind]}.")
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise SealedDamaged("This file is damaged: it is not as it was written.")
    _, version, found, cost, r, p, _, _ = _HEAD.unpack_from(data)
    if version != _VERSION or cost > _MOST_COST or (r, p) != (8, 1) or cost < 1:
        raise SealedDamaged(
            "This file was made by a newer version of this program.", hint="Update smilehub on this laptop."
        )
    if found != kind:
        what = _NAMES.get(found, "something else")
        hint = f"Open it with `{_READERS[found]} FILE`." if found in _READERS else None
        raise SealedDamaged(f"This file is not {_NAMES[kind]} but {what}.", hint=hint)


def _key(passphrase: str, head: bytes) -> bytes:
    _, _, _, cost, r, p, salt, _ = _HEAD.unpack(head)
    # The same letters may be typed in two ways on two keyboards.
    text = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogateescape")
    return Scrypt(salt=salt, length=32, n=1 << cost, r=r, p=p).derive(text)
