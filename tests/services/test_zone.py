"""Local time by POSIX rules, against the zone files of this machine."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.zone import local
from smilehub.devices import image
from smilehub.errors import ImageError

ZONES = [
    ("UTC0", "UTC"),
    ("EET-2EEST,M3.5.0/3,M10.5.0/4", "Europe/Kyiv"),
    ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Madrid"),
    ("EST5EDT,M3.2.0,M11.1.0", "America/New_York"),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", "Australia/Sydney"),
    ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "Australia/Lord_Howe"),
    ("IST-5:30", "Asia/Kolkata"),
    ("<-03>3", "America/Sao_Paulo"),
]


@pytest.mark.parametrize(("tz", "name"), ZONES)
def test_as_the_zone_file_says(tz: str, name: str) -> None:
    zone = ZoneInfo(name)
    moment = datetime(2024, 12, 30, tzinfo=UTC)
    before = None
    while moment.year < 2031:
        there = moment.astimezone(zone)
        want = (there.year, there.month, there.day, there.hour, there.minute)
        assert local(tz, int(moment.timestamp())) == want, moment
        if before is not None and there.utcoffset() != before:
            change = moment - timedelta(hours=13)  # the change lies in between: look minute by minute
            for _ in range(13 * 60):
                there = change.astimezone(zone)
                want = (there.year, there.month, there.day, there.hour, there.minute)
                assert local(tz, int(change.timestamp())) == want, change
                change += timedelta(minutes=1)
        before = there.utcoffset()
        moment += timedelta(hours=13)


@pytest.mark.parametrize("year", [2000, 2024, 2028, 2096, 2100, 2104])
def test_leap_days(year: int) -> None:
    for day in range(364):
        moment = datetime(year, 1, 1, 23, 59, tzinfo=UTC) + timedelta(days=day)
        assert local("UTC0", int(moment.timestamp())) == moment.timetuple()[:5]


@pytest.mark.parametrize("tz", ["", "U0", "EET-2EEST", "EET-2EEST,J60,J300", "EET-xEEST,M3.5.0,M10.5.0"])
def test_what_is_no_zone_is_refused_by_kiosk_and_builder(tz: str) -> None:
    with pytest.raises(ValueError):
        local(tz, 1_777_000_000)
    with pytest.raises(ImageError, match="time zone"):
        image.check_tz(tz)


@pytest.mark.parametrize(("tz", "name"), ZONES)
def test_the_builder_takes_what_the_kiosk_understands(tz: str, name: str) -> None:
    image.check_tz(tz)
