"""`smilehub devices`: which ports may be a kiosk's."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import SmilehubError

if TYPE_CHECKING:
    from smilehub.devices.ports import Port
    from smilehub.link.messages import Hello


@click.command()
@click.option("--ask", is_flag=True, help="Open each link port and ask the kiosk who it is.")
@_common.json_option
def devices(ask: bool, as_json: bool) -> None:
    """List the kiosks that are connected.

    Known are USB ports by their ids, and the links named in the environment variable SMILEHUB_PORTS (paths as
    in PATH; a folder stands for every link in it). Nothing is opened unless you say --ask.

    \b
    smilehub devices
    smilehub devices --ask --json
    """
    from smilehub.devices.ports import discover

    ui = _common.ui_for(as_json)
    ports = discover()
    found = [(port, _ask(port) if ask and port.role == "link" else None) for port in ports]
    for port, answer in found:
        line: dict[str, Any] = {
            "port": port.path,
            "role": port.role,
            "known_as": port.known_as,
            "serial_number": port.serial_number,
        }
        if isinstance(answer, SmilehubError):
            line["error"] = answer.message
        elif answer is not None:
            line |= {"device_id": answer.device_id, "letter": answer.letter, "firmware": answer.firmware}
        ui.data(line)
    if not ports:
        ui.say("No kiosk is connected. Without one, `smilehub demo` runs a simulated hub.")
        return
    ui.table(
        ["port", "role", "known as", *(["kiosk"] if ask else [])],
        [[p.path, p.role, p.known_as, *([_words(answer)] if ask else [])] for p, answer in found],
    )


def _ask(port: "Port") -> "Hello | SmilehubError":
    async def work() -> "Hello":
        async with _common.make_client(port.path) as client:
            return await client.hello()

    try:
        return _common.run(work())
    except SmilehubError as error:
        return error


def _words(answer: "Hello | SmilehubError | None") -> str | None:
    if answer is None:
        return None
    if isinstance(answer, SmilehubError):
        return answer.message
    return f"{answer.letter} {answer.device_id.hex()} firmware {answer.firmware}".strip()
