"""`smilehub hub` where it works with files under a passphrase: invitations and backups."""

from pathlib import Path

import rich_click as click

from smilehub.cli import _common, _hub

_file = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
_passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take the passphrase from this file's first line; without it you are asked.",
)


@click.command("invite")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["laptop", "technician"]),
    default="laptop",
    show_default=True,
    help="A laptop syncs, calls and configures; a technician sees logs and files, and no records.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where the invitation goes."
)
@_passphrase_option
@_common.json_option
def invite(name: str, role: str, out: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Give another laptop or a technician an identity called NAME, as a file under a passphrase.

    Hand over the file, and tell the passphrase in another way: by telephone, or from mouth to ear.

    \b
    smilehub hub invite "Desk two" --out desk-two.invitation
    smilehub hub invite Ana --role technician --out ana.invitation
    """
    from smilehub.trust import sealed
    from smilehub.trust.authority import Authority

    authority = Authority.load()
    _hub.check_free(out)
    passphrase = _hub.passphrase(passphrase_file, confirm=True)
    sealed.check_passphrase(passphrase)
    identity = authority.issue_person(role, name)
    _hub.write(out, sealed.seal(sealed.INVITATION, identity.encode(), passphrase))
    _common.ui_for(as_json).answer(
        {"name": identity.name, "role": role, "serial": identity.serial, "file": str(out)},
        f"{out} invites {identity.name} as {role}. It is opened there with: smilehub hub accept {out.name}\n"
        "The hub has changed: make a new backup.",
    )


@click.command("accept")
@_file
@_passphrase_option
@_common.json_option
def accept(file: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Make this laptop a part of the hub that sent the invitation FILE.

    A technician's identity stands beside a laptop's: logs and files use the one, all else the other.

    \b
    smilehub hub accept desk-two.invitation
    """
    from smilehub.trust import sealed
    from smilehub.trust.identity import Identity

    data = _hub.read(file)
    sealed.check(sealed.INVITATION, data)
    passphrase = _hub.passphrase(passphrase_file, confirm=False)
    identity = Identity.decode(sealed.unseal(sealed.INVITATION, data, passphrase))
    _hub.belongs_to(identity.hub, identity.role)
    identity.save()
    _common.ui_for(as_json).answer(
        {"hub": identity.hub, "name": identity.name, "role": identity.role, "serial": identity.serial},
        f"This laptop, {identity.name}, now belongs to hub {identity.hub} as {identity.role}. Delete {file}.",
    )


@click.command("export")
@_file
@_passphrase_option
@_common.json_option
def export(file: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Write a backup of the hub's authority to FILE, under a passphrase.

    Who has both is the hub. Keep them apart, and away from this laptop.

    \b
    smilehub hub export northside.backup
    smilehub hub export northside.backup --passphrase-file passphrase.txt
    """
    from smilehub.trust.authority import Authority

    authority = Authority.load()
    _hub.check_free(file)
    _hub.write(file, authority.export(_hub.passphrase(passphrase_file, confirm=True)))
    _common.ui_for(as_json).answer(
        {"hub": authority.hub, "file": str(file)},
        f"{file} is the backup of hub {authority.hub}. Without the passphrase nobody can open it.",
    )


@click.command("import")
@_file
@_hub.laptop_option
@_passphrase_option
@_common.json_option
def import_(file: Path, laptop: str | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Make this laptop the hub's authority from the backup FILE.

    Only one laptop should be it: take the old one's identity back if it is lost. On the authority itself,
    what only the backup knows is added, and nothing goes.

    \b
    smilehub hub import northside.backup
    smilehub hub revoke desk
    """
    from smilehub.trust import sealed
    from smilehub.trust.authority import Authority
    from smilehub.trust.files import trust_folder
    from smilehub.trust.given import RevocationLists
    from smilehub.trust.register import check_name

    data = _hub.read(file)
    sealed.check(sealed.BACKUP, data)
    if laptop is not None:
        laptop = check_name(laptop)
    own = _hub.own()
    passphrase = _hub.passphrase(passphrase_file, confirm=False)
    folder = trust_folder()
    hub, before = Authority.hub_in(data, passphrase), _hub.here()
    if before is None or before.hub != hub:
        _hub.belongs_to(hub)
    authority = Authority.import_(folder, data, passphrase)
    if before is None:
        RevocationLists().imported()
    if own is None or own.role != "laptop" or own.serial in authority.revoked:
        own = authority.issue_person("laptop", laptop or _hub.free_name(authority, _hub.LAPTOP, " "))
        own.save(folder)
    _common.ui_for(as_json).answer(
        {"hub": authority.hub, "name": authority.name, "laptop": own.name, "folder": str(folder)},
        f"This laptop, {own.name}, is now the authority of hub {authority.hub}, {authority.name}.\n"
        "Sync its kiosks now: they hold the newest list of whom the hub took back.\n"
        "If the laptop before is lost, take its identity back: smilehub hub people, smilehub hub revoke NAME"
        if before is None
        else f"This laptop was hub {authority.hub}'s authority before; what only the backup knew was added.",
    )
