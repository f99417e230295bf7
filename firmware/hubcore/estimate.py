"""How long a visitor will wait, as a range that is honest about what nobody can know.

The queue is played forward: every open chair that does not pause calls by the shipping rule, each visit keeps
it busy for the day's mean time, and what is left of a visit under way is the mean less what has passed, at
least a quarter of it. The moment P at which the visitor is called, in seconds from now, is then stretched for
those who have yet to come and will overtake (Stanford, Taylor, Ziedins 2014): W = P / (1 - sum over the
classes i before its own of r_i (1 - b_k/b_i)), for emergencies just r_0. The load r_i is of the day's
arrivals, with two hours of a usual load of 0.35 added, lest the first hour decides.

The variance is the sum of
* chance, m s^2 / c^2: m calls before it on c chairs, s^2 the variance of the day's busy times;
* what the mean may be off, known from n times only: (W s/mean)^2 / n;
* chance in who comes later, (W - P) mean / c, and as much again for what their load may be off: half of it;
* a minute for staff's own pace.
To s^2 and n three times with a spread of 60 % of their mean are added, for what a few times do not show. The
range reaches 1.5 standard deviations down and 2 up (long visits are longer than short ones are short), then
outwards to whole five minutes. On simulated days five visitors in six are called within it.

Integers only; it is no hot path.
"""

from hubcore.apq import Ahead
from hubcore.classes import EMERGENCY
from hubcore.compat import const

MIN_SERVED = 3  # before, nobody can tell
STEP_MIN = 5

_HANDOVER_S = const(60)  # from a chair's being free, with nobody called yet, to the next call
_PRIOR = const(3)
_USUAL_OVER_S = const(7200)
_USUAL_S = const(2500)  # of these seconds a chair is usually busy with one class
_MOST_OVERTAKEN = const(600)  # per mille of the wait
_GUESSED = const(4)  # 1 / (half)^2
_DOWN = const(15)  # tenths of a standard deviation
_UP = const(20)


def estimate(hub, visit, now_s: int) -> "tuple[int, int] | None":
    """(least, most) minutes until ``visit`` is called, multiples of 5, at ``now_s`` s of queue time.

    The least is 0 only if a chair that takes the visit is free. None if fewer than three were served today,
    if no open chair that does not pause takes the visit, or if it does not wait.
    """
    n, total, squares = hub.busy
    if visit.state != "waiting" or hub.counts["served"] < MIN_SERVED or n < MIN_SERVED:
        return None
    mean = max(10, 10 * total // n)
    chairs = [chair for chair in hub.chairs.values() if chair.open and not chair.paused]
    free = [_left_s(chair, mean, now_s) for chair in chairs]
    suited = [i for i in range(len(chairs)) if chairs[i].takes(visit)]
    if not suited:
        return None
    idle = len([i for i in suited if chairs[i].visit is None])
    played_s = _play(hub, visit, now_s, chairs, free, mean)
    share = _overtaken(hub, visit, now_s, mean, len(suited))
    wait_s = played_s * 1000 // (1000 - share)
    between = mean // len(suited)  # seconds from one call to the next
    variance = max(0, 100 * squares // n - mean * mean)
    variance = (variance * n + _PRIOR * (mean * 3 // 5) ** 2) // (n + _PRIOR)
    calls = max(1, wait_s // between)
    known = wait_s * _root(variance) // mean
    later = wait_s - played_s
    variance = calls * variance // len(suited) ** 2 + known * known // (n + _PRIOR)
    spread = _root(variance + later * between + later * later // _GUESSED + _HANDOVER_S * _HANDOVER_S)
    step = 60 * STEP_MIN
    least = max(0, wait_s - spread * _DOWN // 10) // step
    if not idle:
        least = max(1, least)
    most = max(least + 1, (wait_s + spread * _UP // 10 + step - 1) // step)
    return STEP_MIN * least, STEP_MIN * most


def _left_s(chair, mean: int, now_s: int) -> int:
    """Seconds until this chair calls."""
    if chair.visit is None:
        return _HANDOVER_S
    return max(mean - (now_s - chair.since), mean // 4)


def _play(hub, visit, now_s: int, chairs: list, free: list, mean: int) -> int:
    """Seconds until the visit is called, if each before it keeps a chair busy for the mean time."""
    ahead = Ahead(hub.waiting)
    chairs = list(chairs)
    while True:
        i = free.index(min(free))
        at = free[i]
        best = ahead.take(now_s + at, hub.rates, chairs[i].picks)
        if best is None:
            free.pop(i)
            chairs.pop(i)
            continue
        if best is visit:
            return at
        free[i] = at + mean


def _overtaken(hub, visit, now_s: int, mean: int, chairs: int) -> int:
    """Which share of the wait those will take who come later and go first, per mille."""
    share = 0
    for cls in range(visit.cls):
        ahead = 1000
        usual = 0
        if cls != EMERGENCY:
            ahead -= 1000 * hub.rates[visit.cls] // hub.rates[cls]
            usual = _USUAL_S
        share += ahead * (hub.arrived[cls] * mean // chairs + usual) // (now_s + _USUAL_OVER_S)
    return min(max(0, share), _MOST_OVERTAKEN)


def _root(n: int) -> int:
    """The largest integer whose square is not above ``n`` (Newton)."""
    if n < 2:
        return n
    x = n
    y = (x + 1) // 2
    while y < x:
        x = y
        y = (x + n // x) // 2
    return x
