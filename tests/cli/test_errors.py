"""The tree of errors and the table of exit codes say the same."""

import builtins
import re
import signal
from pathlib import Path

import pytest
import rich_click as click

from hubcore.errors import RecordError
from smilehub import cli
from smilehub.cli._stop import TERMINATED
from smilehub.errors import KioskRefused, SmilehubError, leaves

DOC = Path(__file__).parents[2] / "docs" / "exit-codes.md"


@pytest.mark.parametrize("leaf", leaves(), ids=lambda leaf: leaf.__name__)
def test_every_leaf_has_code_hint_and_builtin(leaf: type[SmilehubError]):
    assert leaf.exit_code > 1
    assert leaf.default_hint.endswith(".")
    assert leaf.default_hint != SmilehubError.default_hint
    bases = {base for base in leaf.__mro__ if base.__module__ == "builtins"} - {
        Exception,
        BaseException,
        object,
    }
    assert bases, "also a subclass of the matching builtin"
    assert all(hasattr(builtins, base.__name__) for base in bases)
    error = leaf("A sentence.")
    assert (str(error), error.hint) == ("A sentence.", leaf.default_hint)


def test_the_table_has_every_leaf_and_nothing_else():
    rows = {
        (int(number), code)
        for number, code in re.findall(r"^\| (\d+) \| `?(\w*)`? \|", DOC.read_text(), re.M)
        if code
    }
    expected = {(leaf.exit_code, leaf.code) for leaf in leaves()}
    assert rows - {(1, "unexpected"), (8, "link"), (20, "store")} == expected


def test_the_table_has_what_ends_a_command_without_an_error_and_is_in_order():
    text = DOC.read_text()
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)]
    assert numbers == sorted(numbers)
    others = {int(number) for number in re.findall(r"^\| (\d+) \| \|", text, re.M)}
    assert others == {0, 128 + signal.SIGINT, 128 + signal.SIGPIPE, TERMINATED}
    assert TERMINATED == 128 + signal.SIGTERM


def test_an_exit_code_that_several_errors_share_is_one_kind_of_trouble():
    shared: dict[int, set[str]] = {}
    for leaf in leaves():
        shared.setdefault(leaf.exit_code, set()).add(leaf.code)
    assert [codes for codes in shared.values() if len(codes) > 1] == [{"port_missing", "not_a_port"}]


def test_codes_are_distinct():
    codes = [leaf.code for leaf in leaves()]
    assert len(codes) == len(set(codes))


def test_any_other_error_is_still_a_sentence(capsys: pytest.CaptureFixture[str]):
    assert cli.report(RuntimeError("boom"), as_json=False, debug=False) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Something unexpected happened: RuntimeError: boom\n")
    assert "Traceback" not in err
    cli.report(RuntimeError("boom"), as_json=False, debug=True)
    assert "RuntimeError: boom" in capsys.readouterr().err


def test_the_cores_errors_and_clicks_are_sentences_too():
    assert cli.describe(RecordError("a record is an array of six"))[:2] == (10, "protocol")
    assert cli.describe(click.UsageError("No such option: --x"))[0] == 2
    assert cli.describe(KioskRefused("No.", reason="full"))[:2] == (12, "refused")
