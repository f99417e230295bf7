"""`smilehub verify`: laptop and kiosk hold the same, or it says what differs."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import StoreMissing, VerifyFailed
from smilehub.ui import Ui

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.store.database import Store
    from smilehub.sync.verify import Report


@click.command()
@click.option("--offline", is_flag=True, help="Check the store alone; no kiosk is needed.")
@_common.kiosk_options
def verify(offline: bool, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Check that laptop and kiosk hold the same.

    Fetches what is new, then: no gap, every record sound, one record per identity, and the queue folded from
    this laptop's records equal to the kiosk's own.

    \b
    smilehub verify
    smilehub verify --offline --store copy.sqlite
    """
    ui = _common.ui_for(as_json)
    reports = _offline(store_path) if offline else [_online(port, store_path)]
    for report in reports:
        _tell(ui, report)
    faults = [fault for report in reports for fault in report.faults]
    if faults:
        raise VerifyFailed(faults[0] if len(faults) == 1 else f"{faults[0]} And {len(faults) - 1} more.")


def _offline(store_path: Path | None) -> "list[Report]":
    from smilehub.sync.verify import check

    with _common.open_store(store_path, write=False) as store:
        journals = store.journals()
        if not journals:
            raise StoreMissing(f"The store {store.path} holds no records yet.")
        return [check(store, journal.journal_id)[0] for journal in journals]


def _online(port: str | None, store_path: Path | None) -> "Report":
    from smilehub.sync.verify import verify as compare
    from smilehub.trust.given import RevocationLists

    async def work(client: "KioskClient", store: "Store") -> "Report":
        return await compare(client, store, _common.utc_now, lists=RevocationLists())

    return _common.with_kiosk(port, store_path, work)


def _tell(ui: Ui, report: "Report") -> None:
    ui.data(
        {
            "journal_id": report.journal_id,
            "records": report.records,
            "next_seq": report.next_seq,
            "unknown_kinds": report.unknown,
            "agrees": report.agrees,
            "digest": report.store_digest,
            "ok": report.ok,
            "faults": report.faults,
        }
    )
    for fault in report.faults:
        ui.say(fault)
    if report.ok:
        unknown = f" ({report.unknown} of kinds newer than this program)" if report.unknown else ""
        same = "; the kiosk's queue and this laptop's are the same" if report.agrees else ""
        ui.say(
            f"Journal {report.journal_id.hex()}: {report.records} records{unknown}, no gap, each once{same}."
        )
