"""The lock files: every requirement pinned with hashes, no address of any registry."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_pinned_with_hashes_and_nothing_names_an_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    logical = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    assert len(logical) > 10
    for line in logical:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", line), line
        assert "--hash=sha256:" in line, line


def test_the_developers_lock_agrees_with_the_users() -> None:
    pins = [dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.M)) for name in LOCKS]
    user, developer = pins
    assert user.items() <= developer.items()
