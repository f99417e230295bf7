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
        if not authority.sequence or self._given().get(device_id.hex()) == [serial, authority.sequence]:
            return None
        return authority.sequence, authority.list_for(device_id)

    def given(self, device_id: bytes, serial: bytes, sequence: int) -> None:
        """Remember that the kiosk has this list or a newer one. Raises KeysExposed, KeysUnreadable."""
        held = self._given() | {device_id.hex(): [serial, sequence]}
        files.write(self._folder / _FILE, cbor.dumps({0: _VERSION, 1: held}))

    def _given(self) -> dict[str, Any]:
        # What cannot be read is as good as nothing: a kiosk does not mind a list that it knows.
        try:
            fields: Any = cbor.loads(files.read(self._folder / _FILE) or b"\xa0")
            return fields[1] if fields[0] == _VERSION and isinstance(fields[1], dict) else {}
        except (KeysDamaged, HubError, LookupError, TypeError):
            return {}
