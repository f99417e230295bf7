"""Closing a day that somebody forgot to close; in memory only for so long."""

from hubcore.classes import EMERGENCY


def settle(hub, who: "str | None") -> int:
    """As kiosk.hub.KioskHub.settle."""
    fold = hub.fold
    count = len(fold.visits)
    act = {} if who is None else {"who": who}
    for label in sorted(fold.visits):
        visit = fold.visits.get(label)
        if visit is None:
            continue  # went with its family
        act["ticket"] = label
        if visit.cls == EMERGENCY:
            hub.wish("left", dict(act, why="left over from the day before"))
        elif visit.chair is not None:
            hub.wish("served" if visit.state == "seated" else "defer", act)
    act.pop("ticket", None)
    for alert in sorted(fold.alerts):
        hub.wish("alert_ack", dict(act, alert=alert))
    if fold.day_open:
        hub.wish("day_close", dict(act, rest="tomorrow"))
    return count
