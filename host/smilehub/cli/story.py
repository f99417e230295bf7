"""`smilehub sim kiosk --story`: play a script of keys and events, and write its pictures."""

import tempfile
from dataclasses import asdict
from pathlib import Path

from smilehub.errors import SimulationError, UsageError
from smilehub.rehearsal import script, story
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.board import BoardError
from smilehub.ui import Ui


def tell(path: Path, to: Path | None, seed: int, ui: Ui) -> None:
    """Play the story of a file into a folder and list its pictures. Raises UsageError, SimulationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The story {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The story {path} is no text.") from error
    steps = script.parse(text, path.name)
    folder = _folder(to if to is not None else Path(path.stem + "-pictures"))
    with tempfile.TemporaryDirectory(prefix="smilehub-story-") as scratch:
        hub = SimulatedHub(Path(scratch), seed, measure=False)
        try:
            pictures = story.play(hub, steps, folder)
        except BoardError as error:
            raise SimulationError(
                str(error), hint=f"The end of the board's console:\n{hub.board.console_text()[-1500:]}"
            ) from error
        finally:
            hub.close()
    shown = [f"{Path(p.file).name:30} line {p.line}, {p.at_s:g} s" for p in pictures]
    listed = [{"number": n, **asdict(p)} for n, p in enumerate(pictures, 1)]
    ui.answer({"folder": str(folder), "pictures": listed}, "\n".join([f"In {folder}:", *shown]))


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in list(story.stale(folder)):
            old.unlink()
    except OSError as error:
        raise UsageError(
            f"Pictures cannot be written to {folder}: {error.strerror}.", hint="Name another with --to."
        ) from error
    return folder
