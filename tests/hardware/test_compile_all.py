"""The compiler over all firmware says where something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import compile_all


def test_faults_are_told_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.py").write_text("x = 1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "bad.py").write_text("x = 1\ny = (\n")
    (tmp_path / "code.py").write_text("import micropython\n@micropython.viper\ndef f():\n    pass\n")
    assert compile_all.main([str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "sub/bad.py:" in said
    assert "SyntaxError" in said
    assert "code.py:2: machine code (viper)" in said
    assert "good.py" not in said


def test_what_is_right_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.py").write_text("async def f():\n    await g()\n")
    assert compile_all.main([str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
