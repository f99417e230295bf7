"""What the commands of `smilehub hub` share: what this laptop is, passphrases, files that hold secrets."""

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from smilehub.errors import AuthorityExists, NoAuthority, NoIdentity, UsageError

if TYPE_CHECKING:
    from smilehub.trust.authority import Authority
    from smilehub.trust.identity import Identity
    from smilehub.trust.register import Issued

#: What the laptop of a hub's authority is called in it.
LAPTOP = "desk"

laptop_option = click.option(
    "--laptop", metavar="NAME", help=f"What this laptop is called in the hub.  [default: {LAPTOP}]"
)

_LARGEST = 1 << 20  # bytes of a backup or invitation; both are a few thousand
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def passphrase(file: Path | None, *, confirm: bool) -> str:
    """From the first line of ``file``, or asked for on the terminal, unseen, twice if ``confirm``.

    Never from the command line: every account of a computer can read that. Raises UsageError.
    """
    if file is not None:
        try:
            with file.open(encoding="utf-8") as lines:
                if os.fstat(lines.fileno()).st_mode & _OTHERS:
                    print(f"Other accounts may read {file}: chmod 600 '{file}'", file=sys.stderr)
                text = lines.readline(4096).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError(f"The passphrase cannot be read from {file}: {why}.") from None
        if not text:
            raise UsageError(f"The first line of {file} is empty.", hint="Write the passphrase there.")
        return text
    if not sys.stdin.isatty():
        raise UsageError(
            "There is nobody to ask for the passphrase.",
            hint="Name a file that holds it: --passphrase-file FILE",
        )
    return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))


def read(path: Path) -> bytes:
    """A file that somebody named. Raises UsageError."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise UsageError(f"The file {path} cannot be read: {error.strerror}.") from None


def check_free(path: Path) -> None:
    """Raise UsageError if something is there: nothing is overwritten."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already, and stays as it is.", hint="Name another file.")
    if not path.absolute().parent.is_dir():
        raise UsageError(
            f"There is no folder {path.absolute().parent}.", hint="Make it, or name another file."
        )


def write(path: Path, data: bytes) -> None:
    """A new file for this account alone; on return it is on the disk. Raises UsageError."""
    check_free(path)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise UsageError(f"The file {path} cannot be written: {error.strerror}.") from None


def here() -> "Authority | None":
    """The authority on this laptop, if it is one."""
    from smilehub.trust.authority import Authority

    try:
        return Authority.load()
    except NoAuthority:
        return None


def own() -> "Identity | None":
    """This laptop's identity, if it has one."""
    from smilehub.trust.identity import Identity

    try:
        return Identity.load()
    except NoIdentity:
        return None


def own_technician() -> "Identity | None":
    """This laptop's identity of a technician, which it may have beside a laptop's."""
    from smilehub.trust.identity import TECHNICIAN, Identity

    try:
        return Identity.load(role=TECHNICIAN)
    except NoIdentity:
        return None


def how_to_become(role: str) -> str:
    """The two commands by which this laptop gets an identity of a role, as they are to be typed."""
    authority = here()
    if authority is None:
        file = f"{role}.invitation"
        return (
            "On the laptop that is the hub's authority: "
            f"`smilehub hub invite NAME --role {role} --out {file}`; "
            f"then on this one, with that file: `smilehub hub accept {file}`."
        )
    name = free_name(authority, role)
    file = f"{name}.invitation"
    return (
        f"This laptop can give itself one: `smilehub hub invite {name} --role {role} --out {file}`, "
        f"then `smilehub hub accept {file}`."
    )


def free_name(authority: "Authority", name: str, between: str = "-") -> str:
    """``name``, or with the first number after it that nobody in the hub is called yet."""
    taken = {one.name for one in authority.issued}
    number = 2
    while f"{name}{between}{number}" in taken:
        number += 1
    return f"{name}{between}{number}" if name in taken else name


def belongs_to(hub_id: str | None, role: str | None = None) -> None:
    """Raise AuthorityExists if this laptop belongs to a hub other than ``hub_id``, or is one's authority.

    The authority's own laptop may take a technician's identity of its hub beside its own.
    """
    from smilehub.trust.identity import TECHNICIAN

    authority, identity = here(), own()
    if authority is not None and (authority.hub != hub_id or role != TECHNICIAN):
        raise AuthorityExists(
            f"This laptop is the authority of hub {authority.hub}, {authority.name}, already."
        )
    if identity is not None and identity.hub != hub_id:
        raise AuthorityExists(f"This laptop belongs to hub {identity.hub} already, as {identity.role}.")


def line(one: "Issued") -> dict[str, object]:
    """One identity for programs."""
    return {
        "name": one.name,
        "role": one.role,
        "serial": one.serial,
        "issued_s": one.issued_s,
        "revoked_s": one.revoked_s,
    }
