"""`smilehub sim`: simulated boards in real time, for any tool that opens a serial port."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Generator
from pathlib import Path

import rich_click as click

from smilehub.cli._enrolled import enrolled
from smilehub.cli._typed import typed
from smilehub.cli.story import tell
from smilehub.devices import image, memory
from smilehub.devices.ports import ENVIRONMENT
from smilehub.devices.sources import board_toml
from smilehub.errors import SimulationError, UsageError
from smilehub.rehearsal.script import HELP
from smilehub.sim.board import Board, device_id
from smilehub.sim.console import Console
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import PtyLink
from smilehub.sim.spec import SpecError, load_spec
from smilehub.sim.uart import Uarts
from smilehub.trust.files import data_folder
from smilehub.ui import Ui

#: Pictures are written at most so often (s).
_PICTURE_SECONDS = 0.5
_LOOK_SECONDS = 0.5
_BOOT_SECONDS = 20.0


_KIOSK = """Run one kiosk in real time until Ctrl-C, or play a story.

Its two serial ports are pseudo-terminals: the console, which mpremote takes for a board's, and the link port,
which `smilehub sync` and the desk's commands open. On a terminal the arrow keys, Enter, Backspace and h press
the kiosk's keys; y, b and H hold yes, back and help down."""


@click.group("sim")
def sim() -> None:
    """Run simulated boards for any tool."""


@sim.command("kiosk", help=f"{_KIOSK}\n\nA story says, one event a line:\n\n\b\n{HELP}")
@click.option(
    "--flash",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The board's flash, built if not there. [default: one in the user's data folder]",
)
@click.option("--console-link", type=click.Path(path_type=Path), help="Make a link to the console port here.")
@click.option("--serial-link", type=click.Path(path_type=Path), help="Make a link to the link port here.")
@click.option("--board", "board_path", type=click.Path(path_type=Path), help="Another board.toml.")
@click.option("--bare", is_flag=True, help="Do not enroll the board: it answers no laptop.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is left to chance.")
@click.option("--panel-png", type=click.Path(path_type=Path), help="Keep a picture of the panel here.")
@click.option("--wall-png", type=click.Path(path_type=Path), help="Keep a picture of the wall sign here.")
@click.option(
    "--story", type=click.Path(path_type=Path), help="Play this story in virtual time instead, and end."
)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where a story's pictures go.  [default: the story's name and -pictures]",
)
@click.option("--json", "as_json", is_flag=True, help="Say where the ports, or the pictures, are in JSON.")
def kiosk(
    flash: Path | None,
    console_link: Path | None,
    serial_link: Path | None,
    board_path: Path | None,
    bare: bool,
    seed: int,
    panel_png: Path | None,
    wall_png: Path | None,
    story: Path | None,
    to: Path | None,
    as_json: bool,
) -> None:
    ui = Ui(as_json=as_json)
    if story is not None:
        if any((flash, console_link, serial_link, board_path, bare, panel_png, wall_png)):
            raise UsageError(
                "A story has a hub of its own.", hint="Beside --story give only --to, --seed and --json."
            )
        tell(story, to, seed, ui)
        return
    if to is not None:
        raise UsageError("--to belongs to --story.", hint="Add --story FILE.")
    spec_path = board_path if board_path is not None else board_toml("kiosk")
    if not spec_path.is_file():
        raise UsageError(
            f"There is no board description at {spec_path}.", hint="Name a board.toml with --board."
        )
    try:
        spec = load_spec(spec_path)
    except SpecError as error:
        raise UsageError(f"This board description cannot be used: {error}.") from error
    except OSError as error:
        raise UsageError(f"The board description {spec_path} cannot be read: {error.strerror}.") from error
    path = flash if flash is not None else _default_flash()
    for link in (console_link, serial_link):
        _check_link(link)
    for picture in (panel_png, wall_png):
        _check_picture(picture)
    with _locked_flash(path, spec_path, spec.flash_bytes, ui):
        hub = None if bare else enrolled(path, device_id(seed), ui)
        kernel = Kernel.real(seed)
        console = Console(kernel.loop)
        heap = memory.kiosk_heap(spec.heap_limit)
        board = Board(kernel, spec, path, seed=seed, heap_bytes=heap, console=console)
        links = Uarts(board)
        pictures = {name: to for name, to in (("panel", panel_png), ("wall", wall_png)) if to is not None}
        try:
            kernel.run(_serve(board, console, links, ui, path, hub, console_link, serial_link, pictures))
        finally:
            board.close()
            links.close()
            kernel.close()


