"""No test touches the keys of whoever runs it."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Data of this session alone, for the tests and for every program that they start."""
    before = os.environ.get("SMILEHUB_HOME")
    os.environ["SMILEHUB_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    if before is None:
        del os.environ["SMILEHUB_HOME"]
    else:
        os.environ["SMILEHUB_HOME"] = before
