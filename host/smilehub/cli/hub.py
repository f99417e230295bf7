"""`smilehub hub`: begin a hub, see who belongs to it, take identities back."""

import hashlib
from datetime import UTC, datetime

import rich_click as click

from smilehub.cli import _common, _hub, hub_files
from smilehub.errors import ListsBehind, NoIdentity, UsageError
from smilehub.trust.register import KIOSK


@click.group(cls=click.RichGroup)
def hub() -> None:
    """Who belongs to the hub: kiosks, laptops, technicians.

    A hub has one authority, on one laptop. It gives every kiosk and every laptop an identity, without which
    they do not talk with each other, and takes it back.
    """


@hub.command("init")
@click.argument("name")
@_hub.laptop_option
@_common.json_option
def init(name: str, laptop: str | None, as_json: bool) -> None:
    """Begin a hub called NAME, with this laptop as its authority.

    Make a backup right after, and keep it elsewhere: without it, every kiosk must be enrolled anew when this
    laptop is lost. Nothing is ever overwritten.

    \b
    smilehub hub init "Northside clinic"
    smilehub hub export northside.backup
    """
    from smilehub.trust.authority import Authority
    from smilehub.trust.files import trust_folder
    from smilehub.trust.register import check_name

    folder = trust_folder()
    name, laptop = check_name(name), check_name(laptop or _hub.LAPTOP)
    authority = _hub.here()
    if authority is None or _hub.own() is not None:
        _hub.belongs_to(None)
        authority = Authority.create(folder, name)
    # else the power failed before this laptop had its own identity
    authority.issue_person("laptop", laptop).save(folder)
    _common.ui_for(as_json).answer(
        {"hub": authority.hub, "name": authority.name, "laptop": laptop, "folder": str(folder)},
        f"{authority.name} is hub {authority.hub}, and this laptop, {laptop}, is its authority.\n"
        "Now make a backup (smilehub hub export FILE), then enroll the kiosks "
        "(smilehub enroll --console PORT).",
    )


@hub.command("show")
@_common.json_option
def show(as_json: bool) -> None:
    """Say which hub this laptop belongs to, and as what.

    \b
    smilehub hub show
    smilehub hub show --json
    """
    from smilehub.trust.files import trust_folder

    identity, technician, authority = _hub.own(), _hub.own_technician(), _hub.here()
    if authority is None and identity is None:
        raise NoIdentity("This laptop does not belong to a hub yet.")
    ui = _common.ui_for(as_json)
    cert = authority.cert if authority else identity.authority if identity else b""
    mark = hashlib.sha256(cert).hexdigest()
    hub_id = authority.hub if authority else identity.hub if identity else ""
    ui.data(
        {
            "hub": hub_id,
            "name": authority.name if authority else None,
            "authority": authority is not None,
            "role": identity.role if identity else None,
            "laptop": identity.name if identity else None,
            "serial": identity.serial if identity else None,
            "technician": technician.name if technician else None,
            "fingerprint": mark,
            "folder": str(trust_folder()),
        }
    )
    ui.say(f"Hub {hub_id}" + (f", {authority.name}." if authority else "."))
    if identity is not None:
        ui.say(f"This laptop is called {identity.name} in it; its role: {identity.role}.")
    if technician is not None and technician != identity:
        ui.say(f"For logs and files it is {technician.name}, a technician.")
    ui.say("It is the hub's authority." if authority else "Another laptop is the hub's authority.")
    ui.say(f"The authority's certificate has the SHA-256 {mark}.")


@hub.command("people")
@_common.json_option
def people(as_json: bool) -> None:
    """List whom this hub has given an identity: laptops, technicians, kiosks.

    \b
    smilehub hub people
    """
    from smilehub.trust.authority import Authority

    authority = Authority.load()
    ui = _common.ui_for(as_json)
    for one in authority.issued:
        ui.data(_hub.line(one))
    ui.table(
        ("name", "role", "since", "taken back", "serial"),
        [
            (one.name, one.role, _day(one.issued_s), one.revoked_s and _day(one.revoked_s), one.serial.hex())
            for one in authority.issued
        ],
    )


@hub.command("revoke")
@click.argument("who", metavar="NAME|SERIAL")
@click.option("--newest", is_flag=True, help="Let this laptop's list be the newest, whatever a kiosk holds.")
@_common.json_option
def revoke(who: str, newest: bool, as_json: bool) -> None:
    """Take somebody's identity back: a lost laptop, a technician who left, a stolen kiosk.

    Each kiosk learns it when it is next synced from this laptop, and then ends that one's sessions. After a
    backup was brought back, sync a kiosk first: it may hold a newer list than the backup knows of.

    \b
    smilehub hub revoke Ana
    smilehub hub revoke kiosk-7cdfa1b2c3d4
    """
    from smilehub.trust.authority import Authority
    from smilehub.trust.given import RevocationLists

    authority = Authority.load()
    found = authority.find(who)
    if len(found) != 1:
        listed = ", ".join(one.serial.hex() for one in found)
        raise UsageError(
            f"Several are called {who}: {listed}." if found else f"Nobody in this hub is called {who}.",
            hint="Name one by its serial number; `smilehub hub people` lists them.",
        )
    own = _hub.own()
    if own is not None and own.serial == found[0].serial:
        raise UsageError(
            "That is this laptop itself.",
            hint="If it is to leave the hub, bring the backup to another laptop, and revoke this one there.",
        )
    kiosk = found[0].role == KIOSK
    held = RevocationLists().highest
    if newest:
        authority.catch_up(held or 0)
    elif held is None and not kiosk and any(one.role == KIOSK for one in authority.issued):
        raise ListsBehind(
            "This hub came from a backup, and its kiosks may hold a newer list of whom it took back.",
            hint="Sync one of them first: `smilehub sync`. If none is left, add --newest.",
        )
    gone = authority.revoke(found[0].serial, 0 if newest else held or 0)
    then = (
        "No laptop with this authority takes it any more"
        if kiosk
        else "Sync every kiosk, so that it learns it"
    )
    _common.ui_for(as_json).answer(
        _hub.line(gone),
        f"{gone.name} ({gone.role}) is no longer of this hub. {then}; and make a new backup.",
    )


for _command in (hub_files.invite, hub_files.accept, hub_files.export, hub_files.import_):
    hub.add_command(_command)


def _day(utc_s: int) -> str:
    return datetime.fromtimestamp(utc_s, UTC).date().isoformat()
