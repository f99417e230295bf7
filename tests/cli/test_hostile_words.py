"""A kiosk of the hub that says anything at all: no command falls over it, and no terminal obeys it."""

import contextlib
import io
import json
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peer import MemoryTransport, Peer, reply

from hubcore import requests
from hubcore.errors import HubError
from smilehub.cli import _reach, main
from smilehub.link import reasons
from smilehub.link.client import KioskClient
from smilehub.ui import json_line, plain

_SAID = "\x1b]52;c;cm0=\x07\x9b1m\u202e\u2066\u061c\x7f\x85\u2028\r\n\t\x00"
texts = st.text(st.one_of(st.sampled_from(_SAID), st.characters(exclude_categories=["Cs"])), max_size=30)
numbers = st.integers(-(2**63), 2**64 - 1)
values = st.recursive(
    st.one_of(texts, numbers, st.booleans(), st.none(), st.binary(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.integers(0, 12), texts), inner, max_size=5),
    ),
    max_leaves=12,
)


class Liar(Peer):
    """Answers each request as it should, but with ``word`` wherever there is a text, and for some ops with
    what ``lies`` has: a status, and a value or some fields of it."""

    def __init__(self, word: str, lies: dict[int, tuple[int, Any, dict[int, Any]]]) -> None:
        super().__init__()
        self.word = word
        self.lies = lies
        self.told = 0
        self.config = {word: word, "tz": word}
        self.log = word.encode()
        self.files = {"/" + word: b"", "/there": b"some"}
        self.pins = {"ana": "udyb"}
        self.wish("day_open", {})

    def answer(self, number: int, op: int, args: dict) -> list[bytes]:
        self.told += 1
        self.role = "technician" if requests.LOGS <= op != requests.REVOKE else "laptop"
        try:
            answers = super().answer(number, op, args)
        except (HubError, LookupError, TypeError):
            answers = [reply(number, requests.FAULT, {0: self.word})]
        if op in self.lies and self.told < 30:
            status, whole, parts = self.lies[op]
            result = requests.parse(answers[0][2:])[3]
            return [reply(number, status, result | parts if parts and isinstance(result, dict) else whole)]
        if op == requests.PULL:
            return answers
        return [reply(number, *self.turned(requests.parse(one[2:])[2:4])) for one in answers]

    def turned(self, value: Any) -> Any:
        """``value`` with the word behind each text but a reason's code, which is known by its spelling."""
        if isinstance(value, str):
            return value if value in reasons.REASONS else value + self.word
        if isinstance(value, dict):
            return {key: self.turned(one) for key, one in value.items()}
        return type(value)(map(self.turned, value)) if isinstance(value, (list, tuple)) else value


COMMANDS = {
    ("queue",): (requests.PULL, requests.RECEIPT),
    ("verify",): (requests.PULL, requests.STATE),
    ("health",): (requests.HEALTH,),
    ("logs",): (requests.LOGS,),
    ("config",): (requests.CONFIG_GET,),
    ("config", "tz", "UTC0"): (requests.CONFIG_SET, requests.CONFIG_GET),
    ("files", "list"): (requests.FILE_LIST,),
    ("files", "get", "/there", "OUT"): (requests.FILE_READ,),
    ("files", "put", "FILE", "/other/x"): (requests.FILE_READ, requests.FILE_WRITE),
    ("devices",): (requests.HELLO,),
    ("sync",): (requests.PULL, requests.SET_CLOCK),
    ("day", "open"): (requests.COMMAND,),
    ("call", "1"): (requests.COMMAND,),
    ("left", "K12"): (requests.COMMAND,),
    ("alert", "list"): (requests.PULL,),
    ("staff", "list"): (requests.COMMAND,),
    ("undo",): (requests.COMMAND,),
}
lie = st.tuples(
    st.one_of(st.just(requests.DONE), st.integers(0, 13)),
    values,
    st.dictionaries(st.integers(0, 14), st.one_of(texts, values), max_size=4),
)
acts = st.sampled_from(sorted(COMMANDS)).flatmap(
    lambda command: st.tuples(
        st.just(command),
        st.one_of(
            st.just({}),
            st.dictionaries(st.sampled_from(COMMANDS[command]), lie, min_size=1),
            st.dictionaries(st.just(requests.HELLO), lie, min_size=1),
        ),
    )
)


def obeyed(text: str) -> set[str]:
    """What of a text a terminal would obey or hide, but for line ends, tabs and the scripts' joiners."""
    return {
        letter
        for letter in text
        if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(letter)
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or letter in "\u200e\u200f\u061c"
    } - set("\n\t")


def said(folder: Path, *args: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of one command."""
    out, err = io.StringIO(), io.StringIO()
    names = {"OUT": str(folder / "out"), "FILE": str(folder / "file")}
    (folder / "out").unlink(missing_ok=True)
    (folder / "file").write_bytes(b"some bytes")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
        main([names.get(arg, arg) for arg in args])
    return int(str(end.value.code)), out.getvalue(), err.getvalue()


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr("smilehub.devices.ports.choose", lambda port: "here")
    yield monkeypatch


def told(
    patched: pytest.MonkeyPatch, command: tuple[str, ...], as_json: bool, word: str, lies: dict[int, Any]
) -> str:
    """What a command says to such a kiosk, on both streams together."""

    def by_cable(path: str, device_id: bytes | None = None, *, role: str | None = None) -> KioskClient:
        return KioskClient(MemoryTransport(Liar(word, lies)), timeout=0.5)

    patched.setattr(_reach, "by_cable", by_cable)
    with tempfile.TemporaryDirectory() as folder:
        patched.setenv("SMILEHUB_HOME", folder)
        patched.setenv("SMILEHUB_PORTS", "/dev/null")
        code, out, err = said(Path(folder), *command, *(["--json"] if as_json else []))
    assert code != 1 and "Traceback" not in err, (out, err)
    assert obeyed(out) == obeyed(err) == set()
    if as_json:
        for line in out.splitlines():
            json.loads(line)
    return out + err


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("command", sorted(COMMANDS), ids=" ".join)
def test_no_terminal_obeys_any_command(
    patched: pytest.MonkeyPatch, command: tuple[str, ...], as_json: bool
) -> None:
    shown = told(patched, command, as_json, _SAID, {})
    if command[0] in ("health", "logs", "devices", "staff") or command in (("config",), ("files", "list")):
        assert ("\\u009b" if as_json else "\ufffd1m") in shown, shown


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(act=acts, as_json=st.booleans(), word=texts)
def test_no_command_falls_over_what_a_kiosk_says(
    patched: pytest.MonkeyPatch, act: tuple[tuple[str, ...], dict[int, Any]], as_json: bool, word: str
) -> None:
    told(patched, act[0], as_json, word, act[1])


@given(values)
def test_json_is_harmless_and_means_the_same(value: Any) -> None:
    line = json_line({"value": value, "text": str(value)})
    assert obeyed(line) == set() and "\n" not in line
    assert json.loads(line)["text"] == str(value)


@given(texts)
def test_a_sentence_keeps_its_letters(text: str) -> None:
    shown = plain(text)
    assert obeyed(shown) == set()
    assert [letter for letter in text if letter.isalnum()] == [letter for letter in shown if letter.isalnum()]
