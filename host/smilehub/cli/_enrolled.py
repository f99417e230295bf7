"""Makes the board of `smilehub sim kiosk` one of this laptop's hub, as `smilehub enroll` does a real one."""

from pathlib import Path

from smilehub.cli import _hub
from smilehub.devices.image import IDENTITY_SECTOR
from smilehub.devices.partitions import SECTOR
from smilehub.errors import KeysDamaged
from smilehub.sim.flash import FlashError, read_table
from smilehub.trust import certificates
from smilehub.trust.authority import Authority
from smilehub.trust.files import trust_folder
from smilehub.trust.identity import KioskIdentity
from smilehub.ui import Ui


def enrolled(flash: Path, device_id: bytes, ui: Ui) -> str | None:
    """The id of the hub that the board with this flash file belongs to; it is enrolled if it belongs to none.

    A laptop without a hub becomes the authority of a new one; one that was invited by another cannot enroll.
    """
    at = _keys(flash)
    if at is None:
        return None
    authority, own = _hub.here(), _hub.own()
    before = _present(flash, at)
    if before is not None:
        ours = authority or own
        if ours is None or ours.hub != before:
            ui.warn(f"The board belongs to hub {before}, and this laptop does not.")
        return before
    if authority is None:
        if own is not None:
            ui.warn(f"The board is not enrolled: hub {own.hub} has its authority on another laptop.")
            return None
        authority = Authority.create(trust_folder(), "Simulated hub")
        authority.issue_person("laptop", _hub.LAPTOP).save()
        ui.say(f"This laptop is now the authority of a new hub, {authority.hub}.")
    identity = authority.issue_kiosk(device_id)
    flash.chmod(0o600)  # a key is in it from now on
    with flash.open("r+b") as file:
        file.seek(at)
        file.write(identity.blob)
    ui.say(f"The board is enrolled in hub {authority.hub}.")
    return authority.hub


def _keys(flash: Path) -> int | None:
    """Where in the flash file an identity lies, if the board has a place for one."""
    try:
        rows = [row for row in read_table(flash) if row.name == "keys"]
    except FlashError:
        return None
    return rows[0].offset + IDENTITY_SECTOR * SECTOR if rows else None


def _present(flash: Path, at: int) -> str | None:
    """The id of the hub whose identity the flash file holds."""
    with flash.open("rb") as file:
        file.seek(at)
        sectors = file.read(SECTOR), file.read(SECTOR)
    for data in sectors:
        try:
            cert = KioskIdentity.decode(data).authority
            return certificates.hub_of(cert)
        except KeysDamaged:
            continue
    return None
