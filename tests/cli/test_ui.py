"""What commands say: JSON or sentences, never both; a bar only for somebody who watches."""

import io
import json

from smilehub.ui import Quiet, Ui, jsonable, plain


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_and_sentences_exclude_each_other():
    for as_json in (True, False):
        out = io.StringIO()
        ui = Ui(as_json=as_json, out=out)
        ui.answer({"raw": b"\x01\xff", "seq": 3}, "Done.")
        ui.table(["a", "bb"], [[1, None]])
        if as_json:
            assert json.loads(out.getvalue()) == {"raw": "01ff", "seq": 3}
        else:
            assert out.getvalue() == "Done.\na  bb\n1  –\n"


def test_a_bar_only_on_a_terminal():
    for as_json, stream, shown in [
        (False, Terminal(), True),
        (True, Terminal(), False),
        (False, io.StringIO(), False),
    ]:
        with Ui(as_json=as_json, out=io.StringIO(), err=stream).progress("Records") as progress:
            progress.update(3, 10)
            assert isinstance(progress, Quiet) is not shown
        assert ("Records" in stream.getvalue()) is shown


def test_everything_becomes_json():
    assert jsonable({1: (b"a", None, True), b"k": {2.5}}) == {"1": ["61", None, True], "6b": [2.5]}


def test_no_terminal_obeys_what_a_kiosk_says():
    """Titles, colours, the clipboard, lines written over, words turned round."""
    said = "a\x1b]52;c;cm0=\x07\x1b[2Jb\rc\x9b1m\u202ed\x7f\x00"
    out, err = io.StringIO(), io.StringIO()
    ui = Ui(out=out, err=err)
    ui.say(said)
    ui.warn(said)
    ui.table(["a"], [[said]])
    shown = out.getvalue() + err.getvalue()
    assert not set(shown) & set("\x1b\x07\r\x9b\u202e\x7f\x00")
    assert plain("Zähne\tü – 歯\r\n") == "Zähne\tü – 歯\n"
