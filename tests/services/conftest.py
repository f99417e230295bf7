"""What all tests of services share."""

from types import SimpleNamespace

import pytest

from kiosk import hub


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub collects garbage at every record, which takes CPython with a whole test suite loaded long."""
    monkeypatch.setattr(hub, "gc", SimpleNamespace(collect=lambda: 0))
