"""What commands share: options, the store and the kiosk they work with, and a loop to run on."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from smilehub.cli._stop import Terminated
from smilehub.errors import LinkError, NoDevice, NoIdentity, PortBusy, RoleForbidden, SeveralDevices
from smilehub.ui import Ui

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.store.database import Store

_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])


def json_option(function: _F) -> _F:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(function)


def store_option(function: _F) -> _F:
    """--store."""
    return click.option(
        "--store",
        "store_path",
        type=click.Path(path_type=Path, readable=False),  # the store says itself what is wrong with it
        metavar="FILE",
        help="Use this store instead of the one in your data folder.",
    )(function)


def port_option(function: _F) -> _F:
    """--port."""
    return click.option(
        "--port", metavar="PORT", help="The kiosk's link port; needed only if several kiosks are connected."
    )(function)


def kiosk_options(function: _F) -> _F:
    """--port, --store and --json, for commands that talk to a kiosk."""
    return port_option(store_option(json_option(function)))


def open_store(path: Path | None, *, write: bool = True) -> "Store":
    """The store that the command works with. Raises a StoreError."""
    from smilehub.store.database import Store, default_path

    command = " ".join(["smilehub", *sys.argv[1:]])
    return Store.open(path or default_path(), command=command, write=write)


def with_client(
    port: str | None,
    store_path: Path | None,
    work: Callable[["KioskClient"], Awaitable[_T]],
    *,
    role: str | None = None,
) -> _T:
    """Run ``work`` with a client of the one kiosk that is meant, and close it whatever happens.

    ``role``: whose identity to show, if this laptop has several.
    """

    async def _work() -> _T:
        async with await _meant(port, store_path, role) as client:
            return await work(client)

    try:
        return run(_work())
    except PortBusy as busy:
        raise _named(busy, store_path) from busy.__cause__
    except RoleForbidden as forbidden:
        from smilehub.cli import _hub

        needed = "laptop" if role is None else role
        raise RoleForbidden(forbidden.message, hint=_hub.how_to_become(needed)) from forbidden


def with_kiosk(
    port: str | None, store_path: Path | None, work: Callable[["KioskClient", "Store"], Awaitable[_T]]
) -> _T:
    """Run ``work`` with an open client and store, and close both whatever happens.

    The kiosk is chosen before the store is opened: without one nothing is made.
    """

    async def _work(client: "KioskClient") -> _T:
        with open_store(store_path) as store:
            return await work(client, store)

    return with_client(port, store_path, _work)


async def _meant(port: str | None, store_path: Path | None, role: str | None) -> "KioskClient":
    """A client for the kiosk at ``port``; else for the only one on a cable; else the only one in the air."""
    from smilehub.cli import _reach
    from smilehub.devices.ports import choose

    try:
        return _reach.by_cable(choose(port), role=role)
    except NoDevice as nobody:
        try:
            found = await _reach.heard(_reach.enrolled(store_path))
        except (LinkError, NoIdentity):
            raise nobody from None
        if not found:
            raise
    if len(found) > 1:
        listed = ", ".join(device_id.hex() for device_id in found)
        raise SeveralDevices(
            f"{len(found)} kiosks are in the air, and nobody said which one is meant: {listed}.",
            hint="Connect the one that is meant by its cable.",
        )
    return _reach.by_air(next(iter(found)), role=role)


def _named(busy: PortBusy, store_path: Path | None) -> PortBusy:
    """The same error, with the name of the other one if it works with this store: then it has one."""
    from smilehub.store.database import Store, default_path

    writer = Store.writer(store_path or default_path())
    if writer is None:
        return busy
    return PortBusy(busy.message, hint=f"{writer} writes to the same store: stop it, then try again.")


def run(work: Awaitable[_T]) -> _T:
    """Run a coroutine on a loop of its own. Raises KeyboardInterrupt or Terminated when it is stopped."""

    async def _run() -> _T:
        task = asyncio.current_task()
        assert task is not None
        with stoppable(asyncio.get_running_loop(), task.cancel):
            return await work

    return asyncio.run(_run())


@contextlib.contextmanager
def stoppable(loop: asyncio.AbstractEventLoop, cancel: Callable[[], object]) -> Generator[None]:
    """While the block runs, SIGINT and SIGTERM call ``cancel`` on ``loop``, at a moment that suits it.

    A CancelledError that then comes out of the block becomes KeyboardInterrupt or Terminated.
    """
    came: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        came.append(number)
        cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    except asyncio.CancelledError:
        if not came:
            raise
        raise (Terminated if came[0] == signal.SIGTERM else KeyboardInterrupt) from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def utc_now() -> int:
    """UTC seconds of this laptop."""
    from smilehub.store.database import utc_now

    return utc_now()


def ui_for(as_json: bool) -> Ui:
    """The voice of one command."""
    return Ui(as_json=as_json)
