"""`smilehub enroll`: give a kiosk its identity, over its console."""

import sys

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import EnrolledElsewhere


@click.command()
@click.option("--console", "port", required=True, metavar="PORT", help="The kiosk's console port.")
@click.option(
    "--replace",
    is_flag=True,
    help="Take over a kiosk of another hub, or give one of this hub a new identity.",
)
@_common.json_option
def enroll(port: str, replace: bool, as_json: bool) -> None:
    """Make the kiosk at PORT one of this hub.

    The kiosk restarts; what it has recorded stays. Its key goes over this cable once and never comes back:
    the kiosk shows a digest of what it has stored.

    \b
    smilehub devices
    smilehub enroll --console /dev/ttyUSB0
    """
    from smilehub.devices import enrol
    from smilehub.link.serial import SerialTransport
    from smilehub.trust.authority import Authority

    ui = _common.ui_for(as_json)
    authority = Authority.load()
    try:
        done = _common.run(enrol.enroll(SerialTransport(port), authority, replace=replace))
    except EnrolledElsewhere as elsewhere:
        if as_json or not sys.stdin.isatty():
            raise
        ui.warn(elsewhere.message)
        if not click.confirm("Take it over? Its old hub will no longer reach it.", err=True):
            raise
        done = _common.run(enrol.enroll(SerialTransport(port), authority, replace=True))
    device = done.device_id.hex()
    said = (
        "belongs to this hub already; nothing was changed."
        if done.already
        else f"is now of hub {authority.hub}."
    )
    ui.answer(
        {
            "device_id": device,
            "firmware": done.firmware,
            "hub": authority.hub,
            "hub_before": done.hub_before,
            "already": done.already,
        },
        f"Kiosk {device}, firmware {done.firmware}, {said} It restarts now.",
    )
