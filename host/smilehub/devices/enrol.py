"""Gives a kiosk its identity over the console: looks who it is, writes, compares, and restarts it."""

import contextlib
from dataclasses import dataclass

from smilehub.devices.enrol_repl import CodeFailed, RawRepl
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml
from smilehub.errors import EnrolledElsewhere, KeysDamaged, LinkError, NotEnrolledWell, WrongBoard
from smilehub.link.transport import Transport
from smilehub.trust import certificates
from smilehub.trust.authority import Authority
from smilehub.trust.register import KIOSK

_BOARD = "kiosk"
_PIECE = 80  # bytes of the identity in one piece of code
# A watchdog that an open day armed would bite in the middle; the restart at the end arms it anew.
_CALM = "import machine;machine.WDT(0,86400000).feed()"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How it went.

    ``hub_before`` is the id of the hub that the kiosk belonged to, if to any; ``already``: to this one,
    so that nothing was written.
    """

    device_id: bytes
    firmware: str
    hub_before: str | None
    already: bool


async def enroll(transport: Transport, authority: Authority, *, replace: bool = False) -> Enrolled:
    """Make the kiosk at this console one of the authority's hub, and let it restart.

    A kiosk of this hub stays as it is, one of another hub is refused, unless ``replace``. No key comes back
    over the line: the kiosk shows a digest of what it has stored. Raises WrongBoard, EnrolledElsewhere,
    NotEnrolledWell, LinkError.
    """
    await transport.open()
    try:
        repl = RawRepl(transport)
        await repl.enter()
        try:
            return await _enroll(repl, authority, replace)
        except CodeFailed as error:
            raise WrongBoard(f"This board does not do what a kiosk does: {error}.") from None
        finally:
            with contextlib.suppress(LinkError):
                await repl.reset()  # also after a failure: somebody may wait at the kiosk
    finally:
        await transport.close()


async def _enroll(repl: RawRepl, authority: Authority, replace: bool) -> Enrolled:
    await _calm(repl)
    await repl.restart()
    device_id, firmware = await _who(repl)
    await _find_keys(repl)
    before, serial = await _present(repl, authority)
    ours = before == authority.hub
    issued = {one.serial for one in authority.issued if one.revoked_s is None}
    if ours and serial in issued and not replace:
        return Enrolled(device_id, firmware, before, already=True)
    if before is not None and not ours and not replace:
        raise EnrolledElsewhere(f"This kiosk belongs to another hub, {before}.")
    identity = authority.issue_kiosk(device_id)
    await _store(repl, identity.blob)
    if await _digest(repl) != identity.digest:
        raise NotEnrolledWell("The kiosk has stored something else than it was given.")
    fresh = certificates.serial_of(identity.cert)
    for one in authority.issued:
        if (one.role, one.name) == (KIOSK, device_id.hex()) and one.serial != fresh:
            authority.revoke(one.serial)
    return Enrolled(device_id, firmware, before, already=False)


async def _calm(repl: RawRepl) -> None:
    try:
        await repl.run(_CALM)
    except CodeFailed:
        pass  # not a board of ours, which is found out next


async def _who(repl: RawRepl) -> tuple[bytes, str]:
    """(device id, firmware's version). Raises WrongBoard for any board but a kiosk."""
    try:
        await repl.run("import os,machine")
        try:
            await repl.run("import boardcfg as c")
            kind, firmware = await repl.ask("[c.BOARD_ID,c.VERSION]")
        except CodeFailed:
            raise WrongBoard("This board runs MicroPython, but not Smilehub's firmware.") from None
        if kind != _BOARD:
            raise WrongBoard(f"This board is a {kind}, not a kiosk.", hint="Name a kiosk's console port.")
        chip = str(load_board(board_toml(_BOARD)).tables["board"]["chip"]).upper()
        machine = str(await repl.ask("os.uname().machine"))
        if not machine.upper().endswith(chip):
            raise WrongBoard(f"A kiosk has the chip {chip}; this board is “{machine}”.")
        return bytes.fromhex(str(await repl.ask("machine.unique_id().hex()"))), str(firmware)
    except (CodeFailed, ValueError) as error:
        if isinstance(error, WrongBoard):
            raise
        raise WrongBoard("This board does not tell who it is.") from None


async def _find_keys(repl: RawRepl) -> None:
    try:
        await repl.run("from services import identity as i")
    except CodeFailed:
        raise WrongBoard(
            "The firmware on this kiosk is too old to be enrolled.", hint="Write today's image to it first."
        ) from None
    await repl.run("from esp32 import Partition as P")
    await repl.run("p=P.find(P.TYPE_DATA,label='keys')")
    if not await repl.ask("len(p)"):
        raise WrongBoard(
            "This board has no partition for keys.",
            hint="It was written with another partition table: write the whole image to it first.",
        )
    await repl.run("p=p[0]")


async def _present(repl: RawRepl, authority: Authority) -> tuple[str | None, bytes | None]:
    """(the id of the hub that the kiosk belongs to, its serial number), or None twice.

    Who only uses this hub's id is another hub.
    """
    await repl.run("h=i.load(p)")
    if not await repl.ask("bool(h)"):
        return None, None
    its_authority, cert = [bytes.fromhex(str(await repl.ask(f"h[{n}].hex()"))) for n in (0, 1)]
    try:
        hub, serial = certificates.hub_of(its_authority), certificates.serial_of(cert)
    except KeysDamaged:
        return "unknown", None
    return (hub if hub != authority.hub or its_authority == authority.cert else "unknown"), serial


async def _store(repl: RawRepl, blob: bytes) -> None:
    try:
        await repl.run("h=None;b=bytearray()")
        for at in range(0, len(blob), _PIECE):
            await repl.run(f"b+=bytes.fromhex('{blob[at : at + _PIECE].hex()}')")
        if await repl.ask("i.store(p,bytes(b))"):
            return
    except CodeFailed as error:
        raise NotEnrolledWell(f"The kiosk could not store its identity: {error}.") from None
    raise NotEnrolledWell("The identity was damaged on its way to the kiosk.", hint="Run the command again.")


async def _digest(repl: RawRepl) -> str:
    try:
        await repl.run("import hashlib;d=hashlib.sha256()")
        await repl.run("for x in i.load(p) or (): d.update(x)")
        return str(await repl.ask("d.digest().hex()"))
    except CodeFailed as error:
        raise NotEnrolledWell(f"The kiosk could not read its identity again: {error}.") from None