async def _serve(
    board: Board,
    console: Console,
    links: Uarts,
    ui: Ui,
    flash: Path,
    hub: str | None,
    console_link: Path | None,
    serial_link: Path | None,
    pictures: dict[str, Path],
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        await board.power_on()
        ports = [(console_link, console.path)]
        link = links.links.get("link")
        serial = link.path if isinstance(link, PtyLink) else None
        if serial is not None:
            ports.append((serial_link, serial))
            stack.enter_context(_registered(board.spec.id, serial))
        await _booted(board)
        for place, port in ports:
            if place is not None:
                stack.enter_context(_linked(place, port))
        stack.enter_context(typed(board, loop))
        where = {"console": console.path, "link": serial, "flash": str(flash), "hub": hub, "pid": os.getpid()}
        ui.answer({"board": board.spec.id, **where}, _words(board, flash, ports))
        drawing = loop.create_task(_draw(board, pictures)) if pictures else None
        while board.failure is None and not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
        if drawing is not None:
            drawing.cancel()
    if board.failure is not None:
        raise SimulationError(f"The simulated board has died: {board.failure}.") from board.failure
    ui.say("The board is off.")


def _words(board: Board, flash: Path, ports: list[tuple[Path | None, str]]) -> str:
    uses = ("mpremote connect {}", "smilehub sync --port {}")
    names = ("console", "link")
    lines = [f"The {board.spec.id} is on; its flash is {flash}."]
    for name, use, (place, port) in zip(names, uses, ports, strict=False):
        lines.append(f"  {name:8}{port:14}{use.format(place or port)}")
    return "\n".join([*lines, "Ctrl-C switches it off."])


async def _booted(board: Board) -> None:
    """Wait until boot.py is about to run, so that a client that comes at once is heard."""
    end = asyncio.get_running_loop().time() + _BOOT_SECONDS
    while not board.booted and board.failure is None:
        if asyncio.get_running_loop().time() > end:
            raise SimulationError(f"The simulated board did not boot within {_BOOT_SECONDS:g} seconds.")
        await asyncio.sleep(0.01)


async def _draw(board: Board, pictures: dict[str, Path]) -> None:
    """Keep the pictures up to date; a file is replaced whole, and only when it changed."""
    last: dict[str, bytes] = {}
    while True:
        for name, path in pictures.items():
            picture = board.part(name).image()
            raw = picture.tobytes()
            if last.get(name) != raw:
                last[name] = raw
                part = path.with_name(path.name + ".part")
                picture.save(part, "PNG")
                part.replace(path)
        await asyncio.sleep(_PICTURE_SECONDS)


def _default_flash() -> Path:
    return data_folder() / "sim" / "kiosk-flash.bin"


@contextlib.contextmanager
def _locked_flash(path: Path, spec_path: Path, size: int, ui: Ui) -> Generator[None]:
    """The flash file of ``size`` bytes, built if it is not there, for this process alone."""
    try:
        if not path.exists():
            ui.say(f"Building the flash of a new board: {path}")
            image.build_image(spec_path, path)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise SimulationError(
            f"The flash file {path} cannot be written: {error.strerror}.", hint="Name another with --flash."
        ) from error
    try:
        # before anything is written: somebody's letter must not become a board's flash
        if not path.is_file() or os.fstat(fd).st_size != size:
            raise SimulationError(
                f"{path} is not the flash of this board: that has {size} bytes.",
                hint="Name another with --flash; one that is not there is built.",
            )
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SimulationError(
                f"Another simulated board runs on the flash file {path}.",
                hint="Stop it, or name another file with --flash.",
            ) from None
        yield
    finally:
        os.close(fd)


def _check_picture(picture: Path | None) -> None:
    if picture is not None and not picture.absolute().parent.is_dir():
        raise UsageError(
            f"There is no folder {picture.parent} for the picture {picture.name}.",
            hint="Make it, or name another place for the picture.",
        )


def _check_link(link: Path | None) -> None:
    if link is None:
        return
    if not link.parent.is_dir():
        raise UsageError(f"There is no folder {link.parent} for the link {link.name}.")
    if link.exists() and not link.is_symlink():
        raise UsageError(
            f"{link} is a file, not a link to a port; it stays as it is.",
            hint="Name another place for the link.",
        )


@contextlib.contextmanager
def _linked(link: Path, target: str) -> Generator[None]:
    """A link to a port, in the place of a stale one; taken away at the end if it is still ours."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(link)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if link.is_symlink() and str(link.readlink()) == target:
                link.unlink()


@contextlib.contextmanager
def _registered(name: str, port: str) -> Generator[None]:
    """The link port's entry in a folder that SMILEHUB_PORTS names, if it names one."""
    for entry in filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep)):
        if Path(entry).is_dir():
            with _linked(Path(entry) / f"{name}-{os.getpid()}", port):
                yield
            return
    yield
