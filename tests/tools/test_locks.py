"""The lock files: every requirement pinned with hashes, no address of any registry."""

import re
from pathlib import Path

import pytest
from tools.lock import mark, markers

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


def test_what_is_for_some_systems_alone_is_asked_for_there_alone(tmp_path: Path) -> None:
    only = markers(ROOT / "pyproject.toml")
    assert set(only) == {"atheris"}
    text = (ROOT / "requirements-dev.lock").read_text()
    assert f"; {only['atheris']} \\\n" in text
    bare = tmp_path / "lock"
    bare.write_text(text.replace(f" ; {only['atheris']}", ""))
    for _ in range(2):
        mark(bare, only)
        assert bare.read_text() == text


def test_the_developers_lock_agrees_with_the_users() -> None:
    pins = [dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.M)) for name in LOCKS]
    user, developer = pins
    assert user.items() <= developer.items()
