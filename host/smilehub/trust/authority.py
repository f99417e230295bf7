"""A hub's authority: issues identities to kiosks and people, remembers to whom, and takes them back."""

import os
import random
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from hubcore import cbor
from hubcore.errors import HubError
from smilehub.errors import AuthorityExists, KeysDamaged, KeysUnreadable, ListsBehind, NoAuthority, UsageError
from smilehub.trust import certificates, files, lists, sealed
from smilehub.trust.certificates import Random
from smilehub.trust.identity import ROLES, Identity, KioskIdentity
from smilehub.trust.register import KIOSK, Issued, check_name, listed, merged

_FILE = "authority"
_VERSION = 1
_LOCK_S = 20.0


class Authority:
    """From ``create``, ``load``, ``import_`` or ``from_seed``; what changes it is on the disk on return.

    ``rnd`` gives random bytes, ``clock`` UTC seconds: they only date what is issued, and number the lists.
    """

    def __init__(self, data: bytes, folder: Path | None, rnd: Random, clock: Callable[[], int]) -> None:
        self._folder = folder
        self._rnd = rnd
        self._clock = clock
        self._decode(data)

    @classmethod
    def create(
        cls,
        folder: Path | None,
        name: str,
        *,
        rnd: Random = os.urandom,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> Self:
        """A new hub's authority, in ``folder``. Raises AuthorityExists: an old one is never overwritten."""
        name = check_name(name)
        key = certificates.new_key(rnd)
        cert = certificates.authority(key, certificates.new_serial(rnd))
        secrets = certificates.key_to_der(key), rnd(32), rnd(32)
        data = _encode(name, cert, secrets, 0, ())
        with _locked(folder):
            _absent(folder)
            made = cls(data, folder, rnd, clock)
            made._save()
        return made

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        *,
        rnd: Random = os.urandom,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> Self:
        """This laptop's. Raises NoAuthority, KeysDamaged, KeysExposed, KeysUnreadable."""
        folder = files.trust_folder() if folder is None else folder
        data = files.read(folder / _FILE)
        if data is None:
            raise NoAuthority("This laptop is not the one that issues keys for a hub.")
        return cls(data, folder, rnd, clock)

    @classmethod
    def from_seed(cls, seed: object, name: str = "Rehearsal") -> Self:
        """One in memory, always the same for the same seed: for tests and rehearsals, never for a hub."""
        return cls.create(None, name, rnd=random.Random(f"trust {seed}").randbytes, clock=lambda: 1)

    @classmethod
    def import_(
        cls,
        folder: Path,
        data: bytes,
        passphrase: str,
        *,
        rnd: Random = os.urandom,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> Self:
        """Bring a backup back, or into the same hub's authority what only the backup knows: nothing that is
        here goes. Raises AuthorityExists for another hub's, SealedDamaged, WrongPassphrase, KeysDamaged."""
        made = cls(sealed.unseal(sealed.BACKUP, data, passphrase), folder, rnd, clock)
        with _locked(folder):
            here = files.read(folder / _FILE)
            if here is not None:
                made._merge(cls(here, folder, rnd, clock))
            made._save()
        return made

    @staticmethod
    def hub_in(data: bytes, passphrase: str) -> str:
        """The id of the hub that a backup is of. Raises SealedDamaged, WrongPassphrase, KeysDamaged."""
        held = sealed.unseal(sealed.BACKUP, data, passphrase)
        return Authority(held, None, os.urandom, lambda: 0).hub

    def export(self, passphrase: str, *, cost: int | None = None) -> bytes:
        """A backup of everything, under a passphrase. Raises UsageError."""
        return sealed.seal(sealed.BACKUP, self._encode(), passphrase, rnd=self._rnd, cost=cost)

    @property
    def hub(self) -> str:
        """The hub's id, 8 hex digits."""
        return certificates.hub_of(self.cert)

    @property
    def revoked(self) -> frozenset[bytes]:
        """The serials of all that were taken back."""
        return frozenset(one.serial for one in self.issued if one.revoked_s is not None)

    def issue_kiosk(self, device_id: bytes) -> KioskIdentity:
        """A new identity for a kiosk; an earlier one of the same kiosk is taken back."""
        with self._changing():
            key, serial, cert = self._issue(certificates.kiosk_name(device_id))
            name, now = device_id.hex(), self._clock()
            self.issued = tuple(
                replace(one, revoked_s=now)
                if (one.role, one.name, one.revoked_s) == (KIOSK, name, None)
                else one
                for one in self.issued
            ) + (Issued(serial, KIOSK, name, now),)
        return KioskIdentity(self.cert, cert, key, self.hub_key, lists.list_key(self._list_secret, device_id))

    def issue_person(self, role: str, name: str) -> Identity:
        """An identity for somebody's computer. Raises UsageError for a role or name that cannot be."""
        name = check_name(name)
        if role not in ROLES:
            raise UsageError(f"There is no role {role}.", hint=f"The roles are {' and '.join(ROLES)}.")
        with self._changing():
            if any(one.name == name and one.role != KIOSK and one.revoked_s is None for one in self.issued):
                raise UsageError(
                    f"{name} has an identity already.",
                    hint=f"Choose another name, or take that one back first: smilehub hub revoke '{name}'",
                )
            key, serial, cert = self._issue(f"{role}-{name}")
            self.issued += (Issued(serial, role, name, self._clock()),)
        return Identity(cert, key, self.cert, self.hub_key, role, name, self.revoked)

    def revoke(self, serial: bytes, held: int = 0) -> Issued:
        """Take one back; harmless when it was before. ``held``: the highest number of a list on any kiosk.

        Raises UsageError if this hub never issued it; ListsBehind if the new list would take the place of one
        whose serials are not known here.
        """
        with self._changing():
            found = next((one for one in self.issued if one.serial == serial), None)
            if found is None:
                raise UsageError(
                    "This hub never issued that identity.", hint="`smilehub hub people` lists them all."
                )
            if found.revoked_s is not None:
                return found
            if found.role != KIOSK:
                if held > self.sequence:
                    raise ListsBehind(
                        "A kiosk holds a newer list of whom this hub took back than this laptop knows of."
                    )
                if len(listed(self.issued)) >= lists.MOST:
                    raise UsageError(
                        f"A hub takes back at most {lists.MOST} people's identities.",
                        hint="Begin a new hub and enroll the kiosks there: smilehub hub init --help",
                    )
                # Rising whatever the clock says, and beyond what a backup that is brought back remembers.
                self.sequence = max(self.sequence + 1, min(self._clock(), 0xFFFF0000))
            gone = replace(found, revoked_s=self._clock())
            self.issued = tuple(gone if one is found else one for one in self.issued)
        return gone

    def catch_up(self, held: int) -> None:
        """Number the next list beyond ``held``, although its serials are not known here."""
        with self._changing():
            self.sequence = max(self.sequence, held)

    def find(self, what: str) -> list[Issued]:
        """Those not taken back whose name, role and name ("kiosk-…"), or serial in hex is ``what``."""
        named = [
            one for one in self.issued if what in (one.name, f"{one.role}-{one.name}") and not one.revoked_s
        ]
        return named or [one for one in self.issued if one.serial.hex() == what.lower()]

    def list_for(self, device_id: bytes) -> bytes:
        """The newest revocation list for one kiosk."""
        return lists.encode(lists.list_key(self._list_secret, device_id), self.sequence, listed(self.issued))

    # Inside

    def _merge(self, here: "Authority") -> None:
        if here.cert != self.cert:
            raise AuthorityExists("This laptop has the keys of another hub already.")
        newest = max(self, here, key=lambda one: one.sequence)
        both = merged(here.issued, self.issued)
        self.sequence = newest.sequence + (set(listed(both)) > set(listed(newest.issued)))
        self.name, self.issued = here.name, both

    def _issue(self, common_name: str) -> tuple[bytes, bytes, bytes]:
        key = certificates.new_key(self._rnd)
        while True:
            serial = certificates.new_serial(self._rnd)
            if all(serial[:4] != one.serial[:4] for one in self.issued):  # a kiosk tells orders by these
                break
        ca_key = certificates.key_from_der(self._key)
        cert = certificates.issue(self.cert, ca_key, key.public_key(), common_name, serial)
        return certificates.key_to_der(key), serial, cert

    @contextmanager
    def _changing(self) -> Generator[None]:
        """Within it, what is in memory is what is on the disk, and nobody else changes it."""
        with _locked(self._folder):
            if self._folder is not None:
                data = files.read(self._folder / _FILE)
                if data is None:
                    raise NoAuthority("This hub's authority is no longer on this laptop.")
                self._decode(data)
            before = self._encode()
            try:
                yield
                self._save()
            except BaseException:
                self._decode(before)
                raise

    def _save(self) -> None:
        if self._folder is not None:
            files.write(self._folder / _FILE, self._encode())

    def _encode(self) -> bytes:
        secrets = self._key, self.hub_key, self._list_secret
        return _encode(self.name, self.cert, secrets, self.sequence, self.issued)

    def _decode(self, data: bytes) -> None:
        try:
            fields: Any = cbor.loads(data)
            if fields[0] != _VERSION:
                raise KeysDamaged("This hub's authority was made by a newer version of this program.")
            self.name = str(fields[1])
            self.cert: bytes = fields[2]
            self._key: bytes = fields[3]
            self.hub_key: bytes = fields[4]
            self._list_secret: bytes = fields[5]
            self.sequence = int(fields[6])
            self.issued = tuple(Issued(*one) for one in fields[7])
            whole = len(self.hub_key) == len(self._list_secret) == 32
        except (HubError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, KeysDamaged):
                raise
            whole = False
        if not whole:
            raise KeysDamaged("This hub's authority is damaged.")
        certificates.parse(self.cert)
        certificates.key_from_der(self._key)


def _encode(
    name: str, cert: bytes, secrets: tuple[bytes, bytes, bytes], sequence: int, issued: Sequence[Issued]
) -> bytes:
    rows = [[one.serial, one.role, one.name, one.issued_s, one.revoked_s] for one in issued]
    return cbor.dumps(dict(enumerate((_VERSION, name, cert, *secrets, sequence, rows))))


def _absent(folder: Path | None) -> None:
    if folder is not None and files.read(folder / _FILE) is not None:
        raise AuthorityExists(f"This laptop has the keys of a hub already, in {folder}.")


@contextmanager
def _locked(folder: Path | None) -> Generator[None]:
    if folder is None:
        yield
        return
    try:
        files.make_folder(folder)
        with FileLock(folder / ".lock", timeout=_LOCK_S, mode=0o600):
            yield
    except TimeoutError as error:
        raise KeysUnreadable(
            "Another smilehub works with this hub's keys.", hint="Wait for it, then run the command again."
        ) from error
    except OSError as error:
        from smilehub.errors import SmilehubError

        if isinstance(error, SmilehubError):
            raise
        raise KeysUnreadable(f"The folder {folder} cannot be written: {error.strerror}.") from error
