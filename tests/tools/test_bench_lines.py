"""The bench's kiosks on simulated lines: what is synced is compared, and faults on the line are counted."""

from pathlib import Path

import pytest
from tools.bench import lines

from hubcore import records
from smilehub.sim.kernel import Kernel


def test_a_journal_holds_the_records_that_are_told() -> None:
    partition, raws = lines.journal_of(40, 3)
    assert [records.decode(raw).seq for raw in raws] == list(range(1, len(raws) + 1))
    assert len(raws) >= 40
    assert all(raw in partition for raw in raws)


def test_a_sync_is_measured_without_its_opening_and_beside_erases() -> None:
    quiet = lines.sync_share(300)
    assert 0.3 < quiet.share < 1
    assert quiet.opening_s > 0.5, "the handshake alone takes a second of the kiosk"
    noisy = lines.sync_share(300, noise=1e-3, erasing=True)
    assert noisy.changed > 0
    assert noisy.share < quiet.share


def test_records_that_are_not_in_the_store_as_they_were_are_counted(tmp_path: Path) -> None:
    kernel = Kernel.virtual(1)
    rig = lines.Rig(kernel, tmp_path, 1, 40)

    async def run() -> None:
        await rig.power_on()
        async with rig.client() as client:
            await rig.sync(client)

    try:
        assert rig.wrong() == len(rig.records)
        kernel.run(run())
        assert rig.wrong() == 0
        rig.check()
        rig.records = (*rig.records[:5], b"another", *rig.records[6:])
        assert rig.wrong() == 1
        with pytest.raises(RuntimeError, match="1 records are lost, doubled or changed"):
            rig.check()
    finally:
        rig.close()
        kernel.close()
