"""The demo on a terminal: wall and panel in half-block characters, the queue, each record as it arrives."""

from collections import deque

from PIL import Image
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.style import Style
from rich.table import Table
from rich.text import Text

from hubcore.fold import Hub
from hubcore.records import Record
from smilehub.sim.board import Board

_PANEL_COLUMNS = 96
_QUEUE_ROWS = 8
_RECORD_ROWS = 6
_LED_ON = (255, 140, 20)
_LED_OFF = (45, 22, 12)


class Stage:
    """What the terminal shows of one hub; ``tell`` takes records."""

    def __init__(self, board: Board, fold: Hub, hints: list[str]) -> None:
        self._board = board
        self._fold = fold
        self._hints = hints
        self._lines: deque[str] = deque(maxlen=_RECORD_ROWS)

    def tell(self, record: Record) -> None:
        """A record reached the laptop."""
        self._lines.append(line(record))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = min(_PANEL_COLUMNS, options.max_width)
        if console.color_system in ("256", "truecolor"):  # with fewer colours it would be noise
            yield Text("wall", style="bold")
            yield half_blocks(self._wall(), columns)
            yield Text("kiosk", style="bold")
            yield half_blocks(self._board.part("panel").image(), columns)
        yield Columns([self._queue(), self._arrivals()], padding=(0, 3))
        for hint in self._hints:
            yield Text(hint, style="dim")

    def _arrivals(self) -> RenderableType:
        return Text("\n".join(["on the laptop:", *self._lines]))

    def _wall(self) -> Image.Image:
        rows = self._board.part("wall").pixels()
        image = Image.new("RGB", (len(rows[0]), len(rows)))
        image.putdata([_LED_ON if lit else _LED_OFF for row in rows for lit in row])
        return image

    def _queue(self) -> RenderableType:
        table = Table(title=f"waiting: {self._fold.counts['waiting']}", title_justify="left", box=None)
        for column in ("ticket", "need", "lane", "min"):
            table.add_column(column)
        now = self._fold.queue_ms
        for visit in self._fold.order(now, _QUEUE_ROWS):
            minutes = self._fold.why(visit, now)["waited_s"] // 60
            table.add_row(visit.label, visit.need, visit.lane, str(minutes))
        return table


def line(record: Record) -> str:
    """A record in one line."""
    body = ", ".join(f"{key} {value}" for key, value in record.body.items() if key != "cmd")
    return f"{record.seq:5} {record.kind or record.code} {body}"


def half_blocks(image: Image.Image, columns: int) -> Text:
    """A picture as text: each character is two pixels, one above the other."""
    rows = max(2, round(image.height * columns / image.width) // 2 * 2)
    small = image.convert("RGB").resize((columns, rows), Image.Resampling.BOX)
    pixels = small.tobytes()
    text = Text()
    for y in range(0, rows, 2):
        for x in range(columns):
            above, below = ("#" + pixels[at : at + 3].hex() for at in _ends(x, y, columns))
            text.append("▀", Style(color=above, bgcolor=below))
        text.append("\n")
    text.rstrip()
    return text


def _ends(x: int, y: int, columns: int) -> tuple[int, int]:
    return 3 * (y * columns + x), 3 * ((y + 1) * columns + x)
