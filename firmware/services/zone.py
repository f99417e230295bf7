"""Local time for people by a POSIX TZ rule, such as EET-2EEST,M3.5.0/3,M10.5.0/4; nothing else reads it."""

_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)  # days before each month
_UNITS = (3600, 60, 1)
_OFFSET = "+-0123456789:"


def local(tz: str, utc_s: int) -> tuple:
    """(year, month, day, hour, minute) of a moment, in seconds since 1970, where ``tz`` holds.

    Source: POSIX.1-2017, 8.3, TZ; rules for summer time must be given, as Mm.w.d[/time]. Raises ValueError.
    """
    parts = tz.split(",")
    base = parts[0]
    name = at = _name(base, 0)
    while at < len(base) and base[at] in _OFFSET:
        at += 1
    winter = shift = -_seconds(base[name:at])
    if at < len(base):
        name = _name(base, at)
        summer = -_seconds(base[name:]) if name < len(base) else winter + 3600
        if len(parts) != 3:
            raise ValueError("a time zone needs two rules")
        year = _date(utc_s + winter)[0]
        begin = _moment(parts[1], year) - winter
        end = _moment(parts[2], year) - summer
        if begin <= utc_s < end if begin < end else not end <= utc_s < begin:
            shift = summer
    utc_s += shift
    return _date(utc_s) + (utc_s // 3600 % 24, utc_s // 60 % 60)


def _name(text, at):
    # Where the zone's name that begins here ends.
    if text[at : at + 1] == "<":
        return text.index(">", at) + 1
    start = at
    while at < len(text) and text[at].isalpha():
        at += 1
    if at - start < 3:
        raise ValueError("a time zone's name has three letters or more")
    return at


def _seconds(text):
    # [+-]h[:m[:s]]
    sign = -1 if text[:1] == "-" else 1
    if text[:1] in ("+", "-"):
        text = text[1:]
    value = 0
    for unit, part in zip(_UNITS, text.split(":")):
        value += unit * int(part)
    return sign * value


def _moment(rule, year):
    # Local seconds since 1970 at which the rule applies in that year.
    day, _, time = rule.partition("/")
    if day[:1] != "M":
        raise ValueError("a time zone's rule is Mm.w.d")
    month, week, weekday = (int(part) for part in day[1:].split("."))
    first = _days(year, month)
    days = first + (weekday - first - 4) % 7 + 7 * (week - 1)  # 1970-01-01 was a Thursday
    if days >= (_days(year, month + 1) if month < 12 else _days(year + 1, 1)):
        days -= 7
    return days * 86400 + (_seconds(time) if time else 7200)


def _days(year, month):
    # Days from 1970-01-01 to the first of a month.
    past = year - 1
    days = 365 * (year - 1970) + past // 4 - past // 100 + past // 400 - 477 + _BEFORE[month - 1]
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return days + (leap and month > 2)


def _date(utc_s):
    days = utc_s // 86400
    year = 1970 + days * 400 // 146097
    while _days(year + 1, 1) <= days:
        year += 1
    while _days(year, 1) > days:
        year -= 1
    month = 12
    while _days(year, month) > days:
        month -= 1
    return year, month, days - _days(year, month) + 1
