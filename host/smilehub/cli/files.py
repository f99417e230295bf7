"""`smilehub files`: a kiosk's files, for technicians."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import rich_click as click

from smilehub.cli import _common, _hub
from smilehub.errors import UsageError

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient

_LONGEST = 128  # characters of a path on a kiosk
_T = TypeVar("_T")

_path = click.argument("path", metavar="PATH")


@click.group(cls=click.RichGroup)
def files() -> None:
    """Look at a kiosk's files, and put some where nothing runs from.

    For technicians. The kiosk keeps its program twice: /app is the half that runs and stays as it is; /other
    is the half that does not, where files can be put and removed.
    """


@files.command("list")
@click.argument("folder", default="/")
@_common.kiosk_options
def list_(folder: str, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """List what FOLDER on the kiosk holds; without it, the top.

    \b
    smilehub files list
    smilehub files list /other
    """
    path = folder.rstrip("/") or "/"
    found = _kiosk(port, store_path, path, lambda client: client.files(path))
    ui = _common.ui_for(as_json)
    for name, size in sorted(found):
        ui.data({"name": name, "bytes": size})
    rows = [
        (name + "/" * (size is None), "" if size is None else f"{size:,}") for name, size in sorted(found)
    ]
    ui.table(("name", "bytes"), rows)


@files.command("get")
@_path
@click.argument("file", required=False, type=click.Path(path_type=Path))
@_common.kiosk_options
def get(path: str, file: Path | None, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Fetch PATH from the kiosk into FILE; without it, into this folder under its own name.

    \b
    smilehub files get /app/version.txt
    smilehub files get /other/notes.txt notes-of-kiosk-k.txt
    """
    from smilehub.sync import files as transfer

    ui = _common.ui_for(as_json)
    file = file or Path(path.rstrip("/").rpartition("/")[2])
    _hub.check_free(file)

    async def work(client: "KioskClient") -> bytes:
        with ui.progress("Bytes") as progress:
            return await transfer.get(client, path, progress)

    data = _kiosk(port, store_path, path, work)
    _hub.write(file, data)
    ui.answer(
        {"path": path, "file": str(file), "bytes": len(data)},
        f"{file} holds the {len(data):,} bytes of {path}.",
    )


@files.command("put")
@click.argument("file", type=click.Path(path_type=Path))
@_path
@_common.kiosk_options
def put(file: Path, path: str, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Bring FILE to PATH on the kiosk, which must be below /other; folders are made.

    What was broken off goes on where it stopped: just give the command again. If PATH ends in / the file
    keeps its name.

    \b
    smilehub files put notes.txt /other/notes.txt
    smilehub files put main.mpy /other/lib/
    """
    from smilehub.sync import files as transfer

    if path.endswith("/"):
        path += file.name
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"The file {file} cannot be read: {error.strerror}.") from None
    ui = _common.ui_for(as_json)

    async def work(client: "KioskClient") -> int:
        with ui.progress("Bytes") as progress:
            return await transfer.put(client, path, data, progress)

    sent = _kiosk(port, store_path, path, work)
    there = f" {len(data) - sent:,} of them were there already." if sent < len(data) else ""
    ui.answer(
        {"file": str(file), "path": path, "bytes": len(data), "sent": sent},
        f"{path} on the kiosk holds the {len(data):,} bytes of {file}.{there}",
    )


@files.command("remove")
@_path
@_common.kiosk_options
def remove(path: str, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Remove the file or the empty folder PATH, which must be below /other, from the kiosk.

    \b
    smilehub files remove /other/notes.txt
    """
    _kiosk(port, store_path, path, lambda client: client.remove_file(path))
    _common.ui_for(as_json).answer({"removed": path}, f"{path} is no longer on the kiosk.")


def _kiosk(
    port: str | None, store_path: Path | None, path: str, work: "Callable[[KioskClient], Awaitable[_T]]"
) -> _T:
    """Run ``work`` as a technician. Raises UsageError for what is no path on a kiosk."""
    if not path.startswith("/") or ".." in path.split("/") or len(path) > _LONGEST:
        raise UsageError(
            f"{path} is no path on a kiosk: one begins with / and has at most {_LONGEST} characters.",
            hint="`smilehub files list` shows what there is.",
        )

    async def greeted(client: "KioskClient") -> _T:
        await client.hello()
        return await work(client)

    return _common.with_client(port, store_path, greeted, role="technician")
