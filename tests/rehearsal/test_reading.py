"""What the eyes read is what stands there, and nothing else: on pictures drawn here from the same strings."""

from pathlib import Path

import pytest
from clinic_rig import PACE_S, a_hub, play
from PIL import Image

from hubcore.labels import PICTOGRAMS
from hubcore.records import decode
from smilehub.devices.assets import draw_pictogram
from smilehub.rehearsal import plan
from smilehub.rehearsal.hands import Hands
from smilehub.rehearsal.people import Visitors
from smilehub.rehearsal.reading import Page, as_read, languages, names, said


def test_a_ticket_is_read_as_the_journal_has_it(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:

        async def scene(visitors: Visitors) -> None:
            for number, (code, _) in enumerate(languages()):
                comer = plan.Visitor(
                    number,
                    0.0,
                    PACE_S,
                    language=number,
                    need="checkup",
                    size=1 + 2 * (number == 2),
                    picture=8,
                )
                hands = Hands(hub, PACE_S)
                await visitors.answer(comer, hands)
                first = await hands.expect("ticket.title", "ticket.family")
                assert (first == "ticket.family") == (number == 2)
                code_shown = hub.eyes.code()
                ticket = await visitors.read(comer, hands)
                assert ticket is not None and ticket.code == code_shown and len(code_shown) == 8
                await hub.laptop.until(lambda fold, upto=ticket.labels[-1]: upto in fold.visits)
                visits = [hub.laptop.fold.visits[label] for label in ticket.labels]
                assert [visit.lang for visit in visits] == [code] * comer.size
                assert {visit.pictogram for visit in visits} == {ticket.picture}
                newest = [r for r in map(decode, _raws(hub)) if r.kind == "checkin"][-1]
                assert ticket.labels == [newest.body["label"], *newest.body.get("others", [])]

        play(hub, scene)


def _raws(hub) -> list[bytes]:
    return [raw for _, raw in hub.store.records(hub.store.journals()[-1].journal_id)]


def test_what_is_no_text_is_not_read() -> None:
    picture = Image.new("RGB", (480, 320))
    assert (Page(picture).heading, Page(picture).lines, Page(picture).label, Page(picture).code) == (
        "", [], "", "",
    )  # fmt: skip
    picture.paste((255, 255, 255), (8, 4, 300, 40))
    page = Page(picture)
    assert page.heading == "" and not page.idle and not page.picture


@pytest.mark.parametrize("name", PICTOGRAMS)
def test_a_ticket_s_picture_is_known_and_a_spoiled_one_is_not(name: str) -> None:
    picture = Image.new("RGB", (480, 320))
    picture.paste((255, 255, 255), (352, 52), draw_pictogram(name, 120))
    assert Page(picture).picture == name
    picture.paste((0, 0, 0), (400, 100, 420, 120))
    picture.paste((255, 255, 255), (404, 104, 416, 116))
    assert Page(picture).picture == ""


def test_strings_are_known_by_their_words_in_any_language() -> None:
    for code, _ in languages():
        assert (code, "need.title") in names(said("need.title", code))
    assert names(as_read("K47: place 3"))[0] == ("en", "found.place")
    assert names("nothing that anybody translated") == ()
