"""Make build/gallery: one page with every screen in every language, as the firmware itself shows them.

The stories in tools/stories are played on a simulated hub once a language; ``{choose}`` in a story stands for
the keys that choose the language in its list, ``{lang}`` for its code. ``--docs`` also copies the pictures
that README shows to docs/gallery.
"""

import argparse
import ast
import html
import multiprocessing
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from smilehub.devices.sources import firmware_root
from smilehub.rehearsal import script, story
from smilehub.rehearsal.hub import SimulatedHub

ROOT = Path(__file__).resolve().parent.parent
STORIES = ROOT / "tools" / "stories"
_SEED = 4
#: In the order in which a stranger would look at them.
ORDER = ("visitor", "danger", "limits", "faults", "clock", "desk")
_DOCS = (
    ("visitor", "en", "idle-called"),
    ("visitor", "es", "need"),
    ("visitor", "fr", "ticket-family"),
    ("visitor", "uk", "pictogram"),
    ("danger", "en", "emergency"),
    ("desk", "en", "desk-called"),
)

_STYLE = """
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem; background: #fff; color: #111; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #eee; } }
.rows { display: grid; grid-template-columns: 9rem repeat(var(--n), minmax(240px, 1fr)); gap: 12px; }
.rows img { width: 100%; image-rendering: auto; }
.rows code { overflow-wrap: anywhere; }
h2 { margin-top: 3rem; }
"""


class Shot(NamedTuple):
    """One picture: its story, language code, name (a screen's id, perhaps with ``-variant``) and file."""

    story: str
    language: str
    name: str
    path: Path


def languages() -> dict[str, str]:
    """The kiosk's languages, code → name in itself, in the order of its list."""
    folder = firmware_root() / "kiosk" / "strings"
    codes: list[str] = tomllib.loads((folder / "boxes.toml").read_text(encoding="utf-8"))["languages"]
    read = {code: tomllib.loads((folder / f"{code}.toml").read_text(encoding="utf-8")) for code in codes}
    return {code: str(data["endonym"]) for code, data in read.items()}


def text_of(name: str, code: str) -> str:
    """The text of a story for one language."""
    choose = "down " * list(languages()).index(code) + "yes"
    text = (STORIES / f"{name}.story").read_text(encoding="utf-8")
    return text.replace("{choose}", choose).replace("{lang}", code)


def screens() -> set[str]:
    """The ids of all screens there are, read from the firmware's source."""
    found: set[str] = set()
    for path in sorted((firmware_root() / "kiosk").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SCREENS":
                found |= {str(ast.literal_eval(item.elts[0])) for item in _tuples(node.value)}
            elif isinstance(node, ast.FunctionDef) and node.name == "screens":
                keys = (key for part in ast.walk(node) if isinstance(part, ast.Dict) for key in part.keys)
                found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found


def shown() -> set[str]:
    """The ids of the screens of which the stories take a picture."""
    names = (
        step.words[0] for name in ORDER for step in script.parse(text_of(name, "en")) if step.verb == "snap"
    )
    return {name.split("-")[0] for name in names}


def shoot(job: tuple[str, str, Path]) -> list[Shot]:
    """Play a story in a language into a folder."""
    name, code, folder = job
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smilehub-gallery-") as scratch:
        hub = SimulatedHub(Path(scratch), _SEED, measure=False)
        try:
            pictures = story.play(hub, script.parse(text_of(name, code), name), folder)
        finally:
            hub.close()
    return [Shot(name, code, picture.name, Path(picture.file)) for picture in pictures]


def play(to: Path, names: Iterable[str] = ORDER, codes: Iterable[str] | None = None) -> list[Shot]:
    """Play the stories in every language, two at a time; pictures go to ``to/<story>/<language>``."""
    wanted = list(codes) if codes is not None else list(languages())
    jobs = [(name, code, to / name / code) for name in names for code in wanted]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return [shot for shots in pool.map(shoot, jobs, chunksize=1) for shot in shots]


def page(shots: list[Shot], folder: Path) -> str:
    """The page: a section a story, a row a picture, a column a language."""
    names = languages()
    at = {(shot.story, shot.language, shot.path.stem): shot for shot in shots}
    out = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Smilehub: every screen</title>",
        "<meta name='viewport' content='width=device-width'>",
        f"<style>{_STYLE}</style><h1>Every screen of the kiosk</h1>",
        "<p>Wall above, panel below, between them the light on top of the case; "
        "played on the simulated board from the stories in <code>tools/stories</code>.</p>",
    ]
    for name in dict.fromkeys(shot.story for shot in shots):
        said = (STORIES / f"{name}.story").read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        out.append(f"<h2 id='{name}'>{html.escape(said)}</h2><div class='rows' style='--n: {len(names)}'>")
        out += ["<b></b>", *(f"<b lang='{code}'>{html.escape(own)}</b>" for code, own in names.items())]
        for stem in dict.fromkeys(shot.path.stem for shot in shots if shot.story == name):
            out.append(f"<code>{html.escape(stem)}</code>")
            for code in names:
                shot = at.get((name, code, stem))
                if shot is None:
                    out.append("<i></i>")
                    continue
                source = shot.path.relative_to(folder).as_posix()
                out.append(
                    f"<img loading='lazy' src='{source}' alt='{shot.name} in {html.escape(names[code])}'>"
                )
        out.append("</div>")
    return "\n".join(out) + "\n</html>\n"


def copy_for_docs(shots: list[Shot], folder: Path) -> None:
    """Write the pictures that README shows, with few colours so that they stay small."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, code, title in _DOCS:
        (shot,) = (s for s in shots if (s.story, s.language, s.name) == (name, code, title))
        few = Image.open(shot.path).quantize(32, dither=Image.Dither.NONE)
        few.save(folder / f"{title}-{code}.png", optimize=True)


def _tuples(node: ast.expr) -> list[ast.Tuple]:
    return [item for item in node.elts if isinstance(item, ast.Tuple)] if isinstance(node, ast.Tuple) else []


def main(argv: list[str] | None = None) -> int:
    """Write the page; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    parser.add_argument("--docs", action="store_true", help="also write docs/gallery")
    options = parser.parse_args(argv)
    folder = ROOT / "build" / "gallery"
    shutil.rmtree(folder, ignore_errors=True)
    shots = play(folder)
    (folder / "index.html").write_text(page(shots, folder), encoding="utf-8")
    if options.docs:
        copy_for_docs(shots, ROOT / "docs" / "gallery")
    print(f"{len(shots)} pictures: {folder / 'index.html'}")
    missing = screens() - {shot.name.split("-")[0] for shot in shots}
    if missing:
        print(f"no picture of {', '.join(sorted(missing))}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
