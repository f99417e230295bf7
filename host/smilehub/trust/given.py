"""Which revocation list each kiosk was given last, so that a sync hands over only what is new to it."""

from pathlib import Path
from typing import Any

from hubcore import cbor
from hubcore.errors import HubError
from smilehub.errors import KeysDamaged, NoAuthority
from smilehub.trust import files
from smilehub.trust.authority import Authority

_FILE = "given"
_VERSION = 1
_HELD, _IMPORTED = 1, 2


class RevocationLists:
    """What the hub's authority, if this laptop is it, has to tell each kiosk. It is asked anew each time:
    somebody may be taken back meanwhile.

    A kiosk is known by its device id and its certificate's serial number: one with a new identity may have
    lost what it held. ``folder`` is this laptop's trust folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = files.trust_folder() if folder is None else folder

    def due(self, device_id: bytes, serial: bytes) -> tuple[int, bytes] | None:
        """(sequence, list) that the kiosk was not given from here; None: it was, or there is nothing to tell.

        Raises KeysDamaged, KeysExposed, KeysUnreadable.
        """
        try:
            authority = Authority.load(self._folder)
        except NoAuthority:
            return None  # only the authority has the keys of lists
        known = self._known()
        had = known[_HELD].get(device_id.hex()) == [serial, authority.sequence]
        if not known.get(_IMPORTED) and (had or not authority.sequence):
            return None
        return authority.sequence, authority.list_for(device_id)

    def given(self, device_id: bytes, serial: bytes, sequence: int) -> None:
        """Remember that the kiosk holds the list with this number. Raises KeysExposed, KeysUnreadable."""
        self._write({_HELD: self._known()[_HELD] | {device_id.hex(): [serial, sequence]}})

    def imported(self) -> None:
        """The authority came from a backup: until a kiosk is met, newer lists may be about."""
        self._write({_HELD: self._known()[_HELD], _IMPORTED: True})

    @property
    def highest(self) -> int | None:
        """The highest number of a list that a kiosk is known to hold; None: not known, since a backup was
        brought back and no kiosk met after it."""
        known = self._known()
        return None if known.get(_IMPORTED) else max((one[1] for one in known[_HELD].values()), default=0)

    def _write(self, known: dict[int, Any]) -> None:
        files.write(self._folder / _FILE, cbor.dumps({0: _VERSION} | known))

    def _known(self) -> dict[int, Any]:
        # What cannot be read is as good as nothing: a kiosk does not mind a list that it knows.
        try:
            known: Any = cbor.loads(files.read(self._folder / _FILE) or b"\xa0")
            if known[0] == _VERSION and all(isinstance(one[1], int) for one in known[_HELD].values()):
                return known
        except (KeysDamaged, HubError, LookupError, TypeError, AttributeError):
            pass
        return {_HELD: {}}
