"""What commands share: options, the store and the kiosk they work with, and a loop to run on."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from smilehub.cli._stop import Terminated
from smilehub.errors import PortBusy
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


def make_client(path: str) -> "KioskClient":
    """A client for the kiosk at a serial port; its ids are not those of an earlier run's late answers."""
    from smilehub.link.client import KioskClient
    from smilehub.link.serial import SerialTransport

    return KioskClient(SerialTransport(path), name="laptop", first_id=int.from_bytes(os.urandom(2)))


def with_kiosk(
    port: str | None, store_path: Path | None, work: Callable[["KioskClient", "Store"], Awaitable[_T]]
) -> _T:
    """Run ``work`` with an open client and store, and close both whatever happens.

    The port is chosen before the store is opened: without a kiosk nothing is made.
    """
    from smilehub.devices.ports import choose

    path = choose(port)

    async def _work() -> _T:
        async with make_client(path) as client:
            with open_store(store_path) as store:
                return await work(client, store)

    try:
        return run(_work())
    except PortBusy as busy:
        raise _named(busy, store_path) from busy.__cause__


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
